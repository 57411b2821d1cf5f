#include "wolke/services/s3/acl.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/objects.h"
#include "wolke/services/s3/ops.h"

namespace wolke::s3 {
namespace {

/// The list that a request sets: by headers or by a body, not by both.
template <class In>
Result<std::optional<Acl>> asked_acl(const In& in, AclSubject subject, const AclOwners& owners) {
  AclHeaders headers = acl_headers(in);
  if (in.access_control_policy) {
    if (headers.any()) {
      return fail(Error{"UnexpectedContent", 400, "This request does not support content"});
    }
    TRY(Acl acl, acl_of_body(*in.access_control_policy, owners.owner));
    return std::optional<Acl>(std::move(acl));
  }
  if (!headers.any()) {
    return fail(Error{"MissingSecurityHeader",
                      400,
                      "Your request was missing a required header",
                      {{"MissingHeaderName", "x-amz-acl"}}});
  }
  return acl_of_headers(headers, subject, owners);
}

}  // namespace

Answer<op::GetBucketAcl> get_bucket_acl(S3&, Tx& tx, const Context&,
                                        const In<op::GetBucketAcl>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  op::GetBucketAcl::Output out;
  tell_acl(acls_disabled(bucket) ? std::nullopt : bucket.acl, bucket.account, out);
  return out;
}

Answer<op::PutBucketAcl> put_bucket_acl(S3&, Tx& tx, const Context&,
                                        const In<op::PutBucketAcl>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  if (acls_disabled(bucket)) return fail(acl_not_supported());
  TRY(bucket.acl, asked_acl(in, AclSubject::bucket, {bucket.account, bucket.account}));
  TRY(check_public_acl(bucket, bucket.acl));
  tx.put(bucket_key(bucket.name), bucket);
  return op::PutBucketAcl::Output{};
}

Answer<op::GetObjectAcl> get_object_acl(S3&, Tx& tx, const Context& context,
                                        const In<op::GetObjectAcl>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(Version version,
      find_permitted(tx, context, bucket, *in.key, in.version_id,
                     in.version_id ? "s3:GetObjectVersionAcl" : "s3:GetObjectAcl"));
  op::GetObjectAcl::Output out;
  const Object& object = version.object;
  tell_acl(acls_disabled(bucket) ? std::nullopt : object.acl, owner_of(bucket, object), out);
  return out;
}

Answer<op::PutObjectAcl> put_object_acl(S3&, Tx& tx, const Context& context,
                                        const In<op::PutObjectAcl>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  if (acls_disabled(bucket)) return fail(acl_not_supported());
  TRY(Version version,
      find_permitted(tx, context, bucket, *in.key, in.version_id,
                     in.version_id ? "s3:PutObjectVersionAcl" : "s3:PutObjectAcl"));
  Object& object = version.object;
  TRY(object.acl, asked_acl(in, AclSubject::object, {owner_of(bucket, object), bucket.account}));
  TRY(check_public_acl(bucket, object.acl));
  tx.put(version.place, object);
  return op::PutObjectAcl::Output{};
}

}  // namespace wolke::s3
