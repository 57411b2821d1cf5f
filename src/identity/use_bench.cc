// What noting a use costs the loop of the server: the use was noted within the hour.
//   identity_use_bench [--smoke]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/identity/use.h"

int main(int argc, char** argv) {
  using namespace wolke;
  const bool smoke = argc > 1 && std::string_view(argv[1]) == "--smoke";
  constexpr std::size_t callers = 1000;
  std::vector<identity::Principal> who(callers);
  for (std::size_t i = 0; i < callers; ++i) {
    who[i].kind = identity::PrincipalKind::assumed_role;
    who[i].account = "111111111111";
    who[i].unique_id = "AROA" + std::to_string(10'000'000'000'000'000 + i) + ":session";
    who[i].access_key_id = "ASIAEXAMPLEEXAMPLE";
  }
  identity::UseLog log;
  const Timestamp now(Millis(1'795'435'200'000));
  const std::size_t rounds = smoke ? 10 : 10'000;
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t round = 0; round < rounds; ++round) {
    for (const identity::Principal& one : who) log.note(one, "s3", "us-east-1", now);
  }
  const double nanoseconds =
      std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
  if (log.take().at("111111111111").size() != callers) return 1;
  std::printf("note of a known use: %.0f ns, callers %zu, n %zu\n",
              nanoseconds / static_cast<double>(rounds * callers), callers, rounds * callers);
  return 0;
}
