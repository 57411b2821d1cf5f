#!/usr/bin/python3
"""The tidy test proves itself: each rule on text that breaks it, and on the nearest text that does not."""
import unittest

import tidy

HEADER = "// A thing.\n//\n// Threads: one. Failure: none.\n#pragma once\n"


def offences(path, text, mode="100644"):
    return [what for _, what in tidy.check(path, mode, text.encode())]


def function(lines):
    return "int f(int a) {\n" + "  ++a;\n" * (lines - 2) + "}\n"


class Functions(unittest.TestCase):
    def test_a_function_of_70_lines_passes_and_71_does_not(self):
        self.assertEqual(offences("src/a/a.cc", function(70)), [])
        self.assertRegex(offences("src/a/a.cc", function(71))[0], "a function of 71 lines")

    def test_a_waiver_needs_a_reason(self):
        self.assertEqual(offences("src/a/a.cc", "// long: a state machine reads better whole\n" + function(90)), [])
        self.assertEqual(len(offences("src/a/a.cc", "// long:\n" + function(90))), 1)

    def test_bodies_in_namespaces_and_classes_are_found(self):
        text = "namespace a {\nclass B {\n public:\n" + function(71) + "};\n}\n"
        self.assertEqual(len(offences("src/a/a.cc", text)), 1)

    def test_a_long_namespace_or_class_of_short_functions_passes(self):
        text = "namespace a {\nstruct B final : C {\n" + function(30) * 4 + "};\n}\n"
        self.assertEqual(offences("src/a/a.cc", text), [])

    def test_braces_in_literals_and_comments_do_not_count(self):
        text = 'int f() {\n  g("}", \'}\', R"x(})x");  // }\n  /* } */\n}\n' + function(60)
        self.assertEqual(tidy.functions(text), [(1, 4), (5, 64)])

    def test_member_initializers_belong_to_the_constructor(self):
        text = "A::A(int x)\n    : x_{x},\n      y_{2} {\n  f();\n}\n"
        self.assertEqual(tidy.functions(text), [(1, 5)])

    def test_a_function_that_returns_a_struct_is_a_function(self):
        text = "struct stat look(const char* path) {\n" + "  f();\n" * 80 + "}\n"
        self.assertEqual(len(offences("src/a/a.cc", text)), 1)


class Rules(unittest.TestCase):
    def test_a_header_opens_with_a_comment(self):
        self.assertEqual(offences("src/a/a.h", HEADER + "struct A {};\n"), [])
        self.assertRegex(offences("src/a/a.h", "#pragma once\nstruct A {};\n")[0], "opens with a comment")
        self.assertRegex(offences("src/a/a.h", HEADER.replace("#pragma once", ""))[0], "pragma once")

    def test_banned_words(self):
        self.assertEqual(len(offences("src/a/a.cc", "// TO" "DO later\n")), 1)
        self.assertEqual(offences("src/a/a.cc", "// TO" "DO(#12) later\n"), [])
        self.assertEqual(len(offences("src/a/a.cc", "  std::system(x);\n")), 1)
        self.assertEqual(offences("src/a/a.cc", "  file_system(x);\n  a.system(x);\n"), [])
        self.assertEqual(offences("src/a/a.cc", "  // allowed: a constant of four bytes\n  strcpy(a, b);\n"), [])

    def test_atoi_is_banned_from_the_product(self):
        self.assertEqual(len(offences("src/a/a.cc", "  return atoi(x);\n")), 1)
        self.assertEqual(offences("src/a/a_test.cc", "  return std::atoi(x);\n"), [])

    def test_sleeps_only_in_tests_and_only_long_ones(self):
        self.assertEqual(len(offences("tests/a/test_a.py", "time.sleep(1)\n")), 1)
        self.assertEqual(offences("tests/a/test_a.py", "time.sleep(0.05)\ncode = 'time.sleep(60)'\n"), [])
        self.assertEqual(offences("tools/a.py", "time.sleep(1)\n"), [])
        self.assertEqual(offences("tests/a/a_test.cc", "::usleep(10'000);\n"), [])
        self.assertEqual(len(offences("tests/a/a_test.cc", "::usleep(500'000);\n")), 1)
        self.assertEqual(len(offences("src/a/a_test.cc", "std::this_thread::sleep_for(1s);\n")), 1)

    def test_long_lines_and_files(self):
        self.assertRegex(offences("src/a/a.cc", "x" * 121)[0], "121 columns")
        self.assertEqual(offences("src/a/a.cc", "x" * 120), [])
        self.assertEqual(offences("src/a/a.cc", 'auto a = R"(\n' + "x" * 130 + '\n)";\n'), [])
        self.assertRegex(offences("tools/a.py", "x" * 181)[0], "181 columns")
        self.assertEqual(offences("src/a/a.cc", "// https:/" "/" + "x" * 120), [])
        self.assertRegex(offences("src/a/a.cc", "\n" * 800)[0], "801 lines")

    def test_names_of_machines(self):
        self.assertRegex(offences("docs/a.md", "see /ro" "ot/x")[0], "a path of one machine")
        self.assertEqual(offences("tools/a.sh", "$deps/ro" "ot/x"), [])
        self.assertRegex(offences("docs/a.md", "registry" ".npmjs.org")[0], "package registry")

    def test_lock_files_name_no_address(self):
        self.assertEqual(len(offences("a/package-lock.json", '{"packages": {"x": {"resolved": "y"}}}')), 1)
        self.assertEqual(offences("a/package-lock.json", '{"packages": {"x": {"integrity": "y"}}}'), [])

    def test_modes_and_blobs(self):
        self.assertRegex(offences("tools/a.sh", "#!/bin/sh\n")[0], "not executable")
        self.assertRegex(offences("src/a/a.cc", "int a;\n", "100755")[0], "no script")
        self.assertRegex(offences("a", "a", "120000")[0], "plain file")
        self.assertRegex(offences("a.bin", "a" * (256 * 1024 + 1))[0], "bytes; at most")


if __name__ == "__main__":
    unittest.main()
