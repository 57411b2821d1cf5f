#pragma once
// Policy: one IAM policy document, parsed and validated once, evaluated often. evaluate() answers
// what this document alone says (deny, allow, nothing); evaluation.h combines the documents of a
// principal into a Decision.
//
// A document that does not parse is an error when it is written; one that is found broken later is
// treated by the caller as denying everything. Threads: immutable; share by shared_ptr<const
// Policy>. Source: IAM User Guide "IAM JSON policy reference", "Grammar of the IAM JSON policy
// language".

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/identity/authorizer.h"
#include "wolke/identity/pattern.h"
#include "wolke/identity/principal.h"

namespace wolke::identity {

enum class PolicyKind : std::uint8_t {
  identity,  // of a user, group, role; boundary; session: no Principal, needs Resource
  resource,  // of a bucket, function, queue: needs Principal; Resource may be missing (then: this
             // resource)
  trust,     // of a role: needs Principal, forbids Resource, sts actions only
};

/// How an allowing statement named the principal; decides what boundaries and session policies
/// still limit.
enum class Grant : std::uint8_t {
  none,
  delegated,  // its account: the account's own identity policies decide
  role,       // everyone ("*"), or the role of the session
  direct,     // the user, the session, the service
};

struct PolicyAnswer {
  bool denied = false;
  bool allowed = false;
  Grant grant = Grant::none;  // policies with principals
  std::string statement;      // Sid, or "#2", of what decided
};

/// One question. `action` as in the Ask; strings must outlive the call.
struct Question {
  std::string_view action;
  std::string_view resource;
  const Principal* principal = nullptr;
  Context context;
};

/// What a policy says of a service as a whole, whatever the resources and conditions.
struct ServiceAccess {
  bool granted = false;   // at least one of its actions is allowed
  bool withheld = false;  // all of them are denied, everywhere and always
};

class Policy {
 public:
  ~Policy();

  /// Error code "MalformedPolicyDocument" (400), AWS's texts.
  static Result<std::shared_ptr<const Policy>> parse(std::string_view json, PolicyKind kind);

  PolicyAnswer evaluate(const Question& question) const;
  std::size_t statements() const;
  /// `service` as actions begin: "s3".
  ServiceAccess access_to(std::string_view service) const;
  /// The services whose actions are allowed by name, in lower case.
  std::set<std::string> services_named() const;
  /// True when an Allow statement names everyone ("*") and has no condition.
  bool is_public() const;

 private:
  Policy();
  struct Statement;
  friend class PolicyParser;
  std::vector<Statement> statements_;
};

}  // namespace wolke::identity
