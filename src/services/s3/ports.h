#pragma once
// What the S3 service needs of others, as interfaces that app/ wires; services never include one
// another.
//
// Threads: called from operations, so from pool threads, several at once. Failure: an Error is an
// internal fault and ends the operation; "does not exist" is an answer, not an Error.

#include <string>

#include "wolke/base/result.h"
#include "wolke/store/tx.h"

namespace wolke::s3 {

enum class DestinationState {
  ready,          // exists, and its resource policy lets s3.amazonaws.com invoke it for this bucket
  missing,        // no such function, or no such qualifier
  not_permitted,  // exists, but its resource policy does not
};

/// Whether a Lambda function may be the destination of a bucket's notifications.
class FunctionDirectory {
 public:
  virtual ~FunctionDirectory() = default;
  /// `source_arn` is the bucket's ARN, `source_account` its owner: what aws:SourceArn and
  /// aws:SourceAccount would be. Reads through `tx`, so that the answer belongs to the operation's
  /// snapshot.
  virtual Result<DestinationState> destination_state(store::Tx& tx, const std::string& function_arn,
                                                     const std::string& source_arn,
                                                     const std::string& source_account) const = 0;
};

}  // namespace wolke::s3
