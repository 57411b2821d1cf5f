#pragma once
// Bytes that already lie somewhere, read once more: for copies whose ETag or checksum is not that
// of the source, and for those that need another key. Reads piece by piece on the pool, so that a
// large object holds no thread and little memory.

#include <optional>
#include <string>
#include <vector>

#include "wolke/async/task.h"
#include "wolke/base/body.h"
#include "wolke/services/s3/s3.h"

namespace wolke::s3 {

struct Passage {
  Body body;
  std::string customer_key;              // that opens its blobs, where a client brought it
  std::vector<std::string> digests;      // wanted: "md5", "sha256", …
  std::optional<store::KeyChoice> into;  // a blob of the same bytes under this key is wanted
};

/// `to` has the digests; its bytes are those of `from`, in a new blob if one was wanted.
struct Passed {
  Body from;
  Body to;
};

/// A new blob is durable when this returns.
async::Task<Result<Passed>> pass(S3& s3, Passage passage);

/// Makes a blob of `bytes`; durable when this returns.
async::Task<Result<BlobRef>> write_blob(S3& s3, store::KeyChoice key, std::string bytes);

}  // namespace wolke::s3
