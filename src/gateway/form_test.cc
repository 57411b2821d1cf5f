#include "wolke/gateway/form.h"

#include <gtest/gtest.h>

namespace wolke::gateway {
namespace {

struct Read {
  FormFields fields;
  std::optional<std::string> file_name;
  std::string file;
  std::string code;  // of the error, if any
};

/// The body in pieces of `step` bytes.
Read read(std::string_view body, std::size_t step = 1) {
  FormParser parser("X");
  Read out;
  Result<void> fed;
  for (std::size_t at = 0; fed && at < body.size(); at += step) {
    fed = parser.feed(body.substr(at, step));
    out.file += parser.take_file();
  }
  if (fed) fed = parser.finish();
  if (!fed) out.code = fed.error().code;
  out.fields = parser.fields();
  out.file_name = parser.file_name();
  return out;
}

std::string part(std::string_view disposition, std::string_view value) {
  std::string out = "--X\r\nContent-Disposition: form-data; ";
  out += disposition;
  out += "\r\n\r\n";
  out += value;
  return out + "\r\n";
}

const std::string file_part = part(R"(name="file"; filename="a.txt")", "bytes");

TEST(FormParser, GivesTheSameHoweverTheBodyIsCut) {
  const std::string body = part(R"(name="key")", "a/${filename}") + part(R"(name="AcL")", "") +
                           part(R"(name="file"; filename="a.txt")", "1\r\n--Y\r\n\r\n--") +
                           "--X--\r\n";
  for (std::size_t step = 1; step <= body.size(); ++step) {
    const Read got = read(body, step);
    EXPECT_EQ(got.code, "") << step;
    EXPECT_EQ(got.fields, (FormFields{{"key", "a/${filename}"}, {"acl", ""}})) << step;
    EXPECT_EQ(got.file_name, "a.txt") << step;
    EXPECT_EQ(got.file, "1\r\n--Y\r\n\r\n--") << step;
  }
}

TEST(FormParser, IgnoresWhatComesBeforeTheFirstDelimiterAndAfterTheLast) {
  const Read got =
      read("hello\r\n" + part("name=key", "k") + file_part + "--X--\r\nbye\r\n--X\r\n");
  EXPECT_EQ(got.code, "");
  EXPECT_EQ(got.fields, (FormFields{{"key", "k"}}));
  EXPECT_EQ(got.file, "bytes");
}

TEST(FormParser, IgnoresFieldsBehindTheFile) {
  const Read got = read(file_part + part(R"(name="key")", "k") + "--X--");
  EXPECT_EQ(got.code, "");
  EXPECT_EQ(got.fields, FormFields{});
  EXPECT_EQ(got.file, "bytes");
}

TEST(FormParser, JoinsFieldsOfOneName) {
  const Read got = read(part(R"(name="k")", "a") + part(R"(name="K")", "b") + file_part + "--X--");
  EXPECT_EQ(got.fields, (FormFields{{"k", "a,b"}}));
}

TEST(FormParser, TakesTheNameOfTheFileWithoutDirectories) {
  auto name = [](std::string_view parameters) {
    return read(part("name=file" + std::string(parameters), "") + "--X--").file_name;
  };
  EXPECT_EQ(name(""), std::nullopt);
  EXPECT_EQ(name(R"(; filename="")"), "");
  EXPECT_EQ(name(R"(; filename="C:\dir\a b.txt")"), "a b.txt");
  EXPECT_EQ(name(R"(; filename="/etc/passwd")"), "passwd");
  EXPECT_EQ(name(R"(; filename="a\"b;c.txt"; x=y)"), "a\"b;c.txt");
  EXPECT_EQ(name(R"(; filename*=UTF-8''%e2%82%ac.txt)"), "€.txt");
  EXPECT_EQ(name(R"(; filename="€.txt")"), "€.txt");
}

TEST(FormParser, RefusesWhatIsNoForm) {
  for (const std::string& body :
       {std::string(), std::string("--X"), std::string("text"),
        std::string("--X\r\n\r\nvalue\r\n--X--\r\n"),
        part(R"(title="key")", "k") + file_part + "--X--", file_part, file_part + "--Xa",
        part(R"(name="key)", "k") + file_part + "--X--", file_part + "--X\r\nName: key"}) {
    EXPECT_EQ(read(body).code, "MalformedPOSTRequest") << body;
  }
}

TEST(FormParser, WantsExactlyOneFile) {
  EXPECT_EQ(read(part(R"(name="key")", "k") + "--X--").code, "InvalidArgument");
  EXPECT_EQ(read(file_part + file_part + "--X--").code, "InvalidArgument");
}

TEST(FormParser, BoundsTheFieldsAndNotTheFile) {
  const std::string half(form_fields_bytes_max / 2, 'v');
  EXPECT_EQ(read(part(R"(name="a")", half) + file_part + "--X--", 100).code, "");
  const std::string two = part(R"(name="a")", half) + part(R"(name="b")", half);
  EXPECT_EQ(read(two + file_part + "--X--", 100).code, "MaxPostPreDataLengthExceeded");
  EXPECT_EQ(read(two + file_part + "--X--", 100'000).code, "MaxPostPreDataLengthExceeded");
  EXPECT_EQ(read(std::string(30'000, 'p'), 100).code, "MaxPostPreDataLengthExceeded");
  EXPECT_EQ(read(part("name=file", std::string(300'000, 'f')) + "--X--", 100'000).file.size(),
            300'000U);
}

TEST(FormParser, BoundsWhatIsBehindTheFile) {
  std::string behind;
  while (behind.size() < 2 * form_fields_bytes_max) behind += part(R"(name="a")", "");
  EXPECT_EQ(read(file_part + part(R"(name="a")", "v") + "--X--", 100).code, "");
  EXPECT_EQ(read(file_part + behind + "--X--", 100'000).code, "MaxPostPreDataLengthExceeded");
  const std::string long_part(2 * form_fields_bytes_max, 'v');
  EXPECT_EQ(read(file_part + part(R"(name="a")", long_part) + "--X--", 100).code,
            "MaxPostPreDataLengthExceeded");
}

TEST(FormBoundary, IsReadFromTheContentType) {
  EXPECT_EQ(form_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(form_boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""), "a b");
  EXPECT_EQ(form_boundary("multipart/form-data"), std::nullopt);
  EXPECT_EQ(form_boundary("multipart/mixed; boundary=abc"), std::nullopt);
  EXPECT_EQ(form_boundary("multipart/form-data; boundary="), std::nullopt);
  EXPECT_EQ(form_boundary("multipart/form-data; boundary=" + std::string(71, 'b')), std::nullopt);
}

}  // namespace
}  // namespace wolke::gateway
