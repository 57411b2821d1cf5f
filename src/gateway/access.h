#pragma once
// What the access logs of buckets need of an answer. Pure functions.

#include <cstdint>
#include <optional>

#include "wolke/shape/protocol.h"

namespace wolke::gateway {

/// The size of the object that an answer carries, or a part of which it carries; nullopt when it
/// carries none.
std::optional<std::uint64_t> object_size_of(const shape::WireResponse& response);

}  // namespace wolke::gateway
