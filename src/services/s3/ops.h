#pragma once
// The operations as plain functions, one file per resource; operations.cc binds them to the model.
// Inputs are decoded and validated (required members are there); authorization has been asked.
// Errors: errors.h.

#include "wolke/model/s3/operations.h"
#include "wolke/operation/operation.h"
#include "wolke/services/s3/s3.h"

namespace wolke::s3 {

namespace op = model::s3::op;
using operation::Context;
using store::Tx;

template <class Op>
using In = typename Op::Input;
template <class Op>
using Answer = Result<typename Op::Output>;

// bucket_ops.cc
Answer<op::CreateBucket> create_bucket(S3&, Tx&, const Context&, const In<op::CreateBucket>&);
Answer<op::HeadBucket> head_bucket(S3&, Tx&, const Context&, const In<op::HeadBucket>&);
Answer<op::ListBuckets> list_buckets(S3&, Tx&, const Context&, const In<op::ListBuckets>&);
Answer<op::DeleteBucket> delete_bucket(S3&, Tx&, const Context&, const In<op::DeleteBucket>&);
Answer<op::GetBucketLocation> get_bucket_location(S3&, Tx&, const Context&,
                                                  const In<op::GetBucketLocation>&);

// bucket_settings_ops.cc: what a bucket keeps beside its objects
Answer<op::GetBucketPolicy> get_bucket_policy(S3&, Tx&, const Context&,
                                              const In<op::GetBucketPolicy>&);
Answer<op::PutBucketPolicy> put_bucket_policy(S3&, Tx&, const Context&,
                                              const In<op::PutBucketPolicy>&);
Answer<op::DeleteBucketPolicy> delete_bucket_policy(S3&, Tx&, const Context&,
                                                    const In<op::DeleteBucketPolicy>&);
Answer<op::GetBucketPolicyStatus> get_bucket_policy_status(S3&, Tx&, const Context&,
                                                           const In<op::GetBucketPolicyStatus>&);
Answer<op::GetBucketTagging> get_bucket_tagging(S3&, Tx&, const Context&,
                                                const In<op::GetBucketTagging>&);
Answer<op::PutBucketTagging> put_bucket_tagging(S3&, Tx&, const Context&,
                                                const In<op::PutBucketTagging>&);
Answer<op::DeleteBucketTagging> delete_bucket_tagging(S3&, Tx&, const Context&,
                                                      const In<op::DeleteBucketTagging>&);
Answer<op::GetPublicAccessBlock> get_public_access_block(S3&, Tx&, const Context&,
                                                         const In<op::GetPublicAccessBlock>&);
Answer<op::PutPublicAccessBlock> put_public_access_block(S3&, Tx&, const Context&,
                                                         const In<op::PutPublicAccessBlock>&);
Answer<op::DeletePublicAccessBlock> delete_public_access_block(
    S3&, Tx&, const Context&, const In<op::DeletePublicAccessBlock>&);
Answer<op::GetBucketOwnershipControls> get_bucket_ownership_controls(
    S3&, Tx&, const Context&, const In<op::GetBucketOwnershipControls>&);
Answer<op::PutBucketOwnershipControls> put_bucket_ownership_controls(
    S3&, Tx&, const Context&, const In<op::PutBucketOwnershipControls>&);
Answer<op::DeleteBucketOwnershipControls> delete_bucket_ownership_controls(
    S3&, Tx&, const Context&, const In<op::DeleteBucketOwnershipControls>&);
Answer<op::GetBucketAcl> get_bucket_acl(S3&, Tx&, const Context&, const In<op::GetBucketAcl>&);
Answer<op::PutBucketAcl> put_bucket_acl(S3&, Tx&, const Context&, const In<op::PutBucketAcl>&);

// versioning_ops.cc
Answer<op::GetBucketVersioning> get_bucket_versioning(S3&, Tx&, const Context&,
                                                      const In<op::GetBucketVersioning>&);
Answer<op::PutBucketVersioning> put_bucket_versioning(S3&, Tx&, const Context&,
                                                      const In<op::PutBucketVersioning>&);

// lock_ops.cc
Answer<op::GetObjectLockConfiguration> get_object_lock_configuration(
    S3&, Tx&, const Context&, const In<op::GetObjectLockConfiguration>&);
Answer<op::PutObjectLockConfiguration> put_object_lock_configuration(
    S3&, Tx&, const Context&, const In<op::PutObjectLockConfiguration>&);
Answer<op::GetObjectRetention> get_object_retention(S3&, Tx&, const Context&,
                                                    const In<op::GetObjectRetention>&);
Answer<op::PutObjectRetention> put_object_retention(S3&, Tx&, const Context&,
                                                    const In<op::PutObjectRetention>&);
Answer<op::GetObjectLegalHold> get_object_legal_hold(S3&, Tx&, const Context&,
                                                     const In<op::GetObjectLegalHold>&);
Answer<op::PutObjectLegalHold> put_object_legal_hold(S3&, Tx&, const Context&,
                                                     const In<op::PutObjectLegalHold>&);

// configuration_ops.cc
Answer<op::GetBucketCors> get_bucket_cors(S3&, Tx&, const Context&, const In<op::GetBucketCors>&);
Answer<op::PutBucketCors> put_bucket_cors(S3&, Tx&, const Context&, const In<op::PutBucketCors>&);
Answer<op::DeleteBucketCors> delete_bucket_cors(S3&, Tx&, const Context&,
                                                const In<op::DeleteBucketCors>&);
Answer<op::GetBucketLifecycleConfiguration> get_bucket_lifecycle(
    S3&, Tx&, const Context&, const In<op::GetBucketLifecycleConfiguration>&);
Answer<op::PutBucketLifecycleConfiguration> put_bucket_lifecycle(
    S3&, Tx&, const Context&, const In<op::PutBucketLifecycleConfiguration>&);
Answer<op::DeleteBucketLifecycle> delete_bucket_lifecycle(S3&, Tx&, const Context&,
                                                          const In<op::DeleteBucketLifecycle>&);
Answer<op::GetBucketEncryption> get_bucket_encryption(S3&, Tx&, const Context&,
                                                      const In<op::GetBucketEncryption>&);
Answer<op::PutBucketEncryption> put_bucket_encryption(S3&, Tx&, const Context&,
                                                      const In<op::PutBucketEncryption>&);
Answer<op::DeleteBucketEncryption> delete_bucket_encryption(S3&, Tx&, const Context&,
                                                            const In<op::DeleteBucketEncryption>&);

// bucket_defaults_ops.cc: what clients ask of every bucket and no bucket has here
Answer<op::GetBucketWebsite> get_bucket_website(S3&, Tx&, const Context&,
                                                const In<op::GetBucketWebsite>&);
Answer<op::GetBucketLogging> get_bucket_logging(S3&, Tx&, const Context&,
                                                const In<op::GetBucketLogging>&);
Answer<op::GetBucketRequestPayment> get_bucket_request_payment(
    S3&, Tx&, const Context&, const In<op::GetBucketRequestPayment>&);
Answer<op::GetBucketReplication> get_bucket_replication(S3&, Tx&, const Context&,
                                                        const In<op::GetBucketReplication>&);
Answer<op::GetBucketAccelerateConfiguration> get_bucket_accelerate(
    S3&, Tx&, const Context&, const In<op::GetBucketAccelerateConfiguration>&);

// notification_ops.cc
Answer<op::PutBucketNotificationConfiguration> put_bucket_notification(
    S3&, Tx&, const Context&, const In<op::PutBucketNotificationConfiguration>&);
Answer<op::GetBucketNotificationConfiguration> get_bucket_notification(
    S3&, Tx&, const Context&, const In<op::GetBucketNotificationConfiguration>&);

// object_ops.cc
Answer<op::PutObject> put_object(S3&, Tx&, const Context&, const In<op::PutObject>&);
Answer<op::GetObject> get_object(S3&, Tx&, const Context&, const In<op::GetObject>&);
Answer<op::HeadObject> head_object(S3&, Tx&, const Context&, const In<op::HeadObject>&);

// delete_ops.cc
Answer<op::DeleteObject> delete_object(S3&, Tx&, const Context&, const In<op::DeleteObject>&);
Answer<op::DeleteObjects> delete_objects(S3&, Tx&, const Context&, const In<op::DeleteObjects>&);

// object_detail_ops.cc
Answer<op::GetObjectAttributes> get_object_attributes(S3&, Tx&, const Context&,
                                                      const In<op::GetObjectAttributes>&);
Answer<op::GetObjectTagging> get_object_tagging(S3&, Tx&, const Context&,
                                                const In<op::GetObjectTagging>&);
Answer<op::PutObjectTagging> put_object_tagging(S3&, Tx&, const Context&,
                                                const In<op::PutObjectTagging>&);
Answer<op::DeleteObjectTagging> delete_object_tagging(S3&, Tx&, const Context&,
                                                      const In<op::DeleteObjectTagging>&);
Answer<op::GetObjectAcl> get_object_acl(S3&, Tx&, const Context&, const In<op::GetObjectAcl>&);
Answer<op::PutObjectAcl> put_object_acl(S3&, Tx&, const Context&, const In<op::PutObjectAcl>&);

// list_ops.cc
Answer<op::ListObjects> list_objects(S3&, Tx&, const Context&, const In<op::ListObjects>&);
Answer<op::ListObjectsV2> list_objects_v2(S3&, Tx&, const Context&, const In<op::ListObjectsV2>&);
Answer<op::ListObjectVersions> list_object_versions(S3&, Tx&, const Context&,
                                                    const In<op::ListObjectVersions>&);

// copy_ops.cc
async::Task<Answer<op::CopyObject>> copy_object(S3&, Context, In<op::CopyObject>);
async::Task<Answer<op::UploadPartCopy>> upload_part_copy(S3&, Context, In<op::UploadPartCopy>);

// multipart_ops.cc
Answer<op::CreateMultipartUpload> create_multipart_upload(S3&, Tx&, const Context&,
                                                          const In<op::CreateMultipartUpload>&);
Answer<op::UploadPart> upload_part(S3&, Tx&, const Context&, const In<op::UploadPart>&);
Answer<op::AbortMultipartUpload> abort_multipart_upload(S3&, Tx&, const Context&,
                                                        const In<op::AbortMultipartUpload>&);
Answer<op::ListParts> list_parts(S3&, Tx&, const Context&, const In<op::ListParts>&);
Answer<op::ListMultipartUploads> list_multipart_uploads(S3&, Tx&, const Context&,
                                                        const In<op::ListMultipartUploads>&);

// complete_ops.cc
async::Task<Answer<op::CompleteMultipartUpload>> complete_multipart_upload(
    S3&, Context, In<op::CompleteMultipartUpload>);

}  // namespace wolke::s3
