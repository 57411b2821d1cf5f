#pragma once
// Access control lists: what a request says of one, what an answer tells of it, whom it lets do
// what. A list only grants: what the owner's own account may do is that account's policies' matter.
// Grantees are kept as accounts; a canonical user id that belongs to no account is refused. Pure
// functions. Sources: S3 user guide "Access control list (ACL) overview" and "Controlling ownership
// of objects"; API reference of PutBucketAcl, PutObjectAcl, PutObject.

#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/result.h"
#include "wolke/model/s3/types.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

/// Owns what unsigned requests put.
inline constexpr std::string_view anonymous_account = "anonymous";
inline constexpr std::size_t grants_max = 100;

namespace group {
inline constexpr std::string_view all_users = "http://acs.amazonaws.com/groups/global/AllUsers";
inline constexpr std::string_view authenticated_users =
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
inline constexpr std::string_view log_delivery = "http://acs.amazonaws.com/groups/s3/LogDelivery";
}  // namespace group

namespace ownership {
inline constexpr std::string_view enforced = "BucketOwnerEnforced";
inline constexpr std::string_view preferred = "BucketOwnerPreferred";
inline constexpr std::string_view none = "none";  // as ObjectWriter, and told as not configured
}  // namespace ownership

enum class AclSubject { bucket, object };

/// The headers of a request.
struct AclHeaders {
  std::optional<std::string> canned;
  std::optional<std::string> full_control;
  std::optional<std::string> read;
  std::optional<std::string> read_acp;
  std::optional<std::string> write;
  std::optional<std::string> write_acp;
  bool has_grants() const { return full_control || read || read_acp || write || write_acp; }
  bool any() const { return canned || has_grants(); }
};

template <class In>
AclHeaders acl_headers(const In& in) {
  AclHeaders headers{.canned = in.acl,
                     .full_control = in.grant_full_control,
                     .read = in.grant_read,
                     .read_acp = in.grant_read_acp,
                     .write = {},
                     .write_acp = in.grant_write_acp};
  if constexpr (requires { in.grant_write; }) headers.write = in.grant_write;
  return headers;
}

/// The accounts that canned lists speak of.
struct AclOwners {
  std::string owner;
  std::string bucket_owner;
};

/// nullopt: private. "InvalidArgument", "InvalidRequest" for canned list and grants at once,
/// "UnresolvableGrantByEmailAddress".
Result<std::optional<Acl>> acl_of_headers(const AclHeaders& headers, AclSubject subject,
                                          const AclOwners& owners);
/// "MalformedACLError"; AccessDenied where it names another owner.
Result<Acl> acl_of_body(const model::s3::AccessControlPolicy& body, const std::string& owner);

/// It grants something to everybody or to everybody with an account.
bool is_public(const std::optional<Acl>& acl);
/// It grants something to others than `owner`.
bool is_shared(const std::optional<Acl>& acl, std::string_view owner);

/// "MalformedXML" for what is no ownership setting.
Result<void> check_ownership(std::string_view setting);
/// Whether the bucket's lists and those of its objects are without effect (BucketOwnerEnforced).
bool acls_disabled(const Bucket& bucket);
/// The account that owns the object.
const std::string& owner_of(const Bucket& bucket, const Object& object);
const std::string& owner_of(const Bucket& bucket, const Upload& upload);
/// PublicAccess::block_public_acls: AccessDenied for a public list.
Result<void> check_public_acl(const Bucket& bucket, const std::optional<Acl>& acl);

/// Owner and list of an object that a request makes. `owner` is empty for the bucket's owner.
struct Belonging {
  std::string owner;
  std::optional<Acl> acl;
};
/// `writer`: the caller's account, empty for unsigned requests. AccessControlListNotSupported where
/// lists are disabled and another is asked for than the bucket owner's full control.
Result<Belonging> belonging_of_new(const Bucket& bucket, const std::string& writer,
                                   const AclHeaders& headers);

model::s3::Owner told_owner(const std::string& account);
/// Groups come first, then accounts in the order in which they were given.
std::vector<model::s3::Grant> told_grants(const std::optional<Acl>& acl, const std::string& owner);

template <class Out>
void tell_acl(const std::optional<Acl>& acl, const std::string& owner, Out& out) {
  out.owner = told_owner(owner);
  out.grants = told_grants(acl, owner);
}

}  // namespace wolke::s3
