#include "wolke/services/logs/logs.h"

#include "wolke/services/logs/live_tail.h"
#include "wolke/services/logs/query_execution.h"

namespace wolke::logs {

Logs::Logs(Limits account_limits, const FunctionDirectory* function_directory,
           store::Store* store_of_tails)
    : limits(account_limits),
      functions(function_directory),
      store(store_of_tails),
      queries(std::make_unique<QueryExecutions>()),
      tails(std::make_unique<LiveTails>()) {}

Logs::~Logs() = default;

void Logs::close_tails() {
  tails->close();
}

}  // namespace wolke::logs
