#include "wolke/invoke/instance.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "wolke/invoke/environment.h"

namespace wolke::invoke {
namespace {

using async::Task;
using async::Wake;
using runtime::Outcome;

constexpr std::size_t read_piece_bytes = 64 * 1024;
/// What is read of the log, at most, between a function's answer and ours.
constexpr std::size_t drain_bytes_max = 2 * 1024 * 1024;
/// A function that logs too much is read this much slower, so that it blocks rather than we work.
constexpr auto flood_pause = std::chrono::milliseconds(5);
constexpr auto exit_wait_max = std::chrono::seconds(1);
constexpr auto credentials_margin = std::chrono::minutes(5);

Micros between(Monotonic from, Monotonic to) {
  return std::chrono::duration_cast<Micros>(to - from);
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
      exited_(dependencies.loop) {
  log_stream_ = log_stream_name(started_, function_->version, dependencies.env.random);
}

bool LiveInstance::fresh() const {
  return dependencies_.env.clock.wall() + function_->timeout + credentials_margin <
         credentials_expire_;
}

// ---- start

Task<Result<void>> LiveInstance::start() {
  Monotonic began = loop_.now();
  CO_TRY(co_await make_sandbox());
  if (broken_) kill();  // the pool gave it up while its sandbox was made
  if (!init_failure_) co_await initialise();
  if (sandbox_) sandbox_->throttle();
  Micros took = between(began, loop_.now());
  init_duration_ = std::min(took, Micros(dependencies_.options.init_timeout));
  init_overrun_ = took - init_duration_;
  drain_output();
  if (init_failure_ && init_failure_->kind != Outcome::Kind::timed_out) {
    std::string type = init_failure_->kind == Outcome::Kind::init_error
                           ? runtime::error_type_of(init_failure_->payload)
                           : "Runtime.ExitError";
    emit(init_report_line(init_duration_, "error", type));
  }
  co_return Result<void>();
}

Task<Result<void>> LiveInstance::make_sandbox() {
  SandboxCredentials credentials{.expires = Timestamp::max()};
  if (dependencies_.credentials) {
    CO_TRY(credentials, dependencies_.credentials(*function_, id_));
  }
  credentials_expire_ = credentials.expires;
  auto plan = plan_sandbox(dependencies_, *function_, id_, log_stream_, credentials);
  if (!plan && plan.error().code == "Runtime.InvalidEntrypoint") {
    init_failure_ =
        Outcome{.kind = Outcome::Kind::init_error,
                .payload = runtime::service_error_json(plan.error().code, plan.error().message)};
    broken_ = true;
    co_return Result<void>();
  }
  if (!plan) co_return fail(std::move(plan).error());
  log_only(init_start_line(plan->version, function_->region));
  if (!plan->warning.empty()) log_only("WARN " + plan->warning + "\n");
  CO_TRY(sandbox_, co_await dependencies_.sandboxes.start(std::move(plan->spec)));
  begin(*plan);
  co_return Result<void>();
}

/// From here the program runs.
void LiveInstance::begin(const Plan& plan) {
  std::vector<Fd> listeners = sandbox_->take_listeners();
  auto next = listeners.begin();
  if (plan.protocol == runtime::Protocol::runtime_api) {
    session_ =
        runtime::make_api_session(loop_, next != listeners.end() ? std::move(*next++) : Fd());
  } else {
    session_ = runtime::make_frame_session(loop_, sandbox_->control_fd());
  }
  for (const auto& serve : {&dependencies_.serve_gateway, &dependencies_.serve_gateway_tls}) {
    if (!*serve || next == listeners.end()) continue;
    Fd listening = std::move(*next++);
    if (listening.valid()) (*serve)(std::move(listening), id_);
  }
  if (plan.names && listeners.end() - next == 2) {
    names_ = std::make_unique<runtime::NameServer>(loop_, dependencies_.domains);
    names_->serve_datagrams(std::move(*next++));
    names_->serve_streams(std::move(*next++));
  }
  loop_.spawn(pump(sandbox_->stdout_fd(), stdout_lines_));
  loop_.spawn(pump(sandbox_->stderr_fd(), stderr_lines_));
  loop_.spawn(watch_exit());
}

/// Lambda ends an Init phase of more than 10 s and runs it again inside the first invocation; here
/// it goes on, and its overrun counts as that invocation's duration, up to the function's timeout.
Task<void> LiveInstance::initialise() {
  Monotonic limit = loop_.now() + dependencies_.options.init_timeout;
  Outcome outcome = co_await session_->initialise(limit);
  if (outcome.kind == Outcome::Kind::timed_out) {
    emit(init_report_line(dependencies_.options.init_timeout, "timeout", ""));
    outcome = co_await session_->initialise(limit + function_->timeout);
  }
  if (outcome.kind == Outcome::Kind::ready) co_return;
  broken_ = true;
  init_failure_ = std::move(outcome);
}

// ---- one invocation

Task<std::optional<InvokeResult>> LiveInstance::invoke(InvokeRequest& request) {
  if (state == State::frozen) thaw();
  state = State::busy;
  emit(start_line(request.request_id, function_->version));
  Micros init = std::exchange(init_duration_, Micros(0));
  Micros overrun = std::exchange(init_overrun_, Micros(0));
  Monotonic began = loop_.now();
  auto left = std::max(Micros(0), Micros(function_->timeout) - overrun);
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
        .deadline = dependencies_.env.clock.wall() + std::chrono::ceil<Millis>(left)};
    outcome = co_await session_->invoke(std::move(invocation), began + left);
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
  Micros duration = between(began, loop_.now()) + overrun;
  if (outcome.kind == Outcome::Kind::timed_out) duration = Micros(function_->timeout);
  // From here the function has answered, or never will.
  Verdict verdict = co_await judge(std::move(outcome), request.request_id);
  co_return finish(request, std::move(verdict), duration, init);
}

Task<LiveInstance::Verdict> LiveInstance::judge(Outcome outcome, std::string request_id) {
  using Kind = Outcome::Kind;
  if (outcome.kind == Kind::result) co_return Verdict{.payload = std::move(outcome.payload)};
  if (outcome.kind == Kind::error) {
    co_return Verdict{.payload = std::move(outcome.payload), .error = FunctionError::unhandled};
  }
  broken_ = true;
  if (outcome.kind == Kind::ended) co_return co_await judge_ended(std::move(request_id));
  if (outcome.kind == Kind::init_error || outcome.kind == Kind::fatal) {
    std::string type = runtime::error_type_of(outcome.payload);
    co_return Verdict{.payload = std::move(outcome.payload),
                      .error = FunctionError::unhandled,
                      .status = "error",
                      .error_type = type.empty() ? "Runtime.Unknown" : type};
  }
  kill();
  if (outcome.kind == Kind::timed_out) {
    drain_output();
    emit(timed_out_line(dependencies_.env.clock.wall(), request_id, function_->timeout));
    co_return fault(timeout_fault(request_id, function_->timeout), "timeout");
  }
  ServiceFault garbage = runtime_fault(request_id, "a malformed frame (" + outcome.payload + ")");
  emit(garbage.message + "\n" + garbage.type + "\n");
  co_return fault(garbage, "error");
}

/// The program ended, or closed its side of the conversation and is ended for it.
Task<LiveInstance::Verdict> LiveInstance::judge_ended(std::string request_id) {
  if (!exit_ && co_await exited_.wait(loop_.now() + exit_wait_max) == Wake::timed_out) {
    kill();
    co_await exited_.wait(loop_.now() + exit_wait_max);
  }
  drain_output();
  ServiceFault gone = exit_fault(request_id, exit_.value_or(sandbox::Exit{}));
  emit(gone.message + "\n" + gone.type + "\n");
  co_return fault(gone, "error");
}

LiveInstance::Verdict LiveInstance::fault(const ServiceFault& fault, std::string_view status) {
  return {.payload = fault.json(),
          .error = FunctionError::unhandled,
          .status = std::string(status),
          .error_type = fault.type};
}

InvokeResult LiveInstance::finish(const InvokeRequest& request, Verdict verdict, Micros duration,
                                  Micros init) {
  drain_output();
  std::uint64_t peak = sandbox_ ? sandbox_->usage().memory_peak_bytes : 0;
  emit(end_line(request.request_id));
  emit(report_line({.request_id = request.request_id,
                    .duration = duration,
                    .init_duration = init,
                    .memory_mb = function_->memory_mb,
                    .memory_peak_bytes = peak,
                    .status = std::move(verdict.status),
                    .error_type = std::move(verdict.error_type)}));
  ++invocations_;
  InvokeResult result{.payload = std::move(verdict.payload),
                      .error = verdict.error,
                      .duration = duration,
                      .init_duration = init,
                      .billed_ms = billed_ms(duration, init),
                      .memory_peak_bytes = peak};
  std::string tail = std::exchange(tail_, {});
  if (request.want_log_tail) {
    result.log_tail = tail.substr(
        tail.size() > limits::log_tail_bytes ? tail.size() - limits::log_tail_bytes : 0);
  }
  return result;
}

// ---- the program

void LiveInstance::freeze() {
  if (state != State::idle) return;
  // A sandbox that cannot be frozen still works; it is only less quiet.
  if (sandbox_->freeze()) state = State::frozen;
}

void LiveInstance::thaw() {
  if (!sandbox_->thaw()) broken_ = true;
}

void LiveInstance::kill() {
  broken_ = true;
  if (sandbox_) sandbox_->kill();
}

Task<void> LiveInstance::watch_exit() {
  auto inside = gate_.enter();
  exit_ = co_await sandbox_->exited(Monotonic::max());
  session_->close();
  exited_.set();
  if (on_exit_) on_exit_(*this);
}

Task<void> LiveInstance::shut_down() {
  kill();
  if (sandbox_) {
    co_await exited_.wait(loop_.now() + exit_wait_max);
    session_->close();
    co_await session_->shut_down();
    if (names_) co_await names_->stop();
    // Whoever else holds the pipes' other ends must not keep us waiting.
    loop_.forget(sandbox_->stdout_fd());
    loop_.forget(sandbox_->stderr_fd());
  }
  co_await gate_.close();
  drain_output();
  session_.reset();
  names_.reset();
  sandbox_.reset();
  if (dependencies_.sandbox_ended) dependencies_.sandbox_ended(id_);
}

// ---- the log

Task<void> LiveInstance::pump(int fd, LineCutter& cutter) {
  auto inside = gate_.enter();
  while (inside) {
    if (co_await loop_.readable(fd, Monotonic::max()) != Wake::ready) co_return;
    if (read_once(fd, cutter) == Read::ended) co_return;
    if (flood_.closed()) co_await loop_.sleep_for(flood_pause);
  }
}

LiveInstance::Read LiveInstance::read_once(int fd, LineCutter& cutter) {
  // Not zeroed: this is on the path of every invocation.
  [[clang::uninitialized]] std::array<char, read_piece_bytes> piece;
  ssize_t n = ::read(fd, piece.data(), piece.size());
  if (n == 0) return Read::ended;
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Read::none : Read::ended;
  cutter.feed({piece.data(), static_cast<std::size_t>(n)},
              [this](std::string line) { take_line(std::move(line)); });
  return Read::some;
}

/// All that the function wrote before it answered belongs to this invocation.
void LiveInstance::drain_output() {
  if (!sandbox_) return;
  auto sink = [this](std::string line) { take_line(std::move(line)); };
  for (auto [fd, cutter] : {std::pair(sandbox_->stdout_fd(), &stdout_lines_),
                            std::pair(sandbox_->stderr_fd(), &stderr_lines_)}) {
    std::size_t pieces = drain_bytes_max / read_piece_bytes;
    while (pieces-- > 0 && read_once(fd, *cutter) == Read::some) {
    }
    cutter->finish(sink);
  }
  if (auto notice = flood_.take_notice()) emit(*notice + "\n");
}

void LiveInstance::take_line(std::string line) {
  bool dropping = flood_.closed();
  if (!flood_.admit(line.size(), loop_.now())) return;
  if (dropping) {
    if (auto notice = flood_.take_notice()) emit(*notice + "\n");
  }
  line += '\n';
  emit(std::move(line));
}

void LiveInstance::emit(std::string line) {
  tail_ += line;
  if (tail_.size() > 4 * limits::log_tail_bytes)
    tail_.erase(0, tail_.size() - limits::log_tail_bytes);
  log_only(std::move(line));
}

void LiveInstance::log_only(std::string line) {
  dependencies_.logs.append(function_->account, function_->region, function_->log_group,
                            log_stream_, dependencies_.env.clock.wall(), std::move(line));
}

}  // namespace wolke::invoke
