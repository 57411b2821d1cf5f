#include "wolke/invoke/instance.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "wolke/base/text.h"
#include "wolke/invoke/environment.h"

namespace wolke::invoke {
namespace {

using async::Task;
using runtime::Outcome;

constexpr auto exit_wait_max = std::chrono::seconds(1);
constexpr auto credentials_margin = std::chrono::minutes(5);

Micros between(Monotonic from, Monotonic to) {
  return std::chrono::duration_cast<Micros>(to - from);
}

/// In Lambda's words; `why` ends with the reason: "exec FILE: Exec format error".
Outcome invalid_entrypoint(const std::string& file, const std::string& why) {
  std::string reason = why.substr(why.rfind(": ") + 2);
  reason.front() = to_lower(reason.substr(0, 1)).front();
  return {.kind = Outcome::Kind::init_error,
          .payload = runtime::service_error_json("Runtime.InvalidEntrypoint",
                                                 fmt::format("fork/exec {}: {}", file, reason))};
}

}  // namespace

LiveInstance::LiveInstance(const Dependencies& dependencies,
                           std::shared_ptr<const FunctionSpec> function,
                           std::function<void(LiveInstance&)> on_exit)
    : dependencies_(dependencies),
      loop_(dependencies.loop),
      function_(std::move(function)),
      on_exit_(std::move(on_exit)),
      id_("fn-" + dependencies.env.random.hex(10)),
      started_(dependencies.env.clock.wall()),
      log_(dependencies.logs, dependencies.env, function_, started_) {}

bool LiveInstance::fresh() const {
  return dependencies_.env.clock.wall() + function_->timeout + credentials_margin <
         credentials_expire_;
}

// ---- the Init phase

Task<Result<void>> LiveInstance::start() {
  Monotonic began = loop_.now();
  Micros limit = dependencies_.options.init_timeout;
  CO_TRY(Outcome outcome, co_await initialise(limit, Monotonic::max()));
  Micros took = std::min(between(began, loop_.now()), limit);
  say_init_ended(InitPhase::init, co_await ending_of_init(outcome), took);
  if (outcome.kind == Outcome::Kind::ready) {
    init_duration_ = took;
    co_return Result<void>();
  }
  timed_out_ = outcome.kind == Outcome::Kind::timed_out;
  init_failure_ = std::move(outcome);
  if (program_) {
    co_await program_->farewell(farewell_reason());
    program_->kill();
  }
  co_return Result<void>();
}

/// As Lambda does: once more, in the time of the invocation that waits. The lines come before the
/// invocation's START.
Task<void> LiveInstance::initialise_again(Monotonic deadline) {
  co_await end_program();
  timed_out_ = false;
  Monotonic began = loop_.now();
  Result<Outcome> outcome = co_await initialise(function_->timeout, deadline);
  // Without a second sandbox the first run's failure is the answer.
  if (!outcome) co_return;
  Micros took = between(began, loop_.now());
  say_init_ended(InitPhase::invoke, co_await ending_of_init(*outcome), took);
  init_failure_ = *std::move(outcome);
  if (init_failure_->kind == Outcome::Kind::ready) init_failure_.reset();
}

Task<Result<Outcome>> LiveInstance::initialise(Micros limit, Monotonic latest) {
  const InitPhase phase = started_once_ ? InitPhase::invoke : InitPhase::init;
  const std::string sandbox_id = started_once_ ? id_ + "-2" : id_;
  SandboxCredentials credentials{.expires = Timestamp::max()};
  if (dependencies_.credentials) {
    CO_TRY(credentials, dependencies_.credentials(*function_, sandbox_id));
  }
  credentials_expire_ = credentials.expires;
  auto plan = plan_sandbox(dependencies_, *function_, sandbox_id, log_.stream(), credentials);
  if (!plan && (plan.error().code == "Runtime.InvalidEntrypoint" ||
                plan.error().code == "Extension.TooManyExtensions")) {
    co_return Outcome{
        .kind = Outcome::Kind::init_error,
        .payload = runtime::service_error_json(plan.error().code, plan.error().message)};
  }
  if (!plan) co_return fail(std::move(plan).error());
  if (!std::exchange(started_once_, true)) log_.init_started(plan->version, plan->warning);
  program_ = std::make_unique<Program>(
      dependencies_, *function_, sandbox_id,
      Program::Owner{
          .on_line = [this](std::string line) { log_.line(std::move(line)); },
          .on_extension_line = [this](std::string line) { log_.extension_line(std::move(line)); },
          .on_subscribed =
              [this](
                  const std::string& extension, const runtime::TelemetrySubscription& subscription,
                  runtime::TelemetryState how) { log_.subscribed(extension, subscription, how); },
          .on_runtime_ready =
              [this, phase] {
                drain_output();
                log_.init_runtime_done(phase, Ending{});
              },
          .on_exit =
              [this] {
                if (on_exit_) on_exit_(*this);
              }});
  const std::string version = plan->version;
  const bool custom = plan->protocol == runtime::Protocol::runtime_api;
  const std::string file = plan->spec.argv.front();
  Result<void> made = co_await program_->start(*std::move(plan));
  log_.watched_by(program_->telemetry(), phase, version);
  if (!made) {
    co_await end_program();
    if (custom && made.error().code == "NotExecutable") {
      co_return invalid_entrypoint(file, made.error().message);
    }
    co_return fail(std::move(made).error());
  }
  if (broken_) program_->kill();  // the pool gave it up while its sandbox was made
  Outcome outcome = co_await program_->initialise(std::min(loop_.now() + limit, latest));
  program_->throttle();
  drain_output();
  if (program_->has_extensions()) {
    for (const runtime::Extension& extension : program_->extensions()) log_.extension(extension);
  }
  co_return outcome;
}

/// That the runtime was ready has been said when it was.
void LiveInstance::say_init_ended(InitPhase phase, const Ending& ending, Micros took) {
  if (!program_ || !program_->was_ready()) log_.init_runtime_done(phase, ending);
  log_.init_ended(phase, ending, took);
}

Task<Ending> LiveInstance::ending_of_init(Outcome outcome) {
  if (outcome.kind == Outcome::Kind::ready) co_return Ending{};
  if (outcome.kind == Outcome::Kind::timed_out) co_return Ending{.status = "timeout"};
  Ending error{.status = "error", .error_type = "Runtime.ExitError"};
  if (outcome.kind == Outcome::Kind::init_error) {
    std::string type = runtime::error_type_of(outcome.payload);
    error.error_type = type.empty() ? "Runtime.Unknown" : type;
  }
  if (outcome.kind == Outcome::Kind::ended) {
    error.error_type = exit_fault("", co_await last_exit()).type;
  }
  co_return error;
}

/// How the program ended; one that only closed its side of the conversation is ended for it.
Task<sandbox::Exit> LiveInstance::last_exit() {
  if (!program_) co_return sandbox::Exit{};
  auto exit = co_await program_->ended(loop_.now() + exit_wait_max);
  if (!exit) {
    program_->kill();
    exit = co_await program_->ended(loop_.now() + exit_wait_max);
  }
  co_return exit.value_or(sandbox::Exit{});
}

Task<void> LiveInstance::end_program() {
  if (program_) co_await program_->shut_down();
  log_.watched_by_nobody();
  program_.reset();
}

// ---- one invocation

Task<std::optional<InvokeResult>> LiveInstance::invoke(InvokeRequest& request) {
  if (state == State::frozen) thaw();
  state = State::busy;
  Micros init = std::exchange(init_duration_, Micros(0));
  Monotonic began = loop_.now();
  Monotonic deadline = began + function_->timeout;
  Timestamp told = dependencies_.env.clock.wall() + function_->timeout;
  if (init_failure_ && !broken_) co_await initialise_again(deadline);
  log_.started(request);
  Outcome outcome;
  if (init_failure_) {
    outcome = *init_failure_;
  } else {
    runtime::Invocation invocation{
        .request_id = request.request_id,
        .invoked_arn = request.invoked_arn,
        .trace =
            complete_trace(request.trace, dependencies_.env.clock.wall(), dependencies_.env.random),
        .client_context = request.client_context,
        .payload = request.payload.empty() ? "{}" : std::move(request.payload),
        .deadline = told};
    outcome = co_await program_->invoke(std::move(invocation), deadline);
  }
  if (outcome.kind == Outcome::Kind::unheard) {
    // One that ends before its first invocation would end before each.
    if (invocations_ > 0) {
      request.payload = std::move(outcome.payload);
      kill();
      co_return std::nullopt;
    }
    outcome.kind = Outcome::Kind::ended;
  }
  Micros duration = between(began, loop_.now());
  if (outcome.kind == Outcome::Kind::timed_out) duration = Micros(function_->timeout);
  // From here the function has answered, or never will.
  Verdict verdict = co_await judge(std::move(outcome), request.request_id);
  InvokeResult result{.error = verdict.error, .duration = duration, .init_duration = init};
  Pending ended{.request_id = request.request_id,
                .began = began,
                .deadline = deadline,
                .init = init,
                .want_log_tail = request.want_log_tail,
                .produced_bytes = verdict.payload.size(),
                .status = std::move(verdict.status),
                .error_type = std::move(verdict.error_type)};
  result.payload = std::move(verdict.payload);
  drain_output();
  log_.runtime_done(ended.request_id, {ended.status, ended.error_type}, duration,
                    ended.produced_bytes);
  if (!broken_ && program_ && program_->has_extensions()) {
    result.billed_ms = billed_ms(duration, init);
    pending_ = std::move(ended);
  } else {
    report(std::move(ended), duration, result);
  }
  co_return result;
}

/// Until every extension has asked for its next event: that is the end of the Invoke phase.
Task<void> LiveInstance::settle(InvokeResult& result) {
  using Settled = runtime::ExtensionApi::Settled;
  Pending ended = *std::exchange(pending_, std::nullopt);
  const Settled how = co_await program_->extensions_ready(ended.deadline);
  Micros duration = between(ended.began, loop_.now());
  if (how == Settled::timed_out) {
    duration = Micros(function_->timeout);
    broken_ = timed_out_ = true;
    program_->kill_runtime();
    drain_output();
    log_.timed_out(ended.request_id);
    ended.status = "timeout";
  } else if (how != Settled::done) {
    Verdict verdict = judge_extensions(ended.request_id);
    ended.status = std::move(verdict.status);
    ended.error_type = std::move(verdict.error_type);
  }
  drain_output();
  report(std::move(ended), duration, result);
}

Task<LiveInstance::Verdict> LiveInstance::judge(Outcome outcome, std::string request_id) {
  using Kind = Outcome::Kind;
  if (outcome.kind == Kind::result) co_return Verdict{.payload = std::move(outcome.payload)};
  if (outcome.kind == Kind::error) {
    co_return Verdict{.payload = std::move(outcome.payload), .error = FunctionError::unhandled};
  }
  broken_ = true;
  if (program_ && program_->extension_fault()) co_return judge_extensions(request_id);
  if (outcome.kind == Kind::ended) co_return co_await judge_ended(std::move(request_id));
  if (outcome.kind == Kind::init_error || outcome.kind == Kind::fatal) {
    std::string type = runtime::error_type_of(outcome.payload);
    co_return Verdict{.payload = std::move(outcome.payload),
                      .error = FunctionError::unhandled,
                      .status = "error",
                      .error_type = type.empty() ? "Runtime.Unknown" : type};
  }
  if (program_) program_->kill_runtime();
  if (outcome.kind == Kind::timed_out) {
    timed_out_ = true;
    drain_output();
    log_.timed_out(request_id);
    co_return fault(timeout_fault(request_id, function_->timeout), "timeout");
  }
  ServiceFault garbage = runtime_fault(request_id, "a malformed frame (" + outcome.payload + ")");
  log_.fault(garbage, request_id);
  co_return fault(garbage, "error");
}

Task<LiveInstance::Verdict> LiveInstance::judge_ended(std::string request_id) {
  sandbox::Exit exit = co_await last_exit();
  drain_output();
  ServiceFault gone = exit_fault(request_id, exit);
  log_.fault(gone, request_id);
  co_return fault(gone, "error");
}

LiveInstance::Verdict LiveInstance::fault(const ServiceFault& fault, std::string_view status) {
  return {.payload = fault.json(),
          .error = FunctionError::unhandled,
          .status = std::string(status),
          .error_type = fault.type};
}

/// One of them has failed, or they are gone with their sandbox.
LiveInstance::Verdict LiveInstance::judge_extensions(const std::string& request_id) {
  broken_ = true;
  drain_output();
  const auto failed = program_->extension_fault();
  ServiceFault gone = failed ? extension_fault(request_id, failed->type, failed->what)
                             : exit_fault(request_id, sandbox::Exit{});
  log_.fault(gone, request_id);
  return fault(gone, "error");
}

void LiveInstance::report(Pending ended, Micros duration, InvokeResult& result) {
  result.memory_peak_bytes = program_ ? program_->memory_peak_bytes() : 0;
  log_.ended({.request_id = std::move(ended.request_id),
              .duration = duration,
              .init_duration = ended.init,
              .memory_mb = function_->memory_mb,
              .memory_peak_bytes = result.memory_peak_bytes,
              .status = std::move(ended.status),
              .error_type = std::move(ended.error_type),
              .extensions_duration = duration - result.duration});
  ++invocations_;
  result.duration = duration;
  result.billed_ms = billed_ms(duration, ended.init);
  std::string tail = log_.take_tail();
  if (ended.want_log_tail) result.log_tail = std::move(tail);
}

// ---- the program

void LiveInstance::freeze() {
  if (state != State::idle) return;
  // A sandbox that cannot be frozen still works; it is only less quiet.
  if (program_->freeze()) state = State::frozen;
}

void LiveInstance::thaw() {
  if (!program_->thaw()) broken_ = true;
}

void LiveInstance::kill() {
  broken_ = true;
  if (program_) program_->kill();
}

void LiveInstance::give_up() {
  broken_ = true;
  if (program_ && !program_->expects_farewell()) program_->kill();
}

runtime::ShutdownReason LiveInstance::farewell_reason() const {
  if (timed_out_) return runtime::ShutdownReason::timeout;
  const bool failed = init_failure_ || program_->has_ended() || program_->extension_fault();
  return failed ? runtime::ShutdownReason::failure : runtime::ShutdownReason::spindown;
}

Task<void> LiveInstance::shut_down() {
  broken_ = true;
  if (program_) co_await program_->farewell(farewell_reason());
  co_await end_program();
}

void LiveInstance::drain_output() {
  if (program_) program_->drain_output();
}

}  // namespace wolke::invoke
