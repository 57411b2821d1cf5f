// Layers over a memory store: names, policies, and what a function may have.
#include "wolke/services/lambda/layer.h"

#include <gtest/gtest.h>

#include "wolke/base/limits.h"
#include "wolke/services/lambda/configuration.h"
#include "wolke/store/engines.h"

namespace wolke::lambda {
namespace {

const std::string account = "000000000000";
const std::string region = "us-east-1";

class LayerTest : public testing::Test {
 protected:
  /// A version in the store.
  LayerRef put(const std::string& name, std::uint64_t number, std::uint64_t unzipped = 1) {
    const LayerRef ref{account, region, name, number};
    LayerVersion version;
    version.number = number;
    version.code.sha256 = name;
    version.code.unzipped_bytes = unzipped;
    auto snapshot = *store_->snapshot();
    store::Tx tx(*snapshot);
    tx.put(layer_version_key(ref), version);
    EXPECT_EQ(store::commit_and_wait(*store_, tx.take_batch()).status,
              store::CommitStatus::committed);
    return ref;
  }
  Result<std::vector<LayerUse>> use(const std::vector<std::string>& arns) {
    auto snapshot = *store_->snapshot();
    store::Tx tx(*snapshot);
    return use_layers(tx, {account, region, "f", {}}, arns);
  }
  std::string refusal(const std::vector<std::string>& arns) {
    const auto used = use(arns);
    return used ? "none" : used.error().message;
  }

  std::unique_ptr<store::Store> store_ = store::open_memory_store();
};

TEST_F(LayerTest, AVersionsArnIsReadAndWritten) {
  const std::string arn = "arn:aws:lambda:eu-west-1:123456789012:layer:tools:42";
  const auto ref = parse_layer_version(arn);
  ASSERT_TRUE(ref);
  EXPECT_EQ(ref->name, "tools");
  EXPECT_EQ(ref->version, 42U);
  EXPECT_EQ(ref->version_arn(), arn);
  for (const char* other : {"tools", "tools:1", "arn:aws:lambda:eu-west-1:123456789012:layer:tools",
                            "arn:aws:lambda:eu-west-1:123456789012:layer:tools:x",
                            "arn:aws:lambda:eu-west-1:123456789012:function:tools:1",
                            "arn:aws:s3:eu-west-1:123456789012:layer:tools:1"}) {
    EXPECT_FALSE(parse_layer_version(other)) << other;
  }
}

TEST_F(LayerTest, ANameIsOfTheCallerAndAnArnOfItsOwner) {
  EXPECT_EQ(parse_layer("tools", account, region).arn(),
            "arn:aws:lambda:us-east-1:000000000000:layer:tools");
  const std::string arn = "arn:aws:lambda:eu-west-1:123456789012:layer:tools";
  EXPECT_EQ(parse_layer(arn, account, region).arn(), arn);
}

TEST_F(LayerTest, AFunctionGetsItsLayersInTheirOrder) {
  const std::string first = put("a", 1).version_arn(), second = put("b", 2).version_arn();
  const auto used = use({second, first});
  ASSERT_TRUE(used);
  EXPECT_EQ(used->at(0).arn, second);
  EXPECT_EQ(used->at(1).arn, first);
  EXPECT_EQ(used->at(1).code.sha256, "a");
}

TEST_F(LayerTest, AFunctionHasFiveLayersAndEachOnce) {
  std::vector<std::string> arns;
  for (const char* name : {"a", "b", "c", "d", "e", "f"})
    arns.push_back(put(name, 1).version_arn());
  EXPECT_EQ(refusal(arns), "Cannot reference more than 5 layers.");
  arns.pop_back();
  EXPECT_EQ(refusal(arns), "none");
  const std::string again = put("a", 2).version_arn();
  EXPECT_NE(refusal({arns[0], again}).find("Two different versions of the same layer"),
            std::string::npos);
}

TEST_F(LayerTest, WhatIsMissingOrElsewhereIsRefused) {
  EXPECT_EQ(refusal({"arn:aws:lambda:us-east-1:000000000000:layer:none:1"}),
            "Layer version arn:aws:lambda:us-east-1:000000000000:layer:none:1 does not exist.");
  EXPECT_NE(refusal({"arn:aws:lambda:eu-west-1:000000000000:layer:a:1"}).find("same region"),
            std::string::npos);
}

TEST_F(LayerTest, CodeAndLayersShareTheLimit) {
  FunctionVersion version;
  version.code.unzipped_bytes = limits::package_unzipped_bytes_max;
  EXPECT_TRUE(check_unzipped(version));
  version.layers.emplace_back().code.unzipped_bytes = 1;
  const auto checked = check_unzipped(version);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message,
            "Function code combined with layers exceeds the maximum allowed size of 262144000 "
            "bytes. The actual size is 262144001 bytes.");
}

TEST_F(LayerTest, OldRuntimesAreKnownToLayers) {
  EXPECT_TRUE(check_known_runtimes({"java8", "go1.x", "ruby2.7", "dotnetcore3.1", "nodejs14.x"}));
  const auto unknown = check_known_runtimes({"cobol"});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("Value '[cobol]' at 'compatibleRuntimes'"),
            std::string::npos);
}

TEST_F(LayerTest, APolicyNamesAccountsAsTheGateReadsThem) {
  LayerStatement statement;
  statement.id = "share";
  statement.action = "lambda:GetLayerVersion";
  statement.principal = "222222222222";
  LayerVersion version;
  version.policy.push_back(statement);
  EXPECT_EQ(layer_policy_json(version, "arn"),
            R"({"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"share",)"
            R"("Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},)"
            R"("Action":"lambda:GetLayerVersion","Resource":"arn"}]})");
  statement.principal = "*";
  statement.org_id = "o-1";
  EXPECT_NE(layer_statement_json(statement, "arn")
                .find(R"("Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}})"),
            std::string::npos);
}

}  // namespace
}  // namespace wolke::lambda
