#include "wolke/services/s3/acl.h"

#include <algorithm>
#include <array>

#include "wolke/base/text.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/names.h"

namespace wolke::s3 {
namespace {

constexpr std::array<std::string_view, 5> permissions = {"READ", "WRITE", "READ_ACP", "WRITE_ACP",
                                                         "FULL_CONTROL"};

Error malformed_acl() {
  return Error{"MalformedACLError", 400,
               "The XML you provided was not well-formed or did not validate against our published "
               "schema"};
}

Error unresolvable_email() {
  return Error{"UnresolvableGrantByEmailAddress", 400,
               "The e-mail address you provided does not match any account on record."};
}

bool is_group(std::string_view grantee) {
  return grantee.starts_with("http://");
}

Result<std::string> grantee_of_id(std::string_view id) {
  std::optional<std::string> account = account_of_canonical_id(id);
  if (!account) return fail(invalid_argument("Invalid id", "CanonicalUser/ID", id));
  return *std::move(account);
}

Result<std::string> grantee_of_uri(std::string_view uri) {
  for (std::string_view known :
       {group::all_users, group::authenticated_users, group::log_delivery}) {
    if (uri == known) return std::string(uri);
  }
  return fail(invalid_argument("Invalid group uri", "Group/URI", uri));
}

Grant grant(std::string_view grantee, std::string_view permission) {
  Grant out;
  out.grantee = grantee;
  out.permission = permission;
  return out;
}

Result<void> check_count(const Acl& acl) {
  if (acl.grants.size() <= grants_max) return {};
  return fail(invalid_request("You have attempted to create more grants than the allowed 100."));
}

/// `id="…", uri=…, emailAddress=…`
Result<void> add_grantees(std::string_view header, std::string_view permission, Acl& acl) {
  for (std::string_view one : split(header, ',')) {
    std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) {
      return fail(invalid_argument("Argument format not recognized"));
    }
    std::string kind = to_lower(trim(one.substr(0, equals)));
    std::string_view value = trim(one.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    std::string grantee;
    if (kind == "id") {
      TRY(grantee, grantee_of_id(value));
    } else if (kind == "uri") {
      TRY(grantee, grantee_of_uri(value));
    } else if (kind == "emailaddress") {
      return fail(unresolvable_email());
    } else {
      return fail(invalid_argument("Argument format not recognized"));
    }
    acl.grants.push_back(grant(grantee, permission));
  }
  return {};
}

/// What a canned list grants beside the owner's FULL_CONTROL; nullopt for an unknown name.
Result<std::vector<Grant>> canned_grants(const std::string& name, AclSubject subject,
                                         const AclOwners& owners) {
  using Grants = std::vector<Grant>;
  const bool of_bucket = subject == AclSubject::bucket;
  if (name == "private") return Grants{};
  if (name == "public-read") return Grants{grant(group::all_users, "READ")};
  if (name == "public-read-write") {
    return Grants{grant(group::all_users, "READ"), grant(group::all_users, "WRITE")};
  }
  if (name == "authenticated-read") return Grants{grant(group::authenticated_users, "READ")};
  if (name == "log-delivery-write" && of_bucket) {
    return Grants{grant(group::log_delivery, "WRITE"), grant(group::log_delivery, "READ_ACP")};
  }
  if (name == "bucket-owner-read" || name == "bucket-owner-full-control") {
    // Of a bucket, and where the owner is the bucket's, they say nothing more than "private".
    if (of_bucket || owners.owner == owners.bucket_owner) return Grants{};
    bool read = name == "bucket-owner-read";
    return Grants{grant(owners.bucket_owner, read ? "READ" : "FULL_CONTROL")};
  }
  if (name == "aws-exec-read") return fail(not_implemented("the canned ACL aws-exec-read"));
  return fail(invalid_argument("", "x-amz-acl", name));
}

Result<Grant> grant_of(const model::s3::Grant& told) {
  if (!told.grantee || !told.permission) return fail(malformed_acl());
  if (std::ranges::find(permissions, *told.permission) == permissions.end()) {
    return fail(malformed_acl());
  }
  const model::s3::Grantee& grantee = *told.grantee;
  if (grantee.email_address) return fail(unresolvable_email());
  if (grantee.uri) {
    TRY(std::string uri, grantee_of_uri(*grantee.uri));
    return grant(uri, *told.permission);
  }
  if (!grantee.id) return fail(malformed_acl());
  TRY(std::string account, grantee_of_id(*grantee.id));
  return grant(account, *told.permission);
}

/// Whether the headers ask for nothing but the full control of the bucket's owner: what is accepted
/// where lists are disabled. From the owner's own account "private" says just that.
bool is_bucket_owner_only(const AclHeaders& headers, const std::string& bucket_owner,
                          const std::string& writer) {
  if (!headers.has_grants()) {
    return !headers.canned || headers.canned == "bucket-owner-full-control" ||
           (headers.canned == "private" && writer == bucket_owner);
  }
  if (headers.canned || headers.read || headers.read_acp || headers.write || headers.write_acp) {
    return false;
  }
  Acl acl;
  if (!add_grantees(*headers.full_control, "FULL_CONTROL", acl)) return false;
  return std::ranges::all_of(acl.grants,
                             [&](const Grant& one) { return one.grantee == bucket_owner; });
}

}  // namespace

Result<std::optional<Acl>> acl_of_headers(const AclHeaders& headers, AclSubject subject,
                                          const AclOwners& owners) {
  if (headers.canned && headers.has_grants()) {
    return fail(invalid_request("Specifying both Canned ACLs and Header Grants is not allowed"));
  }
  Acl acl;
  if (headers.has_grants()) {
    const std::array<std::pair<const std::optional<std::string>*, const char*>, 5> all = {
        std::pair{&headers.read, "READ"}, std::pair{&headers.write, "WRITE"},
        std::pair{&headers.read_acp, "READ_ACP"}, std::pair{&headers.write_acp, "WRITE_ACP"},
        std::pair{&headers.full_control, "FULL_CONTROL"}};
    for (const auto& [header, permission] : all) {
      if (!*header) continue;
      TRY(add_grantees(**header, permission, acl));
    }
    TRY(check_count(acl));
    return std::optional<Acl>(std::move(acl));
  }
  TRY(acl.grants, canned_grants(headers.canned.value_or("private"), subject, owners));
  if (acl.grants.empty()) return std::optional<Acl>();
  acl.grants.insert(acl.grants.begin(), grant(owners.owner, "FULL_CONTROL"));
  return std::optional<Acl>(std::move(acl));
}

Result<Acl> acl_of_body(const model::s3::AccessControlPolicy& body, const std::string& owner) {
  if (!body.owner || !body.owner->id) return fail(malformed_acl());
  if (*body.owner->id != canonical_id(owner)) return fail(access_denied());
  Acl acl;
  if (!body.grants) return acl;
  for (const model::s3::Grant& told : *body.grants) {
    TRY(Grant one, grant_of(told));
    acl.grants.push_back(std::move(one));
  }
  TRY(check_count(acl));
  return acl;
}

bool is_public(const std::optional<Acl>& acl) {
  return acl && std::ranges::any_of(acl->grants, [](const Grant& one) {
           return one.grantee == group::all_users || one.grantee == group::authenticated_users;
         });
}

bool is_shared(const std::optional<Acl>& acl, std::string_view owner) {
  return acl &&
         std::ranges::any_of(acl->grants, [&](const Grant& one) { return one.grantee != owner; });
}

Result<void> check_ownership(std::string_view setting) {
  bool known = setting == ownership::enforced || setting == ownership::preferred ||
               setting == "ObjectWriter";
  return known ? Result<void>() : fail(malformed_xml());
}

bool acls_disabled(const Bucket& bucket) {
  return bucket.object_ownership.empty() || bucket.object_ownership == ownership::enforced;
}

const std::string& owner_of(const Bucket& bucket, const Object& object) {
  return object.owner.empty() || acls_disabled(bucket) ? bucket.account : object.owner;
}

const std::string& owner_of(const Bucket& bucket, const Upload& upload) {
  return upload.owner.empty() || acls_disabled(bucket) ? bucket.account : upload.owner;
}

Result<void> check_public_acl(const Bucket& bucket, const std::optional<Acl>& acl) {
  if (bucket.public_access && bucket.public_access->block_public_acls && is_public(acl)) {
    return fail(access_denied());
  }
  return {};
}

Result<Belonging> belonging_of_new(const Bucket& bucket, const std::string& writer,
                                   const AclHeaders& headers) {
  if (acls_disabled(bucket)) {
    if (!is_bucket_owner_only(headers, bucket.account, writer)) return fail(acl_not_supported());
    return Belonging{};
  }
  AclOwners owners{.owner = writer.empty() ? std::string(anonymous_account) : writer,
                   .bucket_owner = bucket.account};
  if (bucket.object_ownership == ownership::preferred &&
      headers.canned == "bucket-owner-full-control") {
    owners.owner = bucket.account;
  }
  Belonging belonging;
  TRY(belonging.acl, acl_of_headers(headers, AclSubject::object, owners));
  TRY(check_public_acl(bucket, belonging.acl));
  if (owners.owner != bucket.account) belonging.owner = owners.owner;
  return belonging;
}

model::s3::Owner told_owner(const std::string& account) {
  model::s3::Owner owner;
  owner.id = canonical_id(account);
  owner.display_name = account;
  return owner;
}

std::vector<model::s3::Grant> told_grants(const std::optional<Acl>& acl, const std::string& owner) {
  std::vector<Grant> grants = acl ? acl->grants : std::vector<Grant>{grant(owner, "FULL_CONTROL")};
  std::ranges::stable_partition(grants, [](const Grant& one) { return is_group(one.grantee); });
  std::vector<model::s3::Grant> told;
  for (const Grant& one : grants) {
    model::s3::Grant& out = told.emplace_back();
    out.permission = one.permission;
    model::s3::Grantee& grantee = out.grantee.emplace();
    if (is_group(one.grantee)) {
      grantee.type = "Group";
      grantee.uri = one.grantee;
    } else {
      grantee.type = "CanonicalUser";
      grantee.id = canonical_id(one.grantee);
      grantee.display_name = one.grantee;
    }
  }
  return told;
}

}  // namespace wolke::s3
