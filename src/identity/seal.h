#pragma once
// What only this installation can make and read: secrets at rest and session tokens, both under
// keys derived from one master key that lies in the data directory (identity.key, 0600, made at the
// first start).
//
// A session needs no record in the store: its token holds who it is, encrypted and authenticated
// (AES-256-GCM, random nonce), and its secret is derived from its access key id. Any node with the
// same master key can verify it. Threads: immutable after construction; Random may be called from
// any thread.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/env.h"
#include "wolke/identity/principal.h"
#include "wolke/store/record.h"

namespace wolke::identity {

/// What a session token says.
struct SessionRecord : store::Fields {
  PrincipalKind kind =
      PrincipalKind::assumed_role;  // user and root: GetSessionToken; federated users
  std::string access_key_id;
  std::string account;
  std::string role_arn;      // assumed roles
  std::string role_id;       // assumed roles: a role made anew under the same name is another one
  std::string user_name;     // users
  std::string session_name;  // assumed roles, federated users
  Timestamp issued;
  Timestamp expires;
  std::vector<std::string> policies;     // session policies, JSON
  std::vector<std::string> policy_arns;  // managed session policies
  std::map<std::string, std::string> tags;
  std::string sandbox_id;
  bool unrestricted = false;
  std::vector<std::string> transitive_tag_keys;  // of `tags`
  std::string source_identity;
  std::string provider_arn;  // sessions of web identities: whose token it was, and what it said
  std::string subject;
  std::string audience;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, kind);
    v(2, access_key_id);
    v(3, account);
    v(4, role_arn);
    v(5, role_id);
    v(6, user_name);
    v(7, session_name);
    v(8, issued);
    v(9, expires);
    v(10, policies);
    v(11, policy_arns);
    v(12, tags);
    v(13, sandbox_id);
    v(14, unrestricted);
    v(15, transitive_tag_keys);
    v(16, source_identity);
    v(17, provider_arn);
    v(18, subject);
    v(19, audience);
  }
};

class Seal {
 public:
  /// `master_key`: 32 bytes.
  Seal(std::string master_key, Random& random);

  std::string seal_secret(std::string_view access_key_id, std::string_view secret) const;
  std::optional<std::string> open_secret(std::string_view access_key_id,
                                         std::string_view sealed) const;

  std::string seal_session(const SessionRecord& session) const;
  /// nullopt: not a token of this installation, or tampered with. Expiry is the caller's to check.
  std::optional<SessionRecord> open_session(std::string_view token) const;
  std::string session_secret(std::string_view access_key_id) const;
  /// Tells one master key from another, and neither.
  const std::string& key_check() const { return key_check_; }
  /// HMAC-SHA256, hexadecimal, under the key of links (link.h).
  std::string link_signature(std::string_view text) const;

 private:
  std::string sealed(std::string_view key, std::string_view plain, std::string_view aad) const;

  Random* random_;
  std::string rest_key_;
  std::string token_key_;
  std::string secret_key_;
  std::string link_key_;
  std::string key_check_;
};

/// Reads <directory>/identity.key, making it at the first start. A key file of another size is an
/// error, never replaced: what was sealed with it would be lost.
Result<std::string> load_master_key(Env env, const std::string& directory);

/// The root of the keys that bodies at rest are encrypted with (store::Keyring): 32 bytes.
std::string root_of_body_keys(std::string_view master_key);

/// Writes a small file durably (0600): content synced, then renamed into place, then the directory
/// synced.
Result<void> write_private_file(Env env, const std::string& directory, const std::string& name,
                                std::string_view content);

}  // namespace wolke::identity
