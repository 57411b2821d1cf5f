#include "wolke/services/s3/grants.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wolke/base/text.h"
#include "wolke/services/s3/names.h"

namespace wolke::s3 {
namespace {

struct Mapping {
  std::string_view action;
  std::string_view permission;
};

constexpr std::array bucket_actions = {
    Mapping{"s3:ListBucket", "READ"},
    Mapping{"s3:ListBucketVersions", "READ"},
    Mapping{"s3:ListBucketMultipartUploads", "READ"},
    Mapping{"s3:PutObject", "WRITE"},
    Mapping{"s3:AbortMultipartUpload", "WRITE"},      // of an upload that one began:
    Mapping{"s3:ListMultipartUploadParts", "WRITE"},  // upload_asks.cc
    Mapping{"s3:GetBucketAcl", "READ_ACP"},
    Mapping{"s3:PutBucketAcl", "WRITE_ACP"},
};

constexpr std::array object_actions = {
    Mapping{"s3:GetObject", "READ"},
    Mapping{"s3:GetObjectVersion", "READ"},
    Mapping{"s3:GetObjectAcl", "READ_ACP"},
    Mapping{"s3:GetObjectVersionAcl", "READ_ACP"},
    Mapping{"s3:PutObjectAcl", "WRITE_ACP"},
    Mapping{"s3:PutObjectVersionAcl", "WRITE_ACP"},
    // The object's owner decides, and no permission of a list gives these.
    Mapping{"s3:GetObjectAttributes", ""},
    Mapping{"s3:GetObjectVersionAttributes", ""},
};

template <std::size_t N>
const Mapping* find(const std::array<Mapping, N>& mappings, std::string_view action) {
  auto found = std::ranges::find(mappings, action, &Mapping::action);
  return found == mappings.end() ? nullptr : &*found;
}

std::string statement(std::string_view principal, std::string_view action,
                      std::string_view condition = "") {
  return fmt::format(R"({{"Effect":"Allow","Principal":{},"Action":"{}","Resource":"*"{}}})",
                     principal, action, condition);
}

/// The list, as far as the bucket's settings leave it in force.
std::optional<Acl> in_force(const Bucket& bucket, const std::optional<Acl>& acl) {
  if (acls_disabled(bucket)) return std::nullopt;
  bool ignored = bucket.public_access && bucket.public_access->ignore_public_acls;
  if (ignored && is_public(acl)) return std::nullopt;
  return acl;
}

std::string grants_of_bucket(const Bucket& bucket, std::string_view permission,
                             std::string_view action) {
  return grants_document(in_force(bucket, bucket.acl), bucket.account, permission, action);
}

/// Reading what is not there: who may list the bucket may know so.
bool is_read(std::string_view action) {
  return action == "s3:GetObject" || action == "s3:GetObjectVersion";
}

}  // namespace

std::optional<std::string_view> permission_for(AclSubject subject, std::string_view action) {
  const Mapping* mapping =
      subject == AclSubject::bucket ? find(bucket_actions, action) : find(object_actions, action);
  if (mapping == nullptr || mapping->permission.empty()) return std::nullopt;
  return mapping->permission;
}

std::string grants_document(const std::optional<Acl>& acl, std::string_view owner,
                            std::string_view permission, std::string_view action) {
  if (!acl) return {};
  std::vector<std::string> accounts;
  std::vector<std::string> statements;
  for (const Grant& grant : acl->grants) {
    if (grant.permission != permission && grant.permission != "FULL_CONTROL") continue;
    if (grant.grantee == group::all_users) {
      statements.push_back(statement(R"("*")", action));
    } else if (grant.grantee == group::authenticated_users) {
      statements.push_back(statement(
          R"("*")", action,
          R"(,"Condition":{"StringEquals":{"aws:PrincipalType":["Account","User","AssumedRole"]}})"));
    } else if (grant.grantee == group::log_delivery) {
      statements.push_back(statement(R"({"Service":"logging.s3.amazonaws.com"})", action));
    } else if (grant.grantee != owner && grant.grantee != anonymous_account) {
      accounts.push_back("\"" + grant.grantee + "\"");
    }
  }
  if (!accounts.empty()) {
    statements.push_back(
        statement(fmt::format(R"({{"AWS":[{}]}})", fmt::join(accounts, ",")), action));
  }
  if (statements.empty()) return {};
  return fmt::format(R"({{"Version":"2012-10-17","Statement":[{}]}})", fmt::join(statements, ","));
}

identity::Ask ask_of_bucket(const Bucket& bucket, std::string action, std::string resource,
                            identity::Conditions conditions) {
  identity::Ask ask{.action = std::move(action),
                    .resource = std::move(resource),
                    .conditions = std::move(conditions),
                    .resource_account = bucket.account};
  if (auto permission = permission_for(AclSubject::bucket, ask.action)) {
    ask.grants = grants_of_bucket(bucket, *permission, ask.action);
  }
  return ask;
}

identity::Ask ask_of_version(const Bucket& bucket, ObjectQuestion question) {
  const Object* object = question.object;
  if (question.version_id) question.conditions["s3:versionid"] = {*question.version_id};
  if (object != nullptr) {
    for (const auto& [key, value] : object->tags) {
      question.conditions[to_lower("s3:ExistingObjectTag/" + key)] = {value};
    }
    if (object->delete_marker) object = nullptr;
  }
  identity::Ask ask =
      ask_of_bucket(bucket, std::move(question.action), object_arn(bucket.name, question.key),
                    std::move(question.conditions));
  if (acls_disabled(bucket)) return ask;
  if (object == nullptr) {
    if (is_read(ask.action)) ask.grants = grants_of_bucket(bucket, "READ", ask.action);
    return ask;
  }
  const std::string& owner = owner_of(bucket, *object);
  if (ask.action == "s3:DeleteObject" && owner == question.caller) {
    // Who may write into the bucket may delete what is his.
    ask.grants = grants_of_bucket(bucket, "WRITE", ask.action);
  }
  const Mapping* owners_matter = find(object_actions, ask.action);
  if (owners_matter == nullptr) return ask;
  ask.resource_account = owner;
  ask.resource_policy_only_denies = owner != bucket.account;
  ask.grants = owners_matter->permission.empty()
                   ? std::string()
                   : grants_document(in_force(bucket, object->acl), owner,
                                     owners_matter->permission, ask.action);
  return ask;
}

std::optional<identity::Ask> ask_of_new_acl(const Bucket& bucket, const std::string& writer,
                                            const std::string& key, const AclHeaders& headers,
                                            identity::Conditions conditions) {
  if (acls_disabled(bucket) || !headers.any()) return std::nullopt;
  bool given = bucket.object_ownership == ownership::preferred &&
               headers.canned == "bucket-owner-full-control";
  std::string owner = writer;
  if (given) owner = bucket.account;
  if (writer.empty()) {
    // Nobody's account can let nobody do anything: who may write without a name says who may read
    // it.
    identity::Ask ask = ask_of_bucket(bucket, "s3:PutObjectAcl", object_arn(bucket.name, key),
                                      std::move(conditions));
    ask.grants = grants_of_bucket(bucket, "WRITE", ask.action);
    return ask;
  }
  return identity::Ask{.action = "s3:PutObjectAcl",
                       .resource = object_arn(bucket.name, key),
                       .conditions = std::move(conditions),
                       .resource_account = owner,
                       .resource_policy_only_denies = owner != bucket.account};
}

}  // namespace wolke::s3
