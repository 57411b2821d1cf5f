#include "wolke/cli/zip_writer.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace wolke::cli {
namespace {

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t out = 0;
  for (std::size_t i = size; i > 0; --i) {
    out = out << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  }
  return out;
}

/// The first central header (APPNOTE.TXT 4.3.12).
std::string_view central(const std::string& zip) {
  return std::string_view(zip).substr(zip.find("PK\x01\x02"));
}

TEST(ZipWriter, TheSameFilesGiveTheSameArchive) {
  const std::vector<ZipEntry> files = {{.name = "a.py", .bytes = "x = 1\n"}};
  EXPECT_EQ(make_zip(files), make_zip(files));
}

TEST(ZipWriter, ContentComesBackWithItsChecksum) {
  const std::string text(10'000, 'a');
  const std::string zip = make_zip({{.name = "a.txt", .bytes = text}});
  ASSERT_TRUE(zip.starts_with("PK\x03\x04"));
  const std::size_t packed = number(zip, 18, 4);
  EXPECT_LT(packed, 200U);
  EXPECT_EQ(number(zip, 22, 4), text.size());
  EXPECT_EQ(number(zip, 14, 4),
            crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
  std::string out(text.size(), '\0');
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, -MAX_WBITS), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zip.data()) + 30 + 5);
  stream.avail_in = static_cast<uInt>(packed);
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  inflateEnd(&stream);
  EXPECT_EQ(out, text);
}

TEST(ZipWriter, ModesAreUnixAndSayWhatMayBeRun) {
  const std::string plain = make_zip({{.name = "a", .bytes = ""}});
  const std::string program = make_zip({{.name = "bootstrap", .bytes = "", .executable = true}});
  EXPECT_EQ(number(central(plain), 5, 1), 3U);  // made by Unix
  EXPECT_EQ(number(central(plain), 38, 4) >> 16, 0100644U);
  EXPECT_EQ(number(central(program), 38, 4) >> 16, 0100755U);
}

TEST(ZipWriter, NamesAreUtf8AndSayIt) {
  const std::string zip = make_zip({{.name = "bücher.py", .bytes = ""}});
  EXPECT_EQ(number(zip, 6, 2), 1U << 11);
  EXPECT_NE(zip.find("bücher.py"), std::string::npos);
}

TEST(ZipWriter, TheEndCountsTheEntries) {
  const std::string zip = make_zip({{.name = "a", .bytes = "1"}, {.name = "b", .bytes = "2"}});
  const std::string_view end = std::string_view(zip).substr(zip.size() - 22);
  ASSERT_TRUE(end.starts_with("PK\x05\x06"));
  EXPECT_EQ(number(end, 10, 2), 2U);
  EXPECT_EQ(number(end, 16, 4), zip.find("PK\x01\x02"));
}

}  // namespace
}  // namespace wolke::cli
