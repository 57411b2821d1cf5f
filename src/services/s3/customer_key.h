#pragma once
// Encryption with keys that customers bring (SSE-C): read from each request, never kept. An object
// keeps a salted check value of its key, which tells the right one from others and no more. Bodies
// are encrypted at the edge, as blobs: none of them lies in a record.
// Source: S3 user guide, "Using server-side encryption with customer-provided keys"; the texts are
// S3's answers. Pure functions.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wolke/base/env.h"
#include "wolke/base/result.h"
#include "wolke/services/s3/state.h"
#include "wolke/store/customer_key.h"

namespace wolke::s3 {

/// The key's bytes, empty when the request has none; else S3's error for what is wrong with it.
/// `server_side_encryption` cannot be asked for together with it.
Result<std::string> check_customer_key(const store::CustomerKeyText& text,
                                       const std::optional<std::string>& server_side_encryption);

template <class In>
Result<std::string> customer_key_of(const In& in) {
  const auto sent = [](const auto& header) { return header ? &*header : nullptr; };
  std::optional<std::string> other;
  if constexpr (requires { in.server_side_encryption; }) other = in.server_side_encryption;
  return check_customer_key({.algorithm = sent(in.sse_customer_algorithm),
                             .key = sent(in.sse_customer_key),
                             .key_md5 = sent(in.sse_customer_key_md5)},
                            other);
}

/// The key of a copy's source.
template <class In>
Result<std::string> source_key_of(const In& in) {
  const auto sent = [](const auto& header) { return header ? &*header : nullptr; };
  return check_customer_key({.algorithm = sent(in.copy_source_sse_customer_algorithm),
                             .key = sent(in.copy_source_sse_customer_key),
                             .key_md5 = sent(in.copy_source_sse_customer_key_md5)},
                            std::nullopt);
}

/// What an object or an upload under this key keeps of it.
template <class Kept>
void keep_encryption(Random& random, const std::string& key, Kept& kept);
/// The ETag of bytes under a customer's key tells nothing of them.
std::string random_etag(Random& random);
/// A part's is the same when the same bytes are sent again to its upload. `md5`: hexadecimal.
std::string etag_of_part(const Upload& upload, const std::string& key, const std::string& md5);

/// Reads name no encryption: S3 refuses x-amz-server-side-encryption there. `headers` may be null.
Result<void> check_read_headers(const std::vector<std::pair<std::string, std::string>>* headers);
/// Whether `key` (empty: none) opens the object.
Result<void> expect_key(const Object& object, const std::string& key);
/// Whether a part under `key` belongs into the upload.
Result<void> expect_key(const Upload& upload, const std::string& key);

/// The edge has put the bytes into a blob under the key: in a record they would not be.
Result<void> expect_blob(const std::string& key, const Body& body);

/// How the bytes are encrypted, in an answer to `in`.
template <class Kept, class In, class Out>
void tell_encryption(const Kept& kept, const In& in, Out& out) {
  if (kept.encryption == Encryption::customer) {
    out.sse_customer_algorithm = in.sse_customer_algorithm;
    out.sse_customer_key_md5 = in.sse_customer_key_md5;
  } else if (kept.encryption == Encryption::account) {
    out.server_side_encryption = "AES256";
  }
}

/// A salt and the check value under it.
std::string make_key_check(Random& random, const std::string& key);
bool passes_key_check(const std::string& check, const std::string& key);

template <class Kept>
void keep_encryption(Random& random, const std::string& key, Kept& kept) {
  kept.encryption = key.empty() ? Encryption::account : Encryption::customer;
  kept.customer_key_check = key.empty() ? std::string() : make_key_check(random, key);
}

}  // namespace wolke::s3
