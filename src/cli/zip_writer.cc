#include "wolke/cli/zip_writer.h"

#include <zlib.h>

namespace wolke::cli {

namespace {

constexpr std::uint16_t version_needed = 20;
constexpr std::uint16_t made_by_unix = 3 << 8 | 20;
constexpr std::uint16_t flag_utf8 = 1 << 11;
constexpr std::uint16_t method_deflate = 8;
constexpr std::uint16_t dos_date_1980 = 1 << 5 | 1;

void put16(std::string& out, std::uint16_t value) {
  out += static_cast<char>(value);
  out += static_cast<char>(value >> 8);
}

void put32(std::string& out, std::uint32_t value) {
  put16(out, static_cast<std::uint16_t>(value));
  put16(out, static_cast<std::uint16_t>(value >> 16));
}

std::string deflate_raw(const std::string& bytes) {
  z_stream stream{};
  ASSERT(deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct Placed {
  std::uint32_t crc, packed, size, offset;
};

/// The part that local and central headers share, from "version needed" to the lengths of name and
/// extra field.
void put_common(std::string& out, const ZipEntry& entry, const Placed& placed) {
  put16(out, version_needed);
  put16(out, flag_utf8);
  put16(out, method_deflate);
  put16(out, 0);
  put16(out, dos_date_1980);
  put32(out, placed.crc);
  put32(out, placed.packed);
  put32(out, placed.size);
  put16(out, static_cast<std::uint16_t>(entry.name.size()));
  put16(out, 0);
}

}  // namespace

std::string make_zip(const std::vector<ZipEntry>& entries) {
  std::string out, central;
  for (const ZipEntry& entry : entries) {
    std::string packed = deflate_raw(entry.bytes);
    Placed placed{.crc = static_cast<std::uint32_t>(
                      crc32(0, reinterpret_cast<const Bytef*>(entry.bytes.data()),
                            static_cast<uInt>(entry.bytes.size()))),
                  .packed = static_cast<std::uint32_t>(packed.size()),
                  .size = static_cast<std::uint32_t>(entry.bytes.size()),
                  .offset = static_cast<std::uint32_t>(out.size())};
    put32(out, 0x04034b50);
    put_common(out, entry, placed);
    out += entry.name;
    out += packed;
    put32(central, 0x02014b50);
    put16(central, made_by_unix);
    put_common(central, entry, placed);
    put16(central, 0);  // comment
    put16(central, 0);  // disk
    put16(central, 0);  // internal attributes
    put32(central, (entry.executable ? 0100755u : 0100644u) << 16);
    put32(central, placed.offset);
    central += entry.name;
  }
  const auto start = static_cast<std::uint32_t>(out.size());
  out += central;
  put32(out, 0x06054b50);
  put16(out, 0);
  put16(out, 0);
  put16(out, static_cast<std::uint16_t>(entries.size()));
  put16(out, static_cast<std::uint16_t>(entries.size()));
  put32(out, static_cast<std::uint32_t>(central.size()));
  put32(out, start);
  put16(out, 0);
  return out;
}

}  // namespace wolke::cli
