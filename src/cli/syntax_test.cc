#include "wolke/cli/syntax.h"

#include <gtest/gtest.h>

namespace wolke::cli {
namespace {

TEST(SyntaxComplaint, OfPythonIsItsOwnLine) {
  EXPECT_EQ(syntax_complaint("SyntaxError: line 2: '(' was never closed\n"),
            "line 2: '(' was never closed");
}

TEST(SyntaxComplaint, OfNodeTakesTheLineFromAbove) {
  EXPECT_EQ(
      syntax_complaint("/x/a.js:3\nlet = ;\n    ^\n\nSyntaxError: Unexpected token\n    at y\n"),
      "line 3: Unexpected token");
}

TEST(SyntaxComplaint, AnyOtherWordsAreNone) {
  EXPECT_EQ(syntax_complaint(""), "");
  EXPECT_EQ(syntax_complaint("node: cannot open shared object\n"), "");
}

}  // namespace
}  // namespace wolke::cli
