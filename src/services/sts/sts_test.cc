#include "wolke/services/sts/sts.h"

#include <gtest/gtest.h>

#include "wolke/identity/ids.h"
#include "wolke/identity/state.h"
#include "wolke/operation/runner.h"
#include "wolke/services/sts/ops.h"
#include "wolke/store/engines.h"

namespace wolke::sts {
namespace {

constexpr const char* account = "111111111111";

class StsTest : public testing::Test {
 protected:
  StsTest() {
    context.account = account;
    context.now = env.clock.wall();
    context.random = &env.random;
  }

  void add_role(const std::string& name, const std::string& trust_statement,
                std::int32_t max_seconds = 3600) {
    auto done = operation::transact_blocking(*store, [&](store::Tx& tx) -> Result<void> {
      identity::EntityRecord role;
      role.name = name;
      role.path = "/";
      role.id = "AROAEXAMPLEEXAMPLE123";
      role.max_session_seconds = max_seconds;
      role.trust_policy = R"({"Version":"2012-10-17","Statement":[)" + trust_statement + "]}";
      tx.put(identity::keys::entity(identity::EntityType::role, account, name), role);
      return {};
    });
    ASSERT_TRUE(done);
  }

  /// Becomes this caller.
  void be(identity::Principal principal) {
    auto made = directory.make_authorizer(std::move(principal), {.now = context.now});
    ASSERT_TRUE(made);
    authorizer = *std::move(made);
    context.authorizer = authorizer.get();
  }
  static identity::Principal root() {
    identity::Principal out;
    out.kind = identity::PrincipalKind::root;
    out.account = account;
    out.arn = "arn:aws:iam::111111111111:root";
    out.unique_id = account;
    out.access_key_id = "AKIAX";
    return out;
  }

  /// The gate's part and the operation's.
  Result<op::AssumeRole::Output> assume(const op::AssumeRole::Input& in) {
    TRY(const operation::Asks asks, assume_role_asks(sts, context, in));
    for (const identity::Ask& ask : asks) {
      const identity::Decision decision = authorizer->decide(ask);
      if (!decision.allowed) return fail(Error{"AccessDenied", 403, decision.why});
    }
    std::optional<op::AssumeRole::Output> out;
    auto done = operation::transact_blocking(*store, [&](store::Tx& tx) -> Result<void> {
      TRY(out, assume_role(sts, tx, context, in));
      return {};
    });
    if (!done) return fail(done.error());
    return *std::move(out);
  }
  std::string code(const op::AssumeRole::Input& in) {
    const auto result = assume(in);
    return result ? "" : result.error().code;
  }
  static op::AssumeRole::Input input(const std::string& role) {
    return {.role_arn = "arn:aws:iam::111111111111:role/" + role, .role_session_name = "session"};
  }

  Env env = system_env();
  std::unique_ptr<store::Store> store = store::open_memory_store();
  identity::Directory directory{env, *store, identity::Seal(std::string(32, 'k'), env.random), {}};
  Sts sts{directory};
  operation::Context context;
  std::unique_ptr<identity::Authorizer> authorizer;
};

const std::string trust_account =
    R"({"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"})";

TEST_F(StsTest, AssumesARoleThatTrustsTheCaller) {
  add_role("r", trust_account);
  be(root());
  const auto out = assume(input("r"));
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(out->assumed_role_user->arn, "arn:aws:sts::111111111111:assumed-role/r/session");
  EXPECT_EQ(out->assumed_role_user->assumed_role_id, "AROAEXAMPLEEXAMPLE123:session");
  EXPECT_TRUE(out->credentials->access_key_id->starts_with("ASIA"));
  const auto session = directory.seal().open_session(*out->credentials->session_token);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->expires, context.now + std::chrono::hours(1));
}

TEST_F(StsTest, TagKeysAreUniqueWithoutRegardToCaseAndNotAws) {
  add_role("r", R"({"Effect":"Allow","Principal":{"AWS":"111111111111"},)"
                R"("Action":["sts:AssumeRole","sts:TagSession"]})");
  be(root());
  op::AssumeRole::Input in = input("r");
  in.tags = std::vector<model::Tag>{{.key = "Team", .value = "a"}, {.key = "Cost", .value = "b"}};
  EXPECT_EQ(code(in), "");
  in.tags->at(1).key = "team";
  EXPECT_EQ(code(in), "InvalidParameterValue");
  in.tags->at(1).key = "AWS:x";
  EXPECT_EQ(code(in), "InvalidParameterValue");
}

TEST_F(StsTest, WhatWouldBindASessionFurtherIsRefusedByName) {
  add_role("r", trust_account);
  be(root());
  op::AssumeRole::Input in = input("r");
  in.token_code = "123456";
  EXPECT_EQ(assume(in).error().message,
            "AssumeRole with multi-factor authentication is not served by this server.");
}

class ChainTest : public StsTest {
 protected:
  ChainTest() { be(root()); }
  static std::string trust(const std::string& actions) {
    return R"({"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":[)" + actions + "]}";
  }
  /// Becomes the session that this call makes.
  void chain(const op::AssumeRole::Input& in) {
    const auto out = assume(in);
    ASSERT_TRUE(out) << out.error().message;
    const auto session = directory.seal().open_session(*out->credentials->session_token);
    ASSERT_TRUE(session);
    last = *session;
    identity::Principal principal;
    principal.kind = identity::PrincipalKind::assumed_role;
    principal.account = account;
    principal.arn = *out->assumed_role_user->arn;
    principal.unique_id = *out->assumed_role_user->assumed_role_id;
    principal.unrestricted = true;
    principal.source_identity = session->source_identity;
    for (const std::string& key : session->transitive_tag_keys) {
      principal.transitive_tags[key] = session->tags.at(key);
    }
    be(principal);
  }
  static op::AssumeRole::Input tagged(const std::string& role, std::vector<model::Tag> tags,
                                      std::vector<std::string> transitive) {
    op::AssumeRole::Input in = input(role);
    in.tags = std::move(tags);
    in.transitive_tag_keys = std::move(transitive);
    return in;
  }
  identity::SessionRecord last;
};

const std::string assume_and_tag = R"("sts:AssumeRole","sts:TagSession")";
const std::string assume_and_name = R"("sts:AssumeRole","sts:SetSourceIdentity")";
using Map = std::map<std::string, std::string>;

TEST_F(ChainTest, TransitiveTagsGoThroughAllSessionsAndOthersDoNot) {
  for (const char* role : {"r1", "r2", "r3"}) add_role(role, trust(assume_and_tag));
  chain(tagged("r1", {{.key = "Star", .value = "1"}, {.key = "Sun", .value = "2"}}, {"star"}));
  EXPECT_EQ(last.tags, Map({{"Star", "1"}, {"Sun", "2"}}));
  chain(tagged("r2", {{.key = "Heart", .value = "3"}}, {}));
  EXPECT_EQ(last.tags, Map({{"Star", "1"}, {"Heart", "3"}}));
  chain(input("r3"));
  EXPECT_EQ(last.tags, Map({{"Star", "1"}}));
  EXPECT_EQ(last.transitive_tag_keys, std::vector<std::string>({"Star"}));
}

TEST_F(ChainTest, AnInheritedTagCannotBeReplacedWhateverItsCase) {
  for (const char* role : {"r1", "r2"}) add_role(role, trust(assume_and_tag));
  chain(tagged("r1", {{.key = "Star", .value = "1"}}, {"Star"}));
  EXPECT_EQ(code(tagged("r2", {{.key = "STAR", .value = "2"}}, {})), "InvalidParameterValue");
}

TEST_F(ChainTest, OnlyATagThatIsPassedCanBeMadeTransitive) {
  add_role("r1", trust(assume_and_tag));
  EXPECT_EQ(code(tagged("r1", {{.key = "Star", .value = "1"}}, {"Sun"})), "InvalidParameterValue");
}

TEST_F(ChainTest, ARoleWhoseTrustDoesNotAllowTagsTakesNoSessionThatBringsSome) {
  add_role("r1", trust(assume_and_tag));
  add_role("r2", trust(R"("sts:AssumeRole")"));
  chain(tagged("r1", {{.key = "Star", .value = "1"}}, {"Star"}));
  EXPECT_EQ(code(input("r2")), "AccessDenied");
}

TEST_F(ChainTest, TheTrustPolicyJudgesTransitiveKeysInheritedOnesToo) {
  const std::string only_star =
      R"({"Effect":"Allow","Principal":{"AWS":"111111111111"},)"
      R"("Action":["sts:AssumeRole","sts:TagSession"],"Condition":)"
      R"({"ForAllValues:StringEquals":{"sts:TransitiveTagKeys":["Star"]}}})";
  add_role("any", trust(assume_and_tag));
  add_role("star", only_star);
  EXPECT_EQ(code(tagged("star", {{.key = "Star", .value = "1"}}, {"Star"})), "");
  EXPECT_EQ(code(tagged("star", {{.key = "Sun", .value = "1"}}, {"Sun"})), "AccessDenied");
  chain(tagged("any", {{.key = "Sun", .value = "1"}}, {"Sun"}));
  EXPECT_EQ(code(input("star")), "AccessDenied");
}

TEST_F(ChainTest, TheSourceIdentityStaysThroughTheChainAndCannotBeChanged) {
  for (const char* role : {"r1", "r2"}) add_role(role, trust(assume_and_name));
  op::AssumeRole::Input in = input("r1");
  in.source_identity = "diego";
  EXPECT_EQ(assume(in)->source_identity, "diego");
  chain(in);
  in.role_arn = input("r2").role_arn;
  in.source_identity = "maria";
  EXPECT_EQ(code(in), "AccessDenied");
  chain(input("r2"));
  EXPECT_EQ(last.source_identity, "diego");
}

TEST_F(ChainTest, ARoleWhoseTrustDoesNotAllowIdentitiesTakesNone) {
  add_role("r1", trust(assume_and_name));
  add_role("r2", trust(R"("sts:AssumeRole")"));
  op::AssumeRole::Input in = input("r2");
  in.source_identity = "diego";
  EXPECT_EQ(code(in), "AccessDenied");
  in.role_arn = input("r1").role_arn;
  chain(in);
  EXPECT_EQ(code(input("r2")), "AccessDenied");
}

TEST_F(ChainTest, AtMost50TagsWithThoseThatAreInherited) {
  for (const char* role : {"r1", "r2"}) add_role(role, trust(assume_and_tag));
  std::vector<model::Tag> many;
  for (int i = 0; i < 50; ++i) many.push_back({.key = "k" + std::to_string(i), .value = "v"});
  EXPECT_EQ(code(tagged("r1", many, {})), "");
  chain(tagged("r1", {{.key = "Star", .value = "1"}}, {"Star"}));
  EXPECT_EQ(code(tagged("r2", many, {})), "ValidationError");
}

TEST_F(StsTest, RefusesARoleThatDoesNotTrustTheCallerAndOneThatIsMissing) {
  add_role(
      "r",
      R"({"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"})");
  be(root());
  EXPECT_EQ(code(input("r")), "AccessDenied");
  EXPECT_EQ(code(input("none")), "AccessDenied");
}

TEST_F(StsTest, TheExternalIdMustBeTheOneThatTheTrustPolicyNames) {
  add_role("r", R"({"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole",
                    "Condition":{"StringEquals":{"sts:ExternalId":"secret-7"}}})");
  be(root());
  auto in = input("r");
  EXPECT_EQ(code(in), "AccessDenied");
  in.external_id = "secret-8";
  EXPECT_EQ(code(in), "AccessDenied");
  in.external_id = "secret-7";
  EXPECT_EQ(code(in), "");
}

TEST_F(StsTest, HoldsTheDurationWithinTheRolesMaximum) {
  add_role("r", trust_account, 7200);
  be(root());
  auto in = input("r");
  in.duration_seconds = 7200;
  EXPECT_EQ(code(in), "");
  in.duration_seconds = 7201;
  EXPECT_EQ(code(in), "ValidationError");
  in.duration_seconds = 899;
  EXPECT_EQ(code(in), "ValidationError");
}

TEST_F(StsTest, ASessionAssumesARoleForAnHourAtMostAndStaysInItsSandbox) {
  add_role("r", trust_account, 43200);
  identity::Principal session;
  session.kind = identity::PrincipalKind::assumed_role;
  session.account = account;
  session.role_name = "r";
  session.role_arn = "arn:aws:iam::111111111111:role/r";
  session.arn = "arn:aws:sts::111111111111:assumed-role/r/s";
  session.unique_id = "AROAEXAMPLEEXAMPLE123:s";
  session.sandbox_id = "box";
  session.unrestricted = true;
  be(session);
  auto in = input("r");
  in.duration_seconds = 3601;
  EXPECT_EQ(code(in), "ValidationError");
  in.duration_seconds = 3600;
  const auto out = assume(in);
  ASSERT_TRUE(out);
  EXPECT_EQ(directory.seal().open_session(*out->credentials->session_token)->sandbox_id, "box");
}

TEST_F(StsTest, RefusesBadSessionNamesRolesAndPolicies) {
  add_role("r", trust_account);
  be(root());
  auto in = input("r");
  in.role_session_name = "a b";
  EXPECT_EQ(code(in), "ValidationError");
  in = input("r");
  in.policy = "{";
  EXPECT_EQ(code(in), "MalformedPolicyDocument");
  in = input("r");
  in.role_arn = "arn:aws:iam::111111111111:user/x";
  EXPECT_EQ(code(in), "ValidationError");
}

TEST_F(StsTest, SessionCredentialsCannotMakeASessionToken) {
  be(root());
  auto snapshot = store->snapshot();
  store::Tx tx(**snapshot);
  EXPECT_TRUE(get_session_token(sts, tx, context, {.duration_seconds = 900}));
  auto session = root();
  session.access_key_id = "ASIAX";
  be(session);
  const auto refused = get_session_token(sts, tx, context, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "AccessDenied");
}

TEST_F(StsTest, SaysWhoIsCallingAndWhoseAKeyIs) {
  be(root());
  auto snapshot = store->snapshot();
  store::Tx tx(**snapshot);
  const auto who = get_caller_identity(sts, tx, context, {});
  EXPECT_EQ(who->arn, "arn:aws:iam::111111111111:root");
  const std::string id = identity::make_access_key_id("AKIA", "123456789012", env.random);
  EXPECT_EQ(get_access_key_info(sts, tx, context, {.access_key_id = id})->account, "123456789012");
  EXPECT_FALSE(get_access_key_info(sts, tx, context, {.access_key_id = "nonsense-nonsense"}));
}

}  // namespace
}  // namespace wolke::sts
