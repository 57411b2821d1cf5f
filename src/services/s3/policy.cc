#include "wolke/services/s3/policy.h"

#include <algorithm>
#include <array>

#include "wolke/base/text.h"
#include "wolke/identity/policy.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/names.h"
#include "wolke/shape/json.h"

namespace wolke::s3 {
namespace {

using shape::Json;

/// One text or a list of texts; anything else is empty.
std::vector<std::string_view> texts(const Json* value) {
  std::vector<std::string_view> out;
  if (value == nullptr) return out;
  if (const std::string* one = value->string()) out.push_back(*one);
  if (const Json::Array* many = value->array()) {
    for (const Json& item : *many) {
      if (const std::string* text = item.string()) out.push_back(*text);
    }
  }
  return out;
}

std::vector<const Json*> statements(const Json& document) {
  std::vector<const Json*> out;
  const Json* statement = document.find("Statement");
  if (statement == nullptr) return out;
  if (const Json::Array* many = statement->array()) {
    for (const Json& one : *many) out.push_back(&one);
  } else {
    out.push_back(statement);
  }
  return out;
}

Result<void> check_statement(const Json& statement, std::string_view bucket) {
  if (statement.object() == nullptr)
    return fail(malformed_policy("Policies must be valid JSON and the first byte must be '{'"));
  std::optional<std::string> effect = statement.string_at("Effect");
  if (!effect) return fail(malformed_policy("Missing required field Effect"));
  if (*effect != "Allow" && *effect != "Deny") {
    return fail(malformed_policy("Invalid effect: " + printable(*effect)));
  }
  if (!statement.find("Principal") && !statement.find("NotPrincipal")) {
    return fail(malformed_policy("Missing required field Principal"));
  }
  const Json* action = statement.find("Action");
  if (action == nullptr) action = statement.find("NotAction");
  if (action == nullptr) return fail(malformed_policy("Missing required field Action"));
  for (std::string_view one : texts(action)) {
    if (one != "*" && !to_lower(one).starts_with("s3:")) {
      return fail(malformed_policy("Policy has invalid action"));
    }
  }
  const Json* resource = statement.find("Resource");
  if (resource == nullptr) resource = statement.find("NotResource");
  std::vector<std::string_view> resources = texts(resource);
  if (resources.empty()) return fail(malformed_policy("Missing required field Resource"));
  std::string arn = bucket_arn(bucket);
  for (std::string_view one : resources) {
    if (one == "*") continue;
    std::string_view name = one.substr(0, one.find('/'));
    if (!name.starts_with("arn:aws:s3:::") || !glob_match(name, arn)) {
      return fail(malformed_policy("Policy has invalid resource"));
    }
  }
  return {};
}

bool is_everybody(const Json* principal) {
  if (principal == nullptr) return false;
  auto has_star = [](const Json* value) { return std::ranges::count(texts(value), "*") > 0; };
  return has_star(principal) || has_star(principal->find("AWS"));
}

/// Condition keys that bind a statement to fixed callers.
bool is_narrowed(const Json* condition) {
  constexpr std::array<std::string_view, 9> keys = {
      "aws:sourceip",       "aws:sourcearn",        "aws:sourceaccount",
      "aws:principalorgid", "aws:principalaccount", "aws:principalarn",
      "aws:userid",         "aws:sourcevpc",        "aws:sourcevpce"};
  if (condition == nullptr || condition->object() == nullptr) return false;
  for (const auto& [op, tests] : *condition->object()) {
    if (tests.object() == nullptr) continue;
    for (const auto& [key, values] : *tests.object()) {
      std::vector<std::string_view> given = texts(&values);
      bool fixed = !given.empty() && std::ranges::none_of(given, [](std::string_view v) {
        return v.find_first_of("*?$") != std::string_view::npos || v == "0.0.0.0/0" || v == "::/0";
      });
      if (fixed && std::ranges::find(keys, to_lower(key)) != keys.end()) return true;
    }
  }
  return false;
}

}  // namespace

Result<void> check_policy(std::string_view document, std::string_view bucket) {
  if (document.size() > policy_bytes_max) {
    return fail(Error{"PolicyTooLarge", 400, "Policies must be less than 20480 bytes."});
  }
  Result<Json> parsed = shape::parse_json(document);
  if (!parsed || parsed->object() == nullptr) {
    return fail(malformed_policy("Policies must be valid JSON and the first byte must be '{'"));
  }
  std::optional<std::string> version = parsed->string_at("Version");
  if (version && *version != "2012-10-17" && *version != "2008-10-17") {
    return fail(malformed_policy("The policy must contain a valid version string"));
  }
  std::vector<const Json*> all = statements(*parsed);
  if (parsed->find("Statement") == nullptr)
    return fail(malformed_policy("Missing required field Statement"));
  if (all.empty()) return fail(malformed_policy("Could not parse the policy: Statement is empty!"));
  for (const Json* one : all) {
    TRY(check_statement(*one, bucket));
  }
  // What the engine cannot read would deny everybody: it is refused here instead.
  auto readable = identity::Policy::parse(document, identity::PolicyKind::resource);
  if (!readable) return fail(malformed_policy(readable.error().message));
  return {};
}

std::optional<std::string> denials_of_policy(std::string_view document) {
  Result<Json> parsed = shape::parse_json(document);
  if (!parsed) return std::string(document);  // broken: it denies everything
  Json::Array denials;
  for (const Json* one : statements(*parsed)) {
    if (one->string_at("Effect") != "Allow") denials.push_back(*one);
  }
  if (denials.empty()) return std::nullopt;
  parsed->set("Statement", std::move(denials));
  return parsed->text();
}

bool is_public_policy(std::string_view document) {
  Result<Json> parsed = shape::parse_json(document);
  if (!parsed) return false;
  return std::ranges::any_of(statements(*parsed), [](const Json* one) {
    bool everybody = is_everybody(one->find("Principal")) || one->find("NotPrincipal") != nullptr;
    return one->string_at("Effect") == "Allow" && everybody && !is_narrowed(one->find("Condition"));
  });
}

}  // namespace wolke::s3
