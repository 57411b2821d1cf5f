#include "wolke/gateway/form_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/shape/json.h"

namespace wolke::gateway {

namespace {

using shape::Json;

Error invalid_document(std::string_view why) {
  return Error{.code = "InvalidPolicyDocument",
               .status = 400,
               .message = fmt::format("Invalid Policy: {}", why)};
}

Error refused(std::string_view why) {
  return Error{.code = "AccessDenied",
               .status = 403,
               .message = fmt::format("Invalid according to Policy: {}", why)};
}

/// S3 takes two escapes that JSON does not have: "\$" and "\v".
std::string with_json_escapes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char escaped = text[++i];
    if (escaped == '$') {
      out += '$';
    } else if (escaped == 'v') {
      out += "\\u000b";
    } else {
      out += '\\';
      out += escaped;
    }
  }
  return out;
}

std::string told(const Json& value) {
  return value.text();
}

std::string told(std::string_view operation, const Json& first, const Json& second) {
  return fmt::format("[\"{}\", {}, {}]", operation, told(first), told(second));
}

/// A bound as a number, or as a text of digits; nullopt: neither.
std::optional<std::int64_t> bound(const Json& value) {
  if (const Json::Number* number = value.number()) return parse_i64(number->text);
  if (const std::string* text = value.string()) return parse_i64(*text);
  return std::nullopt;
}

Result<void> add_size(const Json::Array& items, FormPolicy& policy) {
  if (items.size() != 3) {
    return fail(invalid_document("Invalid content-length-range: wrong number of arguments."));
  }
  const std::optional<std::int64_t> min = bound(items[1]);
  const std::optional<std::int64_t> max = bound(items[2]);
  if (!min || !max) {
    policy.conditions.push_back({.kind = FormCondition::Kind::never,
                                 .field = {},
                                 .value = {},
                                 .text = told("content-length-range", items[1], items[2])});
    return {};
  }
  if (*min < 0 || *max < *min) {
    return fail(invalid_document("Invalid content-length-range: the range has no size in it."));
  }
  policy.size.min = std::max(policy.size.min, static_cast<std::uint64_t>(*min));
  policy.size.max = std::min(policy.size.max, static_cast<std::uint64_t>(*max));
  return {};
}

/// ["eq", "$acl", "private"]
Result<void> add_match(const Json::Array& items, FormPolicy& policy) {
  if (items.empty() || items[0].string() == nullptr)
    return fail(invalid_document("Invalid Condition: it names no operation."));
  const std::string operation = to_lower(*items[0].string());
  if (operation == "content-length-range") return add_size(items, policy);
  if (operation != "eq" && operation != "starts-with")
    return fail(invalid_document("Invalid Condition: unknown operation."));
  if (items.size() != 3)
    return fail(invalid_document("Invalid Condition: wrong number of arguments."));
  const std::string* field = items[1].string();
  const std::string* value = items[2].string();
  if (field == nullptr || value == nullptr)
    return fail(invalid_document("Invalid Condition: value must be a string."));
  FormCondition condition{
      .kind = operation == "eq" ? FormCondition::Kind::equals : FormCondition::Kind::starts_with,
      .field = {},
      .value = *value,
      .text = told(operation, items[1], items[2])};
  if (field->starts_with('$')) {
    condition.field = to_lower(field->substr(1));
  } else {
    condition.kind = FormCondition::Kind::never;
  }
  policy.conditions.push_back(std::move(condition));
  return {};
}

/// {"acl": "private"}
Result<void> add_simple(const Json::Object& members, FormPolicy& policy) {
  if (members.size() != 1) {
    return fail(
        invalid_document("Invalid Simple-Condition: Simple-Conditions must have exactly one "
                         "property specified."));
  }
  const auto& [field, value] = members.front();
  if (value.string() == nullptr)
    return fail(invalid_document("Invalid Simple-Condition: value must be a string."));
  policy.conditions.push_back({.kind = FormCondition::Kind::equals,
                               .field = to_lower(field),
                               .value = *value.string(),
                               .text = told("eq", Json("$" + field), value)});
  return {};
}

bool starts_with(const FormCondition& condition, const std::string& value) {
  // Types in a list are judged one by one.
  if (condition.field != "content-type") return value.starts_with(condition.value);
  return std::ranges::all_of(split(value, ','), [&](std::string_view type) {
    return trim(type).starts_with(condition.value);
  });
}

bool holds(const FormCondition& condition, const std::string* value) {
  switch (condition.kind) {
    case FormCondition::Kind::equals:
      return value != nullptr && *value == condition.value;
    case FormCondition::Kind::starts_with:
      return value != nullptr && starts_with(condition, *value);
    case FormCondition::Kind::never:
      break;
  }
  return false;
}

/// What no condition needs to name.
bool is_free(std::string_view field, bool version2) {
  if (field == "file" || field == "policy" || field.starts_with("x-ignore-")) return true;
  if (version2) return field == "awsaccesskeyid" || field == "signature";
  return field == "x-amz-signature";
}

}  // namespace

Result<FormPolicy> parse_form_policy(std::string_view base64) {
  const std::optional<std::string> text = from_base64(base64);
  if (!text) return fail(invalid_document("Invalid JSON."));
  const Result<Json> document = shape::parse_json(with_json_escapes(*text));
  if (!document || document->object() == nullptr) return fail(invalid_document("Invalid JSON."));
  const Json* expiration = document->find("expiration");
  if (expiration == nullptr) return fail(invalid_document("Policy missing expiration."));
  // Ends in "Z", as S3 asks for it.
  const std::string* end = expiration->string();
  const bool utc = end != nullptr && end->ends_with('Z') && end->find('T') != std::string::npos;
  const std::optional<Timestamp> time = utc ? parse_iso8601(*end) : std::nullopt;
  if (!time) {
    return fail(invalid_document(
        fmt::format("Invalid 'expiration' value: {}", end != nullptr ? *end : told(*expiration))));
  }
  const Json* conditions = document->find("conditions");
  if (conditions == nullptr) return fail(invalid_document("Policy missing conditions."));
  if (conditions->array() == nullptr)
    return fail(invalid_document("Invalid 'conditions' value: must be a List."));
  FormPolicy policy{.expiration = *time, .conditions = {}, .size = {}};
  for (const Json& condition : *conditions->array()) {
    if (const Json::Array* items = condition.array()) {
      TRY(add_match(*items, policy));
    } else if (const Json::Object* members = condition.object()) {
      TRY(add_simple(*members, policy));
    } else {
      return fail(invalid_document("Invalid Condition: must be a List or an Object."));
    }
  }
  return policy;
}

Result<void> check_form_policy(const FormPolicy& policy, const FormFields& fields,
                               std::string_view bucket, Timestamp now) {
  if (now > policy.expiration) return fail(refused("Policy expired."));
  const std::string posted_to(bucket);
  std::set<std::string, std::less<>> named;
  for (const FormCondition& condition : policy.conditions) {
    named.insert(condition.field);
    const std::string* value =
        condition.field == "bucket" ? &posted_to : find_field(fields, condition.field);
    if (!holds(condition, value))
      return fail(refused("Policy Condition failed: " + condition.text));
  }
  const bool version2 = find_field(fields, "x-amz-signature") == nullptr;
  std::string extra;
  auto add = [&extra](std::string_view name) {
    if (!extra.empty()) extra += ", ";
    extra += name;
  };
  if (!named.contains("bucket")) add("bucket");
  for (const auto& [name, value] : fields) {
    if (name != "bucket" && !is_free(name, version2) && !named.contains(name)) add(name);
  }
  if (!extra.empty()) return fail(refused("Extra input fields: " + extra));
  return {};
}

Result<void> check_size(const SizeRange& range, std::uint64_t bytes) {
  if (bytes > range.max) {
    return fail({.code = "EntityTooLarge",
                 .status = 400,
                 .message = "Your proposed upload exceeds the maximum allowed size",
                 .fields = {{"ProposedSize", std::to_string(bytes)},
                            {"MaxSizeAllowed", std::to_string(range.max)}}});
  }
  if (bytes < range.min) {
    return fail({.code = "EntityTooSmall",
                 .status = 400,
                 .message = "Your proposed upload is smaller than the minimum allowed size",
                 .fields = {{"ProposedSize", std::to_string(bytes)},
                            {"MinSizeAllowed", std::to_string(range.min)}}});
  }
  return {};
}

}  // namespace wolke::gateway
