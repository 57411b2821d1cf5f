#pragma once
// Digests of bytes that already lie in blobs: for copies whose ETag or checksum is not that of the
// source. Reads piece by piece on the pool, so that a large object holds no thread and little
// memory.

#include <string>
#include <vector>

#include "wolke/async/task.h"
#include "wolke/base/body.h"
#include "wolke/services/s3/s3.h"

namespace wolke::s3 {

/// `body` with the digests `names` ("md5", "sha256", …) filled in.
async::Task<Result<Body>> with_digests(S3& s3, Body body, std::vector<std::string> names);

/// Makes a blob of `bytes`; durable when this returns.
async::Task<Result<BlobRef>> write_blob(S3& s3, std::string bytes);

}  // namespace wolke::s3
