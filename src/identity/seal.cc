#include "wolke/identity/seal.h"

#include "wolke/base/hash.h"

namespace wolke::identity {
namespace {

constexpr std::size_t master_key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::string_view key_file = "identity.key";
constexpr std::string_view token_aad = "session token 1";
constexpr std::size_t token_bytes_max = 16 * 1024;

std::string random_bytes(Random& random, std::size_t count) {
  std::string out(count, '\0');
  random.fill(std::as_writable_bytes(std::span(out.data(), out.size())));
  return out;
}

std::optional<std::string> opened(std::string_view key, std::string_view sealed,
                                  std::string_view aad) {
  if (sealed.size() < nonce_bytes) return std::nullopt;
  return aead_open(key, sealed.substr(0, nonce_bytes), sealed.substr(nonce_bytes), aad);
}

}  // namespace

Seal::Seal(std::string master_key, Random& random) : random_(&random) {
  ASSERT(master_key.size() == master_key_bytes);
  rest_key_ = hmac_sha256(master_key, "secrets at rest");
  token_key_ = hmac_sha256(master_key, "session tokens");
  secret_key_ = hmac_sha256(master_key, "session secrets");
  link_key_ = hmac_sha256(master_key, "links");
  key_check_ = hmac_sha256(master_key, "check");
}

std::string Seal::sealed(std::string_view key, std::string_view plain, std::string_view aad) const {
  std::string nonce = random_bytes(*random_, nonce_bytes);
  return nonce + aead_seal(key, nonce, plain, aad);
}

std::string Seal::seal_secret(std::string_view access_key_id, std::string_view secret) const {
  return sealed(rest_key_, secret, access_key_id);
}

std::optional<std::string> Seal::open_secret(std::string_view access_key_id,
                                             std::string_view text) const {
  return opened(rest_key_, text, access_key_id);
}

std::string Seal::seal_session(const SessionRecord& session) const {
  return to_base64(sealed(token_key_, store::encode(session, token_aad), token_aad));
}

std::optional<SessionRecord> Seal::open_session(std::string_view token) const {
  if (token.size() > token_bytes_max) return std::nullopt;
  const std::optional<std::string> bytes = from_base64(token);
  if (!bytes) return std::nullopt;
  const std::optional<std::string> plain = opened(token_key_, *bytes, token_aad);
  if (!plain) return std::nullopt;
  Result<SessionRecord> session = store::decode<SessionRecord>(*plain, token_aad);
  if (!session) return std::nullopt;
  return *std::move(session);
}

std::string Seal::session_secret(std::string_view access_key_id) const {
  return to_base64(hmac_sha256(secret_key_, access_key_id).substr(0, 30));
}

std::string Seal::link_signature(std::string_view text) const {
  return to_hex(hmac_sha256(link_key_, text));
}

std::string root_of_body_keys(std::string_view master_key) {
  return hmac_sha256(master_key, "bodies at rest");
}

Result<void> write_private_file(Env env, const std::string& directory, const std::string& name,
                                std::string_view content) {
  const std::string path = directory + "/" + name;
  const std::string staged = path + ".new";
  {
    TRY(std::unique_ptr<File> file, env.disk.open(staged, OpenMode::create_or_open));
    TRY(file->truncate(0));
    TRY(file->write_at(0, content));
    TRY(file->sync());
  }
  TRY(env.disk.rename(staged, path));
  return env.disk.sync_directory(directory);
}

Result<std::string> load_master_key(Env env, const std::string& directory) {
  TRY(env.disk.make_directory(directory));
  const std::string path = directory + "/" + std::string(key_file);
  TRY(const bool exists, env.disk.exists(path));
  if (!exists) {
    std::string key = random_bytes(env.random, master_key_bytes);
    TRY(write_private_file(env, directory, std::string(key_file), key));
    return key;
  }
  TRY(std::unique_ptr<File> file, env.disk.open(path, OpenMode::read));
  std::string key(master_key_bytes + 1, '\0');
  TRY(const std::size_t size, file->read_at(0, key));
  if (size != master_key_bytes) {
    return fail(internal_error(path + " is not a key of 32 bytes; restore it from a backup"));
  }
  key.resize(size);
  return key;
}

}  // namespace wolke::identity
