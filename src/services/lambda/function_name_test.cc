#include "wolke/services/lambda/function_name.h"

#include <gtest/gtest.h>

#include "wolke/services/lambda/payload.h"
#include "wolke/services/lambda/policy.h"

namespace wolke::lambda {
namespace {

std::string parsed(const std::string& name, std::optional<std::string> qualifier = std::nullopt) {
  const auto ref = parse_function(name, qualifier, "000000000000", "us-east-1");
  return ref ? ref->qualified_arn() : ref.error().code;
}

TEST(FunctionName, EveryFormNamesTheSameFunction) {
  const std::string arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
  for (const char* form :
       {"f", "function:f", "000000000000:function:f", "us-east-1:000000000000:function:f"}) {
    EXPECT_EQ(parsed(form), arn) << form;
    EXPECT_EQ(parsed(form + std::string(":live")), arn + ":live") << form;
  }
  EXPECT_EQ(parsed(arn), arn);
  EXPECT_EQ(parsed(arn + ":$LATEST"), arn + ":$LATEST");
  EXPECT_EQ(parsed("f", "2"), arn + ":2");
  EXPECT_EQ(parsed("f:2", "2"), arn + ":2");
}

TEST(FunctionName, OtherAccountsStayAndOtherRegionsAreNotReachable) {
  EXPECT_EQ(parsed("111111111111:function:f"), "arn:aws:lambda:us-east-1:111111111111:function:f");
  EXPECT_EQ(parsed("arn:aws:lambda:eu-west-1:000000000000:function:f"),
            "ResourceNotFoundException");
}

TEST(FunctionName, OtherFormsAreRefused) {
  for (const char* name : {"", "a b", "f:", "f:a:b", "../x", "f:$OLD", "arn:aws:s3:::photos"}) {
    EXPECT_EQ(parsed(name), "ValidationException") << name;
  }
  EXPECT_EQ(parsed("f:1", "2"), "InvalidParameterValueException");
}

TEST(ArnLike, ComparesPartByPart) {
  EXPECT_TRUE(arn_like("arn:aws:s3:::photos", "arn:aws:s3:::photos"));
  EXPECT_TRUE(arn_like("arn:aws:s3:::photo*", "arn:aws:s3:::photos"));
  EXPECT_TRUE(
      arn_like("arn:aws:events:*:*:rule/x", "arn:aws:events:us-east-1:000000000000:rule/x"));
  EXPECT_FALSE(arn_like("arn:aws:s3:::photos", "arn:aws:s3:::photos-2"));
  EXPECT_FALSE(arn_like("arn:*:photos", "arn:aws:s3:::photos"));
  EXPECT_FALSE(arn_like("*", "arn:aws:s3:::photos"));
}

TEST(Payload, JsonIsToldFromWhatIsNone) {
  for (const char* good :
       {"{}", " [1, -2.5e+3, \"a\\u00e9\\n\", null, true] ", "\"x\"", "0", "{\"a\":{\"b\":[]}}"}) {
    EXPECT_FALSE(json_problem(good)) << good;
  }
  for (const char* bad : {"", "{", "{nope", "[1,]", "{\"a\":}", "{\"a\" 1}", "01", "1.", "\"\n\"",
                          "\"\\x\"", "tru", "{} {}", "[1 2]", "{,}", "\"open", "{\"a\":1,}"}) {
    EXPECT_TRUE(json_problem(bad)) << bad;
  }
  EXPECT_TRUE(json_problem("\"\xff\""));
  EXPECT_TRUE(json_problem(std::string(100'000, '[')));
}

}  // namespace
}  // namespace wolke::lambda
