#pragma once
// "Did you mean": the word that is least typing away from what was typed. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace wolke::cli {

/// The nearest of `words`, at most two letters added, left out, changed or swapped; "" when none
/// is near.
std::string nearest(std::string_view typed, const std::vector<std::string>& words);

}  // namespace wolke::cli
