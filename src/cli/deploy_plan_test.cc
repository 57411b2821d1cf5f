#include "wolke/cli/deploy_plan.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "wolke/cli/deploy_script.h"

namespace wolke::cli {
namespace {

class DeployPlanTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = (std::filesystem::temp_directory_path() / "wolke-plan-XXXXXX").string();
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
    std::ofstream(directory_ + "/app.py") << "def handler(event, context): return 1\n";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  DeployOptions options() const {
    DeployOptions out;
    out.path = directory_;
    out.name = "thumbs";
    return out;
  }

  std::string directory_;
};

TEST(Grant, ABucketAndAPrefixAreTakenApart) {
  Grant grant = parse_grant("s3:photos").value();
  EXPECT_EQ(grant.bucket, "photos");
  EXPECT_EQ(grant.prefix, "");
  grant = parse_grant("s3:photos/in/2026/").value();
  EXPECT_EQ(grant.bucket, "photos");
  EXPECT_EQ(grant.prefix, "in/2026/");
  grant = parse_grant("s3://photos/in").value();
  EXPECT_EQ(grant.bucket, "photos");
  EXPECT_EQ(grant.prefix, "in");
}

TEST(Grant, WhatIsNoBucketIsAUsageError) {
  for (const char* text : {"", "photos", "sqs:q", "s3:", "s3:/in", "s3://", "s3:ab", "s3:Photos",
                           "s3:pho tos", "s3:pho\"tos"}) {
    EXPECT_EQ(parse_grant(text).error().code, "Usage") << text;
  }
  EXPECT_FALSE(parse_grant("s3:" + std::string(64, 'a')).has_value());
}

TEST(FunctionName, IsLambdas) {
  EXPECT_TRUE(check_function_name("Thumb_nails-2").has_value());
  EXPECT_TRUE(check_function_name(std::string(64, 'a')).has_value());
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a.b"),
                                  std::string("ä"), std::string("a/../b"), std::string(65, 'a')}) {
    EXPECT_EQ(check_function_name(name).error().code, "Usage") << name;
  }
}

TEST(RoleName, OfTheLongestFunctionIsOneThatIamTakes) {
  EXPECT_EQ(role_name("thumbs"), "thumbs-role");
  EXPECT_EQ(role_name(std::string(64, 'a')).size(), 64U);
}

TEST(Environment, AValueMayHoldAnEqualsSign) {
  EXPECT_EQ(environment_json({"AB=c=d", "EF="}).text(), R"({"Variables":{"AB":"c=d","EF":""}})");
}

TEST_F(DeployPlanTest, ThePolicyAllowsLogsTheSourceAndTheTargetsAndNothingElse) {
  DeployOptions what = options();
  what.on = "s3:photos/in/";
  what.writes = {"s3:small", "s3:other/out/"};
  EXPECT_EQ(
      plan_deploy(what).value().policy,
      R"({"Version":"2012-10-17","Statement":[)"
      R"({"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream",)"
      R"("logs:PutLogEvents"],"Resource":["*"]},)"
      R"({"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::photos/in/*"]},)"
      R"({"Effect":"Allow","Action":["s3:PutObject"],)"
      R"("Resource":["arn:aws:s3:::small/*","arn:aws:s3:::other/out/*"]}]})");
}

TEST_F(DeployPlanTest, APolicyThatIsThereKeepsWhatIsNotNamed) {
  DeployOptions what = options();
  what.on = "s3:photos";
  what.writes = {"s3:small", "s3:other"};
  const std::string current = plan_deploy(what).value().policy;
  EXPECT_EQ(change_policy(plan_deploy(options()).value(), current).document, current);
  what = options();
  what.writes = {"s3:other"};
  const PolicyChange change = change_policy(plan_deploy(what).value(), current);
  EXPECT_EQ(change.dropped, std::vector<std::string>{"s3:PutObject arn:aws:s3:::small/*"});
  EXPECT_NE(change.document.find("arn:aws:s3:::photos/*"), std::string::npos);
  EXPECT_NE(change.document.find("arn:aws:s3:::other/*"), std::string::npos);
  EXPECT_EQ(change.document.find("arn:aws:s3:::small/*"), std::string::npos);
}

TEST_F(DeployPlanTest, APlanWithoutATriggerReadsNothing) {
  const DeployPlan plan = plan_deploy(options()).value();
  EXPECT_TRUE(plan.on.empty());
  EXPECT_EQ(plan.policy.find("s3:"), std::string::npos);
  EXPECT_EQ(plan.handler, "app.handler");
  EXPECT_EQ(plan.role, "thumbs-role");
  EXPECT_TRUE(plan.zip.starts_with("PK"));
}

TEST_F(DeployPlanTest, NamesAreCheckedBeforeFilesAreRead) {
  DeployOptions what = options();
  what.path = "/nonexistent";
  what.name = "a b";
  EXPECT_EQ(plan_deploy(what).error().code, "Usage");
  what = options();
  what.env = {"A=1"};
  EXPECT_EQ(plan_deploy(what).error().code, "Usage");
}

TEST_F(DeployPlanTest, TheScriptQuotesWhatAShellWouldRead) {
  DeployOptions what = options();
  what.env = {"AB=it's $HOME `x`"};
  what.on = "s3:photos/a b`/";
  what.writes = {"s3:photos"};
  std::string script;
  for (const std::string& line : deploy_script(plan_deploy(what).value(), "aws --endpoint X")) {
    script += line + "\n";
  }
  EXPECT_NE(script.find(R"('{"Variables":{"AB":"it'\''s $HOME `x`"}}')"), std::string::npos)
      << script;
  EXPECT_NE(script.find(R"("Value":"a b\`/")"), std::string::npos) << script;
  EXPECT_NE(script.find(R"("LambdaFunctionArn":"'"$arn"'")"), std::string::npos) << script;
  // A bucket that is read and written is made once.
  EXPECT_EQ(script.find("s3 mb s3://photos"), script.rfind("s3 mb s3://photos"));
}

}  // namespace
}  // namespace wolke::cli
