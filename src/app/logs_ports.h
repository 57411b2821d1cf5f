#pragma once
// What the Logs service asks of Lambda. Lifetime: no state.

#include <string>

#include "wolke/services/logs/ports.h"

namespace wolke::app {

/// Whether a function may be the destination of a subscription filter.
class FunctionsForLogs final : public logs::FunctionDirectory {
 public:
  Result<bool> may_invoke(store::Tx& tx, const std::string& function_arn,
                          const std::string& service, const std::string& source_arn,
                          const std::string& source_account) const override;
};

}  // namespace wolke::app
