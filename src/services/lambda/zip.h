#pragma once
// A strict reader of zip archives, for deployment packages. An archive that two parsers could read
// differently is refused: central and local headers must agree, entries may not overlap, nothing
// may stand before or after the archive, names must be plain relative UTF-8 paths and unique. Sizes
// are checked twice, as declared and as inflated.
//
// Pure functions over the archive's bytes; an Archive views them, so the bytes outlive it. Errors
// have code "InvalidZip" and a message that says what is wrong, or "TooLarge". Source: PKWARE
// APPNOTE.TXT 6.3.10.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/limits.h"
#include "wolke/base/result.h"

namespace wolke::lambda {

struct ZipLimits {
  std::uint64_t unzipped_bytes_max = limits::package_unzipped_bytes_max;
  std::size_t entries_max = limits::package_entries_max;
};

inline constexpr std::size_t zip_name_bytes_max = 4096;
inline constexpr std::size_t zip_component_bytes_max = 255;
inline constexpr std::size_t zip_link_bytes_max = 4096;

struct ZipEntry {
  enum class Kind { file, directory, symlink };
  std::string name;  // relative, no "." or "..", no trailing slash
  Kind kind = Kind::file;
  bool executable = false;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t compressed_bytes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t data_offset = 0;
};

struct Archive {
  std::string_view bytes;
  std::vector<ZipEntry> entries;  // in the central directory's order
  std::uint64_t unzipped_bytes = 0;
};

Result<Archive> read_zip(std::string_view bytes, const ZipLimits& limits = {});

/// Calls `write` with the entry's content, piece by piece. Ends with an error when the content is
/// longer or shorter than declared or its CRC-32 differs.
Result<void> extract(const Archive& archive, const ZipEntry& entry,
                     const std::function<Result<void>(std::string_view)>& write);

/// A symbolic link's target may only climb at its beginning and never above the root: then no chain
/// of links leaves it.
bool link_stays_inside(std::string_view link_name, std::string_view target);

}  // namespace wolke::lambda
