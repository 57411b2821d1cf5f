#pragma once
// A key that a client brings with each request (KeyChoice::customer_key), as its headers say it:
// an algorithm, 32 bytes in base64, and their MD5 against slips on the way. The edge, which
// encrypts and decrypts, and the operations, which refuse, read it by this one function, so they
// cannot disagree. Pure.

#include <cstdint>
#include <expected>
#include <string>

namespace wolke::store {

/// What was sent; nullptr: nothing.
struct CustomerKeyText {
  const std::string* algorithm = nullptr;
  const std::string* key = nullptr;
  const std::string* key_md5 = nullptr;
};

enum class CustomerKeyFault : std::uint8_t {
  no_algorithm,
  no_key,
  no_md5,
  unknown_algorithm,
  wrong_size,
  wrong_md5,
};

/// The key's bytes; empty when nothing was sent.
std::expected<std::string, CustomerKeyFault> read_customer_key(const CustomerKeyText& text);

}  // namespace wolke::store
