#pragma once
// Runs a query's commands over rows that are pushed one by one. What is kept is bounded: rows
// beyond the bounds end the query with a reason, except where only the first rows of an order are
// wanted. Pure; one thread at a time.

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "wolke/services/logs/query.h"

namespace wolke::logs {

inline constexpr std::size_t query_kept_rows_max = 50'000;
inline constexpr std::size_t query_kept_bytes_max = 32 * 1024 * 1024;
inline constexpr std::size_t query_row_bytes_max = 8 * 1024 * 1024;
inline constexpr std::size_t query_groups_max = 20'000;     // of stats … by
inline constexpr std::size_t query_values_max = 2'000'000;  // that pct and count_distinct keep

/// A row of the answer: names and values, in order.
using ResultRow = std::vector<std::pair<std::string, std::string>>;

class Pipeline {
 public:
  /// `limit` is for queries that have none.
  Pipeline(std::vector<Command> commands, std::size_t limit);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  void push(Row row);
  /// Rows that came through the filters before the first stats or sort.
  std::uint64_t matched() const { return matched_; }
  /// Why the query cannot go on; empty: it can.
  const std::string& problem() const { return problem_; }
  /// The answer as it is so far.
  std::vector<ResultRow> results();

 private:
  class Grouping;

  /// What a row meets in `commands`; false: it goes no further.
  bool pass(const Command& command, std::size_t index, Row& row);
  void keep(Row row);
  void prune();
  std::vector<Row> after(std::vector<Row> rows, std::size_t first);
  std::vector<Column> output_columns() const;

  std::vector<Command> commands_;
  std::size_t limit_;
  std::size_t streamed_ = 0;  // commands that take rows as they come
  std::unique_ptr<Grouping> grouping_;
  std::vector<Row> kept_;
  std::size_t kept_bytes_ = 0;
  bool only_first_ = false;  // after the order only limits follow, so rows beyond it may go
  std::vector<std::set<std::string>> seen_;  // by command: of dedup
  std::uint64_t matched_ = 0;
  std::string problem_;
};

}  // namespace wolke::logs
