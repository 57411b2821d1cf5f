#pragma once
// Settings that a bucket keeps and tells, and that nothing here acts on:
// website, server access logging, request payment, acceleration. README.md says
// so.

#include "wolke/services/s3/ops.h"

namespace wolke::s3 {

Answer<op::PutBucketWebsite> put_bucket_website(S3&, Tx&, const Context&,
                                                const In<op::PutBucketWebsite>&);
Answer<op::DeleteBucketWebsite> delete_bucket_website(S3&, Tx&, const Context&,
                                                      const In<op::DeleteBucketWebsite>&);
Answer<op::PutBucketLogging> put_bucket_logging(S3&, Tx&, const Context&,
                                                const In<op::PutBucketLogging>&);
Answer<op::PutBucketRequestPayment> put_bucket_request_payment(
    S3&, Tx&, const Context&, const In<op::PutBucketRequestPayment>&);
Answer<op::PutBucketAccelerateConfiguration> put_bucket_accelerate(
    S3&, Tx&, const Context&, const In<op::PutBucketAccelerateConfiguration>&);

}  // namespace wolke::s3
