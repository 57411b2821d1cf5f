// How long a decision takes: a principal with 100 statements, of which the last allows. Goal: p99 ≤
// 50 µs.
//   identity_evaluation_bench [--smoke]

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

#include "wolke/identity/evaluation.h"

namespace {

using namespace wolke::identity;

std::string hundred_statements() {
  std::string out = R"({"Version":"2012-10-17","Statement":[)";
  for (int i = 0; i < 99; ++i) {
    out += fmt::format(
        R"({{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"arn:aws:s3:::bucket-{}/${{aws:username}}/*",)"
        R"("Condition":{{"IpAddress":{{"aws:SourceIp":"10.{}.0.0/16"}},"StringLike":{{"aws:UserAgent":"*boto*"}}}}}},)",
        i, i);
  }
  return out + R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}]})";
}

}  // namespace

int main(int argc, char** argv) {
  const bool smoke = argc > 1 && std::string_view(argv[1]) == "--smoke";
  Principal who;
  who.kind = PrincipalKind::user;
  who.account = "111111111111";
  who.arn = "arn:aws:iam::111111111111:user/ann";
  const auto policy = Policy::parse(hundred_statements(), PolicyKind::identity);
  if (!policy) return 1;
  PolicySet set;
  set.identity.push_back({"hundred", *policy});
  const Conditions request = {{"aws:username", {"ann"}},
                              {"aws:sourceip", {"10.1.2.3"}},
                              {"aws:useragent", {"aws-cli/2 botocore"}}};
  const Ask ask{"s3:GetObject", "arn:aws:s3:::photos/2026/11/a.jpg"};
  std::vector<double> micros(smoke ? 1'000 : 100'000);
  for (double& took : micros) {
    const auto begin = std::chrono::steady_clock::now();
    if (!evaluate(who, set, nullptr, ask, request).allowed) return 1;
    took =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
  }
  std::sort(micros.begin(), micros.end());
  std::printf("decision over %zu statements: p50 %.1f us, p99 %.1f us, n %zu\n",
              (*policy)->statements(), micros[micros.size() / 2], micros[micros.size() * 99 / 100],
              micros.size());
  return 0;
}
