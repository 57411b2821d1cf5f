#include "wolke/identity/policy.h"

#include <gtest/gtest.h>

#include "wolke/identity/evaluation.h"

namespace wolke::identity {
namespace {

Principal user(std::string account = "111111111111", std::string name = "ann") {
  Principal out;
  out.kind = PrincipalKind::user;
  out.account = account;
  out.arn = "arn:aws:iam::" + account + ":user/" + name;
  out.unique_id = "AIDAEXAMPLE";
  out.user_name = name;
  return out;
}

Principal session() {
  Principal out;
  out.kind = PrincipalKind::assumed_role;
  out.account = "111111111111";
  out.role_arn = "arn:aws:iam::111111111111:role/r";
  out.arn = "arn:aws:sts::111111111111:assumed-role/r/s";
  out.unique_id = "AROAEXAMPLE:s";
  return out;
}

NamedPolicy named(const std::string& json, PolicyKind kind = PolicyKind::identity) {
  auto policy = Policy::parse(json, kind);
  EXPECT_TRUE(policy) << json << (policy ? "" : policy.error().message);
  return {"p", policy ? *policy : nullptr};
}

std::string statement(const std::string& effect, const std::string& rest) {
  return R"({"Version":"2012-10-17","Statement":{"Effect":")" + effect + "\"," + rest + "}}";
}

/// Does an Allow with this Condition match?
bool holds(const std::string& condition, const Conditions& request) {
  PolicySet set;
  set.identity = {named(
      statement("Allow", R"("Action":"s3:GetObject","Resource":"*","Condition":)" + condition))};
  return evaluate(user(), set, nullptr, {"s3:GetObject", "arn:aws:s3:::b/k"}, request).allowed;
}

bool deny_holds(const std::string& condition, const Conditions& request) {
  PolicySet set;
  set.identity = {named(statement("Allow", R"("Action":"*","Resource":"*")")),
                  named(statement("Deny", R"("Action":"s3:GetObject","Resource":"*","Condition":)" +
                                              condition))};
  return !evaluate(user(), set, nullptr, {"s3:GetObject", "arn:aws:s3:::b/k"}, request).allowed;
}

bool allows(const std::string& statement_rest, const std::string& action,
            const std::string& resource, const Conditions& request = {}) {
  PolicySet set;
  set.identity = {named(statement("Allow", statement_rest))};
  return evaluate(user(), set, nullptr, {action, resource}, request).allowed;
}

TEST(Policy, DeniesWhatNoPolicyAllows) {
  const Decision decision = evaluate(user(), {}, nullptr, {"s3:PutObject", "arn:aws:s3:::b/k"}, {});
  EXPECT_FALSE(decision.allowed);
  EXPECT_EQ(decision.why, "no identity-based policy allows the s3:PutObject action");
}

TEST(Policy, MatchesActionsWithoutRegardToCaseAndWithWildcards) {
  EXPECT_TRUE(allows(R"("Action":"S3:get*","Resource":"*")", "s3:GetObject", "arn:aws:s3:::b/k"));
  EXPECT_TRUE(allows(R"("Action":["a:b","s3:G?tObject"],"Resource":"*")", "s3:GetObject", "x"));
  EXPECT_FALSE(allows(R"("Action":"s3:Get*","Resource":"*")", "s3:PutObject", "x"));
  EXPECT_TRUE(allows(R"("NotAction":"iam:*","Resource":"*")", "s3:PutObject", "x"));
  EXPECT_FALSE(allows(R"("NotAction":"iam:*","Resource":"*")", "iam:GetUser", "x"));
}

TEST(Policy, MatchesResourcesPartByPart) {
  const std::string rest = R"("Action":"*","Resource":"arn:aws:s3:::photos/*")";
  EXPECT_TRUE(allows(rest, "s3:GetObject", "arn:aws:s3:::photos/a/b:c"));
  EXPECT_FALSE(allows(rest, "s3:GetObject", "arn:aws:s3:::photos2/a"));
  EXPECT_FALSE(allows(rest, "s3:GetObject", "arn:aws:s3:::Photos/a"));
  EXPECT_FALSE(
      allows(R"("Action":"*","Resource":"arn:aws:s3:*:1:x")", "a:b", "arn:aws:s3:r:9:1:x"));
  EXPECT_FALSE(allows(R"("Action":"*","NotResource":"arn:aws:s3:::photos/*")", "s3:GetObject",
                      "arn:aws:s3:::photos/a"));
  EXPECT_TRUE(allows(R"("Action":"*","NotResource":"arn:aws:s3:::photos/*")", "s3:GetObject",
                     "arn:aws:s3:::other/a"));
}

TEST(Policy, SubstitutesVariablesAsPlainText) {
  const std::string rest = R"("Action":"*","Resource":"arn:aws:s3:::home/${aws:username}/*")";
  EXPECT_TRUE(allows(rest, "a:b", "arn:aws:s3:::home/ann/x", {{"aws:username", {"ann"}}}));
  EXPECT_FALSE(allows(rest, "a:b", "arn:aws:s3:::home/bob/x", {{"aws:username", {"ann"}}}));
  EXPECT_FALSE(allows(rest, "a:b", "arn:aws:s3:::home/bob/x", {{"aws:username", {"*"}}}));
  EXPECT_FALSE(allows(rest, "a:b", "arn:aws:s3:::home/bob/x", {{"aws:username", {"b?b"}}}));
  EXPECT_FALSE(allows(rest, "a:b", "arn:aws:s3:::home//x", {}));
  EXPECT_TRUE(allows(R"("Action":"*","Resource":"arn:aws:s3:::home/${aws:username, 'guest'}")",
                     "a:b", "arn:aws:s3:::home/guest"));
  EXPECT_TRUE(allows(R"("Action":"*","Resource":"arn:aws:s3:::b/${*}${?}${$}")", "a:b",
                     "arn:aws:s3:::b/*?$"));
  EXPECT_FALSE(
      allows(R"("Action":"*","Resource":"arn:aws:s3:::b/${*}")", "a:b", "arn:aws:s3:::b/x"));
}

TEST(Policy, AnUnresolvedVariableInNotResourceGrantsNothing) {
  EXPECT_FALSE(allows(R"("Action":"*","NotResource":"arn:aws:s3:::b/${aws:username}")", "a:b",
                      "arn:aws:s3:::b/x"));
}

TEST(Policy, VersionsBefore2012HaveNoVariables) {
  PolicySet set;
  set.identity = {named(
      R"({"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}"}]})")};
  EXPECT_TRUE(
      evaluate(user(), set, nullptr, {"a:b", "arn:aws:s3:::b/${aws:username}"}, {}).allowed);
}

TEST(Policy, ComparesStrings) {
  EXPECT_TRUE(holds(R"({"StringEquals":{"aws:A":["x","y"]}})", {{"aws:a", {"y"}}}));
  EXPECT_FALSE(holds(R"({"StringEquals":{"aws:a":"y*"}})", {{"aws:a", {"yz"}}}));
  EXPECT_FALSE(holds(R"({"StringEquals":{"aws:a":"Y"}})", {{"aws:a", {"y"}}}));
  EXPECT_TRUE(holds(R"({"StringEqualsIgnoreCase":{"aws:a":"Y"}})", {{"aws:a", {"y"}}}));
  EXPECT_TRUE(holds(R"({"StringLike":{"aws:a":"y*"}})", {{"aws:a", {"yz"}}}));
  EXPECT_FALSE(holds(R"({"StringNotLike":{"aws:a":"y*"}})", {{"aws:a", {"yz"}}}));
  EXPECT_FALSE(holds(R"({"StringNotEquals":{"aws:a":["x","y"]}})", {{"aws:a", {"y"}}}));
  EXPECT_FALSE(holds(R"({"StringEquals":{"aws:a":"x"}})", {}));
  EXPECT_TRUE(holds(R"({"StringNotEquals":{"aws:a":"x"}})", {}));
  EXPECT_TRUE(holds(R"({"StringEqualsIfExists":{"aws:a":"x"}})", {}));
}

TEST(Policy, ComparesNumbersDatesBooleansAndBinary) {
  EXPECT_TRUE(holds(R"({"NumericLessThanEquals":{"s3:max-keys":10}})", {{"s3:max-keys", {"10"}}}));
  EXPECT_FALSE(holds(R"({"NumericLessThan":{"s3:max-keys":"10"}})", {{"s3:max-keys", {"10"}}}));
  EXPECT_TRUE(holds(R"({"NumericEquals":{"s3:max-keys":"1.50"}})", {{"s3:max-keys", {"1.5"}}}));
  EXPECT_TRUE(holds(R"({"DateGreaterThan":{"aws:t":"2020-01-01"}})",
                    {{"aws:t", {"2020-01-01T00:00:01Z"}}}));
  EXPECT_TRUE(
      holds(R"({"DateLessThan":{"aws:t":"1577836801"}})", {{"aws:t", {"2020-01-01T00:00:00Z"}}}));
  EXPECT_TRUE(
      holds(R"({"Bool":{"aws:SecureTransport":true}})", {{"aws:securetransport", {"true"}}}));
  EXPECT_FALSE(
      holds(R"({"Bool":{"aws:SecureTransport":"true"}})", {{"aws:securetransport", {"false"}}}));
  EXPECT_TRUE(holds(R"({"BinaryEquals":{"aws:k":"Qmlu"}})", {{"aws:k", {"Qmlu"}}}));
}

TEST(Policy, MatchesAddresses) {
  EXPECT_TRUE(
      holds(R"({"IpAddress":{"aws:SourceIp":"10.1.0.0/16"}})", {{"aws:sourceip", {"10.1.2.3"}}}));
  EXPECT_FALSE(
      holds(R"({"IpAddress":{"aws:SourceIp":"10.1.0.0/16"}})", {{"aws:sourceip", {"10.2.2.3"}}}));
  EXPECT_TRUE(holds(R"({"IpAddress":{"aws:SourceIp":"10.1.2.3"}})",
                    {{"aws:sourceip", {"::ffff:10.1.2.3"}}}));
  EXPECT_TRUE(holds(R"({"IpAddress":{"aws:SourceIp":"2001:db8::/33"}})",
                    {{"aws:sourceip", {"2001:db8:7fff::1"}}}));
  EXPECT_FALSE(holds(R"({"IpAddress":{"aws:SourceIp":"2001:db8::/33"}})",
                     {{"aws:sourceip", {"2001:db8:8000::1"}}}));
  EXPECT_FALSE(
      holds(R"({"NotIpAddress":{"aws:SourceIp":"0.0.0.0/0"}})", {{"aws:sourceip", {"10.2.2.3"}}}));
}

TEST(Policy, MatchesArnsAndMissingKeys) {
  const std::string like = R"({"ArnLike":{"aws:SourceArn":"arn:aws:s3:::photo*"}})";
  EXPECT_TRUE(holds(like, {{"aws:sourcearn", {"arn:aws:s3:::photos"}}}));
  EXPECT_FALSE(holds(R"({"ArnLike":{"aws:SourceArn":"arn:aws:*:x"}})",
                     {{"aws:sourcearn", {"arn:aws:s3:::photos"}}}));
  EXPECT_TRUE(holds(R"({"Null":{"aws:a":"true"}})", {}));
  EXPECT_FALSE(holds(R"({"Null":{"aws:a":"true"}})", {{"aws:a", {"x"}}}));
  EXPECT_TRUE(holds(R"({"Null":{"aws:a":false}})", {{"aws:a", {"x"}}}));
}

TEST(Policy, QuantifiesOverSeveralValues) {
  const Conditions both = {{"aws:tagkeys", {"a", "b"}}};
  EXPECT_TRUE(holds(R"({"ForAllValues:StringEquals":{"aws:TagKeys":["a","b","c"]}})", both));
  EXPECT_FALSE(holds(R"({"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}})", both));
  EXPECT_TRUE(holds(R"({"ForAnyValue:StringEquals":{"aws:TagKeys":["a"]}})", both));
  EXPECT_FALSE(holds(R"({"ForAnyValue:StringEquals":{"aws:TagKeys":["x"]}})", both));
  EXPECT_TRUE(holds(R"({"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a"]}})", both));
  EXPECT_TRUE(holds(R"({"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}})", {}));
  EXPECT_FALSE(holds(R"({"ForAnyValue:StringEquals":{"aws:TagKeys":["a"]}})", {}));
}

TEST(Policy, AValueThatIsBrokenNeverHelpsTheCaller) {
  const Conditions garbage = {{"aws:sourceip", {"not an address"}}, {"s3:max-keys", {"many"}}};
  for (const char* condition : {R"({"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}})",
                                R"({"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}})",
                                R"({"NumericLessThan":{"s3:max-keys":"5"}})",
                                R"({"NumericNotEquals":{"s3:max-keys":"5"}})"}) {
    EXPECT_FALSE(holds(condition, garbage)) << condition;
    EXPECT_TRUE(deny_holds(condition, garbage)) << condition;
  }
}

struct Wrong {
  const char* json;
  PolicyKind kind;
  const char* message;
};

TEST(Policy, RefusesMalformedDocumentsInAwsWords) {
  const Wrong cases[] = {
      {"{", PolicyKind::identity, "This policy contains invalid Json"},
      {"[]", PolicyKind::identity, "Syntax errors in policy."},
      {R"({"Version":"2012-10-17"})", PolicyKind::identity, "Syntax errors in policy."},
      {R"({"Version":"2013-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})",
       PolicyKind::identity, "Syntax errors in policy."},
      {R"({"Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]})", PolicyKind::identity,
       "Syntax errors in policy."},
      {R"({"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Extra":1}]})",
       PolicyKind::identity, "Syntax errors in policy."},
      {R"({"Statement":[{"Effect":"Allow","Resource":"*"}]})", PolicyKind::identity,
       "Policy statement must contain actions."},
      {R"({"Statement":[{"Effect":"Allow","Action":"*"}]})", PolicyKind::identity,
       "Policy statement must contain resources."},
      {R"({"Statement":[{"Effect":"Allow","Action":"get","Resource":"*"}]})", PolicyKind::identity,
       "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
      {R"({"Statement":[{"Effect":"Allow","Action":"s3:Get","Resource":"bucket"}]})",
       PolicyKind::identity, "Resource bucket must be in ARN format or \"*\"."},
      {R"({"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}]})",
       PolicyKind::identity, "Policy document should not specify a principal."},
      {R"({"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})", PolicyKind::resource,
       "Missing required field Principal"},
      {R"({"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Principal":{"AWS":"*"}}]})",
       PolicyKind::trust, "Has prohibited field Resource"},
      {R"({"Statement":[{"Effect":"Allow","Action":"s3:*","Principal":{"AWS":"*"}}]})",
       PolicyKind::trust, "AssumeRole policy may only specify STS AssumeRole actions."},
      {R"({"Statement":[{"Effect":"Allow","Action":"s3:*","Principal":{"AWS":"me"}}]})",
       PolicyKind::resource, "Invalid principal in policy: \"AWS\":\"me\""},
      {R"({"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringIs":{"aws:a":"b"}}}]})",
       PolicyKind::identity, "Invalid Condition type : StringIs"},
      {R"({"Statement":[{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}]})",
       PolicyKind::identity, "Statement IDs (SID) in a single policy must be unique."},
      {R"({"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"1.2.3.4/33"}}}]})",
       PolicyKind::identity, "Invalid condition value: 1.2.3.4/33"},
  };
  for (const Wrong& wrong : cases) {
    const auto parsed = Policy::parse(wrong.json, wrong.kind);
    ASSERT_FALSE(parsed) << wrong.json;
    EXPECT_EQ(parsed.error().code, "MalformedPolicyDocument");
    EXPECT_EQ(parsed.error().message, wrong.message) << wrong.json;
  }
}

// How documents combine. Bucket "b" belongs to account 222222222222 or to the caller's
// 111111111111.

const std::string allow_all =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})";

NamedPolicy resource_policy(const std::string& principal, const std::string& effect = "Allow") {
  return named(statement(effect, R"("Principal":)" + principal +
                                     R"(,"Action":"s3:*","Resource":"arn:aws:s3:::b/*")"),
               PolicyKind::resource);
}

Ask get_object(std::string owner = "") {
  return {"s3:GetObject", "arn:aws:s3:::b/k", {}, std::move(owner)};
}

TEST(Evaluation, BetweenAccountsBothSidesMustAllow) {
  const NamedPolicy theirs = resource_policy(R"({"AWS":"111111111111"})");
  PolicySet set;
  EXPECT_FALSE(evaluate(user(), set, &theirs, get_object("222222222222"), {}).allowed);
  set.identity = {named(allow_all)};
  EXPECT_TRUE(evaluate(user(), set, &theirs, get_object("222222222222"), {}).allowed);
  EXPECT_FALSE(evaluate(user(), set, nullptr, get_object("222222222222"), {}).allowed);
  EXPECT_FALSE(
      evaluate(user("333333333333"), set, &theirs, get_object("222222222222"), {}).allowed);
}

TEST(Evaluation, WithinAnAccountEitherSideAllows) {
  const NamedPolicy by_arn = resource_policy(R"({"AWS":"arn:aws:iam::111111111111:user/ann"})");
  EXPECT_TRUE(evaluate(user(), {}, &by_arn, get_object(), {}).allowed);
  const NamedPolicy everyone = resource_policy(R"("*")");
  EXPECT_TRUE(evaluate(user(), {}, &everyone, get_object(), {}).allowed);
}

TEST(Evaluation, AListGrantsAsAPolicyOfTheResourceDoes) {
  const NamedPolicy list = resource_policy(R"({"AWS":"111111111111"})");
  PolicySet set;
  const Ask theirs = get_object("222222222222");
  EXPECT_FALSE(evaluate(user(), set, nullptr, theirs, {}, &list).allowed);
  set.identity = {named(allow_all)};
  EXPECT_TRUE(evaluate(user(), set, nullptr, theirs, {}, &list).allowed);
  Principal nobody;
  const NamedPolicy everyone = resource_policy(R"("*")");
  EXPECT_TRUE(evaluate(nobody, {}, nullptr, theirs, {}, &everyone).allowed);
  EXPECT_FALSE(evaluate(nobody, {}, nullptr, theirs, {}, &list).allowed);
}

TEST(Evaluation, NoListOpensWhatAPolicyDenies) {
  const NamedPolicy everyone = resource_policy(R"("*")");
  const NamedPolicy deny = resource_policy(R"("*")", "Deny");
  PolicySet set;
  set.identity = {named(allow_all)};
  for (bool only_denies : {false, true}) {
    Ask ask = get_object("222222222222");
    ask.resource_policy_only_denies = only_denies;
    EXPECT_TRUE(evaluate(user(), set, &deny, ask, {}, &everyone).explicit_deny);
    EXPECT_TRUE(evaluate({}, {}, &deny, ask, {}, &everyone).explicit_deny);
  }
  set.session = {named(statement("Allow", R"("Action":"sqs:*","Resource":"*")"))};
  EXPECT_FALSE(evaluate(user(), set, nullptr, get_object("222222222222"), {}, &everyone).allowed);
  const NamedPolicy broken{"list", nullptr};
  EXPECT_FALSE(evaluate(user(), set, &everyone, get_object(), {}, &broken).allowed);
}

TEST(Evaluation, APolicyOfAnotherAccountThanTheResourcesAllowsNothing) {
  const NamedPolicy everyone = resource_policy(R"("*")");
  Ask ask = get_object("222222222222");
  ask.resource_policy_only_denies = true;
  PolicySet set;
  set.identity = {named(allow_all)};
  EXPECT_FALSE(evaluate(user(), set, &everyone, ask, {}).allowed);
  EXPECT_FALSE(evaluate({}, {}, &everyone, ask, {}).allowed);
}

TEST(Evaluation, NamingTheAccountOnlyDelegatesToIt) {
  const NamedPolicy account = resource_policy(R"({"AWS":"arn:aws:iam::111111111111:root"})");
  EXPECT_FALSE(evaluate(user(), {}, &account, get_object(), {}).allowed);
}

TEST(Evaluation, AnExplicitDenyAnywhereWins) {
  PolicySet set;
  set.identity = {named(allow_all)};
  const NamedPolicy deny = resource_policy(R"("*")", "Deny");
  const Decision decision = evaluate(user(), set, &deny, get_object(), {});
  EXPECT_TRUE(decision.explicit_deny);
  EXPECT_EQ(decision.why, "with an explicit deny in a resource-based policy (p, statement #1)");
  Principal root;
  root.kind = PrincipalKind::root;
  root.account = "111111111111";
  root.arn = "arn:aws:iam::111111111111:root";
  EXPECT_FALSE(evaluate(root, {}, &deny, get_object(), {}).allowed);
  EXPECT_TRUE(evaluate(root, {}, nullptr, get_object(), {}).allowed);
}

TEST(Evaluation, ABoundaryLimitsIdentityPoliciesAndNotDirectGrants) {
  PolicySet set;
  set.identity = {named(allow_all)};
  set.boundary = {named(statement("Allow", R"("Action":"sqs:*","Resource":"*")"))};
  EXPECT_EQ(evaluate(user(), set, nullptr, get_object(), {}).why,
            "no permissions boundary allows the s3:GetObject action");
  const NamedPolicy direct = resource_policy(R"({"AWS":"arn:aws:iam::111111111111:user/ann"})");
  EXPECT_TRUE(evaluate(user(), set, &direct, get_object(), {}).allowed);
}

TEST(Evaluation, ASessionPolicyLimitsTheRoleEvenWhenAResourceNamesIt) {
  PolicySet set;
  set.identity = {named(allow_all)};
  set.session = {named(statement("Allow", R"("Action":"sqs:*","Resource":"*")"))};
  EXPECT_FALSE(evaluate(session(), set, nullptr, get_object(), {}).allowed);
  const NamedPolicy role = resource_policy(R"({"AWS":"arn:aws:iam::111111111111:role/r"})");
  EXPECT_FALSE(evaluate(session(), set, &role, get_object(), {}).allowed);
  const NamedPolicy direct =
      resource_policy(R"({"AWS":"arn:aws:sts::111111111111:assumed-role/r/s"})");
  EXPECT_TRUE(evaluate(session(), set, &direct, get_object(), {}).allowed);
}

TEST(Evaluation, AServiceHasOnlyWhatTheResourceGrantsIt) {
  Principal service;
  service.kind = PrincipalKind::service;
  service.service = "s3.amazonaws.com";
  const NamedPolicy policy = named(
      statement(
          "Allow",
          R"("Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*",
          "Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::photos"},"StringEquals":{"AWS:SourceAccount":"1"}})"),
      PolicyKind::resource);
  const Ask ask{"lambda:InvokeFunction", "arn:aws:lambda:r:1:function:f", {}, "1"};
  const Conditions right = {{"aws:sourcearn", {"arn:aws:s3:::photos"}},
                            {"aws:sourceaccount", {"1"}}};
  EXPECT_TRUE(evaluate(service, {}, &policy, ask, right).allowed);
  EXPECT_FALSE(
      evaluate(service, {}, &policy, ask, {{"aws:sourcearn", {"arn:aws:s3:::other"}}}).allowed);
  EXPECT_FALSE(evaluate(service, {}, nullptr, ask, right).allowed);
  service.service = "sns.amazonaws.com";
  EXPECT_FALSE(evaluate(service, {}, &policy, ask, right).allowed);
}

TEST(Evaluation, AnonymousCallersNeedAPublicResource) {
  const Principal nobody;
  const NamedPolicy everyone = resource_policy(R"("*")");
  EXPECT_TRUE(evaluate(nobody, {}, &everyone, get_object("222222222222"), {}).allowed);
  EXPECT_FALSE(evaluate(nobody, {}, nullptr, get_object("222222222222"), {}).allowed);
  const NamedPolicy account = resource_policy(R"({"AWS":"111111111111"})");
  EXPECT_FALSE(evaluate(nobody, {}, &account, get_object("222222222222"), {}).allowed);
}

TEST(Evaluation, ATrustPolicyMustAllowEvenWithinTheAccount) {
  PolicySet set;
  set.identity = {named(allow_all)};
  Ask ask{"sts:AssumeRole", "arn:aws:iam::111111111111:role/r"};
  ask.resource_policy_must_allow = true;
  EXPECT_FALSE(evaluate(user(), set, nullptr, ask, {}).allowed);
  const NamedPolicy account =
      named(statement("Allow", R"("Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole")"),
            PolicyKind::trust);
  EXPECT_TRUE(evaluate(user(), set, &account, ask, {}).allowed);
  EXPECT_FALSE(evaluate(user(), {}, &account, ask, {}).allowed);
}

TEST(Evaluation, APolicyThatCannotBeReadDeniesEverything) {
  PolicySet set;
  set.identity = {named(allow_all), {"broken", nullptr}};
  EXPECT_TRUE(evaluate(user(), set, nullptr, get_object(), {}).explicit_deny);
}

TEST(Evaluation, DenyToAllButSomeSparesOnlyThose) {
  PolicySet set;
  set.identity = {named(allow_all)};
  const NamedPolicy deny = named(
      statement(
          "Deny",
          R"("NotPrincipal":{"AWS":"arn:aws:iam::111111111111:user/ann"},"Action":"*","Resource":"*")"),
      PolicyKind::resource);
  EXPECT_TRUE(evaluate(user(), set, &deny, get_object(), {}).allowed);
  EXPECT_FALSE(evaluate(user("111111111111", "bob"), set, &deny, get_object(), {}).allowed);
}

TEST(Policy, WithAnEmptyListOfStatementsAllowsNothing) {
  const std::string json = R"({"Version":"2012-10-17","Statement":[]})";
  for (const PolicyKind kind : {PolicyKind::identity, PolicyKind::resource, PolicyKind::trust}) {
    const NamedPolicy policy = named(json, kind);
    ASSERT_NE(policy.policy, nullptr);
    PolicySet set;
    set.identity = {policy};
    EXPECT_FALSE(evaluate(user(), set, nullptr, {"s3:GetObject", "arn:aws:s3:::b/k"}, {}).allowed);
  }
  EXPECT_FALSE(Policy::parse(R"({"Version":"2012-10-17"})", PolicyKind::identity));
}

TEST(Evaluation, ABucketsPolicyCannotLockItsOwnersRootOutOfItself) {
  const NamedPolicy deny_all = named(
      statement("Deny", R"("Principal":"*","Action":"s3:*","Resource":"*")"), PolicyKind::resource);
  Principal root;
  root.kind = PrincipalKind::root;
  root.account = "111111111111";
  root.arn = "arn:aws:iam::111111111111:root";
  auto allowed = [&](const Principal& who, const std::string& action, const std::string& owner) {
    const Ask ask{action, "arn:aws:s3:::b", {}, owner};
    return evaluate(who, {}, &deny_all, ask, {}).allowed;
  };
  for (const char* action : {"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}) {
    EXPECT_TRUE(allowed(root, action, root.account)) << action;
    EXPECT_FALSE(allowed(root, action, "222222222222")) << action;
    EXPECT_FALSE(allowed(user(), action, "111111111111")) << action;
  }
  EXPECT_FALSE(allowed(root, "s3:ListBucket", root.account));
}

TEST(Condition, IfExistsHoldsWhenTheKeyIsMissingAndIsJudgedWhenItIsThere) {
  const std::string referer = R"({"StringLikeIfExists":{"aws:Referer":"http://a/*"}})";
  EXPECT_TRUE(holds(referer, {}));
  EXPECT_TRUE(holds(referer, {{"aws:referer", {"http://a/x"}}}));
  EXPECT_FALSE(holds(referer, {{"aws:referer", {"http://b/x"}}}));
  EXPECT_TRUE(deny_holds(referer, {}));
}

TEST(PolicyServices, AServiceIsGrantedByAnyOfItsActions) {
  const auto access = [](const char* statement, std::string_view service) {
    const std::string document =
        R"({"Version":"2012-10-17","Statement":[{"Resource":"*",)" + std::string(statement) + "}]}";
    const auto policy = Policy::parse(document, PolicyKind::identity);
    if (!policy) ADD_FAILURE() << document << ": " << policy.error().message;
    return policy ? (*policy)->access_to(service) : ServiceAccess();
  };
  EXPECT_TRUE(access(R"("Effect":"Allow","Action":"s3:GetObject")", "s3").granted);
  EXPECT_TRUE(access(R"("Effect":"Allow","Action":"S3:*")", "s3").granted);
  EXPECT_TRUE(access(R"("Effect":"Allow","Action":"*")", "s3").granted);
  EXPECT_FALSE(access(R"("Effect":"Allow","Action":"s3-other:GetObject")", "s3").granted);
  EXPECT_FALSE(access(R"("Effect":"Deny","Action":"s3:*")", "s3").granted);
  EXPECT_FALSE(access(R"("Effect":"Allow","NotAction":["s3:*","iam:Get*"])", "s3").granted);
  EXPECT_TRUE(access(R"("Effect":"Allow","NotAction":["s3:*","iam:Get*"])", "iam").granted);
  EXPECT_TRUE(access(R"("Effect":"Deny","Action":"s3:*")", "s3").withheld);
  EXPECT_TRUE(access(R"("Effect":"Deny","Action":["iam:*","s3:**"])", "s3").withheld);
  EXPECT_FALSE(access(R"("Effect":"Deny","Action":"s3:*t*")", "s3").withheld);
  EXPECT_FALSE(access(R"("Effect":"Deny","NotAction":"s3:GetObject")", "s3").withheld);
  EXPECT_TRUE(access(R"("Effect":"Deny","NotAction":"iam:*")", "s3").withheld);
  const char* at_times =
      R"("Effect":"Deny","Action":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}})";
  EXPECT_FALSE(access(at_times, "s3").withheld);
}

}  // namespace
}  // namespace wolke::identity
