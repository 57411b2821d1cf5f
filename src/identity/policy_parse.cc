// Reads and validates policy documents (policy.h). The texts of the errors are IAM's.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "wolke/base/text.h"
#include "wolke/identity/policy_errors.h"
#include "wolke/identity/statement.h"

namespace wolke::identity {
namespace {

using shape::Json;

constexpr std::size_t policy_bytes_max = 128 * 1024;  // far above every service's own quota

bool is_alphanumeric(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

/// "x" or ["x", …], all strings, at least one.
Result<std::vector<std::string>> string_list(const Json& json) {
  std::vector<std::string> out;
  if (const std::string* text = json.string()) {
    out.push_back(*text);
    return out;
  }
  const auto* items = json.array();
  if (items == nullptr) return fail(syntax_error());
  for (const Json& item : *items) {
    if (item.string() == nullptr) return fail(syntax_error());
    out.push_back(*item.string());
  }
  return out;
}

Result<void> check_action(const std::string& action) {
  if (action == "*") return {};
  const std::size_t colon = action.find(':');
  if (colon == std::string::npos) {
    return fail(malformed_policy(
        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
  }
  const std::string_view vendor = std::string_view(action).substr(0, colon);
  const bool valid = !vendor.empty() && std::all_of(vendor.begin(), vendor.end(), [](char c) {
    return is_alphanumeric({&c, 1}) || c == '-';
  });
  if (!valid) return fail(malformed_policy(fmt::format("Vendor {} is not valid", vendor)));
  if (colon + 1 == action.size() || action.find(':', colon + 1) != std::string::npos) {
    return fail(malformed_policy("Actions/Condition can contain only one colon."));
  }
  return {};
}

Result<void> check_resource(const std::string& resource) {
  if (resource == "*") return {};
  const bool arn = resource.starts_with("arn:") || resource.starts_with("${");
  const bool colons = std::count(resource.begin(), resource.end(), ':') >= 5 ||
                      resource.find('*') != std::string::npos || resource.starts_with("${");
  if (!arn || !colons) {
    return fail(
        malformed_policy(fmt::format("Resource {} must be in ARN format or \"*\".", resource)));
  }
  return {};
}

bool is_account_id(std::string_view text) {
  return text.size() == 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_aws_principal(const std::string& text) {
  if (is_account_id(text)) return true;
  if (text.starts_with("AIDA") || text.starts_with("AROA") || text.starts_with("AGPA")) {
    return is_alphanumeric(text);
  }
  const std::vector<std::string_view> parts = split(text, ':');
  return parts.size() >= 6 && parts[0] == "arn" && (parts[2] == "iam" || parts[2] == "sts") &&
         is_account_id(parts[4]) && text.find_first_of("*?") == std::string::npos;
}

}  // namespace

class PolicyParser {
 public:
  explicit PolicyParser(PolicyKind kind) : kind_(kind) {}

  Result<std::shared_ptr<const Policy>> parse(const Json& document);

 private:
  using Statement = Policy::Statement;

  Result<Statement> statement(const Json& json, std::size_t number);
  Result<void> effect_and_sid(const Json& json, Statement& out);
  Result<void> actions(const Json& json, Statement& out);
  Result<void> resources(const Json& json, Statement& out);
  Result<void> principals(const Json& json, Statement& out);
  Result<void> principal_entry(const std::string& type, const std::string& text, Statement& out);

  PolicyKind kind_;
  bool variables_ = false;
  std::set<std::string> sids_;
};

Result<void> PolicyParser::effect_and_sid(const Json& json, Statement& out) {
  const std::optional<std::string> effect = json.string_at("Effect");
  if (effect != "Allow" && effect != "Deny") return fail(syntax_error());
  out.allow = *effect == "Allow";
  const Json* sid = json.find("Sid");
  if (sid == nullptr) return {};
  if (sid->string() == nullptr) return fail(syntax_error());
  const std::string& text = *sid->string();
  if (text.empty()) return {};
  if (kind_ != PolicyKind::resource && !is_alphanumeric(text)) {
    return fail(
        malformed_policy("Statement IDs (SID) must be alpha-numeric. Check that your input "
                         "satisfies the regular expression "
                         "[0-9A-Za-z]*"));
  }
  if (!sids_.insert(text).second) {
    return fail(malformed_policy("Statement IDs (SID) in a single policy must be unique."));
  }
  out.name = text;
  return {};
}

Result<void> PolicyParser::actions(const Json& json, Statement& out) {
  const Json* action = json.find("Action");
  const Json* not_action = json.find("NotAction");
  if (action != nullptr && not_action != nullptr) return fail(syntax_error());
  out.not_action = not_action != nullptr;
  if (action == nullptr) action = not_action;
  if (action == nullptr) return fail(malformed_policy("Policy statement must contain actions."));
  TRY(std::vector<std::string> names, string_list(*action));
  if (names.empty()) return fail(malformed_policy("Policy statement must contain actions."));
  for (const std::string& name : names) {
    TRY(check_action(name));
    const std::string lower = to_lower(name);
    if (kind_ == PolicyKind::trust && !lower.starts_with("sts:")) {
      return fail(malformed_policy("AssumeRole policy may only specify STS AssumeRole actions."));
    }
    out.actions.push_back(Pattern::compile(lower, PatternKind::glob, false));
  }
  return {};
}

Result<void> PolicyParser::resources(const Json& json, Statement& out) {
  const Json* resource = json.find("Resource");
  const Json* not_resource = json.find("NotResource");
  if (resource != nullptr && not_resource != nullptr) return fail(syntax_error());
  out.not_resource = not_resource != nullptr;
  if (resource == nullptr) resource = not_resource;
  if (resource == nullptr) {
    if (kind_ == PolicyKind::identity) {
      return fail(malformed_policy("Policy statement must contain resources."));
    }
    return {};
  }
  if (kind_ == PolicyKind::trust) return fail(malformed_policy("Has prohibited field Resource"));
  TRY(std::vector<std::string> names, string_list(*resource));
  if (names.empty()) return fail(malformed_policy("Policy statement must contain resources."));
  for (const std::string& name : names) {
    TRY(check_resource(name));
    Pattern whole = Pattern::compile(name, PatternKind::glob, variables_);
    std::vector<Pattern> parts = whole.split_arn();
    out.resources.push_back({std::move(whole), std::move(parts)});
  }
  return {};
}

Result<void> PolicyParser::principal_entry(const std::string& type, const std::string& text,
                                           Statement& out) {
  if (text == "*" && type == "AWS") {
    out.principals.push_back({PrincipalType::everyone, "*"});
    return {};
  }
  const bool known =
      type == "AWS" ? is_aws_principal(text) : !text.empty() && text.find('*') == std::string::npos;
  std::optional<PrincipalType> kind;
  if (type == "AWS") kind = PrincipalType::aws;
  if (type == "Service") kind = PrincipalType::service;
  if (type == "Federated") kind = PrincipalType::federated;
  if (type == "CanonicalUser") kind = PrincipalType::canonical_user;
  if (!kind || !known) {
    return fail(
        malformed_policy(fmt::format("Invalid principal in policy: \"{}\":\"{}\"", type, text)));
  }
  out.principals.push_back({*kind, text});
  return {};
}

Result<void> PolicyParser::principals(const Json& json, Statement& out) {
  const Json* principal = json.find("Principal");
  const Json* not_principal = json.find("NotPrincipal");
  if (principal != nullptr && not_principal != nullptr) return fail(syntax_error());
  out.not_principal = not_principal != nullptr;
  if (principal == nullptr) principal = not_principal;
  if (kind_ == PolicyKind::identity) {
    if (principal != nullptr)
      return fail(malformed_policy("Policy document should not specify a principal."));
    return {};
  }
  if (principal == nullptr) return fail(malformed_policy("Missing required field Principal"));
  out.has_principal = true;
  // Everyone but these: as an Allow it would grant to the world by accident; AWS refuses it for
  // roles.
  if (out.not_principal && out.allow)
    return fail(malformed_policy("Allow with NotPrincipal is not allowed."));
  if (const std::string* text = principal->string()) {
    if (*text != "*")
      return fail(malformed_policy(fmt::format("Invalid principal in policy: \"{}\"", *text)));
    out.principals.push_back({PrincipalType::everyone, "*"});
    return {};
  }
  const auto* object = principal->object();
  if (object == nullptr || object->empty()) return fail(syntax_error());
  for (const auto& [type, values] : *object) {
    TRY(std::vector<std::string> texts, string_list(values));
    for (const std::string& text : texts) {
      TRY(principal_entry(type, text, out));
    }
  }
  return {};
}

Result<Policy::Statement> PolicyParser::statement(const Json& json, std::size_t number) {
  constexpr std::string_view known[] = {"Sid",          "Effect",      "Principal",
                                        "NotPrincipal", "Action",      "NotAction",
                                        "Resource",     "NotResource", "Condition"};
  if (json.object() == nullptr) return fail(syntax_error());
  for (const auto& [key, value] : *json.object()) {
    if (std::find(std::begin(known), std::end(known), key) == std::end(known))
      return fail(syntax_error());
  }
  Statement out;
  out.name = fmt::format("#{}", number);
  TRY(effect_and_sid(json, out));
  TRY(actions(json, out));
  TRY(resources(json, out));
  TRY(principals(json, out));
  if (const Json* condition = json.find("Condition")) {
    TRY(out.condition, ConditionBlock::compile(*condition, variables_));
  }
  return out;
}

Result<std::shared_ptr<const Policy>> PolicyParser::parse(const Json& document) {
  if (document.object() == nullptr) return fail(syntax_error());
  for (const auto& [key, value] : *document.object()) {
    if (key != "Version" && key != "Id" && key != "Statement") return fail(syntax_error());
  }
  std::string version = "2008-10-17";
  if (const Json* json = document.find("Version")) {
    if (json->string() == nullptr) return fail(syntax_error());
    version = *json->string();
  }
  if (version != "2012-10-17" && version != "2008-10-17") return fail(syntax_error());
  variables_ = version == "2012-10-17";
  const Json* statements = document.find("Statement");
  if (statements == nullptr) return fail(syntax_error());
  const Json::Array single = {*statements};
  const auto* list = statements->array() != nullptr ? statements->array() : &single;
  // None at all is a document that allows nothing.
  std::shared_ptr<Policy> out(new Policy());
  for (const Json& item : *list) {
    TRY(Statement compiled, statement(item, out->statements_.size() + 1));
    out->statements_.push_back(std::move(compiled));
  }
  return std::shared_ptr<const Policy>(std::move(out));
}

Result<std::shared_ptr<const Policy>> Policy::parse(std::string_view json, PolicyKind kind) {
  if (json.size() > policy_bytes_max) return fail(malformed_policy("The policy is too long."));
  Result<Json> document = shape::parse_json(json);
  if (!document) return fail(malformed_policy("This policy contains invalid Json"));
  return PolicyParser(kind).parse(*document);
}

}  // namespace wolke::identity
