#include "wolke/store/cipher.h"

#include <openssl/evp.h>

#include <array>

#include "wolke/base/hash.h"
#include "wolke/base/result.h"

namespace wolke::store {

namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t check_bytes = 16;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::span<char> data) {
  return reinterpret_cast<unsigned char*>(data.data());
}

/// HKDF-SHA-256 for one block of output.
std::string derive(std::string_view key, std::string_view salt, std::string_view info) {
  const std::string extracted = hmac_sha256(salt, key);
  return hmac_sha256(extracted, std::string(info) + '\x01');
}

/// The number, little-endian, and 1 in the last byte for the last chunk.
std::array<unsigned char, nonce_bytes> nonce_of(ChunkPlace place) {
  std::array<unsigned char, nonce_bytes> nonce{};
  for (unsigned i = 0; i < 8; ++i) {
    nonce[i] = static_cast<unsigned char>((place.number >> (8 * i)) & 0xFF);
  }
  nonce.back() = place.last ? 1 : 0;
  return nonce;
}

std::string body_key_of_account(std::string_view root, std::string_view account,
                                std::string_view id) {
  return derive(derive(root, account, "account"), id, "body");
}

}  // namespace

Keyring::Keyring(std::string root) : root_(std::move(root)) {
  ASSERT(root_.size() == cipher_key_bytes);
}

std::string Keyring::body_key(const KeyChoice& choice, std::string_view id) const {
  ASSERT(id.size() == cipher_id_bytes);
  if (choice.customer_key.empty()) return body_key_of_account(root_, choice.account, id);
  return derive(choice.customer_key, id, "customer's body");
}

std::string key_check(std::string_view body_key) {
  return hmac_sha256(body_key, "check").substr(0, check_bytes);
}

struct ChunkCipher::State {
  struct Free {
    void operator()(EVP_CIPHER_CTX* used) const { EVP_CIPHER_CTX_free(used); }
  };
  std::unique_ptr<EVP_CIPHER_CTX, Free> context{EVP_CIPHER_CTX_new()};
  Way way = Way::seal;
};

ChunkCipher::ChunkCipher(std::string_view body_key, Way way) : state_(std::make_unique<State>()) {
  ASSERT(body_key.size() == cipher_key_bytes && state_->context);
  state_->way = way;
  ASSERT(EVP_CipherInit_ex(state_->context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(body_key),
                           nullptr, way == Way::seal ? 1 : 0) == 1);
}

ChunkCipher::~ChunkCipher() = default;

std::string ChunkCipher::seal(ChunkPlace place, std::span<char> data) {
  ASSERT(state_->way == Way::seal);
  EVP_CIPHER_CTX* context = state_->context.get();
  const auto nonce = nonce_of(place);
  std::string tag(cipher_tag_bytes, '\0');
  int size = 0;
  ASSERT(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1);
  ASSERT(EVP_EncryptUpdate(context, bytes_of(data), &size, bytes_of(data),
                           static_cast<int>(data.size())) == 1);
  ASSERT(EVP_EncryptFinal_ex(context, bytes_of(data) + size, &size) == 1);
  ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, cipher_tag_bytes, tag.data()) == 1);
  return tag;
}

bool ChunkCipher::open(ChunkPlace place, std::span<char> data, std::string_view tag) {
  ASSERT(state_->way == Way::open && tag.size() == cipher_tag_bytes);
  EVP_CIPHER_CTX* context = state_->context.get();
  const auto nonce = nonce_of(place);
  std::string expected(tag);
  int size = 0;
  ASSERT(EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1);
  ASSERT(EVP_DecryptUpdate(context, bytes_of(data), &size, bytes_of(data),
                           static_cast<int>(data.size())) == 1);
  ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, cipher_tag_bytes, expected.data()) ==
         1);
  return EVP_DecryptFinal_ex(context, bytes_of(data) + size, &size) == 1;
}

std::string seal_small(const Keyring& keys, const std::string& account, Random& random,
                       std::string_view plain) {
  std::string out(cipher_id_bytes, '\0');
  random.fill(std::as_writable_bytes(std::span(out)));
  ChunkCipher cipher(keys.body_key({.account = account}, out), ChunkCipher::Way::seal);
  out.reserve(plain.size() + sealed_small_overhead);
  out.append(plain);
  out += cipher.seal({.number = 0, .last = true}, std::span(out).subspan(cipher_id_bytes));
  return out;
}

std::optional<std::string> open_small(const Keyring& keys, const std::string& account,
                                      std::string_view sealed) {
  if (sealed.size() < sealed_small_overhead) return std::nullopt;
  const std::string_view id = sealed.substr(0, cipher_id_bytes);
  const std::string_view tag = sealed.substr(sealed.size() - cipher_tag_bytes);
  std::string out(sealed.substr(cipher_id_bytes, sealed.size() - sealed_small_overhead));
  ChunkCipher cipher(keys.body_key({.account = account}, id), ChunkCipher::Way::open);
  if (!cipher.open({.number = 0, .last = true}, out, tag)) return std::nullopt;
  return out;
}

}  // namespace wolke::store
