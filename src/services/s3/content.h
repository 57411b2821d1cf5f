#pragma once
// Bodies as sequences of blob ranges: cutting and joining without touching a byte. Pure functions.

#include <cstdint>

#include "wolke/base/body.h"

namespace wolke::s3 {

/// The `length` bytes of `body` from `offset`; both must lie inside it. Digests are not kept.
Body slice(const Body& body, std::uint64_t offset, std::uint64_t length);

/// Appends a range; neighbours in the same blob become one.
void append_range(Body& body, const BlobRange& range);

}  // namespace wolke::s3
