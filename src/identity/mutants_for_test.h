#pragma once
// How many changed requests a mutation test tries, and from which seed: `./dev mutants N` tries
// many.

#include <cstdlib>

namespace wolke::identity {

inline int mutants_to_try() {
  const char* text = std::getenv("WOLKE_MUTANTS");
  return text ? std::atoi(text) : 40'000;
}

/// Differs for each of a test's generators, and for each run that the environment numbers.
inline unsigned mutants_seed(unsigned of_test) {
  const char* text = std::getenv("WOLKE_MUTANTS_SEED");
  return of_test + 100 * (text ? static_cast<unsigned>(std::atoi(text)) : 0);
}

}  // namespace wolke::identity
