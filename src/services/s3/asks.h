#pragma once
// What the gate must ask before an operation runs: IAM actions, resources and condition keys. A
// bucket that does not exist is "NoSuchBucket" before anything is asked, as in S3; the bucket's
// owner is the resource's account. Source: Service Authorization Reference, "Actions, resources,
// and condition keys for Amazon S3".

#include <algorithm>
#include <string>
#include <string_view>

#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

using operation::Asks;

/// Text as a template argument: the action of a row.
template <std::size_t N>
struct Action {
  char text[N];
  constexpr Action(const char (&literal)[N]) { std::copy_n(literal, N, text); }
  std::string str() const { return text; }
};

Result<Asks> ask_bucket(S3& s3, std::string action, const std::string& bucket,
                        identity::Conditions conditions = {});
/// Asks about the name of an object: uploads.
Result<Asks> ask_key(S3& s3, std::string action, const std::string& bucket, const std::string& key,
                     identity::Conditions conditions = {});
/// nullopt where there is no such version, or where its id is none: that is told by the operation,
/// to who may call it.
Result<std::optional<Object>> object_of_ask(Tx& tx, const std::string& bucket,
                                            const std::string& key,
                                            const std::optional<std::string>& version_id);
/// Asks about a version that is there: adds s3:ExistingObjectTag/… and s3:VersionId.
Result<Asks> ask_object(S3& s3, const Context& context, std::string action,
                        const std::string& bucket, const std::string& key,
                        const std::optional<std::string>& version_id,
                        identity::Conditions conditions = {});

template <Action action, class In>
Result<Asks> asks_of_bucket(S3& s3, const Context&, const In& in) {
  return ask_bucket(s3, action.str(), *in.bucket);
}

/// Operations on the object that is there, by one action or by another where a version is named:
/// s3:GetObject, s3:GetObjectVersion.
template <Action action, Action version_action, class In>
Result<Asks> asks_of_object(S3& s3, const Context& context, const In& in) {
  return ask_object(s3, context, in.version_id ? version_action.str() : action.str(), *in.bucket,
                    *in.key, in.version_id);
}

/// s3:if-match and s3:if-none-match.
void add_preconditions(identity::Conditions& conditions, const std::optional<std::string>& if_match,
                       const std::optional<std::string>& if_none_match);
/// Adds s3:GetObject where a write hangs on an ETag: whether it was right tells of the object.
/// Source: S3 user guide, "How to prevent object overwrites with conditional writes".
Result<void> ask_match(S3& s3, const Context& context, const std::string& bucket,
                       const std::string& key, const std::optional<std::string>& if_match,
                       Asks& asks);

Result<Asks> asks_of_create_bucket(S3&, const Context&, const In<op::CreateBucket>&);
Result<Asks> asks_of_list_buckets(S3&, const Context&, const In<op::ListBuckets>&);
Result<Asks> asks_of_list_objects(S3&, const Context&, const In<op::ListObjects>&);
Result<Asks> asks_of_list_objects_v2(S3&, const Context&, const In<op::ListObjectsV2>&);
Result<Asks> asks_of_list_object_versions(S3&, const Context&, const In<op::ListObjectVersions>&);
Result<Asks> asks_of_put_object(S3&, const Context&, const In<op::PutObject>&);
Result<Asks> asks_of_delete_object(S3&, const Context&, const In<op::DeleteObject>&);
Result<Asks> asks_of_create_upload(S3&, const Context&, const In<op::CreateMultipartUpload>&);
Result<Asks> asks_of_copy_object(S3&, const Context&, const In<op::CopyObject>&);
Result<Asks> asks_of_upload_part_copy(S3&, const Context&, const In<op::UploadPartCopy>&);
Result<Asks> asks_of_put_bucket_acl(S3&, const Context&, const In<op::PutBucketAcl>&);
Result<Asks> asks_of_put_object_acl(S3&, const Context&, const In<op::PutObjectAcl>&);
Result<Asks> asks_of_put_retention(S3&, const Context&, const In<op::PutObjectRetention>&);
Result<Asks> asks_of_put_legal_hold(S3&, const Context&, const In<op::PutObjectLegalHold>&);
Result<Asks> asks_of_get_object_attributes(S3&, const Context&, const In<op::GetObjectAttributes>&);
/// None: every item is judged singly by the operation (ask_delete).
Result<Asks> asks_of_delete_objects(S3&, const Context&, const In<op::DeleteObjects>&);

identity::Ask ask_delete(const Context& context, const Bucket& bucket, const std::string& key,
                         const std::optional<std::string>& version_id,
                         const std::optional<std::string>& if_match,
                         const std::optional<Object>& object);

}  // namespace wolke::s3
