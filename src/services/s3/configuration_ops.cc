#include "wolke/services/s3/configuration_ops.h"

#include "wolke/services/s3/configuration.h"
#include "wolke/services/s3/cors.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/lifecycle.h"
#include "wolke/services/s3/metadata.h"
#include "wolke/services/s3/ops.h"

namespace wolke::s3 {
namespace {

/// What the bucket keeps of a kind, as T; `missing` when there is nothing.
template <class T, class In>
Result<T> require_configuration(Tx& tx, const In& in, std::string_view kind, Error missing) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(std::optional<T> found, read_configuration<T>(tx, bucket.name, kind));
  if (!found) return fail(std::move(missing));
  return *std::move(found);
}

template <class Op>
Answer<Op> erase_configuration(Tx& tx, const In<Op>& in, std::string_view kind) {
  if (Result<Bucket> bucket = require_bucket(tx, *in.bucket, in.expected_bucket_owner); !bucket) {
    return fail(bucket.error());
  }
  erase_document(tx, *in.bucket, kind);
  return typename Op::Output{};
}

Error no_lifecycle(const std::string& bucket) {
  return not_configured("NoSuchLifecycleConfiguration",
                        "The lifecycle configuration does not exist", bucket);
}

}  // namespace

Result<std::optional<std::string>> expiration_header_of(store::Tx& tx, const Bucket& bucket,
                                                        const std::string& key,
                                                        const Object& object) {
  if (!bucket.ages) return std::nullopt;
  TRY(auto configuration, read_configuration<model::s3::BucketLifecycleConfiguration>(
                              tx, bucket.name, kind::lifecycle));
  if (!configuration || !configuration->rules) return std::nullopt;
  std::optional<Expiration> expiration = expiration_of(*configuration->rules, key, object);
  if (!expiration) return std::nullopt;
  return expiration_header(*expiration);
}

Answer<op::GetBucketCors> get_bucket_cors(S3&, Tx& tx, const Context&,
                                          const In<op::GetBucketCors>& in) {
  TRY(auto found, require_configuration<model::s3::CORSConfiguration>(
                      tx, in, kind::cors,
                      not_configured("NoSuchCORSConfiguration",
                                     "The CORS configuration does not exist", *in.bucket)));
  op::GetBucketCors::Output out;
  out.cors_rules = std::move(found.cors_rules);
  return out;
}

Answer<op::PutBucketCors> put_bucket_cors(S3&, Tx& tx, const Context&,
                                          const In<op::PutBucketCors>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(check_cors(*in.cors_configuration));
  write_configuration(tx, bucket.name, kind::cors, *in.cors_configuration);
  return op::PutBucketCors::Output{};
}

Answer<op::DeleteBucketCors> delete_bucket_cors(S3&, Tx& tx, const Context&,
                                                const In<op::DeleteBucketCors>& in) {
  return erase_configuration<op::DeleteBucketCors>(tx, in, kind::cors);
}

Answer<op::GetBucketLifecycleConfiguration> get_bucket_lifecycle(
    S3&, Tx& tx, const Context&, const In<op::GetBucketLifecycleConfiguration>& in) {
  TRY(auto found, require_configuration<model::s3::BucketLifecycleConfiguration>(
                      tx, in, kind::lifecycle, no_lifecycle(*in.bucket)));
  op::GetBucketLifecycleConfiguration::Output out;
  out.rules = std::move(found.rules);
  out.transition_default_minimum_object_size = "all_storage_classes_128K";
  return out;
}

Answer<op::PutBucketLifecycleConfiguration> put_bucket_lifecycle(
    S3&, Tx& tx, const Context& context, const In<op::PutBucketLifecycleConfiguration>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  if (!in.lifecycle_configuration) return fail(malformed_xml());
  model::s3::BucketLifecycleConfiguration rules = *in.lifecycle_configuration;
  TRY(check_lifecycle(rules, *context.random));
  write_configuration(tx, bucket.name, kind::lifecycle, rules);
  bucket.ages = true;
  tx.put(bucket_key(bucket.name), bucket);
  op::PutBucketLifecycleConfiguration::Output out;
  out.transition_default_minimum_object_size =
      in.transition_default_minimum_object_size.value_or("all_storage_classes_128K");
  return out;
}

Answer<op::DeleteBucketLifecycle> delete_bucket_lifecycle(S3&, Tx& tx, const Context&,
                                                          const In<op::DeleteBucketLifecycle>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  bucket.ages = false;
  tx.put(bucket_key(bucket.name), bucket);
  return erase_configuration<op::DeleteBucketLifecycle>(tx, in, kind::lifecycle);
}

Answer<op::GetBucketEncryption> get_bucket_encryption(S3&, Tx& tx, const Context&,
                                                      const In<op::GetBucketEncryption>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(auto found, read_configuration<model::s3::ServerSideEncryptionConfiguration>(
                      tx, bucket.name, kind::encryption));
  op::GetBucketEncryption::Output out;
  if (found) {
    out.server_side_encryption_configuration = *std::move(found);
    return out;
  }
  auto& rule = out.server_side_encryption_configuration.emplace().rules.emplace().emplace_back();
  rule.apply_server_side_encryption_by_default.emplace().sse_algorithm = "AES256";
  rule.bucket_key_enabled = false;
  return out;
}

Answer<op::PutBucketEncryption> put_bucket_encryption(S3&, Tx& tx, const Context&,
                                                      const In<op::PutBucketEncryption>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  model::s3::ServerSideEncryptionConfiguration asked = *in.server_side_encryption_configuration;
  if (!asked.rules || asked.rules->size() != 1) return fail(malformed_xml());
  auto& rule = asked.rules->front();
  if (!rule.apply_server_side_encryption_by_default) return fail(malformed_xml());
  const auto& by_default = *rule.apply_server_side_encryption_by_default;
  if (!by_default.sse_algorithm) return fail(malformed_xml());
  TRY(check_encryption(by_default.sse_algorithm));
  if (by_default.kms_master_key_id) {
    return fail(invalid_argument(
        "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
        "aws:kms:dsse"));
  }
  if (!rule.bucket_key_enabled) rule.bucket_key_enabled = false;
  write_configuration(tx, bucket.name, kind::encryption, asked);
  return op::PutBucketEncryption::Output{};
}

Answer<op::DeleteBucketEncryption> delete_bucket_encryption(
    S3&, Tx& tx, const Context&, const In<op::DeleteBucketEncryption>& in) {
  return erase_configuration<op::DeleteBucketEncryption>(tx, in, kind::encryption);
}

}  // namespace wolke::s3
