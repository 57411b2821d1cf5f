#pragma once
// Digests, checksums and encodings. One-shot functions for small inputs; Digest for streams.
// SHA-*/MD5/HMAC are OpenSSL's; CRC-32C uses SSE4.2 when the CPU has it; CRC-64/NVME is
// table-driven.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace wolke {

enum class HashKind { md5, sha1, sha256, sha512, crc32, crc32c, crc64nvme };

/// An incremental digest. Movable, not copyable. finish() may be called once and returns raw bytes
/// (CRCs big-endian, as the x-amz-checksum-* headers carry them after base64).
class Digest {
 public:
  explicit Digest(HashKind kind);
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  ~Digest();
  void update(std::string_view data);
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string digest(HashKind kind, std::string_view data);
std::string sha256(std::string_view data);
std::string hmac_sha256(std::string_view key, std::string_view data);
std::uint32_t crc32c(std::string_view data, std::uint32_t seed = 0);
/// CRC of the concatenation of A and B from crc(A), crc(B) and B's length; for crc32, crc32c and
/// crc64nvme (raw, big-endian, as Digest::finish gives them). Source: the combination used for S3's
/// FULL_OBJECT multipart checksums.
std::string crc_combine(HashKind kind, std::string_view a, std::string_view b,
                        std::uint64_t b_bytes);
std::uint64_t fnv1a64(std::string_view data);

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);
std::string to_base64(std::string_view bytes);
/// Strict: right alphabet, right padding, nothing else.
std::optional<std::string> from_base64(std::string_view text);
/// True when equal; the time depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b);

/// AES-256-GCM, for sealed tokens and secrets at rest. key is 32 bytes, nonce 12. seal() =
/// ciphertext || 16-byte tag.
std::string aead_seal(std::string_view key, std::string_view nonce, std::string_view plain,
                      std::string_view aad);
std::optional<std::string> aead_open(std::string_view key, std::string_view nonce,
                                     std::string_view sealed, std::string_view aad);

}  // namespace wolke
