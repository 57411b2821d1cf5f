#pragma once
// Completing a multipart upload, as a transaction. The object's content is the parts' blobs, one
// after the other; small parts lie in their records and must become blobs first, which an operation
// cannot do: the first attempt says which, the caller writes them, the second attempt succeeds.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

/// Blobs made of small parts, by part number; the ETag tells whether the part is still the same.
struct SmallPart {
  std::string etag;
  std::string bytes;
  std::optional<BlobRef> blob;
};
using SmallParts = std::map<std::uint32_t, SmallPart>;

struct CompleteOutcome {
  std::optional<op::CompleteMultipartUpload::Output> done;
  SmallParts missing;    // when not done; nothing was written then
  store::KeyChoice key;  // of their blobs
};

Result<CompleteOutcome> try_complete(const store::Keyring& keys, Tx& tx, const Context& context,
                                     const In<op::CompleteMultipartUpload>& in,
                                     const SmallParts& small);

}  // namespace wolke::s3
