#pragma once
// Encryption at rest of bodies: AES-256-GCM in chunks, under keys that are used for one body only.
//
//   root of the installation ── account ──▶ the account's key ── the body's random id ──▶ its key
//   a key that a client brings with each request ───────────── the body's random id ──▶ its key
//
// Each step is HKDF-SHA-256 (RFC 5869). A body is sealed once, front to back, under a key of its
// own, and a chunk's nonce is its number and whether it is the last one: no nonce ever comes twice
// under a key. A chunk in another place, of another body, or a body that ends early does not open.
//
// Threads: Keyring is immutable; a ChunkCipher is used by one thread at a time. Failure: what does
// not open is told, nothing of it is given out.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "wolke/base/env.h"

namespace wolke::store {

inline constexpr std::size_t cipher_key_bytes = 32;
inline constexpr std::size_t cipher_tag_bytes = 16;
inline constexpr std::size_t cipher_id_bytes = 16;

/// Which key a body is encrypted with.
struct KeyChoice {
  std::string account;       // whose key of the installation
  std::string customer_key;  // cipher_key_bytes that are nowhere kept; empty: the account's key
};

/// The installation's keys.
class Keyring {
 public:
  /// `root`: cipher_key_bytes. Who loses it loses every body.
  explicit Keyring(std::string root);
  /// The key of one body; `id`: cipher_id_bytes, random, never used for another body.
  std::string body_key(const KeyChoice& choice, std::string_view id) const;

 private:
  std::string root_;
};

/// What tells whether a body's key is the right one, without telling the key: 16 bytes.
std::string key_check(std::string_view body_key);

struct ChunkPlace {
  std::uint64_t number = 0;
  bool last = false;
};

class ChunkCipher {
 public:
  enum class Way { seal, open };
  ChunkCipher(std::string_view body_key, Way way);
  ~ChunkCipher();
  ChunkCipher(const ChunkCipher&) = delete;
  ChunkCipher& operator=(const ChunkCipher&) = delete;

  /// Encrypts in place; gives the tag.
  std::string seal(ChunkPlace place, std::span<char> data);
  /// Decrypts in place. False: `data` is not what was sealed at this place, and is worthless now.
  bool open(ChunkPlace place, std::span<char> data, std::string_view tag);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A small body in one piece: id, ciphertext, tag. Under the account's key.
std::string seal_small(const Keyring& keys, const std::string& account, Random& random,
                       std::string_view plain);
/// nullopt: damaged, or another account's, or of another installation.
std::optional<std::string> open_small(const Keyring& keys, const std::string& account,
                                      std::string_view sealed);
inline constexpr std::size_t sealed_small_overhead = cipher_id_bytes + cipher_tag_bytes;

}  // namespace wolke::store
