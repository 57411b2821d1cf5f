// The settings that no bucket has here. Clients (Terraform above all) read them of every bucket and
// know these answers.
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {
namespace {

/// The bucket must be there; then it has nothing to tell.
template <class Op>
Answer<Op> nothing_set(Tx& tx, const In<Op>& in) {
  if (Result<Bucket> bucket = require_bucket(tx, *in.bucket, in.expected_bucket_owner); !bucket) {
    return fail(bucket.error());
  }
  return typename Op::Output{};
}

template <class Op>
Answer<Op> not_found(Tx& tx, const In<Op>& in, std::string_view code, std::string_view message) {
  if (Result<Bucket> bucket = require_bucket(tx, *in.bucket, in.expected_bucket_owner); !bucket) {
    return fail(bucket.error());
  }
  return fail(not_configured(code, message, *in.bucket));
}

}  // namespace

Answer<op::GetBucketLogging> get_bucket_logging(S3&, Tx& tx, const Context&,
                                                const In<op::GetBucketLogging>& in) {
  return nothing_set<op::GetBucketLogging>(tx, in);
}

Answer<op::GetBucketAccelerateConfiguration> get_bucket_accelerate(
    S3&, Tx& tx, const Context&, const In<op::GetBucketAccelerateConfiguration>& in) {
  return nothing_set<op::GetBucketAccelerateConfiguration>(tx, in);
}

Answer<op::GetBucketRequestPayment> get_bucket_request_payment(
    S3&, Tx& tx, const Context&, const In<op::GetBucketRequestPayment>& in) {
  TRY(auto out, nothing_set<op::GetBucketRequestPayment>(tx, in));
  out.payer = "BucketOwner";
  return out;
}

Answer<op::GetBucketWebsite> get_bucket_website(S3&, Tx& tx, const Context&,
                                                const In<op::GetBucketWebsite>& in) {
  return not_found<op::GetBucketWebsite>(
      tx, in, "NoSuchWebsiteConfiguration",
      "The specified bucket does not have a website configuration");
}

Answer<op::GetBucketReplication> get_bucket_replication(S3&, Tx& tx, const Context&,
                                                        const In<op::GetBucketReplication>& in) {
  return not_found<op::GetBucketReplication>(tx, in, "ReplicationConfigurationNotFoundError",
                                             "The replication configuration was not found");
}

}  // namespace wolke::s3
