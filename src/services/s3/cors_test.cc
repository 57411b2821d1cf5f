#include "wolke/services/s3/cors.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace wolke::s3 {
namespace {

model::s3::CORSConfiguration configuration(std::vector<std::string> origins,
                                           std::vector<std::string> methods,
                                           std::vector<std::string> headers = {}) {
  model::s3::CORSConfiguration out;
  auto& rule = out.cors_rules.emplace().emplace_back();
  rule.allowed_origins = std::move(origins);
  rule.allowed_methods = std::move(methods);
  if (!headers.empty()) rule.allowed_headers = std::move(headers);
  return out;
}

std::string header(const std::optional<std::vector<std::pair<std::string, std::string>>>& headers,
                   std::string_view name) {
  if (!headers) return "refused";
  auto found = std::ranges::find(*headers, name, [](const auto& one) { return one.first; });
  return found == headers->end() ? "none" : found->second;
}

TEST(Cors, AnOriginIsAnsweredByNameAndEverybodyByAStar) {
  CrossOrigin asked{.origin = "https://a.example", .method = "GET", .headers = {}};
  EXPECT_EQ(header(cors_headers(configuration({"https://a.example"}, {"GET"}), asked),
                   "access-control-allow-origin"),
            "https://a.example");
  EXPECT_EQ(
      header(cors_headers(configuration({"*"}, {"GET"}), asked), "access-control-allow-origin"),
      "*");
  EXPECT_EQ(header(cors_headers(configuration({"*"}, {"GET"}), asked),
                   "access-control-allow-credentials"),
            "none");
}

TEST(Cors, AStarStandsForAnyPartOfAnOrigin) {
  auto rules = configuration({"https://*.example"}, {"GET"});
  EXPECT_TRUE(cors_headers(rules, {.origin = "https://a.example", .method = "GET", .headers = {}}));
  EXPECT_FALSE(
      cors_headers(rules, {.origin = "https://a.example.org", .method = "GET", .headers = {}}));
  EXPECT_FALSE(cors_headers(rules, {.origin = "https://.exampl", .method = "GET", .headers = {}}));
}

TEST(Cors, OtherMethodsAndOriginsAreNotAllowed) {
  auto rules = configuration({"https://a.example"}, {"GET", "PUT"});
  EXPECT_FALSE(
      cors_headers(rules, {.origin = "https://a.example", .method = "DELETE", .headers = {}}));
  EXPECT_FALSE(cors_headers(rules, {.origin = "http://a.example", .method = "GET", .headers = {}}));
}

TEST(Cors, APreflightNeedsItsHeadersToo) {
  auto rules = configuration({"*"}, {"PUT"}, {"x-amz-*"});
  CrossOrigin asked{
      .origin = "https://a.example", .method = "PUT", .headers = {"x-amz-date"}, .preflight = true};
  EXPECT_EQ(header(cors_headers(rules, asked), "access-control-allow-headers"), "x-amz-date");
  asked.headers.emplace_back("authorization");
  EXPECT_FALSE(cors_headers(rules, asked));
  asked.preflight = false;
  EXPECT_FALSE(cors_headers(rules, asked)) << "a request that asks about headers itself";
}

TEST(Cors, ConfigurationsAreJudgedWhenTheyAreSet) {
  EXPECT_TRUE(check_cors(configuration({"*"}, {"GET"})));
  EXPECT_EQ(check_cors(configuration({"*"}, {"OPTIONS"})).error().code, "InvalidRequest");
  EXPECT_EQ(check_cors(configuration({"*.*"}, {"GET"})).error().code, "InvalidRequest");
  EXPECT_EQ(check_cors(configuration({}, {"GET"})).error().code, "MalformedXML");
  EXPECT_EQ(check_cors({}).error().code, "MalformedXML");
  auto rules = configuration({"*"}, {"GET"});
  rules.cors_rules->front().expose_headers = {"x\r\ny: z"};
  EXPECT_EQ(check_cors(rules).error().code, "InvalidRequest");
  rules.cors_rules->front().expose_headers = std::vector<std::string>(10'000, "x-amz-meta-a");
  EXPECT_EQ(check_cors(rules).error().code, "InvalidRequest") << "more than 64 KB";
}

}  // namespace
}  // namespace wolke::s3
