#pragma once
// Makes zip archives for tests, good ones and damaged ones: every field of an entry can be set
// apart in the local and in the central header. Test code only.

#include <zlib.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace wolke::lambda::fixture {

struct Header {
  std::uint16_t made_by = 3 << 8, flags = 0, method = 0;
  std::uint32_t crc = 0, compressed = 0, size = 0, external = 0100644U << 16;
  std::string name, extra;
};

struct Entry {
  Header local, central;
  std::string data;
  std::string after;  // between the data and what follows, e.g. a data descriptor
};

inline std::string le(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

inline Entry stored(const std::string& name, const std::string& content, unsigned mode = 0100644) {
  Entry out;
  out.local.name = name;
  out.local.crc = static_cast<std::uint32_t>(::crc32(
      0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
  out.local.compressed = out.local.size = static_cast<std::uint32_t>(content.size());
  out.local.external = mode << 16;
  out.central = out.local;
  out.data = content;
  return out;
}

inline std::string deflate_raw(const std::string& content) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, content.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline Entry deflated(const std::string& name, const std::string& content,
                      unsigned mode = 0100644) {
  Entry out = stored(name, content, mode);
  out.data = deflate_raw(content);
  out.local.method = out.central.method = 8;
  out.local.compressed = out.central.compressed = static_cast<std::uint32_t>(out.data.size());
  return out;
}

/// Sizes and CRC only in a descriptor after the data.
inline Entry streamed(const std::string& name, const std::string& content) {
  Entry out = deflated(name, content);
  out.local.flags = out.central.flags = 1 << 3;
  out.local.crc = out.local.compressed = out.local.size = 0;
  out.after = le(0x08074b50, 4) + le(out.central.crc, 4) + le(out.central.compressed, 4) +
              le(out.central.size, 4);
  return out;
}

struct Layout {
  std::string before, after, comment;
  std::function<void(std::vector<std::uint32_t>& offsets)> move_offsets;
  int count_difference = 0;
};

inline std::string local_header(const Header& h) {
  return le(0x04034b50, 4) + le(20, 2) + le(h.flags, 2) + le(h.method, 2) + le(0, 4) +
         le(h.crc, 4) + le(h.compressed, 4) + le(h.size, 4) + le(h.name.size(), 2) +
         le(h.extra.size(), 2) + h.name + h.extra;
}

inline std::string central_header(const Header& h, std::uint32_t offset) {
  return le(0x02014b50, 4) + le(h.made_by, 2) + le(20, 2) + le(h.flags, 2) + le(h.method, 2) +
         le(0, 4) + le(h.crc, 4) + le(h.compressed, 4) + le(h.size, 4) + le(h.name.size(), 2) +
         le(h.extra.size(), 2) + le(0, 2) + le(0, 2) + le(0, 2) + le(h.external, 4) +
         le(offset, 4) + h.name + h.extra;
}

inline std::string zip(const std::vector<Entry>& entries, const Layout& layout = {}) {
  std::string out = layout.before;
  std::vector<std::uint32_t> offsets;
  for (const Entry& entry : entries) {
    offsets.push_back(static_cast<std::uint32_t>(out.size()));
    out += local_header(entry.local) + entry.data + entry.after;
  }
  if (layout.move_offsets) layout.move_offsets(offsets);
  const std::size_t directory = out.size();
  for (std::size_t i = 0; i < entries.size(); ++i)
    out += central_header(entries[i].central, offsets[i]);
  const std::size_t size = out.size() - directory;
  const auto count =
      static_cast<std::uint64_t>(static_cast<int>(entries.size()) + layout.count_difference);
  out += le(0x06054b50, 4) + le(0, 4) + le(count, 2) + le(count, 2) + le(size, 4) +
         le(directory, 4) + le(layout.comment.size(), 2) + layout.comment + layout.after;
  return out;
}

}  // namespace wolke::lambda::fixture
