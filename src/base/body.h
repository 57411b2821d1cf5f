#pragma once
// Body: what travels beside an operation instead of inside it. The edge stages a request's bytes
// before the operation runs and sends a response's bytes after it committed; the operation sees
// only this value. Small bodies (≤ limits::body_inline_max) are `inline_bytes`; larger ones are
// parts of immutable blobs.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/time.h"

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

/// Content that comes to be while it is sent, piece by piece, for as long as somebody listens.
class LiveBody {
 public:
  virtual ~LiveBody() = default;
  /// May block; pool threads, one call at a time. nullopt: the end. An error cuts the answer off.
  virtual Result<std::optional<std::string>> next(Timestamp now) = 0;
  /// Between a piece and the next.
  virtual std::chrono::milliseconds pause() const = 0;
};

struct Body {
  /// Used when `blobs` is empty.
  std::string inline_bytes;
  /// The content is the concatenation of these ranges (a multipart object has several).
  std::vector<BlobRange> blobs;
  /// Of a response: used instead of both. Shared by the copies of a value, of which one is sent.
  std::shared_ptr<LiveBody> live;
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
