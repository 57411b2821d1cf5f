#pragma once
// What the Lambda service asks of others; app/ wires it. All are called on pool threads and see the
// transaction that the operation runs in.

#include <functional>
#include <optional>
#include <string>

#include "wolke/base/body.h"
#include "wolke/operation/operation.h"
#include "wolke/store/tx.h"

namespace wolke::lambda {

struct ObjectName {
  std::string bucket, key;
  std::optional<std::string> version;
};

/// A role invokes a function, as destinations are told.
struct RoleInvokes {
  std::string role_arn;
  std::string function_name;   // of the session
  std::string region;          // of both functions
  std::string target_arn;      // possibly qualified
  std::string target_account;  // its owner
  Timestamp now{};
};

struct Ports {
  /// May Lambda assume this role? Unset: every role (`wolke dev`).
  std::function<Result<bool>(store::Tx& tx, const std::string& role_arn)> role_assumable;
  /// May this role, as the one of the function named, invoke a function? Unset: every role may.
  std::function<Result<bool>(const RoleInvokes& ask)> role_may_invoke;
  /// An S3 object that holds code; errors are S3's own (NoSuchKey, NoSuchBucket, …). Unset: no
  /// object store.
  std::function<Result<Body>(store::Tx& tx, const operation::Context& context,
                             const ObjectName& object)>
      read_object;
  /// Where GetFunction says that the code can be downloaded; `zip` is the blob. Unset: an empty
  /// location.
  std::function<std::string(const operation::Context& context, const BlobRef& zip)> code_location;
};

}  // namespace wolke::lambda
