#pragma once
// Authorizer: the gate's decision as a function an operation may ask again (S3's 404 or 403,
// PassRole, batch items).
//
// A request for permission is an Ask: IAM action, resource ARN, condition keys. Decision order
// (IAM, "Policy evaluation logic"): explicit deny anywhere > same account: identity or resource
// policy allows; other account: both must > boundary > session policies. What no policy allows is
// denied.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/identity/principal.h"

namespace wolke::identity {

/// Condition context: keys lower case ("s3:prefix", "aws:sourcearn"); several values for
/// multi-valued keys.
using Conditions = std::map<std::string, std::vector<std::string>>;

struct Ask {
  std::string action;    // "s3:GetObject"
  std::string resource;  // ARN, or "*" for actions without resource
  Conditions conditions = {};
  /// Account that owns the resource; empty: the caller's.
  std::string resource_account = {};
  /// The resource's policy has to allow even within the account (role trust policies).
  bool resource_policy_must_allow = false;
  /// The resource's policy is another account's than the resource: it can deny and not allow (an
  /// object that one account put into the bucket of another).
  bool resource_policy_only_denies = false;
  /// A policy document of what the resource grants beside its policy (access control lists); empty:
  /// nothing.
  std::string grants = {};
};

struct Decision {
  bool allowed = false;
  bool explicit_deny = false;
  /// For people: which policy and statement decided, or what was missing ("no identity-based policy
  /// allows s3:PutObject").
  std::string why;
};

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  virtual Decision decide(const Ask& ask) const = 0;
  virtual const Principal& principal() const = 0;
  bool allows(const Ask& ask) const { return decide(ask).allowed; }
};

/// The gate asks services for the policy attached to a resource (bucket policy, function policy);
/// nullopt: none.
class ResourcePolicies {
 public:
  virtual ~ResourcePolicies() = default;
  virtual Result<std::optional<std::string>> policy_of(const std::string& resource_arn) const = 0;
};

}  // namespace wolke::identity
