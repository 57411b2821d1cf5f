#include "wolke/identity/condition.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/base/time.h"
#include "wolke/identity/policy_errors.h"

namespace wolke::identity {
namespace {

enum class Base : std::uint8_t {
  string,
  string_ignore_case,
  like,
  numeric,
  date,
  boolean,
  binary,
  ip,
  arn,
  null
};
enum class Compare : std::uint8_t { equal, less, less_equal, greater, greater_equal };
enum class Quantifier : std::uint8_t { none, any, all };

struct Operator {
  std::string_view name;  // lower case
  Base base;
  Compare compare = Compare::equal;
  bool negated = false;
};

constexpr Operator operators[] = {
    {"stringequals", Base::string},
    {"stringnotequals", Base::string, Compare::equal, true},
    {"stringequalsignorecase", Base::string_ignore_case},
    {"stringnotequalsignorecase", Base::string_ignore_case, Compare::equal, true},
    {"stringlike", Base::like},
    {"stringnotlike", Base::like, Compare::equal, true},
    {"numericequals", Base::numeric},
    {"numericnotequals", Base::numeric, Compare::equal, true},
    {"numericlessthan", Base::numeric, Compare::less},
    {"numericlessthanequals", Base::numeric, Compare::less_equal},
    {"numericgreaterthan", Base::numeric, Compare::greater},
    {"numericgreaterthanequals", Base::numeric, Compare::greater_equal},
    {"dateequals", Base::date},
    {"datenotequals", Base::date, Compare::equal, true},
    {"datelessthan", Base::date, Compare::less},
    {"datelessthanequals", Base::date, Compare::less_equal},
    {"dategreaterthan", Base::date, Compare::greater},
    {"dategreaterthanequals", Base::date, Compare::greater_equal},
    {"bool", Base::boolean},
    {"binaryequals", Base::binary},
    {"ipaddress", Base::ip},
    {"notipaddress", Base::ip, Compare::equal, true},
    {"arnequals", Base::arn},
    {"arnlike", Base::arn},
    {"arnnotequals", Base::arn, Compare::equal, true},
    {"arnnotlike", Base::arn, Compare::equal, true},
    {"null", Base::null},
};

struct Address {
  std::array<unsigned char, 16> bytes{};
  bool v6 = false;
};

std::optional<Address> parse_address(const std::string& text) {
  Address out;
  if (::inet_pton(AF_INET, text.c_str(), out.bytes.data()) == 1) return out;
  out.v6 = true;
  if (::inet_pton(AF_INET6, text.c_str(), out.bytes.data()) != 1) return std::nullopt;
  // ::ffff:a.b.c.d is the IPv4 address it stands for.
  constexpr std::array<unsigned char, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(out.bytes.data(), mapped.data(), mapped.size()) != 0) return out;
  Address v4;
  std::memcpy(v4.bytes.data(), out.bytes.data() + 12, 4);
  return v4;
}

/// broken: either side is no address.
Truth in_network(const std::string& network, const std::string& address) {
  const std::size_t slash = network.find('/');
  const std::optional<Address> net = parse_address(network.substr(0, slash));
  const std::optional<Address> host = parse_address(address);
  if (!net || !host) return Truth::broken;
  const unsigned width = net->v6 ? 128 : 32;
  unsigned bits = width;
  if (slash != std::string::npos) {
    const std::optional<std::uint64_t> length =
        parse_u64(std::string_view(network).substr(slash + 1));
    if (!length || *length > width) return Truth::broken;
    bits = static_cast<unsigned>(*length);
  }
  if (net->v6 != host->v6) return Truth::no;
  for (unsigned bit = 0; bit < bits; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if ((net->bytes[bit / 8] & mask) != (host->bytes[bit / 8] & mask)) return Truth::no;
  }
  return Truth::yes;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// ISO 8601 (a bare date too) or seconds since 1970.
std::optional<Timestamp> parse_date(std::string_view text) {
  if (auto time = parse_unix_seconds(text)) return time;
  if (text.size() == 10) return parse_iso8601(std::string(text) + "T00:00:00Z");
  return parse_iso8601(text);
}

template <class T>
Truth compare(Compare how, const std::optional<T>& policy, const std::optional<T>& request) {
  if (!policy || !request) return Truth::broken;
  bool holds = false;
  switch (how) {
    case Compare::equal:
      holds = *request == *policy;
      break;
    case Compare::less:
      holds = *request < *policy;
      break;
    case Compare::less_equal:
      holds = *request <= *policy;
      break;
    case Compare::greater:
      holds = *request > *policy;
      break;
    case Compare::greater_equal:
      holds = *request >= *policy;
      break;
  }
  return holds ? Truth::yes : Truth::no;
}

std::optional<bool> parse_bool(std::string_view text) {
  if (iequals(text, "true")) return true;
  if (iequals(text, "false")) return false;
  return std::nullopt;
}

struct Value {
  Pattern pattern;
  std::vector<Pattern> arn_parts;  // arn only
};

Truth from_match(Match match) {
  return match == Match::yes ? Truth::yes : match == Match::no ? Truth::no : Truth::broken;
}

/// One value of the policy against one of the request.
Truth matches(const Operator& op, const Value& value, const std::string& request,
              const Context& context) {
  if (op.base == Base::like) return from_match(value.pattern.match(request, context));
  if (op.base == Base::arn)
    return from_match(match_arn(value.arn_parts, value.pattern, request, context));
  const std::optional<std::string> policy = value.pattern.resolve(context);
  if (!policy) return Truth::broken;
  switch (op.base) {
    case Base::string:
      return *policy == request ? Truth::yes : Truth::no;
    case Base::string_ignore_case:
      return iequals(*policy, request) ? Truth::yes : Truth::no;
    case Base::numeric:
      return compare(op.compare, parse_number(*policy), parse_number(request));
    case Base::date:
      return compare(op.compare, parse_date(*policy), parse_date(request));
    case Base::boolean:
      return compare(Compare::equal, parse_bool(*policy), parse_bool(request));
    case Base::binary:
      return compare(Compare::equal, from_base64(*policy), from_base64(request));
    case Base::ip:
      return in_network(*policy, request);
    case Base::like:
    case Base::arn:
    case Base::null:
      break;
  }
  return Truth::broken;
}

/// One value of the request against all of the policy: equal to any, or (negated) to none.
Truth matches_any(const Operator& op, const std::vector<Value>& values, const std::string& request,
                  const Context& context) {
  bool broken = false;
  for (const Value& value : values) {
    const Truth truth = matches(op, value, request, context);
    if (truth == Truth::yes) return op.negated ? Truth::no : Truth::yes;
    broken |= truth == Truth::broken;
  }
  if (broken) return Truth::broken;
  return op.negated ? Truth::yes : Truth::no;
}

std::optional<std::string> scalar_text(const shape::Json& json) {
  if (const std::string* text = json.string()) return *text;
  if (const auto* number = json.number()) return number->text;
  if (const bool* boolean = json.boolean()) return *boolean ? "true" : "false";
  return std::nullopt;
}

/// Values that can be judged without a request are judged when the policy is written.
bool is_sound(const Operator& op, const Value& value) {
  if (value.pattern.has_variables()) return true;
  const std::string text = value.pattern.resolve(Context{}).value_or("");
  switch (op.base) {
    case Base::numeric:
      return parse_number(text).has_value();
    case Base::date:
      return parse_date(text).has_value();
    case Base::boolean:
    case Base::null:
      return parse_bool(text).has_value();
    case Base::binary:
      return from_base64(text).has_value();
    case Base::ip:
      return in_network(text, text.find(':') == std::string::npos ? "0.0.0.0" : "::") !=
             Truth::broken;
    default:
      return true;
  }
}

}  // namespace

struct ConditionBlock::Condition {
  Operator op;
  Quantifier quantifier = Quantifier::none;
  bool if_exists = false;
  std::string key;  // lower case
  std::vector<Value> values;

  Truth holds(const Context& context) const;
};

ConditionBlock::ConditionBlock() = default;
ConditionBlock::ConditionBlock(ConditionBlock&&) noexcept = default;
ConditionBlock& ConditionBlock::operator=(ConditionBlock&&) noexcept = default;
ConditionBlock::~ConditionBlock() = default;

Truth ConditionBlock::Condition::holds(const Context& context) const {
  const std::vector<std::string>* request = context.find(key);
  const bool missing = request == nullptr || request->empty();
  if (op.base == Base::null) {
    for (const Value& value : values) {
      const std::optional<bool> wanted = parse_bool(value.pattern.resolve(context).value_or(""));
      if (!wanted) return Truth::broken;
      if (*wanted == missing) return Truth::yes;
    }
    return Truth::no;
  }
  if (missing) {
    if (if_exists || quantifier == Quantifier::all) return Truth::yes;
    if (quantifier == Quantifier::any) return Truth::no;
    return op.negated ? Truth::yes : Truth::no;
  }
  // Without a quantifier: positive operators want any of the request's values, negated ones all.
  const bool want_all =
      quantifier == Quantifier::all || (quantifier == Quantifier::none && op.negated);
  bool broken = false;
  for (const std::string& value : *request) {
    const Truth truth = matches_any(op, values, value, context);
    if (truth == Truth::broken) broken = true;
    if (want_all && truth == Truth::no) return Truth::no;
    if (!want_all && truth == Truth::yes) return Truth::yes;
  }
  if (broken) return Truth::broken;
  return want_all ? Truth::yes : Truth::no;
}

namespace {

struct OperatorName {
  Operator op;
  Quantifier quantifier = Quantifier::none;
  bool if_exists = false;
};

std::optional<OperatorName> parse_operator(std::string_view text) {
  std::string name = to_lower(text);
  OperatorName out;
  if (name.starts_with("foranyvalue:")) {
    out.quantifier = Quantifier::any;
    name.erase(0, 12);
  } else if (name.starts_with("forallvalues:")) {
    out.quantifier = Quantifier::all;
    name.erase(0, 13);
  }
  if (name.ends_with("ifexists")) {
    out.if_exists = true;
    name.resize(name.size() - 8);
  }
  for (const Operator& op : operators) {
    if (op.name != name) continue;
    if (op.base == Base::null && (out.if_exists || out.quantifier != Quantifier::none))
      return std::nullopt;
    out.op = op;
    return out;
  }
  return std::nullopt;
}

Result<Value> compile_value(const Operator& op, const std::string& text, bool with_variables) {
  const bool globs = op.base == Base::like || op.base == Base::arn;
  Value value{
      Pattern::compile(text, globs ? PatternKind::glob : PatternKind::literal, with_variables), {}};
  if (op.base == Base::arn) value.arn_parts = value.pattern.split_arn();
  if (!is_sound(op, value))
    return fail(malformed_policy(fmt::format("Invalid condition value: {}", text)));
  return value;
}

}  // namespace

Result<ConditionBlock> ConditionBlock::compile(const shape::Json& block, bool with_variables) {
  ConditionBlock out;
  const auto* object = block.object();
  if (object == nullptr) return fail(syntax_error());
  for (const auto& [operator_text, keys] : *object) {
    const std::optional<OperatorName> name = parse_operator(operator_text);
    if (!name) return fail(malformed_policy("Invalid Condition type : " + operator_text));
    const auto* members = keys.object();
    if (members == nullptr) return fail(syntax_error());
    for (const auto& [key, values] : *members) {
      if (key.find(':') == std::string::npos) {
        return fail(malformed_policy(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
      }
      Condition condition{name->op, name->quantifier, name->if_exists, to_lower(key), {}};
      const shape::Json::Array single = {values};
      const auto* list = values.array() != nullptr ? values.array() : &single;
      for (const shape::Json& item : *list) {
        const std::optional<std::string> text = scalar_text(item);
        if (!text) return fail(syntax_error());
        TRY(Value value, compile_value(name->op, *text, with_variables));
        condition.values.push_back(std::move(value));
      }
      out.conditions_.push_back(std::move(condition));
    }
  }
  return out;
}

Truth ConditionBlock::holds(const Context& context) const {
  bool broken = false;
  for (const Condition& condition : conditions_) {
    const Truth truth = condition.holds(context);
    if (truth == Truth::no) return Truth::no;
    broken |= truth == Truth::broken;
  }
  return broken ? Truth::broken : Truth::yes;
}

Match match_arn(const std::vector<Pattern>& parts, const Pattern& whole, std::string_view arn,
                const Context& context) {
  constexpr std::size_t arn_parts = 6;
  if (whole.is_any()) return Match::yes;
  if (parts.size() < arn_parts) return whole.match(arn, context);
  Match out = Match::yes;
  for (std::size_t i = 0; i < arn_parts; ++i) {
    const std::size_t colon = i + 1 < arn_parts ? arn.find(':') : std::string_view::npos;
    if (i + 1 < arn_parts && colon == std::string_view::npos) return Match::no;
    const Match match = parts[i].match(arn.substr(0, colon), context);
    if (match == Match::no) return Match::no;
    if (match == Match::unresolved) out = Match::unresolved;
    if (colon != std::string_view::npos) arn.remove_prefix(colon + 1);
  }
  return out;
}

}  // namespace wolke::identity
