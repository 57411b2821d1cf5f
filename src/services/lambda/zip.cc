#include "wolke/services/lambda/zip.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <unordered_set>

#include "wolke/base/text.h"

namespace wolke::lambda {
namespace {

constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t central_signature = 0x02014b50;
constexpr std::uint32_t descriptor_signature = 0x08074b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t locator64_signature = 0x07064b50;
constexpr std::size_t local_bytes = 30, central_bytes = 46, end_bytes = 22, end64_bytes = 56,
                      locator64_bytes = 20;
constexpr std::uint32_t marker32 = 0xffffffff;
constexpr std::uint16_t marker16 = 0xffff;

constexpr std::uint16_t flag_encrypted = 1U << 0, flag_descriptor = 1U << 3, flag_patched = 1U << 5,
                        flag_strong = 1U << 6, flag_utf8 = 1U << 11, flag_masked = 1U << 13;
constexpr std::uint16_t flags_that_must_agree =
    flag_encrypted | flag_descriptor | flag_patched | flag_strong | flag_utf8 | flag_masked;
constexpr std::uint16_t extra_zip64 = 0x0001, extra_unicode_path = 0x7075;
constexpr std::uint16_t stored = 0, deflated = 8;

Error invalid(std::string what) {
  return {.code = "InvalidZip", .status = 400, .message = std::move(what)};
}
Error too_large(std::string what) {
  return {.code = "TooLarge", .status = 400, .message = std::move(what)};
}

/// Little-endian fields of a byte range; reading past the end yields zeros and clears good().
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : rest_(bytes) {}
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::string_view text(std::size_t size) {
    if (size > rest_.size()) {
      good_ = false;
      return {};
    }
    std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  bool good() const { return good_; }
  std::size_t left() const { return rest_.size(); }

 private:
  std::uint64_t number(std::size_t size) {
    std::string_view raw = text(size);
    std::uint64_t out = 0;
    for (std::size_t i = raw.size(); i > 0; --i)
      out = out << 8 | static_cast<unsigned char>(raw[i - 1]);
    return out;
  }
  std::string_view rest_;
  bool good_ = true;
};

std::string_view slice(std::string_view bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return {};
  return bytes.substr(offset, size);
}

// ---- the end of the archive: where the central directory lies ----

struct Directory {
  std::uint64_t offset = 0, bytes = 0, entries = 0;
};

Result<Directory> read_end64(std::string_view bytes, std::uint64_t end_at) {
  if (end_at < locator64_bytes) return fail(invalid("the zip64 locator is missing"));
  const std::uint64_t locator_at = end_at - locator64_bytes;
  Bytes locator(slice(bytes, locator_at, locator64_bytes));
  if (locator.u32() != locator64_signature) return fail(invalid("the zip64 locator is missing"));
  const std::uint32_t disk = locator.u32();
  const std::uint64_t record_at = locator.u64();
  const std::uint32_t disks = locator.u32();
  if (disk != 0 || disks > 1) return fail(invalid("the archive spans several disks"));
  if (record_at > locator_at || locator_at - record_at != end64_bytes) {
    return fail(invalid("the zip64 end record is truncated or not where it should be"));
  }
  Bytes record(slice(bytes, record_at, end64_bytes));
  const bool signed_right = record.u32() == end64_signature;
  const bool size_right = record.u64() == end64_bytes - 12;
  record.u16(), record.u16();  // versions
  const bool one_disk = record.u32() == 0 && record.u32() == 0;
  const std::uint64_t here = record.u64(), total = record.u64();
  Directory out;
  out.bytes = record.u64();
  out.offset = record.u64();
  out.entries = total;
  if (!record.good() || !signed_right || !size_right || !one_disk || here != total) {
    return fail(invalid("the zip64 end record is damaged"));
  }
  if (out.offset > record_at || record_at - out.offset != out.bytes) {
    return fail(invalid("the central directory is not where the archive says"));
  }
  return out;
}

Result<Directory> read_end(std::string_view bytes) {
  if (bytes.size() < end_bytes) return fail(invalid("too short for a zip archive"));
  // The comment's length must reach exactly to the end: that decides which signature is the real
  // one.
  const std::size_t earliest =
      bytes.size() > end_bytes + marker16 ? bytes.size() - end_bytes - marker16 : 0;
  for (std::size_t at = bytes.size() - end_bytes + 1; at-- > earliest;) {
    Bytes end(bytes.substr(at));
    if (end.u32() != end_signature) continue;
    const std::uint16_t disk = end.u16(), directory_disk = end.u16(), here = end.u16(),
                        total = end.u16();
    const std::uint32_t size = end.u32(), offset = end.u32();
    const std::uint16_t comment = end.u16();
    if (end.left() != comment) continue;
    if (here == marker16 || total == marker16 || size == marker32 || offset == marker32)
      return read_end64(bytes, at);
    if (disk != 0 || directory_disk != 0 || here != total)
      return fail(invalid("the archive spans several disks"));
    if (offset > at || at - offset != size) {
      return fail(invalid("the central directory is not where the archive says"));
    }
    return Directory{offset, size, total};
  }
  return fail(Error{.code = "NoZip", .status = 400, .message = "no end of a zip archive found"});
}

// ---- headers ----

struct Header {
  std::uint16_t made_by = 0, flags = 0, method = 0;
  std::uint32_t crc = 0, external = 0;
  std::uint64_t compressed = 0, size = 0, offset = 0;
  std::string_view name;
};

/// The zip64 values stand in the order of the fields that carry the marker. Also refuses a second
/// name.
Result<void> apply_extra(std::string_view extra, Header& header, bool& compressed64, bool& size64,
                         bool& offset64) {
  Bytes in(extra);
  bool seen64 = false;
  while (in.left() > 0) {
    // Some writers pad to an alignment with fewer than four zero bytes.
    if (in.left() < 4) return {};
    const std::uint16_t id = in.u16(), size = in.u16();
    const std::string_view content = in.text(size);
    if (!in.good()) return fail(invalid("an extra field is truncated"));
    if (id == extra_zip64) {
      if (seen64) return fail(invalid("two zip64 fields for one entry"));
      seen64 = true;
      Bytes values(content);
      if (size64) header.size = values.u64();
      if (compressed64) header.compressed = values.u64();
      if (offset64) header.offset = values.u64();
      if (!values.good()) return fail(invalid("a zip64 field is truncated"));
      size64 = compressed64 = offset64 = false;
    }
    if (id == extra_unicode_path && (content.size() < 5 || content.substr(5) != header.name)) {
      return fail(invalid("an entry has two different names"));
    }
  }
  return {};
}

Result<Header> read_central(Bytes& in) {
  Header out;
  if (in.u32() != central_signature) return fail(invalid("the central directory is damaged"));
  out.made_by = in.u16();
  in.u16();  // version needed
  out.flags = in.u16();
  out.method = in.u16();
  in.u32();  // time and date
  out.crc = in.u32();
  out.compressed = in.u32();
  out.size = in.u32();
  const std::uint16_t name_size = in.u16(), extra_size = in.u16(), comment_size = in.u16(),
                      disk = in.u16();
  in.u16();  // internal attributes
  out.external = in.u32();
  out.offset = in.u32();
  out.name = in.text(name_size);
  const std::string_view extra = in.text(extra_size);
  in.text(comment_size);
  if (!in.good()) return fail(invalid("the central directory is truncated"));
  bool compressed64 = out.compressed == marker32, size64 = out.size == marker32,
       offset64 = out.offset == marker32;
  TRY(apply_extra(extra, out, compressed64, size64, offset64));
  if (compressed64 || size64 || offset64)
    return fail(invalid("an entry's zip64 values are missing"));
  if (disk != 0) return fail(invalid("the archive spans several disks"));
  return out;
}

/// Checks the local header against the central one; returns where the data begins.
Result<std::uint64_t> agree_with_local(std::string_view bytes, const Header& central) {
  Bytes in(slice(
      bytes, central.offset,
      std::min<std::uint64_t>(bytes.size() - std::min<std::uint64_t>(central.offset, bytes.size()),
                              local_bytes + 2 * (marker16 + 1ULL))));
  const bool signed_right = in.u32() == local_signature;
  in.u16();
  Header local;
  local.flags = in.u16();
  local.method = in.u16();
  in.u32();
  local.crc = in.u32();
  local.compressed = in.u32();
  local.size = in.u32();
  const std::uint16_t name_size = in.u16(), extra_size = in.u16();
  local.name = in.text(name_size);
  const std::string_view extra = in.text(extra_size);
  if (!in.good() || !signed_right) return fail(invalid("a local header is missing or truncated"));
  bool compressed64 = local.compressed == marker32, size64 = local.size == marker32,
       offset64 = false;
  TRY(apply_extra(extra, local, compressed64, size64, offset64));
  if (local.name != central.name || local.method != central.method ||
      (local.flags & flags_that_must_agree) != (central.flags & flags_that_must_agree)) {
    return fail(invalid("an entry's two headers disagree"));
  }
  // With a descriptor the local values are zero, or already right.
  const bool later = (central.flags & flag_descriptor) != 0;
  const auto agrees = [later](std::uint64_t a, std::uint64_t b) {
    return a == b || (later && a == 0);
  };
  if (!agrees(local.crc, central.crc) || !agrees(local.compressed, central.compressed) ||
      !agrees(local.size, central.size)) {
    return fail(invalid("an entry's two headers disagree"));
  }
  return central.offset + local_bytes + name_size + extra_size;
}

/// The descriptor after the data, in one of its four forms; returns its length.
Result<std::uint64_t> descriptor_bytes(std::string_view bytes, const Header& header,
                                       std::uint64_t at) {
  for (const bool with_signature : {true, false}) {
    for (const bool wide : {false, true}) {
      const std::uint64_t size = (with_signature ? 4 : 0) + 4 + (wide ? 16 : 8);
      Bytes in(slice(bytes, at, size));
      if (with_signature && in.u32() != descriptor_signature) continue;
      const std::uint32_t crc = in.u32();
      const std::uint64_t compressed = wide ? in.u64() : in.u32();
      const std::uint64_t plain = wide ? in.u64() : in.u32();
      if (in.good() && crc == header.crc && compressed == header.compressed && plain == header.size)
        return size;
    }
  }
  return fail(invalid("an entry's data descriptor disagrees with its header"));
}

// ---- names and kinds ----

Result<std::string> plain_name(std::string_view raw) {
  if (raw.size() > zip_name_bytes_max) return fail(invalid("a name is longer than 4096 bytes"));
  if (raw.find('\0') != raw.npos) return fail(invalid("a name contains a zero byte"));
  if (raw.find('\\') != raw.npos) return fail(invalid("a name contains a backslash"));
  if (!is_valid_utf8(raw)) return fail(invalid("a name is not UTF-8"));
  if (raw.starts_with("./")) raw.remove_prefix(2);
  if (raw.ends_with('/')) raw.remove_suffix(1);
  if (raw.size() >= 2 && raw[1] == ':') return fail(invalid("a name begins with a drive"));
  if (raw.empty()) return std::string();
  for (std::string_view part : split(raw, '/')) {
    if (part.empty()) return fail(invalid("a name is absolute or has an empty part"));
    if (part == "." || part == "..") return fail(invalid("a name leaves its place with . or .."));
    if (part.size() > zip_component_bytes_max)
      return fail(invalid("a part of a name is longer than 255 bytes"));
  }
  return std::string(raw);
}

Result<void> decide_kind(const Header& header, ZipEntry& entry) {
  constexpr unsigned unix_host = 3, darwin_host = 19;
  const unsigned host = header.made_by >> 8;
  const bool has_slash = header.name.ends_with('/');
  const unsigned mode = host == unix_host || host == darwin_host ? header.external >> 16 : 0;
  const unsigned type = mode & 0170000;
  entry.executable = (mode & 0111) != 0;
  entry.kind = has_slash ? ZipEntry::Kind::directory : ZipEntry::Kind::file;
  if (type == 0 || (type == 0100000 && !has_slash) || (type == 0040000 && has_slash)) return {};
  if (type == 0120000 && !has_slash) {
    entry.kind = ZipEntry::Kind::symlink;
    return {};
  }
  if (type == 0100000 || type == 0040000 || type == 0120000) {
    return fail(invalid("an entry's name and its file type disagree"));
  }
  return fail(invalid("an entry is a device, pipe or socket"));
}

Result<void> check_flags(const Header& header) {
  if (header.flags & (flag_encrypted | flag_strong | flag_masked))
    return fail(invalid("an entry is encrypted"));
  if (header.flags & flag_patched) return fail(invalid("an entry is a patch"));
  if (header.method != stored && header.method != deflated) {
    return fail(invalid(fmt::format("an entry uses compression method {}", header.method)));
  }
  if (header.method == stored && header.compressed != header.size) {
    return fail(invalid("a stored entry has two sizes"));
  }
  return {};
}

struct Extent {
  std::uint64_t begin = 0, end = 0;
};

Result<ZipEntry> entry_of(std::string_view bytes, const Header& header,
                          std::vector<Extent>& extents) {
  TRY(check_flags(header));
  ZipEntry out;
  TRY(out.name, plain_name(header.name));
  TRY(decide_kind(header, out));
  out.method = header.method;
  out.crc = header.crc;
  out.compressed_bytes = header.compressed;
  out.bytes = header.size;
  if (out.kind == ZipEntry::Kind::directory && out.bytes != 0)
    return fail(invalid("a directory has content"));
  if (out.kind == ZipEntry::Kind::symlink && (out.bytes == 0 || out.bytes > zip_link_bytes_max)) {
    return fail(invalid("a symbolic link's target is empty or too long"));
  }
  TRY(out.data_offset, agree_with_local(bytes, header));
  if (out.data_offset > bytes.size() || header.compressed > bytes.size() - out.data_offset) {
    return fail(invalid("an entry's data is truncated"));
  }
  std::uint64_t end = out.data_offset + header.compressed;
  if (header.flags & flag_descriptor) {
    TRY(const std::uint64_t descriptor, descriptor_bytes(bytes, header, end));
    end += descriptor;
  }
  extents.push_back({header.offset, end});
  return out;
}

/// Entries lie one after the other from the archive's first byte to its directory: none overlap,
/// nothing stands before.
Result<void> check_extents(std::vector<Extent> extents, std::uint64_t directory_offset) {
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  std::uint64_t at = 0;
  for (const Extent& extent : extents) {
    if (extent.begin < at) return fail(invalid("entries overlap"));
    if (at == 0 && extent.begin != 0) return fail(invalid("something stands before the archive"));
    at = extent.end;
  }
  if (at > directory_offset) return fail(invalid("entries overlap the central directory"));
  return {};
}

/// No name twice, and nothing below a file or a link.
Result<void> check_tree(const std::vector<ZipEntry>& entries) {
  std::unordered_set<std::string_view> all, leaves;
  for (const ZipEntry& entry : entries) {
    if (!all.insert(entry.name).second) return fail(invalid("two entries have the same name"));
    if (entry.kind != ZipEntry::Kind::directory) leaves.insert(entry.name);
  }
  for (const ZipEntry& entry : entries) {
    std::string_view name = entry.name;
    for (std::size_t slash = name.find('/'); slash != name.npos;
         slash = name.find('/', slash + 1)) {
      if (leaves.contains(name.substr(0, slash)))
        return fail(invalid("an entry lies below a file or a link"));
    }
  }
  return {};
}

}  // namespace

Result<Archive> read_zip(std::string_view bytes, const ZipLimits& limits) {
  TRY(const Directory directory, read_end(bytes));
  if (directory.entries > limits.entries_max) {
    return fail(too_large(fmt::format("more than {} entries", limits.entries_max)));
  }
  if (directory.entries > directory.bytes / central_bytes)
    return fail(invalid("the entry count is wrong"));
  Archive out;
  out.bytes = bytes;
  out.entries.reserve(directory.entries);
  std::vector<Extent> extents;
  extents.reserve(directory.entries);
  Bytes in(slice(bytes, directory.offset, directory.bytes));
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    TRY(const Header header, read_central(in));
    TRY(ZipEntry entry, entry_of(bytes, header, extents));
    if (entry.bytes > limits.unzipped_bytes_max - out.unzipped_bytes) {
      return fail(too_large(fmt::format("more than {} bytes unzipped", limits.unzipped_bytes_max)));
    }
    out.unzipped_bytes += entry.bytes;
    // "./" names the root itself.
    if (!entry.name.empty()) {
      out.entries.push_back(std::move(entry));
    } else if (entry.kind != ZipEntry::Kind::directory) {
      return fail(invalid("an entry has no name"));
    }
  }
  if (in.left() != 0) return fail(invalid("the entry count is wrong"));
  TRY(check_extents(std::move(extents), directory.offset));
  TRY(check_tree(out.entries));
  return out;
}

// ---- content ----

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

/// zlib's state, ended on every way out.
struct Inflater {
  z_stream stream{};
  bool ready = false;
  Inflater() { ready = inflateInit2(&stream, -MAX_WBITS) == Z_OK; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
};

/// Counts and checks what passes.
class Checked {
 public:
  Checked(const ZipEntry& entry, const std::function<Result<void>(std::string_view)>& write)
      : entry_(entry), write_(write) {}
  Result<void> pass(std::string_view piece) {
    if (piece.size() > entry_.bytes - written_)
      return fail(invalid("an entry is longer than it says"));
    written_ += piece.size();
    crc_ = ::crc32(crc_, reinterpret_cast<const Bytef*>(piece.data()),
                   static_cast<uInt>(piece.size()));
    return write_(piece);
  }
  Result<void> finish() const {
    if (written_ != entry_.bytes) return fail(invalid("an entry is shorter than it says"));
    if (crc_ != entry_.crc) return fail(invalid("an entry's checksum is wrong"));
    return {};
  }

 private:
  const ZipEntry& entry_;
  const std::function<Result<void>(std::string_view)>& write_;
  std::uint64_t written_ = 0;
  uLong crc_ = ::crc32(0, nullptr, 0);
};

Result<void> inflate_into(std::string_view data, Checked& out) {
  Inflater inflater;
  if (!inflater.ready) return fail(internal_error("zlib could not start"));
  z_stream& stream = inflater.stream;
  // zlib does not write to its input; its interface predates const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in =
      static_cast<uInt>(data.size());  // an archive has at most 4 GiB: it is in memory
  std::array<char, piece_bytes> buffer;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    status = ::inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END)
      return fail(invalid("an entry's compressed data is damaged"));
    const std::size_t made = buffer.size() - stream.avail_out;
    if (made == 0 && status != Z_STREAM_END)
      return fail(invalid("an entry's compressed data is cut off"));
    TRY(out.pass({buffer.data(), made}));
  }
  if (stream.avail_in != 0) return fail(invalid("an entry has data after its end"));
  return {};
}

}  // namespace

Result<void> extract(const Archive& archive, const ZipEntry& entry,
                     const std::function<Result<void>(std::string_view)>& write) {
  const std::string_view data = slice(archive.bytes, entry.data_offset, entry.compressed_bytes);
  Checked out(entry, write);
  if (entry.method == deflated) {
    TRY(inflate_into(data, out));
  } else {
    for (std::size_t at = 0; at < data.size(); at += piece_bytes) {
      TRY(out.pass(data.substr(at, piece_bytes)));
    }
  }
  return out.finish();
}

bool link_stays_inside(std::string_view link_name, std::string_view target) {
  if (target.empty() || target.front() == '/' || target.find('\0') != target.npos) return false;
  std::ptrdiff_t depth = std::count(link_name.begin(), link_name.end(), '/');
  bool climbing = true;
  for (std::string_view part : split(target, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      climbing = false;
    } else if (!climbing || --depth < 0) {
      return false;
    }
  }
  return true;
}

}  // namespace wolke::lambda
