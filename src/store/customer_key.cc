#include "wolke/store/customer_key.h"

#include "wolke/base/hash.h"
#include "wolke/store/cipher.h"

namespace wolke::store {

std::expected<std::string, CustomerKeyFault> read_customer_key(const CustomerKeyText& text) {
  using enum CustomerKeyFault;
  if (text.algorithm == nullptr && text.key == nullptr && text.key_md5 == nullptr) return {};
  if (text.algorithm == nullptr) return std::unexpected(no_algorithm);
  if (text.key == nullptr) return std::unexpected(no_key);
  if (text.key_md5 == nullptr) return std::unexpected(no_md5);
  if (*text.algorithm != "AES256") return std::unexpected(unknown_algorithm);
  std::optional<std::string> key = from_base64(*text.key);
  if (!key || key->size() != cipher_key_bytes) return std::unexpected(wrong_size);
  if (to_base64(digest(HashKind::md5, *key)) != *text.key_md5) return std::unexpected(wrong_md5);
  return *std::move(key);
}

}  // namespace wolke::store
