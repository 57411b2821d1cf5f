#pragma once
// The form of a counter record's value: a signed 64-bit number, 8 bytes little-endian. Pure
// functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wolke::store {

/// nullopt when the value is no counter.
std::optional<std::int64_t> read_counter(std::string_view value);
std::string write_counter(std::int64_t value);

}  // namespace wolke::store
