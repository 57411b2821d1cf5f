// Values and functions of queries.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "wolke/base/text.h"
#include "wolke/base/time.h"
#include "wolke/services/logs/filter_condition.h"
#include "wolke/services/logs/query.h"
#include "wolke/services/logs/query_address.h"

namespace wolke::logs {
namespace {

constexpr double last_millis = 253'402'300'799'999.0;  // of the year 9999

using Arguments = std::vector<Value>;

std::optional<double> number_at(const Arguments& arguments, std::size_t index) {
  return index < arguments.size() ? arguments[index].as_number() : std::nullopt;
}

template <double (*F)(double)>
Value of_one(const Arguments& arguments) {
  const auto x = number_at(arguments, 0);
  return x ? Value::of(F(*x)) : Value{};
}

template <class F>
Value of_two(const Arguments& arguments, F f) {
  const auto a = number_at(arguments, 0), b = number_at(arguments, 1);
  return a && b ? Value::of(f(*a, *b)) : Value{};
}

template <class F>
Value compared(const Arguments& arguments, F f) {
  if (arguments[0].empty() || arguments[1].empty()) return Value::of(false);
  return Value::of(f(compare(arguments[0], arguments[1])));
}

Value rounded_time(const Arguments& arguments, double (*round)(double)) {
  const auto time = number_at(arguments, 0), period = number_at(arguments, 1);
  if (!time || !period || *period < 1) return {};
  const double out = round(*time / *period) * *period;
  if (!(out >= 0 && out <= last_millis)) return {};
  return Value::at(static_cast<std::int64_t>(out));
}

Value part_of_text(const Arguments& arguments) {
  const std::string text = arguments[0].as_text();
  const double begin = std::max(0.0, number_at(arguments, 1).value_or(0));
  const double length = number_at(arguments, 2).value_or(static_cast<double>(text.size()));
  if (!(begin < static_cast<double>(text.size())) || !(length > 0)) return Value::of(std::string());
  return Value::of(text.substr(static_cast<std::size_t>(begin),
                               static_cast<std::size_t>(std::min(length, 1e9))));
}

/// What functions make longer ends here.
constexpr std::size_t text_max = 1024 * 1024;

Value replaced(const Arguments& arguments) {
  std::string text = arguments[0].as_text();
  const std::string from = arguments[1].as_text(), to = arguments[2].as_text();
  for (std::size_t at = 0; !from.empty() && text.size() < text_max;) {
    at = text.find(from, at);
    if (at == text.npos) break;
    text.replace(at, from.size(), to);
    at += to.size();
  }
  return Value::of(std::move(text));
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return text;
}

Value trimmed(const Arguments& arguments, bool left, bool right) {
  const std::string text = arguments[0].as_text();
  std::string_view out = text;
  while (left && !out.empty() && out.front() == ' ') out.remove_prefix(1);
  while (right && !out.empty() && out.back() == ' ') out.remove_suffix(1);
  return Value::of(std::string(out));
}

Value joined(const Arguments& arguments) {
  std::string out;
  for (const Value& value : arguments) {
    out += value.as_text();
    if (out.size() >= text_max) break;
  }
  out.resize(std::min(out.size(), text_max));
  return Value::of(std::move(out));
}

Value first_present(const Arguments& arguments) {
  const auto found = std::find_if(arguments.begin(), arguments.end(),
                                  [](const Value& value) { return !value.empty(); });
  return found == arguments.end() ? Value{} : *found;
}

Value best(const Arguments& arguments, int sign) {
  Value out;
  for (const Value& value : arguments) {
    if (value.empty()) continue;
    if (out.empty() || compare(value, out) * sign > 0) out = value;
  }
  return out;
}

bool is_blank(const Value& value) {
  return value.as_text().find_first_not_of(" \t\r\n") == std::string::npos;
}

template <AddressFamily F>
Value valid_address(const Arguments& arguments) {
  return Value::of(is_address(arguments[0].as_text(), F));
}

template <AddressFamily F>
Value in_subnet(const Arguments& arguments) {
  return Value::of(is_in_subnet(arguments[0].as_text(), arguments[1].as_text(), F));
}

struct Entry {
  std::string_view name;
  std::size_t least, most;
  Function function;
};

constexpr std::size_t any_number = 32;

constexpr Entry functions[] = {
    {"or", 2, 2, [](const Arguments& a) { return Value::of(a[0].truth() || a[1].truth()); }},
    {"and", 2, 2, [](const Arguments& a) { return Value::of(a[0].truth() && a[1].truth()); }},
    {"not", 1, 1, [](const Arguments& a) { return Value::of(!a[0].truth()); }},
    {"=", 2, 2, [](const Arguments& a) { return compared(a, [](int c) { return c == 0; }); }},
    {"!=", 2, 2, [](const Arguments& a) { return compared(a, [](int c) { return c != 0; }); }},
    {"<", 2, 2, [](const Arguments& a) { return compared(a, [](int c) { return c < 0; }); }},
    {"<=", 2, 2, [](const Arguments& a) { return compared(a, [](int c) { return c <= 0; }); }},
    {">", 2, 2, [](const Arguments& a) { return compared(a, [](int c) { return c > 0; }); }},
    {">=", 2, 2, [](const Arguments& a) { return compared(a, [](int c) { return c >= 0; }); }},
    {"+", 2, 2, [](const Arguments& a) { return of_two(a, std::plus<>()); }},
    {"-", 2, 2, [](const Arguments& a) { return of_two(a, std::minus<>()); }},
    {"*", 2, 2, [](const Arguments& a) { return of_two(a, std::multiplies<>()); }},
    {"/", 2, 2, [](const Arguments& a) { return of_two(a, std::divides<>()); }},
    {"%", 2, 2,
     [](const Arguments& a) {
       return of_two(a, [](double x, double y) { return std::fmod(x, y); });
     }},
    {"^", 2, 2,
     [](const Arguments& a) {
       return of_two(a, [](double x, double y) { return std::pow(x, y); });
     }},
    {"abs", 1, 1, of_one<std::fabs>},
    {"ceil", 1, 1, of_one<std::ceil>},
    {"floor", 1, 1, of_one<std::floor>},
    {"sqrt", 1, 1, of_one<std::sqrt>},
    {"log", 1, 1, of_one<std::log>},
    {"greatest", 1, any_number, [](const Arguments& a) { return best(a, 1); }},
    {"least", 1, any_number, [](const Arguments& a) { return best(a, -1); }},
    {"datefloor", 2, 2, [](const Arguments& a) { return rounded_time(a, std::floor); }},
    {"dateceil", 2, 2, [](const Arguments& a) { return rounded_time(a, std::ceil); }},
    {"frommillis", 1, 1,
     [](const Arguments& a) { return rounded_time({a[0], Value::of(1.0)}, std::floor); }},
    {"tomillis", 1, 1,
     [](const Arguments& a) { return of_two({a[0], Value::of(0.0)}, std::plus<>()); }},
    {"ispresent", 1, 1, [](const Arguments& a) { return Value::of(!a[0].empty()); }},
    {"isempty", 1, 1, [](const Arguments& a) { return Value::of(a[0].as_text().empty()); }},
    {"isblank", 1, 1, [](const Arguments& a) { return Value::of(is_blank(a[0])); }},
    {"coalesce", 1, any_number, first_present},
    {"concat", 1, any_number, joined},
    {"strlen", 1, 1,
     [](const Arguments& a) { return Value::of(static_cast<double>(a[0].as_text().size())); }},
    {"tolower", 1, 1, [](const Arguments& a) { return Value::of(to_lower(a[0].as_text())); }},
    {"toupper", 1, 1, [](const Arguments& a) { return Value::of(upper(a[0].as_text())); }},
    {"trim", 1, 1, [](const Arguments& a) { return trimmed(a, true, true); }},
    {"ltrim", 1, 1, [](const Arguments& a) { return trimmed(a, true, false); }},
    {"rtrim", 1, 1, [](const Arguments& a) { return trimmed(a, false, true); }},
    {"substr", 2, 3, part_of_text},
    {"replace", 3, 3, replaced},
    {"strcontains", 2, 2,
     [](const Arguments& a) {
       return Value::of(a[0].as_text().find(a[1].as_text()) != std::string::npos);
     }},
    {"isvalidip", 1, 1, valid_address<AddressFamily::any>},
    {"isvalidipv4", 1, 1, valid_address<AddressFamily::v4>},
    {"isvalidipv6", 1, 1, valid_address<AddressFamily::v6>},
    {"isipinsubnet", 2, 2, in_subnet<AddressFamily::any>},
    {"isipv4insubnet", 2, 2, in_subnet<AddressFamily::v4>},
    {"isipv6insubnet", 2, 2, in_subnet<AddressFamily::v6>},
};

}  // namespace

bool Value::truth() const {
  if (kind == Kind::text && text == "true") return true;
  const auto value = as_number();
  return value && *value != 0;
}

std::optional<double> Value::as_number() const {
  if (kind == Kind::none) return std::nullopt;
  if (kind == Kind::text) return text.empty() ? std::nullopt : number_of(text);
  if (std::isnan(number)) return std::nullopt;
  return number;
}

std::string Value::as_text() const {
  if (kind == Kind::none || kind == Kind::text) return text;
  if (kind == Kind::number) return fmt::format("{:.15g}", number);
  std::string out = format_iso8601(from_millis(static_cast<std::int64_t>(number)));
  std::replace(out.begin(), out.end(), 'T', ' ');
  out.pop_back();
  return out;
}

int compare(const Value& a, const Value& b) {
  const auto x = a.as_number(), y = b.as_number();
  if (x && y) return *x < *y ? -1 : *x > *y ? 1 : 0;
  // Nothing, then numbers, then text: an order of all values, which sorting needs.
  const auto rank = [](const Value& value, bool number) {
    return value.empty() ? 0 : number ? 1 : 2;
  };
  const int difference = rank(a, x.has_value()) - rank(b, y.has_value());
  return difference != 0 ? difference : a.as_text().compare(b.as_text());
}

Function find_function(std::string_view name, std::size_t arguments) {
  const auto* found = std::find_if(std::begin(functions), std::end(functions), [&](const Entry& e) {
    return e.name == name && arguments >= e.least && arguments <= e.most;
  });
  return found == std::end(functions) ? nullptr : found->function;
}

Value evaluate(const Expression& expression, const Row& row, const std::vector<Value>* aggregates) {
  const auto child = [&](std::size_t index) {
    return evaluate(expression.children[index], row, aggregates);
  };
  switch (expression.kind) {
    case Expression::Kind::constant:
      return expression.constant;
    case Expression::Kind::field:
      return row.get(expression.name);
    case Expression::Kind::aggregate:
      return aggregates != nullptr ? (*aggregates)[expression.slot] : Value{};
    case Expression::Kind::like: {
      const auto found_in = [&](const std::string& text) {
        const bool found = expression.regex
                               ? expression.regex->found_in(text)
                               : text.find(expression.constant.text) != std::string::npos;
        return Value::of(found != expression.negated);
      };
      const Expression& searched = expression.children[0];
      if (searched.kind == Expression::Kind::field) {
        if (const std::string* text = row.text_of(searched.name)) return found_in(*text);
      }
      const Value value = child(0);
      return value.empty() ? Value::of(false) : found_in(value.as_text());
    }
    case Expression::Kind::in: {
      const Value value = child(0);
      bool found = false;
      for (std::size_t i = 1; i < expression.children.size() && !found; ++i) {
        found = !value.empty() && compare(value, child(i)) == 0;
      }
      return Value::of(found != expression.negated);
    }
    case Expression::Kind::call:
      break;
  }
  std::vector<Value> arguments;
  for (std::size_t i = 0; i < expression.children.size(); ++i) arguments.push_back(child(i));
  return expression.function(arguments);
}

}  // namespace wolke::logs
