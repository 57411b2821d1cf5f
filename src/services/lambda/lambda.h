#pragma once
// The Lambda service: what its operations work with, and what app/ wires.
//
//   lambda::Lambda service({...});                     // app
//   operation::ServiceTable table = lambda::lambda_table(&service);
//   lambda::LambdaTarget target(service);              // for deliver::Deliverer
//
// Threads: operations run on pool threads (transactions) or on the loop (tasks); the resolver's
// cache belongs to the loop, its invalidation may come from any thread. Lifetime: everything in
// Parts outlives the service.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "wolke/base/env.h"
#include "wolke/base/limits.h"
#include "wolke/deliver/deliverer.h"
#include "wolke/invoke/invoke.h"
#include "wolke/operation/operation.h"
#include "wolke/operation/runner.h"
#include "wolke/services/lambda/package.h"
#include "wolke/services/lambda/ports.h"
#include "wolke/services/lambda/resolve.h"
#include "wolke/store/blobs.h"

namespace wolke::lambda {

struct Parts {
  Env env;
  operation::Runner runner;
  store::BlobStore& blobs;
  Packages& packages;
  invoke::Invoker& invoker;
  Ports ports;
  Limits limits;
};

class Lambda {
 public:
  explicit Lambda(Parts parts);
  ~Lambda();
  Lambda(const Lambda&) = delete;
  Lambda& operator=(const Lambda&) = delete;

  Parts parts;
  Resolver resolver;
};

/// `service` may be nullptr when only the catalogue of operations is wanted.
operation::ServiceTable lambda_table(Lambda* service);

/// The resource policy of a function (by its ARN, qualified or not) or of a layer version as JSON,
/// for the gate; nullopt: none.
Result<std::optional<std::string>> function_policy(store::Store& store, const std::string& arn);

/// What S3 asks before it accepts a notification: is there such a function, and may the service
/// invoke it?
enum class Permission { allowed, no_such_function, not_permitted };
Result<Permission> check_permission(store::Tx& tx, const std::string& function_arn,
                                    const ServiceCaller& caller);

/// Removes packages that no version uses; blocks. To be called regularly on a pool thread.
Result<std::size_t> collect_packages(Lambda& service, Timestamp now);

/// Runs events for the deliverer.
class LambdaTarget : public deliver::Target {
 public:
  explicit LambdaTarget(Lambda& service) : service_(service) {}
  async::Task<deliver::Attempt> attempt(deliver::Event event, Millis age) override;

 private:
  Lambda& service_;
};

}  // namespace wolke::lambda
