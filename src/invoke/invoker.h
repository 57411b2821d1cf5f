#pragma once
// make_invoker: the Invoker of invoke.h on one loop, over a Sandboxes port.
//
// An invocation is admitted (account and reserved concurrency), placed (an idle instance of the
// same revision, else a new one, else it queues for whichever comes first), run, metered and
// reported. Instances serve one invocation at a time, freeze when idle, expire, and are replaced
// when their program ended. Lifetime: the dependencies outlive the invoker; stop() must have ended
// before it is destroyed. Nothing here is durable.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "wolke/async/loop.h"
#include "wolke/base/env.h"
#include "wolke/base/fd.h"
#include "wolke/base/limits.h"
#include "wolke/invoke/invoke.h"
#include "wolke/runtime/table.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::invoke {

struct Options {
  /// Sandboxes' memory sizes may add up to this; beyond it idle ones make room, then invocations
  /// wait.
  std::uint64_t memory_budget_bytes = 64ULL << 30;
  /// Starts in progress at once; more would only slow each other.
  std::size_t starts_max = 32;
  /// An idle instance is frozen this long after its answer, so that a caller in a loop does not pay
  /// for it.
  std::chrono::milliseconds freeze_after{4};
  std::chrono::seconds idle_expiry{600};
  /// Lambda's Init phase:
  /// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
  std::chrono::milliseconds init_timeout{10'000};
  /// How long an invocation waits for room on the machine before it is throttled.
  std::chrono::milliseconds queue_wait_max{30'000};
  /// What stop() gives invocations in progress.
  std::chrono::milliseconds stop_grace{5'000};
};

/// What an account may run at once, and how much of it is reserved for named functions.
struct AccountConcurrency {
  std::uint32_t limit = Limits{}.concurrent_executions;
  std::uint32_t reserved = 0;
};

struct Dependencies {
  async::Loop& loop;
  Env env;
  sandbox::Sandboxes& sandboxes;
  runtime::RuntimePaths paths;
  LogSink& logs;
  MeterSink meter;
  CredentialSource credentials;
  /// Empty: every account has the default limit and no reservation.
  std::function<AccountConcurrency(const std::string& account)> concurrency = {};
  /// The function's way to the server: sockets that listen inside, at 127.0.0.1:4566 (plain) and
  /// :443 (TLS). The receiver serves them until sandbox_ended(). Empty: not listened on.
  std::function<void(Fd listening, const std::string& sandbox_id)> serve_gateway = {};
  std::function<void(Fd listening, const std::string& sandbox_id)> serve_gateway_tls = {};
  std::function<void(const std::string& sandbox_id)> sandbox_ended = {};
  /// Names at and below these lead to the sandbox's own 127.0.0.1 (runtime/dns.h); no other exists.
  std::vector<std::string> domains = {};
  /// Shown in every sandbox: names that need no lookup, the CA bundle and the variables that name
  /// it.
  std::vector<std::pair<std::string, std::string>> hosts = {};
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::vector<sandbox::ReadOnlyMount> mounts = {};
  Options options = {};
};

std::unique_ptr<Invoker> make_invoker(Dependencies dependencies);

}  // namespace wolke::invoke
