#include "wolke/services/lambda/function_name.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "wolke/base/text.h"
#include "wolke/services/lambda/errors.h"

namespace wolke::lambda {
namespace {

bool is_account(std::string_view text) {
  return text.size() == 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

bool is_qualifier(std::string_view text) {
  return text == latest || is_word(text);
}

Error bad_name(std::string_view name) {
  return validation(fmt::format(
      "1 validation error detected: Value '{}' at 'functionName' failed to satisfy constraint: "
      "Member must satisfy "
      "regular expression pattern: "
      "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{{2}}(-gov)?-[a-z]+-\\d{{1}}:)?(\\d{{12}}:)?"
      "(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?",
      name));
}

/// Takes the leading parts off that are optional in every form.
FunctionRef take_prefix(std::vector<std::string_view>& parts, std::string_view account,
                        std::string_view region) {
  FunctionRef out{std::string(account), std::string(region), {}, {}};
  auto drop = [&parts](std::size_t count) {
    parts.erase(parts.begin(), parts.begin() + static_cast<long>(count));
  };
  if (parts.size() >= 3 && parts[0] == "arn" && parts[1].starts_with("aws") && parts[2] == "lambda")
    drop(3);
  if (parts.size() >= 3 && is_account(parts[1]) && parts[2] == "function") {
    out.region = parts[0];
    drop(1);
  }
  if (parts.size() >= 2 && is_account(parts[0])) {
    out.account = parts[0];
    drop(1);
  }
  if (parts.size() >= 2 && parts[0] == "function") drop(1);
  return out;
}

}  // namespace

std::string FunctionRef::arn() const {
  return fmt::format("arn:aws:lambda:{}:{}:function:{}", region, account, name);
}

std::string FunctionRef::qualified_arn() const {
  return qualifier.empty() ? arn() : arn() + ":" + qualifier;
}

Result<FunctionRef> parse_function(std::string_view name,
                                   const std::optional<std::string>& qualifier,
                                   std::string_view account, std::string_view region) {
  std::vector<std::string_view> parts = split(name, ':');
  FunctionRef out = take_prefix(parts, account, region);
  if (parts.empty() || parts.size() > 2 || !is_word(parts[0])) return fail(bad_name(name));
  if (parts.size() == 2 && !is_qualifier(parts[1])) return fail(bad_name(name));
  out.name = parts[0];
  if (parts.size() == 2) out.qualifier = parts[1];
  if (qualifier && !qualifier->empty()) {
    if (!out.qualifier.empty() && out.qualifier != *qualifier) {
      return fail(invalid_parameter(
          "The derived qualifier from the function name does not match the specified qualifier."));
    }
    out.qualifier = *qualifier;
  }
  if (out.region != region) {
    return fail(not_found(fmt::format("Functions from '{}' are not reachable in this region ('{}')",
                                      out.region, region)));
  }
  return out;
}

std::optional<std::uint64_t> version_number(std::string_view qualifier) {
  if (qualifier.empty() || qualifier.front() < '0' || qualifier.front() > '9') return std::nullopt;
  return parse_u64(qualifier);
}

}  // namespace wolke::lambda
