// The table: operation, function, what must be allowed. Reads as the API reference.
#include "wolke/services/s3/asks.h"
#include "wolke/services/s3/configuration.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/policy.h"
#include "wolke/services/s3/site_ops.h"
#include "wolke/services/s3/upload_asks.h"

namespace wolke::s3 {
namespace {

using operation::Row;

template <class Op, auto Run, auto AsksOf>
constexpr Row row() {
  return operation::row<S3, Op, Run, AsksOf>();
}
template <class Op, auto Run, auto AsksOf>
constexpr Row task_row() {
  return operation::task_row<S3, Op, Run, AsksOf>();
}
template <class Op, auto Run, Action action>
constexpr Row bucket_row() {
  return operation::row<S3, Op, Run, asks_of_bucket<action, In<Op>>>();
}
template <class Op, auto Run, Action action, Action version_action = action>
constexpr Row object_row() {
  return operation::row<S3, Op, Run, asks_of_object<action, version_action, In<Op>>>();
}
template <class Op, auto Run, Action action>
constexpr Row upload_row() {
  return operation::row<S3, Op, Run, asks_of_upload<action, In<Op>>>();
}

std::vector<Row> bucket_rows() {
  return {
      row<op::ListBuckets, list_buckets, asks_of_list_buckets>(),
      row<op::CreateBucket, create_bucket, asks_of_create_bucket>(),
      bucket_row<op::HeadBucket, head_bucket, "s3:ListBucket">(),
      bucket_row<op::DeleteBucket, delete_bucket, "s3:DeleteBucket">(),
      bucket_row<op::GetBucketLocation, get_bucket_location, "s3:GetBucketLocation">(),

      bucket_row<op::GetBucketPolicy, get_bucket_policy, "s3:GetBucketPolicy">(),
      bucket_row<op::PutBucketPolicy, put_bucket_policy, "s3:PutBucketPolicy">(),
      bucket_row<op::DeleteBucketPolicy, delete_bucket_policy, "s3:DeleteBucketPolicy">(),
      bucket_row<op::GetBucketPolicyStatus, get_bucket_policy_status, "s3:GetBucketPolicyStatus">(),
      bucket_row<op::GetBucketTagging, get_bucket_tagging, "s3:GetBucketTagging">(),
      bucket_row<op::PutBucketTagging, put_bucket_tagging, "s3:PutBucketTagging">(),
      bucket_row<op::DeleteBucketTagging, delete_bucket_tagging, "s3:PutBucketTagging">(),
      bucket_row<op::GetPublicAccessBlock, get_public_access_block,
                 "s3:GetBucketPublicAccessBlock">(),
      bucket_row<op::PutPublicAccessBlock, put_public_access_block,
                 "s3:PutBucketPublicAccessBlock">(),
      bucket_row<op::DeletePublicAccessBlock, delete_public_access_block,
                 "s3:PutBucketPublicAccessBlock">(),
      bucket_row<op::GetBucketOwnershipControls, get_bucket_ownership_controls,
                 "s3:GetBucketOwnershipControls">(),
      bucket_row<op::PutBucketOwnershipControls, put_bucket_ownership_controls,
                 "s3:PutBucketOwnershipControls">(),
      bucket_row<op::GetBucketAcl, get_bucket_acl, "s3:GetBucketAcl">(),
      row<op::PutBucketAcl, put_bucket_acl, asks_of_put_bucket_acl>(),
      bucket_row<op::GetBucketNotificationConfiguration, get_bucket_notification,
                 "s3:GetBucketNotification">(),
      bucket_row<op::PutBucketNotificationConfiguration, put_bucket_notification,
                 "s3:PutBucketNotification">(),

      bucket_row<op::GetBucketVersioning, get_bucket_versioning, "s3:GetBucketVersioning">(),
      bucket_row<op::PutBucketVersioning, put_bucket_versioning, "s3:PutBucketVersioning">(),
      bucket_row<op::PutObjectLockConfiguration, put_object_lock_configuration,
                 "s3:PutBucketObjectLockConfiguration">(),
      bucket_row<op::PutBucketCors, put_bucket_cors, "s3:PutBucketCORS">(),
      bucket_row<op::DeleteBucketCors, delete_bucket_cors, "s3:PutBucketCORS">(),
      bucket_row<op::PutBucketLifecycleConfiguration, put_bucket_lifecycle,
                 "s3:PutLifecycleConfiguration">(),
      bucket_row<op::DeleteBucketLifecycle, delete_bucket_lifecycle,
                 "s3:PutLifecycleConfiguration">(),
      bucket_row<op::PutBucketEncryption, put_bucket_encryption, "s3:PutEncryptionConfiguration">(),
      bucket_row<op::DeleteBucketEncryption, delete_bucket_encryption,
                 "s3:PutEncryptionConfiguration">(),
      bucket_row<op::DeleteBucketOwnershipControls, delete_bucket_ownership_controls,
                 "s3:PutBucketOwnershipControls">(),
      bucket_row<op::GetBucketEncryption, get_bucket_encryption, "s3:GetEncryptionConfiguration">(),
      bucket_row<op::GetBucketCors, get_bucket_cors, "s3:GetBucketCORS">(),
      bucket_row<op::GetBucketLifecycleConfiguration, get_bucket_lifecycle,
                 "s3:GetLifecycleConfiguration">(),
      bucket_row<op::GetBucketWebsite, get_bucket_website, "s3:GetBucketWebsite">(),
      bucket_row<op::GetBucketLogging, get_bucket_logging, "s3:GetBucketLogging">(),
      bucket_row<op::GetBucketRequestPayment, get_bucket_request_payment,
                 "s3:GetBucketRequestPayment">(),
      bucket_row<op::GetBucketReplication, get_bucket_replication,
                 "s3:GetReplicationConfiguration">(),
      bucket_row<op::GetBucketAccelerateConfiguration, get_bucket_accelerate,
                 "s3:GetAccelerateConfiguration">(),
      bucket_row<op::GetObjectLockConfiguration, get_object_lock_configuration,
                 "s3:GetBucketObjectLockConfiguration">(),
      bucket_row<op::PutBucketWebsite, put_bucket_website, "s3:PutBucketWebsite">(),
      bucket_row<op::DeleteBucketWebsite, delete_bucket_website, "s3:DeleteBucketWebsite">(),
      bucket_row<op::PutBucketLogging, put_bucket_logging, "s3:PutBucketLogging">(),
      bucket_row<op::PutBucketRequestPayment, put_bucket_request_payment,
                 "s3:PutBucketRequestPayment">(),
      bucket_row<op::PutBucketAccelerateConfiguration, put_bucket_accelerate,
                 "s3:PutAccelerateConfiguration">(),
  };
}

std::vector<Row> object_rows() {
  return {
      row<op::ListObjects, list_objects, asks_of_list_objects>(),
      row<op::ListObjectsV2, list_objects_v2, asks_of_list_objects_v2>(),
      row<op::ListObjectVersions, list_object_versions, asks_of_list_object_versions>(),

      row<op::PutObject, put_object, asks_of_put_object>(),
      object_row<op::GetObject, get_object, "s3:GetObject", "s3:GetObjectVersion">(),
      object_row<op::HeadObject, head_object, "s3:GetObject", "s3:GetObjectVersion">(),
      row<op::GetObjectAttributes, get_object_attributes, asks_of_get_object_attributes>(),
      row<op::DeleteObject, delete_object, asks_of_delete_object>(),
      row<op::DeleteObjects, delete_objects, asks_of_delete_objects>(),
      task_row<op::CopyObject, copy_object, asks_of_copy_object>(),
      object_row<op::GetObjectTagging, get_object_tagging, "s3:GetObjectTagging",
                 "s3:GetObjectVersionTagging">(),
      object_row<op::PutObjectTagging, put_object_tagging, "s3:PutObjectTagging",
                 "s3:PutObjectVersionTagging">(),
      object_row<op::DeleteObjectTagging, delete_object_tagging, "s3:DeleteObjectTagging",
                 "s3:DeleteObjectVersionTagging">(),
      object_row<op::GetObjectAcl, get_object_acl, "s3:GetObjectAcl", "s3:GetObjectVersionAcl">(),
      row<op::PutObjectAcl, put_object_acl, asks_of_put_object_acl>(),

      object_row<op::GetObjectRetention, get_object_retention, "s3:GetObjectRetention">(),
      row<op::PutObjectRetention, put_object_retention, asks_of_put_retention>(),
      object_row<op::GetObjectLegalHold, get_object_legal_hold, "s3:GetObjectLegalHold">(),
      row<op::PutObjectLegalHold, put_object_legal_hold, asks_of_put_legal_hold>(),

      row<op::CreateMultipartUpload, create_multipart_upload, asks_of_create_upload>(),
      row<op::UploadPart, upload_part, asks_of_upload_part>(),
      task_row<op::UploadPartCopy, upload_part_copy, asks_of_upload_part_copy>(),
      task_row<op::CompleteMultipartUpload, complete_multipart_upload, asks_of_complete_upload>(),
      upload_row<op::AbortMultipartUpload, abort_multipart_upload, "s3:AbortMultipartUpload">(),
      upload_row<op::ListParts, list_parts, "s3:ListMultipartUploadParts">(),
      bucket_row<op::ListMultipartUploads, list_multipart_uploads,
                 "s3:ListBucketMultipartUploads">(),
  };
}

Result<std::optional<Bucket>> find_bucket(store::Snapshot& snapshot, const std::string& bucket) {
  Tx tx(snapshot);
  return tx.peek<Bucket>(bucket_key(bucket));
}

}  // namespace

operation::ServiceTable s3_table(S3* s3) {
  std::vector<Row> rows = bucket_rows();
  for (Row& row : object_rows()) rows.push_back(row);
  return {.model = &model::s3::service(), .service = s3, .rows = std::move(rows)};
}

Result<std::optional<std::string>> bucket_policy(store::Snapshot& snapshot,
                                                 const std::string& bucket) {
  TRY(std::optional<Bucket> found, find_bucket(snapshot, bucket));
  if (!found || !found->policy) return std::nullopt;
  // RestrictPublicBuckets takes away what a public policy allows, never what it denies.
  if (found->public_access && found->public_access->restrict_public_buckets &&
      is_public_policy(*found->policy)) {
    return denials_of_policy(*found->policy);
  }
  return found->policy;
}

Result<std::optional<std::string>> policy_of_arn(store::Snapshot& snapshot,
                                                 const std::string& resource_arn) {
  constexpr std::string_view prefix = "arn:aws:s3:::";
  if (!resource_arn.starts_with(prefix)) return std::nullopt;
  std::string name = resource_arn.substr(prefix.size());
  return bucket_policy(snapshot, name.substr(0, name.find('/')));
}

Result<std::optional<model::s3::CORSConfiguration>> cors_of(store::Snapshot& snapshot,
                                                            const std::string& bucket) {
  Tx tx(snapshot);
  return read_configuration<model::s3::CORSConfiguration>(tx, bucket, kind::cors);
}

Result<std::optional<std::string>> bucket_owner(store::Snapshot& snapshot,
                                                const std::string& bucket) {
  TRY(std::optional<Bucket> found, find_bucket(snapshot, bucket));
  if (!found) return std::nullopt;
  return found->account;
}

}  // namespace wolke::s3
