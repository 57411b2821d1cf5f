#pragma once
// Who calls. Made by the gate once per request, after the signature was verified; from there on the
// caller is known. Values.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wolke/base/time.h"

namespace wolke::identity {

/// Kept in session tokens by number: new ones come last.
enum class PrincipalKind {
  anonymous,
  root,
  user,
  assumed_role,
  service,
  federated_user,  // GetFederationToken
  web_identity,    // whoever shows a verified token of a provider; `arn` is the provider's
};

struct Principal {
  PrincipalKind kind = PrincipalKind::anonymous;
  std::string account;  // 12 digits; empty for anonymous
  std::string arn;  // arn:aws:iam::A:user/N, arn:aws:sts::A:assumed-role/R/S, arn:aws:iam::A:root
  std::string unique_id;  // AIDA…, AROA…:session, or the account for root
  std::string user_name;  // users
  std::string role_name;  // assumed roles
  std::string role_arn;   // assumed roles: arn:aws:iam::A:role/path/R
  std::string session_name;
  std::string access_key_id;
  std::string service;  // "s3.amazonaws.com" for service principals
  /// Federated users: the user or root that made the session, whose rights are its most.
  std::string federated_by_arn;
  std::string federated_by_id;
  /// Session policies (JSON), from a sealed session token.
  std::vector<std::string> session_policies;
  /// The sandbox that the session is bound to; empty when unbound.
  std::string sandbox_id;
  /// Session tags that go on to the sessions that this one makes (role chaining), keys as given.
  std::map<std::string, std::string> transitive_tags;
  /// Who is behind a chain of sessions; empty: not told.
  std::string source_identity;
  /// `wolke dev`, role missing: full rights, said so in the log.
  bool unrestricted = false;
};

inline constexpr const char* default_account = "000000000000";
inline constexpr const char* default_region = "us-east-1";

}  // namespace wolke::identity
