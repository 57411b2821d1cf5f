#pragma once
// The query language of Logs Insights: commands joined by '|', each taking rows from the one
// before.
//   fields @timestamp, @message | filter level = "error" and took > 10 | parse @message
//   /id=(?<id>\d+)/ | stats count(*) as n, pct(took, 99) by bin(5m) | sort n desc | limit 20 |
//   display n | dedup id
// Pure. Source: CloudWatch Logs user guide, "CloudWatch Logs Insights query syntax".

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/time.h"
#include "wolke/services/logs/query_row.h"
#include "wolke/services/logs/regex.h"

namespace wolke::logs {

inline constexpr int query_depth_max = 32;
inline constexpr std::size_t query_rows_max = 10'000;  // Logs Insights quota: results

/// Of as many arguments as its entry says.
using Function = Value (*)(const std::vector<Value>& arguments);
/// Null when there is no such function of so many arguments.
Function find_function(std::string_view name, std::size_t arguments);

struct Expression {
  enum class Kind { constant, field, call, like, in, aggregate };
  Kind kind = Kind::constant;
  Value constant;
  std::string name;                    // field; call: the function or operator
  Function function = nullptr;         // call
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

/// `now` is what now() says. Error MalformedQueryException, with the place in the text.
Result<std::vector<Command>> parse_query(std::string_view text, Timestamp now);

/// The value for a row; `aggregates` by slot, where the expression has any.
Value evaluate(const Expression& expression, const Row& row,
               const std::vector<Value>* aggregates = nullptr);

}  // namespace wolke::logs
