#pragma once
// The query language of Logs Insights: commands joined by '|', each taking rows from the one
// before.
//   fields @timestamp, @message | filter level = "error" and took > 10 | parse @message
//   /id=(?<id>\d+)/ | stats count(*) as n, pct(took, 99) by bin(5m) | sort n desc | limit 20 |
//   display n | dedup id
// Pure. Source: CloudWatch Logs user guide, "CloudWatch Logs Insights query syntax".

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/time.h"
#include "wolke/services/logs/regex.h"
#include "wolke/shape/json.h"

namespace wolke::logs {

inline constexpr int query_depth_max = 32;
inline constexpr std::size_t query_rows_max = 10'000;  // Logs Insights quota: results

struct Value {
  enum class Kind { none, text, number, time };
  Kind kind = Kind::none;
  std::string text;
  double number = 0;  // of number; of time: milliseconds

  static Value of(std::string text) { return {Kind::text, std::move(text), 0}; }
  static Value of(double number) { return {Kind::number, {}, number}; }
  static Value of(bool truth) { return of(truth ? 1.0 : 0.0); }
  static Value at(std::int64_t millis) { return {Kind::time, {}, static_cast<double>(millis)}; }

  bool empty() const { return kind == Kind::none; }
  bool truth() const;
  std::optional<double> as_number() const;
  std::string as_text() const;  // times as "2026-11-23 17:00:00.000"
};
/// Nothing before numbers before text.
int compare(const Value& a, const Value& b);

/// An event on its way through the commands: what it has by itself, what commands gave it, and the
/// members of a JSON message, by dotted names.
class Row {
 public:
  void set(const std::string& name, Value value) { values_[name] = std::move(value); }
  Value get(const std::string& name) const;
  std::size_t bytes() const;
  /// The message is read again when it is asked for.
  void forget_document() { document_.reset(); }

 private:
  std::map<std::string, Value> values_;
  mutable std::shared_ptr<const shape::Json> document_;  // shared by copies; never changes
};

struct Expression {
  enum class Kind { constant, field, call, like, in, aggregate };
  Kind kind = Kind::constant;
  Value constant;
  std::string name;                    // field; call: the function or operator
  bool negated = false;                // like, in
  std::shared_ptr<const Regex> regex;  // like; shared by copies of the query, never changes
  std::size_t slot = 0;                // aggregate
  std::vector<Expression> children;
};

struct Column {
  std::string name;
  Expression value;
};

struct Aggregate {
  enum class Kind { count, count_distinct, sum, avg, min, max, pct, stddev, earliest, latest };
  Kind kind = Kind::count;
  std::optional<Expression> argument;  // count(*) has none
  double percent = 0;
};

struct FieldsCommand {
  std::vector<Column> columns;
};
struct DisplayCommand {
  std::vector<Column> columns;
};
struct FilterCommand {
  Expression condition;
};
struct ParseCommand {
  Expression from;
  std::shared_ptr<const Regex> regex;  // shared by copies of the query; never changes
  std::vector<std::string> names;      // by group
};
struct StatsCommand {
  std::vector<Aggregate> aggregates;
  std::vector<Column> columns;
  std::vector<Column> by;
};
struct SortCommand {
  struct Key {
    Expression value;
    bool descending = false;
  };
  std::vector<Key> keys;
};
struct LimitCommand {
  std::size_t rows = 0;
};
struct DedupCommand {
  std::vector<Column> columns;
};
using Command = std::variant<FieldsCommand, DisplayCommand, FilterCommand, ParseCommand,
                             StatsCommand, SortCommand, LimitCommand, DedupCommand>;

/// Error MalformedQueryException.
Result<std::vector<Command>> parse_query(std::string_view text);

/// The value for a row; `aggregates` by slot, where the expression has any.
Value evaluate(const Expression& expression, const Row& row,
               const std::vector<Value>* aggregates = nullptr);
/// Whether there is such a function of so many arguments.
bool is_function(std::string_view name, std::size_t arguments);
Value call_function(std::string_view name, const std::vector<Value>& arguments);

/// What functions' REPORT, START and END lines say of themselves: @type, @requestId, @duration, ….
void set_report_fields(Row& row, std::string_view message);

}  // namespace wolke::logs
