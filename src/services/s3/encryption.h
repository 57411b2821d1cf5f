#pragma once
// Encryption at rest of what the objects hold (docs/decisions/0019-encryption-at-rest.md). Large
// bodies are blobs, which the blob store encrypts; small ones lie in records and are sealed here,
// under the key of the bucket's account.
//
// Pure functions.

#include <cstdint>
#include <string>

#include "wolke/base/body.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

/// What is told of objects that are encrypted by the installation.
inline constexpr std::string_view sse_s3 = "AES256";

/// A body as the record of its object holds it.
Content seal_content(const store::Keyring& keys, const Bucket& bucket, Random& random, Body body);
/// The same for a part of an upload.
void seal_part(const store::Keyring& keys, const Bucket& bucket, Random& random, Part& part);
/// The bytes of a record; "Corrupt" where they are not what was sealed for this account.
Result<std::string> open_bytes(const store::Keyring& keys, const std::string& sealed_for,
                               std::string bytes);
/// In an answer about an object or an upload: how its bytes are encrypted.
template <class Kept, class Out>
void tell_encryption(const Kept& kept, Out& out) {
  if (kept.encryption == Encryption::account) out.server_side_encryption = std::string(sse_s3);
}

/// How many bytes the object has.
std::uint64_t size_of(const Content& content);

}  // namespace wolke::s3
