#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

Answer<op::GetBucketVersioning> get_bucket_versioning(S3&, Tx& tx, const Context&,
                                                      const In<op::GetBucketVersioning>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  op::GetBucketVersioning::Output out;
  if (!bucket.versioning.empty()) out.status = bucket.versioning;
  return out;
}

Answer<op::PutBucketVersioning> put_bucket_versioning(S3&, Tx& tx, const Context&,
                                                      const In<op::PutBucketVersioning>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  const auto& asked = *in.versioning_configuration;
  if (!asked.status) {
    return fail(Error{"IllegalVersioningConfigurationException", 400,
                      "The Versioning element must be specified"});
  }
  if (*asked.status != "Enabled" && *asked.status != "Suspended") return fail(malformed_xml());
  if (asked.mfa_delete == "Enabled") return fail(not_implemented("MFA delete"));
  if (bucket.lock && *asked.status == "Suspended") {
    return fail(
        invalid_bucket_state("An Object Lock configuration is present on this bucket, so the "
                             "versioning state cannot be changed."));
  }
  bucket.versioning = *asked.status;
  tx.put(bucket_key(bucket.name), bucket);
  return op::PutBucketVersioning::Output{};
}

}  // namespace wolke::s3
