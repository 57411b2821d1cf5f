#pragma once
// The constraints of the models, checked on decoded inputs: required, length, range, pattern,
// enumeration. All violations are collected (at most violations_max), worded by dialect.h in the
// service's own code and text. Structures, lists and maps are walked; depth is bounded by the
// decoders.

#include <vector>

#include "wolke/base/result.h"
#include "wolke/shape/dialect.h"
#include "wolke/shape/schema.h"

namespace wolke::shape {

inline constexpr std::size_t violations_max = 10;

std::vector<Violation> violations(const Type& structure, const void* value);
Result<void> validate(const Service& service, const Type& structure, const void* value);

}  // namespace wolke::shape
