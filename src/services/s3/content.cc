#include "wolke/services/s3/content.h"

#include <algorithm>

#include "wolke/base/result.h"

namespace wolke::s3 {

Body slice(const Body& body, std::uint64_t offset, std::uint64_t length) {
  ASSERT(offset <= body.size() && length <= body.size() - offset);
  Body out;
  if (body.blobs.empty()) {
    out.inline_bytes = body.inline_bytes.substr(offset, length);
    return out;
  }
  for (const BlobRange& range : body.blobs) {
    if (length == 0) break;
    if (offset >= range.length) {
      offset -= range.length;
      continue;
    }
    std::uint64_t taken = std::min(range.length - offset, length);
    append_range(out, {range.blob, range.offset + offset, taken});
    length -= taken;
    offset = 0;
  }
  return out;
}

void append_range(Body& body, const BlobRange& range) {
  if (range.length == 0) return;
  if (!body.blobs.empty()) {
    BlobRange& last = body.blobs.back();
    if (last.blob == range.blob && last.offset + last.length == range.offset) {
      last.length += range.length;
      return;
    }
  }
  body.blobs.push_back(range);
}

}  // namespace wolke::s3
