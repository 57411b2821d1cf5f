#include "wolke/services/s3/customer_key.h"

#include "wolke/base/hash.h"
#include "wolke/services/s3/errors.h"

namespace wolke::s3 {
namespace {

constexpr std::string_view header = "x-amz-server-side-encryption";
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t etag_bytes = 16;

Error error_of(store::CustomerKeyFault fault, const store::CustomerKeyText& text) {
  using enum store::CustomerKeyFault;
  const std::string must =
      "Requests specifying Server Side Encryption with Customer provided keys must provide ";
  switch (fault) {
    case no_algorithm:
      return invalid_argument(must + "a valid encryption algorithm.", header, "null");
    case no_key:
      return invalid_argument(must + "an appropriate secret key.", header, "null");
    case no_md5:
      return invalid_argument(must + "the client calculated MD5 of the secret key.", header,
                              "null");
    case unknown_algorithm: {
      Error error = invalid_argument(
          "The Encryption request you specified is not valid. Supported value: AES256.", header,
          *text.algorithm);
      error.code = "InvalidEncryptionAlgorithmError";
      return error;
    }
    case wrong_size:
      return invalid_argument("The secret key was invalid for the specified algorithm.", header,
                              "null");
    case wrong_md5:
      break;
  }
  return invalid_argument(
      "The calculated MD5 hash of the key did not match the hash that was provided.", header,
      "null");
}

std::string check_under(std::string_view salt, const std::string& key) {
  return hmac_sha256(hmac_sha256(salt, key), "check of a customer's key");
}

}  // namespace

Result<std::string> check_customer_key(const store::CustomerKeyText& text,
                                       const std::optional<std::string>& server_side_encryption) {
  std::expected<std::string, store::CustomerKeyFault> key = store::read_customer_key(text);
  if (!key) return fail(error_of(key.error(), text));
  if (!key->empty() && server_side_encryption) {
    return fail(
        invalid_argument("Server Side Encryption with Customer provided key is incompatible with "
                         "the encryption method specified",
                         header, *server_side_encryption));
  }
  return *std::move(key);
}

std::string random_etag(Random& random) {
  return random.hex(etag_bytes);
}

std::string etag_of_part(const Upload& upload, const std::string& key, const std::string& md5) {
  if (key.empty()) return md5;
  const std::string salted = hmac_sha256(upload.customer_key_check, key);
  return to_hex(hmac_sha256(salted, md5).substr(0, etag_bytes));
}

Result<void> check_read_headers(const std::vector<std::pair<std::string, std::string>>* headers) {
  if (headers == nullptr) return {};
  for (const auto& [name, value] : *headers) {
    if (name == header) {
      return fail(invalid_argument(
          "x-amz-server-side-encryption header is not supported for this operation.", name, value));
    }
  }
  return {};
}

Result<void> expect_key(const Object& object, const std::string& key) {
  if (object.encryption != Encryption::customer) {
    if (key.empty()) return {};
    return fail(invalid_request("The encryption parameters are not applicable to this object."));
  }
  if (key.empty()) {
    return fail(invalid_request(
        "The object was stored using a form of Server Side Encryption. The correct parameters "
        "must be provided to retrieve the object."));
  }
  if (passes_key_check(object.customer_key_check, key)) return {};
  return fail(Error{"AccessDenied", 403,
                    "Requests specifying Server Side Encryption with Customer provided keys must "
                    "provide the correct secret key."});
}

Result<void> expect_key(const Upload& upload, const std::string& key) {
  if (upload.encryption != Encryption::customer) {
    if (key.empty()) return {};
    return fail(invalid_request(
        "The multipart upload initiate request did not request encryption. Please resend the "
        "request without sending encryption parameters."));
  }
  if (key.empty()) {
    return fail(invalid_request(
        "The multipart upload initiate requested encryption. Subsequent part requests must "
        "include the appropriate encryption parameters."));
  }
  if (passes_key_check(upload.customer_key_check, key)) return {};
  return fail(invalid_request(
      "The provided encryption parameters did not match the ones used originally."));
}

Result<void> expect_blob(const std::string& key, const Body& body) {
  if (key.empty() || body.inline_bytes.empty()) return {};
  return fail(internal_error("a body for a customer's key was not staged under it"));
}

std::string make_key_check(Random& random, const std::string& key) {
  std::string salt(salt_bytes, '\0');
  random.fill(std::as_writable_bytes(std::span(salt)));
  return salt + check_under(salt, key);
}

bool passes_key_check(const std::string& check, const std::string& key) {
  if (check.size() < salt_bytes) return false;
  const std::string_view whole = check;
  return equal_constant_time(whole.substr(salt_bytes),
                             check_under(whole.substr(0, salt_bytes), key));
}

}  // namespace wolke::s3
