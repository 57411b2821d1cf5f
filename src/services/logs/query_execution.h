#pragma once
// Queries under way. A query has no thread of its own: each GetQueryResults (and DescribeQueries,
// for the newest) reads a bounded portion of the events and answers with what there is, until all
// are read. What is in memory here is lost with the process or when many queries are under way, and
// is then worked out anew from the record.
//
// Threads: any; two that ask for one query take turns.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "wolke/base/guarded.h"
#include "wolke/services/logs/query_pipeline.h"
#include "wolke/services/logs/state.h"

namespace wolke::logs {

inline constexpr std::size_t query_portion_events = 50'000;
inline constexpr std::size_t query_portion_bytes = 32 * 1024 * 1024;
inline constexpr std::size_t query_executions_max = 16;

class QueryExecution {
 public:
  QueryExecution(GroupName place, Query query, std::vector<Command> commands)
      : place_(std::move(place)),
        query_(std::move(query)),
        pipeline_(std::move(commands), static_cast<std::size_t>(query_.limit)) {}

  /// Reads one portion.
  Result<void> advance(store::Tx& tx, Timestamp now);

  QueryStatus status() const;
  const std::string& problem() const { return pipeline_.problem(); }
  std::vector<ResultRow> results() { return pipeline_.results(); }
  std::uint64_t scanned() const { return scanned_; }
  std::uint64_t scanned_bytes() const { return scanned_bytes_; }
  std::uint64_t matched() const { return pipeline_.matched(); }

 private:
  struct Source {
    std::shared_ptr<const EventSource> events;  // shared by the rows of its events
    EventRange range;
  };
  Result<void> open(store::Tx& tx, Timestamp now);
  void push(const Source& source, StoredEvent stored);

  GroupName place_;
  Query query_;
  Pipeline pipeline_;
  bool open_ = false;
  std::vector<Source> sources_;  // what is still to be read, the next one last
  std::uint64_t scanned_ = 0, scanned_bytes_ = 0;
};

class QueryExecutions {
 public:
  /// Shared by the map and by those who are reading from it; the last one ends it.
  using Shared = std::shared_ptr<Guarded<std::unique_ptr<QueryExecution>>>;
  Shared find_or_make(const GroupName& place, const Query& query);
  void forget(const std::string& id);

 private:
  struct State {
    std::map<std::string, Shared> by_id;
    std::vector<std::string> order;  // oldest first
  };
  Guarded<State> state_;
};

}  // namespace wolke::logs
