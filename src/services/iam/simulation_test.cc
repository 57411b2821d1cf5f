#include "wolke/services/iam/simulation.h"

#include <gtest/gtest.h>

namespace wolke::iam {
namespace {

TEST(Simulation, WhatWouldTakeLongIsRefusedBeforeItIsBegun) {
  SimulationRequest request;
  request.identity = {{"a", std::string(60'000, ' ')}};
  EXPECT_TRUE(check_work(request, 1000));
  request.boundary = {{"b", std::string(5'000, ' ')}};
  ASSERT_FALSE(check_work(request, 1000));
  EXPECT_EQ(check_work(request, 1000).error().code, "InvalidInput");
  EXPECT_TRUE(check_work(request, 900));
  EXPECT_FALSE(check_work({}, 1001));
}

std::string statement(const std::string& effect, const std::string& action,
                      const std::string& more = "") {
  return R"({"Effect":")" + effect + R"(","Action":")" + action + R"(","Resource":"*")" + more +
         "}";
}
std::string document(const std::string& statements) {
  return R"({"Version":"2012-10-17","Statement":[)" + statements + "]}";
}

struct Asked {
  std::string decision, matched;
  bool boundary = false;
};

Asked ask(SimulationRequest request, const std::string& action,
          const std::string& resource = "arn:aws:s3:::photos/k") {
  request.principal.kind = identity::PrincipalKind::user;
  request.principal.account = "111111111111";
  request.principal.arn = "arn:aws:iam::111111111111:user/ann";
  const auto simulation = Simulation::make(std::move(request));
  if (!simulation) return {simulation.error().code, "", false};
  identity::Ask question;
  question.action = action;
  question.resource = resource;
  const SimulatedAnswer answer = simulation->ask(question);
  Asked out;
  out.decision = answer.decision.allowed         ? "allowed"
                 : answer.decision.explicit_deny ? "explicitDeny"
                                                 : "implicitDeny";
  for (const SimulatedStatement& matched : answer.matched) {
    out.matched += matched.policy + ":" + std::to_string(matched.begin_column) + "-" +
                   std::to_string(matched.end_column) + ";";
  }
  out.boundary = answer.allowed_by_boundary;
  return out;
}

TEST(Simulation, TellsAllowedDeniedAndUnmentioned) {
  SimulationRequest request;
  request.identity = {
      {"p", document(statement("Allow", "s3:*") + "," + statement("Deny", "s3:DeleteObject"))}};
  EXPECT_EQ(ask(request, "s3:GetObject").decision, "allowed");
  EXPECT_EQ(ask(request, "s3:DeleteObject").decision, "explicitDeny");
  EXPECT_EQ(ask(request, "sqs:SendMessage").decision, "implicitDeny");
}

TEST(Simulation, MatchedStatementsAreThoseThatDecided) {
  SimulationRequest request;
  request.identity = {
      {"p", document(statement("Allow", "s3:*") + "," + statement("Deny", "s3:DeleteObject"))}};
  const Asked allowed = ask(request, "s3:GetObject");
  const Asked denied = ask(request, "s3:DeleteObject");
  EXPECT_EQ(allowed.matched, "p:39-87;");
  EXPECT_NE(denied.matched, allowed.matched);
  EXPECT_EQ(std::count(denied.matched.begin(), denied.matched.end(), ';'), 1);
}

TEST(Simulation, BoundariesAndResourcePoliciesCount) {
  SimulationRequest request;
  request.identity = {{"p", document(statement("Allow", "*"))}};
  request.boundary = {{"b", document(statement("Allow", "s3:*"))}};
  EXPECT_EQ(ask(request, "s3:GetObject").decision, "allowed");
  const Asked outside = ask(request, "sqs:SendMessage");
  EXPECT_EQ(outside.decision, "implicitDeny");
  EXPECT_FALSE(outside.boundary);
  SimulationRequest by_resource;
  by_resource.resource = {
      {"r", document(statement("Allow", "s3:GetObject",
                               R"(,"Principal":{"AWS":"arn:aws:iam::111111111111:user/ann"})"))}};
  EXPECT_EQ(ask(by_resource, "s3:GetObject").decision, "allowed");
  EXPECT_EQ(ask(by_resource, "s3:PutObject").decision, "implicitDeny");
}

TEST(Simulation, ConditionsUseTheGivenValuesAndMissingOnesAreTold) {
  SimulationRequest request;
  request.identity = {
      {"p", document(statement("Allow", "s3:*",
                               R"(,"Condition":{"StringEquals":{"aws:RequestedRegion":"x"}})"))}};
  EXPECT_EQ(ask(request, "s3:GetObject").decision, "implicitDeny");
  EXPECT_EQ(Simulation::make(request)->missing_keys(),
            std::vector<std::string>{"aws:RequestedRegion"});
  request.conditions["aws:requestedregion"] = {"x"};
  EXPECT_EQ(ask(request, "s3:GetObject").decision, "allowed");
  EXPECT_TRUE(Simulation::make(request)->missing_keys().empty());
}

TEST(Simulation, ADocumentThatIsNoPolicyIsRefused) {
  SimulationRequest request;
  request.identity = {{"p", "{}"}};
  EXPECT_EQ(ask(request, "s3:GetObject").decision, "MalformedPolicyDocument");
}

TEST(StatementPlaces, AreFoundInObjectsListsAndOverLines) {
  const auto one = statement_places(R"({"Version": "x", "Statement": {"Sid": "}"}})");
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].begin_column, 32);
  EXPECT_EQ(one[0].end_column, 43);
  const auto two = statement_places("{\n \"Statement\": [{\"A\": {}},\n  {}]}");
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].begin_line, 2);
  EXPECT_EQ(two[1].begin_line, 3);
  EXPECT_EQ(two[1].begin_column, 4);
  EXPECT_TRUE(statement_places("nonsense {[").empty());
}

}  // namespace
}  // namespace wolke::iam
