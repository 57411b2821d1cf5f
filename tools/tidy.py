#!/usr/bin/python3
"""What no other tool checks, over every tracked file: `tools/tidy.py` prints one line for each offence and ends with 1.

Caps (lines of a file, lines of a C++ function, columns), a header's opening comment, banned words with their replacement,
sleeps in tests, large blobs, names of package registries, absolute machine paths, lock files with addresses, file modes.

Waivers say why, on the line itself or the one before:
    // long: <reason>      before a function of more than 70 lines
    // allowed: <reason>   at a banned word
"""
import json
import pathlib
import re
import subprocess
import sys

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
COLUMNS_CXX_MAX, COLUMNS_MAX = 120, 180  # clang-format holds 100 for C++ where it can break a line; literals stay.
OPENER_LINES_MIN = 1
BLOB_BYTES_MAX = 256 * 1024
CXX = (".cc", ".h", ".c")
SOURCES = (*CXX, ".py", ".js", ".mjs", ".sh", ".cmake")
GENERATED = ("models/", "tests/wire/golden/")
# This file names the words; a load and an attacker (in C) are no tests.
UNBOUND = ("tools/tidy", "tests/crash/", "tests/hostile/hostile.c")

BANNED = [
    (re.compile(r"\b(?:FIXME|XXX|HACK)\b"), SOURCES, "do it, or TODO(#issue)"),
    (re.compile(r"\bTODO\b(?!\(#\d+\))"), SOURCES, "TODO(#issue)"),
    (re.compile(r"\bstr(?:n?cpy|n?cat)\s*\("), CXX, "std::string, or copy with the size"),
    (re.compile(r"\bv?sprintf\s*\("), CXX, "fmt::format"),
    (re.compile(r"(?<![\w.>])(?:std::|::)?system\s*\("), CXX, "fork and exec, or std::filesystem"),
]
BANNED_IN_PRODUCT = [(re.compile(r"\bato(?:i|l|ll|f)\s*\("), CXX, "std::from_chars, which tells failure")]
SLEEPS = [
    (re.compile(r"this_thread::sleep_|\busleep\s*\(\s*(?!\d{1,2}'?\d{3}\s*\))|\bnanosleep\s*\(|(?<![\w\".])::sleep\s*\("), CXX),
    (re.compile(r"\btime\.sleep\((?!\s*0\.0\d*\s*\))"), (".py",)),
]
# Written in pieces so that this file passes its own test.
REGISTRIES = re.compile("|".join(["registry" + r"\.npmjs", "registry" + r"\.yarnpkg", "deb" + r"\.debian\.org",
                                  "py" + r"pi\.org", "files\\.python" + "hosted", "proxy" + r"\.golang"]))
MACHINE_PATHS = re.compile(r"(?<![\w$}.\-/])/(?:work|ro" + r"ot|home/[a-z]\w*)/")
LONG_WAIVER = re.compile(r"//\s*long: \S+")
WORD_WAIVER = re.compile(r"(?://|#)\s*allowed: \S+")


def without_literals(text):
    """C++ with comments and literals blanked; lines and columns stay."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^()\s\\]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
                         r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def without_directives(text):
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda found: re.sub(r"[^\n]", " ", found.group()), text, flags=re.M)


SCOPE = re.compile(r"^\s*(?:template\s*<[^{}]*>\s*)?(?:inline\s+)?(?:namespace|extern|class|struct|union|enum)\b")


def functions(text):
    """(first line, last line) of each function body at namespace or class level, its head included; 1-based."""
    code = without_directives(without_literals(text))
    found, head, depth, begin = [], 0, 0, None
    for match in re.finditer(r"[{};]", code):
        at, mark = match.start(), match.group()
        if begin is not None:  # Inside a body only its end matters.
            depth += {"{": 1, "}": -1, ";": 0}[mark]
            if depth == 0:
                if code[at + 1:].lstrip()[:1] not in (",", "{"):  # else a member initializer, x_{1}
                    found.append(begin_and_end(code, begin, at))
                    head = at + 1
                begin = None
        elif mark == "{" and not is_scope(code[head:at]):
            begin, depth = head, 1
        else:
            head = at + 1
    return found


def is_scope(head):
    """Whether this head opens a namespace or a type, of which the contents are looked at one by one."""
    head = re.sub(r"^\s*(?:public|private|protected)\s*:", "", head)
    return bool(SCOPE.match(head)) and not re.search(r"\)\s*(?:const|noexcept|override|->.*|\s)*$", head.rstrip() + " ")


def begin_and_end(code, begin, end):
    lead = len(code[begin:]) - len(code[begin:].lstrip())
    return code.count("\n", 0, begin + lead) + 1, code.count("\n", 0, end) + 1


def check_cxx(path, text, lines):
    for first, last in functions(text):
        above = lines[first - 2] if first >= 2 else ""
        if last - first + 1 > FUNCTION_LINES_MAX and not LONG_WAIVER.search(above):
            yield first, f"a function of {last - first + 1} lines; at most {FUNCTION_LINES_MAX}"
    if path.endswith(".h") and path.startswith("src/"):
        if "#pragma once" not in text:
            yield 1, "a header without #pragma once"
        if opener_length(lines) < OPENER_LINES_MIN:
            yield 1, "a header opens with a comment: idea, threads, lifetime, failure"


def opener_length(lines):
    """Comment lines before the first code; includes may stand between."""
    count = 0
    for line in lines:
        line = line.strip()
        if line.startswith("//"):
            count += 1
        elif line and not line.startswith("#"):
            break
        elif count and line.startswith("#include"):
            break
    return count


def check_words(path, lines):
    in_test = path.startswith("tests/") or re.search(r"_test\.(?:cc|h|py)$", path)
    if path.startswith(UNBOUND):
        return
    for number, line in enumerate(lines, 1):
        above = lines[number - 2] if number >= 2 else ""
        if WORD_WAIVER.search(line) or WORD_WAIVER.search(above):
            continue
        in_product = path.startswith("src/") and not in_test
        for word, suffixes, instead in BANNED + (BANNED_IN_PRODUCT if in_product else []):
            if path.endswith(suffixes) and (found := word.search(line)):
                yield number, f"`{found.group().strip()}`: instead {instead}"
        for word, suffixes in SLEEPS if in_test else ():
            if path.endswith(suffixes) and word.search(outside_literals(path, line)):
                yield number, "a test does not sleep: wait for what it waits for (polls of less than 0.1 s are fine)"


def outside_literals(path, line):
    if path.endswith(CXX):
        return without_literals(line)
    return re.sub(r'"(?:\\.|[^"\\])*"' + r"|'(?:\\.|[^'\\])*'", "", line)


def check_lines(path, lines):
    if path.endswith(SOURCES) and len(lines) > FILE_LINES_MAX:
        yield 1, f"{len(lines)} lines; at most {FILE_LINES_MAX}"
    columns = COLUMNS_CXX_MAX if path.endswith(CXX) else COLUMNS_MAX
    raw = raw_lines(lines) if path.endswith(CXX) else ()
    for number, line in enumerate(lines, 1):
        if path.endswith(SOURCES) and len(line) > columns and "://" not in line and number not in raw:
            yield number, f"{len(line)} columns; at most {columns}"
        if found := REGISTRIES.search(line):
            yield number, f"the name of a package registry: {found.group()}"
        if found := MACHINE_PATHS.search(line):
            yield number, f"a path of one machine: {found.group()}"


def raw_lines(lines):
    """The numbers of the lines that a raw string touches: its text may not be broken."""
    text, touched = "\n".join(lines), set()
    for found in re.finditer(r'R"([^()\s\\]{0,16})\(.*?\)\1"', text, re.S):
        touched.update(range(text.count("\n", 0, found.start()) + 1, text.count("\n", 0, found.end()) + 2))
    return touched


def check_lock(text):
    packages = json.loads(text).get("packages", {})
    named = [name for name, entry in packages.items() if "resolved" in entry]
    if named:
        yield 1, f'{len(named)} packages with "resolved": npm config set omit-lockfile-registry-resolved true'


def check_mode(path, mode, data):
    script = data.startswith(b"#!")
    if mode not in ("100644", "100755"):
        yield 1, f"mode {mode}: a plain file is wanted"
    elif mode == "100755" and not script:
        yield 1, "executable, but no script"
    elif mode == "100644" and script and not path.endswith((".js", ".mjs")) and "/corpus/" not in path:
        yield 1, "a script that is not executable (git update-index --chmod=+x)"


def check(path, mode, data):
    """All offences of one file as (line, text)."""
    yield from check_mode(path, mode, data)
    if len(data) > BLOB_BYTES_MAX:
        yield 1, f"{len(data)} bytes; at most {BLOB_BYTES_MAX}: fetch or generate it"
    if b"\0" in data or "/corpus/" in path:
        return
    try:
        text = data.decode()
    except UnicodeDecodeError:
        yield 1, "not UTF-8"
        return
    lines = text.split("\n")
    if path.endswith("package-lock.json"):
        yield from check_lock(text)
    if path.startswith(GENERATED):
        return
    if path.endswith(CXX):
        yield from check_cxx(path, text, lines)
    yield from check_words(path, lines)
    yield from check_lines(path, lines)


def tracked(root):
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-s", "-z"], check=True, capture_output=True).stdout
    for entry in listed.decode().split("\0"):
        if entry:
            meta, _, path = entry.partition("\t")
            yield meta.split()[0], path


def main(root):
    offences = files = 0
    for mode, path in tracked(root):
        file = root / path
        if not file.is_file() or file.is_symlink():
            continue
        files += 1
        for line, text in check(path, mode, file.read_bytes()):
            print(f"{path}:{line}: {text}")
            offences += 1
    print(f"tidy: {files} files, {offences} offences")
    return 1 if offences else 0


if __name__ == "__main__":
    if not (pathlib.Path(__file__).resolve().parents[1] / ".git").exists():
        print("tidy: skipped, this is not a git work tree")
        sys.exit(0)
    sys.exit(main(pathlib.Path(__file__).resolve().parents[1]))
