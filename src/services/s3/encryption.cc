#include "wolke/services/s3/encryption.h"

namespace wolke::s3 {

Content seal_content(const store::Keyring& keys, const Bucket& bucket, Random& random, Body body) {
  Content content;
  if (!body.blobs.empty()) {
    content.ranges = std::move(body.blobs);
  } else if (!body.inline_bytes.empty()) {
    content.bytes = store::seal_small(keys, bucket.account, random, body.inline_bytes);
    content.sealed_for = bucket.account;
  }
  return content;
}

void seal_part(const store::Keyring& keys, const Bucket& bucket, Random& random, Part& part) {
  if (part.bytes.empty()) return;
  part.bytes = store::seal_small(keys, bucket.account, random, part.bytes);
  part.sealed_for = bucket.account;
}

Result<std::string> open_bytes(const store::Keyring& keys, const std::string& sealed_for,
                               std::string bytes) {
  if (sealed_for.empty()) return bytes;
  std::optional<std::string> opened = store::open_small(keys, sealed_for, bytes);
  if (!opened) {
    return fail(Error{"Corrupt", 500,
                      "The bytes of a small object do not open with this installation's key "
                      "(identity.key) of account " +
                          sealed_for + "."});
  }
  return *std::move(opened);
}

std::uint64_t size_of(const Content& content) {
  if (content.ranges.empty()) {
    return content.bytes.size() - (content.sealed_for.empty() ? 0 : store::sealed_small_overhead);
  }
  std::uint64_t bytes = 0;
  for (const BlobRange& range : content.ranges) bytes += range.length;
  return bytes;
}

}  // namespace wolke::s3
