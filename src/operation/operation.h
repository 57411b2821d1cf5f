#pragma once
// An operation is a plain function over a transaction, and a service is a table of them:
//
//   Result<Out> put_object(S3& service, store::Tx& tx, const Context& context, const In& input);
//
// It reads one snapshot, decides, and collects writes in the Tx; it never waits for a disk and may
// run twice. The few that wait (Invoke, package staging) are tasks and commit by themselves:
//
//   async::Task<Result<Out>> invoke(Lambda& service, Context context, In input);
//
// The table's row gives, beside the function, the asks: (action, resource, conditions) computed
// from the decoded input. There is no row without them, so there is no operation without
// authorization.
//
//   inline constexpr auto table = operations<S3>(
//       row<model::s3::op::PutObject>(put_object, asks_of_put_object), …);

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "wolke/async/loop.h"
#include "wolke/async/task.h"
#include "wolke/base/env.h"
#include "wolke/base/result.h"
#include "wolke/identity/authorizer.h"
#include "wolke/shape/schema.h"
#include "wolke/store/tx.h"

namespace wolke::operation {

/// What an operation knows of its request. Outlives the operation.
struct Context {
  std::string request_id;
  std::string account;  // the caller's; for anonymous requests the resource's owner where known,
                        // else default
  std::string region;
  Timestamp now;
  Random* random = nullptr;
  const identity::Authorizer* authorizer = nullptr;
  std::string host;  // the Host the requester used, echoed in URLs: "127.0.0.1:4566"
  bool tls = false;
  std::string source_ip;
  std::string user_agent;
  bool virtual_host = false;  // S3: bucket came from the Host
  /// Headers of the request, lower case (for what no model carries: x-amz-copy-source conditions
  /// are modelled, though).
  const std::vector<std::pair<std::string, std::string>>* headers = nullptr;

  const identity::Principal& principal() const { return authorizer->principal(); }
};

using Asks = std::vector<identity::Ask>;

/// One row, types erased. Exactly one of run and run_task is set.
struct Row {
  const shape::Operation* operation = nullptr;
  Result<shape::Value> (*run)(void* service, store::Tx& tx, const Context& context,
                              const shape::Value& input) = nullptr;
  async::Task<Result<shape::Value>> (*run_task)(void* service, Context context,
                                                shape::Value input) = nullptr;
  /// Every ask must be allowed before the operation runs.
  Result<Asks> (*asks)(void* service, const Context& context, const shape::Value& input) = nullptr;
};

namespace detail {

template <class Op, class Service, auto Run, auto AsksOf>
struct Trampoline {
  using In = typename Op::Input;
  using Out = typename Op::Output;
  static Result<shape::Value> run(void* service, store::Tx& tx, const Context& context,
                                  const shape::Value& input) {
    TRY(Out out, Run(*static_cast<Service*>(service), tx, context, input.as<In>()));
    return shape::Value::of(*Op::operation().output, std::move(out));
  }
  static async::Task<Result<shape::Value>> run_task(void* service, Context context,
                                                    shape::Value input) {
    In in = std::move(input.as<In>());
    Result<Out> out =
        co_await Run(*static_cast<Service*>(service), std::move(context), std::move(in));
    if (!out) co_return fail(std::move(out).error());
    co_return shape::Value::of(*Op::operation().output, *std::move(out));
  }
  static Result<Asks> asks(void* service, const Context& context, const shape::Value& input) {
    return AsksOf(*static_cast<Service*>(service), context, input.as<In>());
  }
};

}  // namespace detail

/// A transaction operation. AsksOf: Result<Asks>(Service&, const Context&, const In&).
template <class Service, class Op, auto Run, auto AsksOf>
constexpr Row row() {
  using T = detail::Trampoline<Op, Service, Run, AsksOf>;
  return Row{&Op::operation(), &T::run, nullptr, &T::asks};
}

/// An operation that waits.
template <class Service, class Op, auto Run, auto AsksOf>
constexpr Row task_row() {
  using T = detail::Trampoline<Op, Service, Run, AsksOf>;
  return Row{&Op::operation(), nullptr, &T::run_task, &T::asks};
}

/// A service as the gateway sees it.
struct ServiceTable {
  const shape::Service* model = nullptr;
  void* service = nullptr;
  std::vector<Row> rows;
};

}  // namespace wolke::operation
