#pragma once
// What access control lists grant, as questions and policy documents for the one policy engine: the
// list that stands for a question goes along as Ask::grants and is judged like a policy of the
// resource, so an explicit deny wins and a caller of another account needs its own account's leave.
//
// The bucket's owner decides on the bucket and on what is put into it or deleted; who owns an
// object decides on reading it and on its list, and there the bucket's policy can only deny. Pure
// functions. Source: S3 user guide "Mapping of ACL permissions and access policy permissions",
// "How Amazon S3 authorizes a request for an object operation".

#include <optional>
#include <string>
#include <string_view>

#include "wolke/identity/authorizer.h"
#include "wolke/services/s3/acl.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

/// The permission by which a list of a bucket or object allows an IAM action; nullopt: by none.
std::optional<std::string_view> permission_for(AclSubject subject, std::string_view action);

/// A policy document that allows `action` to whom `acl` gives `permission`, but for `owner`, whose
/// account decides by itself. Empty: it gives it to nobody else.
std::string grants_document(const std::optional<Acl>& acl, std::string_view owner,
                            std::string_view permission, std::string_view action);

/// A question about the bucket, or about the name of an object in it.
identity::Ask ask_of_bucket(const Bucket& bucket, std::string action, std::string resource,
                            identity::Conditions conditions = {});

struct ObjectQuestion {
  std::string action;
  std::string key;
  std::optional<std::string> version_id;  // as the request names it
  const Object* object = nullptr;         // nullptr: there is none
  std::string caller;                     // account
  identity::Conditions conditions = {};
};
/// A question about a version; adds s3:ExistingObjectTag/… and s3:VersionId.
identity::Ask ask_of_version(const Bucket& bucket, ObjectQuestion question);
/// Setting the list of an object that `headers` of a request make; nullopt: nothing is asked for.
std::optional<identity::Ask> ask_of_new_acl(const Bucket& bucket, const std::string& writer,
                                            const std::string& key, const AclHeaders& headers,
                                            identity::Conditions conditions);

}  // namespace wolke::s3
