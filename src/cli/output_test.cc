#include "wolke/cli/output.h"

#include <gtest/gtest.h>

#include "wolke/cli/client.h"

namespace wolke::cli {
namespace {

TEST(ExitCode, FitsTheError) {
  EXPECT_EQ(exit_code({.code = "Usage", .status = 400, .message = ""}), 2);
  EXPECT_EQ(exit_code({.code = "NotFound", .status = 404, .message = ""}), 3);
  EXPECT_EQ(exit_code({.code = "NoSuchBucket", .status = 400, .message = ""}), 3);
  EXPECT_EQ(exit_code({.code = "ResourceNotFoundException", .status = 400, .message = ""}), 3);
  EXPECT_EQ(exit_code({.code = "AccessDenied", .status = 403, .message = ""}), 3);
  EXPECT_EQ(exit_code({.code = "Unreachable", .status = 503, .message = ""}), 4);
  EXPECT_EQ(exit_code({.code = "Timeout", .status = 504, .message = ""}), 124);
  EXPECT_EQ(exit_code({.code = "ValidationException", .status = 400, .message = ""}), 1);
  EXPECT_EQ(exit_code({.code = "ServiceException", .status = 500, .message = ""}), 1);
}

TEST(Table, ColumnsAreAlignedByCharactersNotBytes) {
  EXPECT_EQ(table_lines({{"NAME", "STATE"}, {"größe", "idle"}, {"x", "running"}}),
            (std::vector<std::string>{"NAME   STATE", "größe  idle", "x      running"}));
}

TEST(Table, ForeignTextCannotDriveTheTerminalNorAddALine) {
  const std::vector<std::string> lines = table_lines({{"NAME"},
                                                      {"a\x1b[2J\nEVENT"},
                                                      {"b\x9b"
                                                       "31m\x07"}});
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1], "a\\x1b[2J EVENT");
  EXPECT_EQ(lines[2], "b\\x9b31m\\x07");
}

TEST(Table, ShortRowsAreTaken) {
  EXPECT_EQ(table_lines({{"A", "B"}, {"1"}}), (std::vector<std::string>{"A  B", "1"}));
}

TEST(LogLine, HasTheTimeInUtcWithMilliseconds) {
  EXPECT_EQ(log_line(from_millis(1'795'427'473'123), "REPORT x\t\n"),
            "2026-11-23T09:51:13.123Z  REPORT x");
  EXPECT_EQ(log_line(from_millis(0), "\x1b]52;c;x\x07"),
            "1970-01-01T00:00:00.000Z  \\x1b]52;c;x\\x07");
}

TEST(ShellWord, IsQuotedWhereAShellWouldReadIt) {
  EXPECT_EQ(shell_word("http://127.0.0.1:4566"), "http://127.0.0.1:4566");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("it's $(x)"), "'it'\\''s $(x)'");
  EXPECT_EQ(shell_word("~/x"), "'~/x'");
}

TEST(XmlText, IsTheFirstElementUnescaped) {
  EXPECT_EQ(xml_text("<a><Code>X&lt;&amp;lt;&gt;</Code><Code>Y</Code></a>", "Code"), "X<&lt;>");
  EXPECT_EQ(xml_text("<a><Code>X", "Code"), "");
  EXPECT_EQ(xml_text("", "Code"), "");
}

}  // namespace
}  // namespace wolke::cli
