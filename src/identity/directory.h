#pragma once
// Directory: who a request comes from, and what that caller may do. It joins the pure parts
// (sigv4.h, policy.h, evaluation.h) with IAM's records: access key -> secret and Principal;
// Principal -> policies; both -> Authorizer.
//
// Recipe of the gate: identify() once per request (the signature is verified here and nowhere
// else), then make_authorizer() with the request's facts. Threads: all functions from any thread;
// they read the store, so call them on a pool thread. Staleness: keys and policies are cached until
// any IAM record changes (the store's watch, which runs before a commit is acknowledged), so on
// this node a change is seen by every request that begins after its acknowledgement. Lifetime:
// outlives its authorizers. Failure: store errors come back as 500; a broken stored policy denies
// everything.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/env.h"
#include "wolke/identity/authorizer.h"
#include "wolke/identity/evaluation.h"
#include "wolke/identity/seal.h"
#include "wolke/identity/sigv4.h"
#include "wolke/identity/state.h"
#include "wolke/store/store.h"

namespace wolke::identity {

enum class Authentication : std::uint8_t {
  enforced,
  /// `wolke dev`: keys that are not known to the store are accepted unverified. Their account is
  /// the key id when that is 12 digits, else 000000000000; unsigned requests act as the latter's
  /// root. Known keys are still verified.
  relaxed,
};

struct DirectoryOptions {
  Authentication authentication = Authentication::enforced;
  /// May be set later, before the first request (services are made after the directory).
  const ResourcePolicies* resource_policies = nullptr;
  /// The server's own: of requests whose signature names none (SigV2 links).
  std::string region = default_region;
};

/// What identify() found.
struct Identified {
  std::optional<Authorization> authorization;  // nullopt: unsigned
  Verified verified;
  bool signature_checked = true;  // false only for unknown keys when relaxed
  Principal principal;
  /// Condition keys that follow from the credentials: aws:TokenIssueTime, aws:PrincipalTag/…
  Conditions conditions;
};

/// The request's own facts, from which the global condition keys are made.
struct RequestFacts {
  std::string source_ip;
  std::string user_agent;
  std::string region;
  bool secure_transport = false;
  Timestamp now{};
  Conditions credentials = {};  // Identified::conditions
  std::string referer = {};     // of the Referer header
};

struct SessionRequest {
  std::string role_arn;
  std::string session_name;
  std::chrono::seconds lifetime{3600};
  std::vector<std::string> policies = {};
  std::vector<std::string> policy_arns = {};
  std::map<std::string, std::string> tags = {};
  std::string sandbox_id = {};
  std::vector<std::string> transitive_tag_keys = {};  // of `tags`
  std::string source_identity = {};
  // Of web identities.
  std::string provider_arn = {};
  std::string subject = {};
  std::string audience = {};
};

struct SessionCredentials {
  std::string access_key_id;
  std::string secret;
  std::string token;
  Timestamp expires;
  std::string arn;        // arn:aws:sts::A:assumed-role/R/S
  std::string unique_id;  // AROA…:S
  bool unrestricted = false;
};

class Directory {
 public:
  Directory(Env env, store::Store& store, Seal seal, DirectoryOptions options);
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  void set_resource_policies(const ResourcePolicies& policies);
  Authentication authentication() const;
  const Seal& seal() const;

  /// `sandbox_id`: of the door the request came through, empty for the public one; a session bound
  /// to a sandbox works through that door only. Errors: sigv4_errors.h. Unsigned requests are
  /// anonymous for S3, an error elsewhere.
  Result<Identified> identify(const RawRequest& request, const Expected& expected,
                              std::string_view sandbox_id, Timestamp now);

  Result<std::unique_ptr<Authorizer>> make_authorizer(Principal principal,
                                                      const RequestFacts& facts);

  /// For what a service does by itself ("s3.amazonaws.com" invoking a function): only resource
  /// policies count, with aws:SourceArn and aws:SourceAccount.
  std::unique_ptr<Authorizer> make_service_authorizer(std::string_view service,
                                                      std::string_view source_arn,
                                                      std::string_view source_account,
                                                      Timestamp now);

  /// Credentials for a role without asking its trust policy: the caller has. "NoSuchEntity" when
  /// there is no such role.
  Result<SessionCredentials> make_session(const SessionRequest& request, Timestamp now);

  /// GetSessionToken: temporary credentials of a user or root with the same rights.
  Result<SessionCredentials> make_own_session(const Principal& principal,
                                              std::chrono::seconds lifetime, Timestamp now);

  /// GetFederationToken: `request.session_name` is the federated user's. Without session policies
  /// it has no rights but those that resources' policies give it.
  Result<SessionCredentials> make_federated_session(const Principal& principal,
                                                    const SessionRequest& request, Timestamp now);

  /// The OpenID Connect provider of an account; nullopt: none.
  Result<std::optional<OidcProviderRecord>> oidc_provider(std::string_view account,
                                                          std::string_view name);

  /// Credentials of a function instance: the role must exist and trust lambda.amazonaws.com
  /// ("AccessDeniedException"). When relaxed, a missing role gives full rights in its account; the
  /// caller logs `unrestricted`.
  Result<SessionCredentials> assume_for_function(std::string_view role_arn,
                                                 std::string_view session_name,
                                                 std::string_view sandbox_id,
                                                 std::chrono::seconds lifetime, Timestamp now);

  /// "missing", "trusted" or not: what CreateFunction must know of a role.
  enum class RoleTrust : std::uint8_t { missing, refused, trusted };
  Result<RoleTrust> role_trusts(std::string_view role_arn, std::string_view service);

  struct State;

 private:
  SessionCredentials issue(SessionRecord session) const;

  std::unique_ptr<State> state_;
};

struct Bootstrap {
  std::string account;
  std::string access_key_id;
  std::string secret;  // empty when the installation existed before
  bool created = false;
};

/// load_master_key(), of an installation that may have begun before: "WrongKey" when the key is not
/// the one that it began with, or is gone. What was sealed with that one is unreadable without it,
/// so nothing is started and no other key is made. Blocks on the store.
Result<std::string> open_master_key(store::Store& store, Env env, const std::string& data_dir);

/// First start: an account with a random id, a root key, and <data_dir>/root-credentials (0600, an
/// AWS credentials file). Later starts return the account. Blocks on the store.
Result<Bootstrap> bootstrap_root(store::Store& store, Env env, const std::string& data_dir,
                                 const Seal& seal);

}  // namespace wolke::identity
