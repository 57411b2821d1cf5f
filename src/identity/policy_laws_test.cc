// Laws that hold for every policy, tried on seeded random ones.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "wolke/base/text.h"
#include "wolke/identity/evaluation.h"

namespace wolke::identity {
namespace {

/// Tries of each law: ten laws, so more than 10^5 random policies at each test run. For 10^6:
/// WOLKE_LAW_ROUNDS=100000 WOLKE_LAW_SEED=any identity_test --gtest_filter='PolicyLaws.*'
int number_of(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return static_cast<int>(parse_u64(text == nullptr ? "" : text).value_or(otherwise));
}
const int rounds = number_of("WOLKE_LAW_ROUNDS", 12'000);
const unsigned first_seed = static_cast<unsigned>(number_of("WOLKE_LAW_SEED", 0));

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(first_seed + seed) {}

  std::size_t below(std::size_t bound) { return random_() % bound; }
  template <std::size_t n>
  std::string one_of(const char* const (&choices)[n]) {
    return choices[below(n)];
  }

  std::string action() {
    return one_of({"s3:GetObject", "s3:PutObject", "sqs:SendMessage", "iam:GetUser"});
  }
  std::string resource() {
    return one_of({"arn:aws:s3:::b/k", "arn:aws:s3:::b/dir/k", "arn:aws:sqs:r:1:q"});
  }
  std::string action_pattern() {
    return one_of({"*", "s3:*", "S3:Get*", "s3:?etObject", "sqs:SendMessage", "iam:*"});
  }
  std::string resource_pattern() {
    return one_of({"*", "arn:aws:s3:::b/*", "arn:aws:s3:::*/k", "arn:aws:sqs:*:*:q",
                   "arn:aws:s3:::${aws:username}/*"});
  }
  std::string condition() {
    if (below(2) == 0) return "";
    const std::string op = one_of({"StringEquals", "StringNotEquals", "StringLikeIfExists",
                                   "ForAllValues:StringLike", "ForAnyValue:StringEquals",
                                   "NumericLessThan", "IpAddress", "DateLessThan", "Bool"});
    const std::string value = op == "NumericLessThan" ? "5"
                              : op == "IpAddress"     ? "10.0.0.0/8"
                              : op == "DateLessThan"  ? "2020-01-01"
                              : op == "Bool"          ? "true"
                                                      : one_of({"b", "x", "${aws:username}"});
    return fmt::format(R"(,"Condition":{{"{}":{{"{}":"{}"}}}})", op,
                       one_of({"aws:username", "aws:sourceip", "k:n"}), value);
  }
  std::string statement(const char* effect) {
    return fmt::format(R"({{"Effect":"{}","{}":"{}","{}":"{}"{}}})", effect,
                       below(5) == 0 ? "NotAction" : "Action", action_pattern(),
                       below(5) == 0 ? "NotResource" : "Resource", resource_pattern(), condition());
  }
  std::string statement() { return statement(below(3) == 0 ? "Deny" : "Allow"); }
  std::vector<std::string> statements() {
    std::vector<std::string> out(1 + below(6));
    std::generate(out.begin(), out.end(), [this] { return statement(); });
    return out;
  }
  Conditions request() {
    Conditions out;
    if (below(4) != 0) out["aws:username"] = {one_of({"b", "x", "*", "${*}"})};
    if (below(2) == 0) out["aws:sourceip"] = {one_of({"10.1.1.1", "11.1.1.1", "garbage"})};
    if (below(2) == 0) out["k:n"] = {one_of({"3", "7", "b", "true"}), "x"};
    return out;
  }
  std::mt19937& engine() { return random_; }

 private:
  std::mt19937 random_;
};

std::string document(const std::vector<std::string>& statements) {
  std::string out = R"({"Version":"2012-10-17","Statement":[)";
  for (std::size_t i = 0; i < statements.size(); ++i) out += (i ? "," : "") + statements[i];
  return out + "]}";
}

struct Case {
  Ask ask;
  Conditions request;
};

NamedPolicy compiled(const std::vector<std::string>& statements) {
  auto policy = Policy::parse(document(statements), PolicyKind::identity);
  EXPECT_TRUE(policy) << document(statements);
  return {"p", policy ? *policy : nullptr};
}

Decision decide(const PolicySet& set, const Case& c) {
  Principal user;
  user.kind = PrincipalKind::user;
  user.account = "111111111111";
  user.arn = "arn:aws:iam::111111111111:user/x";
  return evaluate(user, set, nullptr, c.ask, c.request);
}

Decision decide(const std::vector<std::string>& statements, const Case& c) {
  PolicySet set;
  set.identity = {compiled(statements)};
  return decide(set, c);
}

Case make_case(Maker& make) {
  return {{make.action(), make.resource()}, make.request()};
}

TEST(PolicyLaws, AddingADenyNeverGrants) {
  Maker make(1);
  int granted = 0;
  for (int i = 0; i < rounds; ++i) {
    std::vector<std::string> statements = make.statements();
    const Case c = make_case(make);
    const bool before = decide(statements, c).allowed;
    granted += before;
    statements.push_back(make.statement("Deny"));
    if (!before) EXPECT_FALSE(decide(statements, c).allowed) << document(statements);
  }
  EXPECT_GT(granted, rounds / 20);  // the law was tried on both sides
}

TEST(PolicyLaws, AddingAnAllowNeverRevokes) {
  Maker make(2);
  for (int i = 0; i < rounds; ++i) {
    std::vector<std::string> statements = make.statements();
    const Case c = make_case(make);
    if (!decide(statements, c).allowed) continue;
    statements.push_back(make.statement("Allow"));
    EXPECT_TRUE(decide(statements, c).allowed) << document(statements);
  }
}

TEST(PolicyLaws, TheOrderOfStatementsDoesNotMatter) {
  Maker make(3);
  for (int i = 0; i < rounds; ++i) {
    std::vector<std::string> statements = make.statements();
    const Case c = make_case(make);
    const Decision before = decide(statements, c);
    std::shuffle(statements.begin(), statements.end(), make.engine());
    const Decision after = decide(statements, c);
    EXPECT_EQ(before.allowed, after.allowed) << document(statements);
    EXPECT_EQ(before.explicit_deny, after.explicit_deny) << document(statements);
  }
}

TEST(PolicyLaws, NotActionAndNotResourceAreComplements) {
  Maker make(4);
  for (int i = 0; i < rounds; ++i) {
    const Case c = make_case(make);
    const std::string pattern = make.action_pattern();
    auto with = [&](const char* element) {
      return decide({fmt::format(R"({{"Effect":"Allow","{}":"{}","Resource":"*"}})", element,
                                 pattern)},
                    c)
          .allowed;
    };
    EXPECT_NE(with("Action"), with("NotAction")) << pattern;
  }
}

TEST(PolicyLaws, ADenyBeatsEveryAllow) {
  Maker make(5);
  for (int i = 0; i < rounds; ++i) {
    std::vector<std::string> statements = make.statements();
    statements.push_back(R"({"Effect":"Deny","Action":"*","Resource":"*"})");
    EXPECT_TRUE(decide(statements, make_case(make)).explicit_deny);
  }
}

TEST(PolicyLaws, AConditionAndItsNegationNeverBothHold) {
  Maker make(6);
  const std::pair<const char*, const char*> pairs[] = {
      {"StringEquals", "StringNotEquals"},   {"StringLike", "StringNotLike"},
      {"NumericEquals", "NumericNotEquals"}, {"DateEquals", "DateNotEquals"},
      {"IpAddress", "NotIpAddress"},         {"ArnLike", "ArnNotLike"}};
  for (int i = 0; i < rounds; ++i) {
    const auto& [positive, negative] = pairs[make.below(std::size(pairs))];
    const std::string value = std::string_view(positive) == "IpAddress"       ? "10.0.0.0/8"
                              : std::string_view(positive) == "DateEquals"    ? "2020-01-01"
                              : std::string_view(positive).starts_with("Num") ? "3"
                                                                              : "x";
    const Case c = make_case(make);
    auto holds = [&](const char* op) {
      return decide(
                 {fmt::format(
                     R"({{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"{}":{{"k:n":"{}"}}}}}})",
                     op, value)},
                 c)
          .allowed;
    };
    EXPECT_FALSE(holds(positive) && holds(negative));
  }
}

TEST(PolicyLaws, ABoundaryLeavesExactlyWhatBothAllow) {
  Maker make(8);
  int narrowed = 0, left = 0;
  for (int i = 0; i < rounds; ++i) {
    const std::vector<std::string> own = make.statements(), limit = make.statements();
    const Case c = make_case(make);
    PolicySet set;
    set.identity = {compiled(own)};
    set.boundary = {compiled(limit)};
    const bool without = decide(own, c).allowed, with = decide(set, c).allowed;
    EXPECT_EQ(with, without && decide(limit, c).allowed) << document(own) << document(limit);
    narrowed += without && !with;
    left += with;
  }
  EXPECT_GT(narrowed, rounds / 50);
  EXPECT_GT(left, rounds / 50);
}

TEST(PolicyLaws, SessionPoliciesLeaveExactlyWhatTheyAndTheRestAllow) {
  Maker make(9);
  int narrowed = 0, left = 0;
  for (int i = 0; i < rounds; ++i) {
    const std::vector<std::string> own = make.statements(), limit = make.statements();
    std::vector<std::string> one = make.statements(), other = make.statements();
    const Case c = make_case(make);
    PolicySet set;
    set.identity = {compiled(own)};
    if (make.below(2) == 0) set.boundary = {compiled(limit)};
    const bool without = decide(set, c).allowed;
    set.session = {compiled(one), compiled(other)};
    const bool with = decide(set, c).allowed;
    one.insert(one.end(), other.begin(), other.end());  // together they are one policy
    EXPECT_EQ(with, without && decide(one, c).allowed) << document(own) << document(one);
    narrowed += without && !with;
    left += with;
  }
  EXPECT_GT(narrowed, rounds / 50);
  EXPECT_GT(left, rounds / 50);
}

TEST(PolicyLaws, NothingLimitsNothing) {
  Maker make(10);
  const NamedPolicy everything = compiled({R"({"Effect":"Allow","Action":"*","Resource":"*"})"});
  for (int i = 0; i < rounds; ++i) {
    const std::vector<std::string> own = make.statements();
    const Case c = make_case(make);
    PolicySet set;
    set.boundary = {everything};
    set.session = {everything};
    EXPECT_FALSE(decide(set, c).allowed) << "limits alone grant nothing";
    set.identity = {compiled(own)};
    EXPECT_EQ(decide(set, c).allowed, decide(own, c).allowed) << document(own);
  }
}

TEST(PolicyLaws, WildcardsAgreeWithASimpleMatcher) {
  Maker make(7);
  const Context none;
  for (int i = 0; i < rounds * 5; ++i) {
    std::string pattern;
    std::string text;
    for (std::size_t n = make.below(8); n > 0; --n)
      pattern += make.one_of({"a", "b", "*", "?", "ab"});
    for (std::size_t n = make.below(10); n > 0; --n) text += make.one_of({"a", "b"});
    const bool ours =
        Pattern::compile(pattern, PatternKind::glob, true).match(text, none) == Match::yes;
    EXPECT_EQ(ours, glob_match(pattern, text)) << pattern << " " << text;
  }
}

TEST(PolicyLaws, LongRunsWithQuestionMarksAgreeWithASimpleMatcher) {
  Maker make(11);
  const Context none;
  int matched = 0;
  for (int i = 0; i < rounds; ++i) {
    std::string text, run;
    for (std::size_t n = 20 + make.below(200); n > 0; --n) text += make.one_of({"a", "b"});
    const std::size_t size = 17 + make.below(text.size() - 16);
    run = text.substr(make.below(text.size() - std::min(text.size(), size) + 1), size);
    for (std::size_t n = 1 + make.below(20); n > 0; --n) run[make.below(run.size())] = '?';
    if (make.below(3) == 0) run[make.below(run.size())] = 'a';
    const std::string pattern = "*" + run + "*";
    const bool ours =
        Pattern::compile(pattern, PatternKind::glob, true).match(text, none) == Match::yes;
    EXPECT_EQ(ours, glob_match(pattern, text)) << pattern << " " << text;
    matched += ours;
  }
  EXPECT_GT(matched, rounds / 2);
  EXPECT_LT(matched, rounds);
}

TEST(PolicyLaws, ManyQuestionMarksCostNoMoreThanAFewPasses) {
  const Context none;
  std::string marks;
  for (int i = 0; i < 3000; ++i) marks += "?a";
  const std::string text(100'000, 'a');
  const Pattern pattern = Pattern::compile("*" + marks + "b*", PatternKind::glob, false);
  // The product of the lengths, 600 million comparisons each time, would not end in time.
  for (int i = 0; i < 50; ++i) EXPECT_EQ(pattern.match(text, none), Match::no);
}

TEST(PolicyLaws, ManyStarsCostNoMoreThanOnePass) {
  const Context none;
  std::string stars;
  for (int i = 0; i < 2000; ++i) stars += "*a";
  const std::string text(100'000, 'a');
  const Pattern pattern = Pattern::compile(stars + "*b", PatternKind::glob, false);
  // Exponential or quadratic matching of this would not end within the test's time limit.
  for (int i = 0; i < 200; ++i) EXPECT_EQ(pattern.match(text, none), Match::no);
}

}  // namespace
}  // namespace wolke::identity
