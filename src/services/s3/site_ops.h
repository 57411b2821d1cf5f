#pragma once
// Settings that a bucket keeps and tells: website, request payment and acceleration, on which
// nothing here acts (README.md says so), and server access logging (access_logs.h).

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
