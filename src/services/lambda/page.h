#pragma once
// Pages of lists that are read whole: a function's versions, aliases and event-invoke
// configurations, which are few. The marker is the number of items that were given out. Pure
// functions, any thread.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/services/lambda/errors.h"

namespace wolke::lambda {

inline constexpr std::int32_t list_items_max = 50;

/// The page of `all` that begins behind the marker; sets the next one.
template <class T>
Result<std::vector<T>> page_of(std::vector<T> all, const std::optional<std::string>& marker,
                               const std::optional<std::int32_t>& max_items,
                               std::optional<std::string>& next) {
  std::uint64_t begin = 0;
  if (marker && !marker->empty()) {
    const auto decoded = from_base64(*marker);
    const auto number = decoded ? parse_u64(*decoded) : std::nullopt;
    if (!number)
      return fail(invalid_parameter("The Marker is not one that this operation gave out."));
    begin = std::min<std::uint64_t>(*number, all.size());
  }
  const auto max =
      static_cast<std::uint64_t>(std::clamp(max_items.value_or(list_items_max), 1, list_items_max));
  const std::uint64_t end = std::min<std::uint64_t>(all.size(), begin + max);
  if (end < all.size()) next = to_base64(std::to_string(end));
  return std::vector<T>(all.begin() + static_cast<long>(begin),
                        all.begin() + static_cast<long>(end));
}

}  // namespace wolke::lambda
