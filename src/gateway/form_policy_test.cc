#include "wolke/gateway/form_policy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "wolke/base/hash.h"

namespace wolke::gateway {
namespace {

const Timestamp now = *parse_iso8601("2026-11-23T12:00:00Z");
constexpr std::string_view expiration = "2026-11-23T12:00:01Z";

/// "" when the form may be posted, else the error's text.
std::string judge(std::string_view document, FormFields fields) {
  const Result<FormPolicy> policy = parse_form_policy(to_base64(document));
  if (!policy) return policy.error().code + ": " + policy.error().message;
  const Result<void> checked = check_form_policy(*policy, fields, "photos", now);
  return checked ? "" : checked.error().code + ": " + checked.error().message;
}

/// With the bucket's condition in front.
std::string judge_conditions(std::string_view conditions, FormFields fields) {
  return judge(fmt::format(R"({{"expiration": "{}", "conditions": [{{"bucket": "photos"}}{}]}})",
                           expiration, conditions),
               std::move(fields));
}

constexpr std::string_view failed =
    "AccessDenied: Invalid according to Policy: Policy Condition failed: ";
constexpr std::string_view invalid = "InvalidPolicyDocument: Invalid Policy: ";

TEST(FormPolicy, HoldsFieldsAgainstConditions) {
  constexpr std::string_view conditions =
      R"(,{"acl":"private"},["eq","$success_action_status","201"],["starts-with","$key","in/"])";
  EXPECT_EQ(
      judge_conditions(conditions,
                       {{"key", "in/a"}, {"acl", "private"}, {"success_action_status", "201"}}),
      "");
  EXPECT_EQ(judge_conditions(conditions, {{"key", "in/a"}, {"acl", "public-read"}}),
            std::string(failed) + R"(["eq", "$acl", "private"])");
  EXPECT_EQ(judge_conditions(conditions, {{"key", "in/a"}, {"acl", "private"}}),
            std::string(failed) + R"(["eq", "$success_action_status", "201"])");
  EXPECT_EQ(
      judge_conditions(conditions,
                       {{"key", "out/a"}, {"acl", "private"}, {"success_action_status", "201"}}),
      std::string(failed) + R"(["starts-with", "$key", "in/"])");
}

TEST(FormPolicy, TakesNamesInAnyCaseAndValuesAsTheyAre) {
  EXPECT_EQ(judge_conditions(R"(,{"AcL":"private"},["StArTs-WiTh","$KeY","a"])",
                             {{"key", "a"}, {"acl", "private"}}),
            "");
  EXPECT_EQ(judge_conditions(R"(,{"key":"A"})", {{"key", "a"}}),
            std::string(failed) + R"(["eq", "$key", "A"])");
}

TEST(FormPolicy, WantsEveryFieldNamed) {
  EXPECT_EQ(judge_conditions(R"(,{"key":"a"})", {{"key", "a"},
                                                 {"policy", ""},
                                                 {"x-amz-signature", ""},
                                                 {"x-ignore-me", ""},
                                                 {"bucket", "other"}}),
            "");
  EXPECT_EQ(judge_conditions(R"(,{"key":"a"})",
                             {{"key", "a"}, {"awsaccesskeyid", ""}, {"signature", ""}}),
            "");
  EXPECT_EQ(
      judge_conditions(
          R"(,{"key":"a"})",
          {{"key", "a"}, {"x-amz-signature", ""}, {"signature", ""}, {"x-amz-meta-a", ""}}),
      "AccessDenied: Invalid according to Policy: Extra input fields: signature, x-amz-meta-a");
  EXPECT_EQ(judge(fmt::format(R"({{"expiration":"{}","conditions":[]}})", expiration), {}),
            "AccessDenied: Invalid according to Policy: Extra input fields: bucket");
}

TEST(FormPolicy, IsOfTheBucketThatTheFormIsPostedTo) {
  EXPECT_EQ(
      judge(fmt::format(R"({{"expiration":"{}","conditions":[{{"bucket":"other"}}]}})", expiration),
            {{"bucket", "other"}}),
      std::string(failed) + R"(["eq", "$bucket", "other"])");
}

TEST(FormPolicy, AConditionThatNamesNoFieldNeverHolds) {
  EXPECT_EQ(judge_conditions(R"(,["eq","acl","private"])", {{"acl", "private"}}),
            std::string(failed) + R"(["eq", "acl", "private"])");
  EXPECT_EQ(judge_conditions(R"(,["starts-with","$acl",""])", {}),
            std::string(failed) + R"(["starts-with", "$acl", ""])");
  EXPECT_EQ(judge_conditions(R"(,["content-length-range","a","10"])", {}),
            std::string(failed) + R"(["content-length-range", "a", "10"])");
}

TEST(FormPolicy, JudgesAListOfContentTypesOneByOne) {
  constexpr std::string_view images = R"(,["starts-with","$Content-Type","image/"])";
  EXPECT_EQ(judge_conditions(images, {{"content-type", "image/png, image/jpeg"}}), "");
  EXPECT_NE(judge_conditions(images, {{"content-type", "image/png, text/html"}}), "");
}

TEST(FormPolicy, Ends) {
  constexpr std::string_view document =
      R"({{"expiration":"{}","conditions":[{{"bucket":"photos"}}]}})";
  EXPECT_EQ(judge(fmt::format(document, "2026-11-23T12:00:00.000Z"), {}), "");
  EXPECT_EQ(judge(fmt::format(document, "2026-11-23T11:59:59Z"), {}),
            "AccessDenied: Invalid according to Policy: Policy expired.");
}

TEST(FormPolicy, ReadsTheEscapesOfS3) {
  EXPECT_EQ(judge_conditions(R"(,["eq","\$key","\$a\\$b"])", {{"key", R"($a\$b)"}}), "");
}

TEST(FormPolicy, RefusesWhatIsNoDocument) {
  auto begins = [](const std::string& text) { return text.starts_with(invalid); };
  EXPECT_EQ(parse_form_policy("e30").error().code, "InvalidPolicyDocument");  // no padding
  for (std::string_view document :
       {"", "[]", "{", R"({"conditions":[]})", R"({"expiration":"2026-11-23T12:00:01Z"})",
        R"({"EXPIRATION":"2026-11-23T12:00:01Z","conditions":[]})",
        R"({"expiration":"2026-11-23T12:00:01Z","CONDITIONS":[]})",
        R"({"expiration":"2026-11-23 12:00:01+00:00","conditions":[]})",
        R"({"expiration":1,"conditions":[]})",
        R"({"expiration":"2026-11-23T12:00:01Z","conditions":{}})"}) {
    EXPECT_TRUE(begins(judge(document, {}))) << document;
  }
  for (std::string_view conditions :
       {",{}", R"(,{"a":"b","c":"d"})", R"(,{"a":1})", ",[]", R"(,["eq","$a"])",
        R"(,["eq","$a",1])", R"(,["ends-with","$a","b"])", R"(,["content-length-range",0])",
        R"(,["content-length-range",-1,0])", R"(,["content-length-range",5,4])", R"(,"a")"}) {
    EXPECT_TRUE(begins(judge_conditions(conditions, {}))) << conditions;
  }
}

TEST(FormPolicy, GivesTheSizesThatEveryRangeAllows) {
  const std::string document =
      fmt::format(R"({{"expiration":"{}","conditions":[["content-length-range",5,"10"],)"
                  R"(["content-length-range",0,8]]}})",
                  expiration);
  const Result<FormPolicy> policy = parse_form_policy(to_base64(document));
  ASSERT_TRUE(policy);
  EXPECT_TRUE(check_size(policy->size, 5));
  EXPECT_TRUE(check_size(policy->size, 8));
  EXPECT_EQ(check_size(policy->size, 4).error().code, "EntityTooSmall");
  EXPECT_EQ(check_size(policy->size, 9).error().code, "EntityTooLarge");
}

}  // namespace
}  // namespace wolke::gateway
