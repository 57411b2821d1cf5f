#pragma once
// The three reflected CRCs that S3 knows: CRC-32 (zlib's), CRC-32C (Castagnoli), CRC-64/NVME.
// Table-driven, eight bytes at a time; CRC-32C by the CPU's instruction where there is one. Values,
// no shared state but constant tables.

#include <cstdint>
#include <string>
#include <string_view>

#include "wolke/base/hash.h"

namespace wolke {

class Crc {
 public:
  explicit Crc(HashKind kind) : kind_(kind) {}
  void update(std::string_view data);
  /// Big-endian: 4 or 8 bytes.
  std::string bytes() const;
  std::uint64_t value() const { return value_; }

 private:
  HashKind kind_;
  std::uint64_t value_ = 0;
};

}  // namespace wolke
