#pragma once
// Body: what travels beside an operation instead of inside it. The edge stages a request's bytes
// before the operation runs and sends a response's bytes after it committed; the operation sees
// only this value. Small bodies (≤ limits::body_inline_max) are `inline_bytes`; larger ones are
// parts of immutable blobs.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace wolke {

/// A durable, immutable blob of the blob store: random id, size in bytes.
struct BlobRef {
  std::string id;
  std::uint64_t size = 0;
  bool operator==(const BlobRef&) const = default;
};

/// A range of a blob, in bytes.
struct BlobRange {
  BlobRef blob;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool operator==(const BlobRange&) const = default;
};

struct Body {
  /// Used when `blobs` is empty.
  std::string inline_bytes;
  /// The content is the concatenation of these ranges (a multipart object has several).
  std::vector<BlobRange> blobs;
  /// Digests computed while the bytes were staged, raw bytes by name: "md5", "sha1", "sha256",
  /// "crc32", "crc32c", "crc64nvme". "md5" and "crc64nvme" are always there on requests; the others
  /// when the request names them.
  std::map<std::string, std::string> digests;

  std::uint64_t size() const {
    if (blobs.empty()) return inline_bytes.size();
    std::uint64_t total = 0;
    for (const BlobRange& range : blobs) total += range.length;
    return total;
  }
};

}  // namespace wolke
