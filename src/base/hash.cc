#include "wolke/base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "wolke/base/crc.h"
#include "wolke/base/result.h"

namespace wolke {

namespace {

const EVP_MD* message_digest(HashKind kind) {
  switch (kind) {
    case HashKind::md5:
      return EVP_md5();
    case HashKind::sha1:
      return EVP_sha1();
    case HashKind::sha256:
      return EVP_sha256();
    case HashKind::sha512:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

const unsigned char* bytes_of(std::string_view data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

struct CipherDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherDeleter>;

constexpr std::size_t tag_bytes = 16;

}  // namespace

struct Digest::State {
  HashKind kind;
  EVP_MD_CTX* context = nullptr;
  Crc crc;

  explicit State(HashKind k) : kind(k), crc(k) {
    if (const EVP_MD* md = message_digest(k)) {
      context = EVP_MD_CTX_new();
      ASSERT(context && EVP_DigestInit_ex(context, md, nullptr) == 1);
    }
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Digest::Digest(HashKind kind) : state_(std::make_unique<State>(kind)) {}
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::update(std::string_view data) {
  if (state_->context) {
    ASSERT(EVP_DigestUpdate(state_->context, data.data(), data.size()) == 1);
  } else {
    state_->crc.update(data);
  }
}

std::string Digest::finish() {
  if (!state_->context) return state_->crc.bytes();
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  ASSERT(EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(out.data()), &size) ==
         1);
  out.resize(size);
  return out;
}

std::string digest(HashKind kind, std::string_view data) {
  Digest d(kind);
  d.update(data);
  return d.finish();
}

std::string sha256(std::string_view data) {
  return digest(HashKind::sha256, data);
}

std::string hmac_sha256(std::string_view key, std::string_view data) {
  std::string out(32, '\0');
  unsigned size = 0;
  ASSERT(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(data), data.size(),
              reinterpret_cast<unsigned char*>(out.data()), &size) != nullptr);
  return out;
}

std::uint64_t fnv1a64(std::string_view data) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (char c : data) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  auto value = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int high = value(text[i]), low = value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '\0');
  if (out.empty()) return out;
  // EVP_EncodeBlock also writes a terminating zero, which lands on the string's own.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(bytes),
                  static_cast<int>(bytes.size()));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  static const auto table = [] {
    std::array<std::int8_t, 256> t{};
    t.fill(-1);
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
      t[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    }
    return t;
  }();
  std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool padded = i >= text.size() - padding;
    int value = padded ? 0 : table[static_cast<unsigned char>(text[i])];
    if (value < 0) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (i % 4 == 3) {
      out += static_cast<char>(group >> 16);
      out += static_cast<char>(group >> 8);
      out += static_cast<char>(group);
      group = 0;
    }
  }
  for (std::size_t i = 0; i < padding; ++i) {
    if (out.back() != '\0') return std::nullopt;  // bits beyond the last byte must be zero
    out.pop_back();
  }
  return out;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string aead_seal(std::string_view key, std::string_view nonce, std::string_view plain,
                      std::string_view aad) {
  ASSERT(key.size() == 32 && nonce.size() == 12);
  Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  std::string out(plain.size() + tag_bytes, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  ASSERT(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key),
                            bytes_of(nonce)) == 1);
  ASSERT(EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes_of(aad),
                           static_cast<int>(aad.size())) == 1);
  ASSERT(EVP_EncryptUpdate(cipher.get(), to, &size, bytes_of(plain),
                           static_cast<int>(plain.size())) == 1);
  ASSERT(EVP_EncryptFinal_ex(cipher.get(), to + size, &size) == 1);
  ASSERT(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, to + plain.size()) ==
         1);
  return out;
}

std::optional<std::string> aead_open(std::string_view key, std::string_view nonce,
                                     std::string_view sealed, std::string_view aad) {
  if (key.size() != 32 || nonce.size() != 12 || sealed.size() < tag_bytes) return std::nullopt;
  std::string_view text = sealed.substr(0, sealed.size() - tag_bytes);
  std::string tag(sealed.substr(text.size()));
  Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  std::string out(text.size(), '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  bool ok = EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key),
                               bytes_of(nonce)) == 1 &&
            EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes_of(aad),
                              static_cast<int>(aad.size())) == 1 &&
            EVP_DecryptUpdate(cipher.get(), to, &size, bytes_of(text),
                              static_cast<int>(text.size())) == 1 &&
            EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1 &&
            EVP_DecryptFinal_ex(cipher.get(), to + size, &size) == 1;
  if (!ok) return std::nullopt;
  return out;
}

}  // namespace wolke
