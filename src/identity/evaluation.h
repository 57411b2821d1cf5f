#pragma once
// Evaluation: the documents that apply to a principal, and the one function that combines them into
// a Decision. Pure: all documents and keys come in; nothing is looked up.
//
// Order (IAM, "Policy evaluation logic"): an explicit deny anywhere ends it. Within an account, an
// identity policy or a resource policy allows; between accounts, both must. A boundary and session
// policies then limit; they do not limit what a resource policy grants directly to the user or
// session. An account's root needs no identity policy.

#include <memory>
#include <string>
#include <vector>

#include "wolke/identity/authorizer.h"
#include "wolke/identity/policy.h"

namespace wolke::identity {

/// A document with the name by which people know it: "AmazonS3FullAccess", "inline thumbnails".
/// nullptr: it is stored but broken, and denies everything.
struct NamedPolicy {
  std::string name;
  std::shared_ptr<const Policy> policy;
};

struct PolicySet {
  std::vector<NamedPolicy> identity;
  std::vector<NamedPolicy> boundary;  // none or one
  std::vector<NamedPolicy> session;   // together they limit: one of them must allow
};

/// `resource_policy`: nullptr when the resource has none. `grants`: Ask::grants, compiled; it
/// counts as a second policy of the resource.
Decision evaluate(const Principal& principal, const PolicySet& policies,
                  const NamedPolicy* resource_policy, const Ask& ask, const Conditions& request,
                  const NamedPolicy* grants = nullptr);

}  // namespace wolke::identity
