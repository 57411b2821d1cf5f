#pragma once
// What the Logs service needs of others, as an interface that app/ wires; services never include
// one another.
//
// Threads: called from operations, so from pool threads, several at once. Failure: an Error is an
// internal fault; "does not exist" is an answer.

#include <optional>
#include <string>

#include "wolke/base/result.h"
#include "wolke/store/tx.h"

namespace wolke::logs {

/// The functions that subscription filters may send to.
class FunctionDirectory {
 public:
  virtual ~FunctionDirectory() = default;
  /// Whether the function exists and its resource policy lets `service` invoke it for the group
  /// `source_arn` ("arn:…:log-group:NAME:*") of `source_account`. Reads through `tx`, so that the
  /// answer belongs to the operation's snapshot.
  virtual Result<bool> may_invoke(store::Tx& tx, const std::string& function_arn,
                                  const std::string& service, const std::string& source_arn,
                                  const std::string& source_account) const = 0;
};

}  // namespace wolke::logs
