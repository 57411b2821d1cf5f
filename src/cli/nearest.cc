#include "wolke/cli/nearest.h"

#include <algorithm>

namespace wolke::cli {

namespace {

constexpr std::size_t distance_max = 2;

/// Edits (Damerau-Levenshtein, adjacent swaps) from a to b.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> steps(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) steps[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) steps[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      steps[i][j] =
          std::min({steps[i - 1][j] + 1, steps[i][j - 1] + 1, steps[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        steps[i][j] = std::min(steps[i][j], steps[i - 2][j - 2] + 1);
      }
    }
  }
  return steps[a.size()][b.size()];
}

}  // namespace

std::string nearest(std::string_view typed, const std::vector<std::string>& words) {
  std::string best;
  // A word of three letters is near to every other; at least one letter must stay as it was.
  std::size_t best_distance = std::min(distance_max + 1, typed.size());
  for (const std::string& word : words) {
    const std::size_t found = distance(typed, word);
    if (found < best_distance) {
      best_distance = found;
      best = word;
    }
  }
  return best;
}

}  // namespace wolke::cli
