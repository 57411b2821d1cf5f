#include "wolke/invoke/program.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

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

}  // namespace

Program::Program(const Dependencies& dependencies, const FunctionSpec& function,
                 std::string sandbox_id, Owner owner)
    : dependencies_(dependencies),
      function_(function),
      loop_(dependencies.loop),
      sandbox_id_(std::move(sandbox_id)),
      owner_(std::move(owner)),
      exited_(dependencies.loop) {}

Task<Result<void>> Program::start(Plan plan) {
  CO_TRY(sandbox_, co_await dependencies_.sandboxes.start(std::move(plan.spec)));
  // From here the program runs.
  std::vector<Fd> listeners = sandbox_->take_listeners();
  std::size_t served = 0;
  serve_runtime(plan, listeners, served);
  auto next = listeners.begin() + static_cast<std::ptrdiff_t>(served);
  for (const auto& serve : {&dependencies_.serve_gateway, &dependencies_.serve_gateway_tls}) {
    if (!*serve || next == listeners.end()) continue;
    Fd listening = std::move(*next++);
    if (listening.valid()) (*serve)(std::move(listening), sandbox_id_);
  }
  if (plan.names && listeners.end() - next == 2) {
    names_ = std::make_unique<runtime::NameServer>(loop_, dependencies_.domains);
    names_->serve_datagrams(std::move(*next++));
    names_->serve_streams(std::move(*next++));
  }
  loop_.spawn(pump(sandbox_->stdout_fd(), stdout_lines_));
  loop_.spawn(pump(sandbox_->stderr_fd(), stderr_lines_));
  loop_.spawn(watch_exit());
  co_return Result<void>();
}

/// The session, and beside it what extensions need.
void Program::serve_runtime(Plan& plan, std::vector<Fd>& listeners, std::size_t& next) {
  auto take = [&] { return next < listeners.size() ? std::move(listeners[next++]) : Fd(); };
  Fd api = take();
  Fd supervision = plan.extensions.empty() ? Fd() : take();
  Fd outward = plan.telemetry ? take() : Fd();
  extension_lines_.resize(plan.extensions.size());
  telemetry_ = std::make_unique<runtime::Telemetry>(loop_, dependencies_.env, std::move(outward),
                                                    owner_.on_subscribed);
  extensions_ = std::make_unique<runtime::ExtensionApi>(
      loop_, dependencies_.env.random,
      runtime::ExtensionSetup{.external = plan.extensions,
                              .function_name = function_.name,
                              .function_version = function_.version,
                              .handler = function_.handler,
                              .account = function_.account},
      *telemetry_, [this] { extension_failed(); });
  if (!plan.extensions.empty()) {
    supervision_ = std::make_unique<runtime::Supervision>(
        loop_, std::move(supervision), plan.extensions.size(), supervision_owner());
  }
  if (plan.protocol == runtime::Protocol::runtime_api) {
    session_ = runtime::make_api_session(loop_, std::move(api), extensions_.get());
    return;
  }
  session_ = runtime::make_frame_session(loop_, sandbox_->control_fd());
  if (!api.valid()) return;
  api_ = std::make_unique<net::Server>(
      loop_, [this](net::Exchange& exchange) { return extensions_->handle(exchange); });
  api_->serve(std::move(api));
}

// ---- extensions

Task<Outcome> Program::initialise(Monotonic deadline) {
  using Settled = runtime::ExtensionApi::Settled;
  if (supervision_) {
    const Settled registered = co_await extensions_->registered(deadline);
    if (registered != Settled::done) co_return outcome_of(registered);
    supervision_->order(runtime::SupervisionOrder::start);
    runtime_started_ = true;
  }
  Outcome outcome = co_await session_->initialise(deadline);
  was_ready_ = outcome.kind == Outcome::Kind::ready;
  if (was_ready_) owner_.on_runtime_ready();
  extensions_->close_registration();
  if (outcome.kind == Outcome::Kind::ready && has_extensions()) {
    const Settled ready = co_await extensions_->ready(deadline);
    if (ready != Settled::done) outcome = outcome_of(ready);
  }
  telemetry_->close_subscriptions();
  co_return outcome;
}

Outcome Program::outcome_of(runtime::ExtensionApi::Settled settled) const {
  using Settled = runtime::ExtensionApi::Settled;
  if (settled == Settled::timed_out) return {.kind = Outcome::Kind::timed_out};
  if (settled != Settled::fault) return {.kind = Outcome::Kind::ended};
  const runtime::ExtensionFault& fault = *extensions_->book().fault();
  return {.kind = Outcome::Kind::init_error,
          .payload = runtime::service_error_json(fault.type, fault.what)};
}

Task<Outcome> Program::invoke(runtime::Invocation invocation, Monotonic deadline) {
  if (has_extensions()) extensions_->begin_invoke(invocation);
  return session_->invoke(std::move(invocation), deadline);
}

std::optional<runtime::ExtensionFault> Program::extension_fault() const {
  return extensions_ ? extensions_->book().fault() : std::nullopt;
}

Task<runtime::ExtensionApi::Settled> Program::extensions_ready(Monotonic deadline) {
  return extensions_->ready(deadline);
}

bool Program::expects_farewell() const {
  if (!has_extensions() || sandbox_ended_) return false;
  return supervision_ ? extensions_->book().expects_farewell() : !exit_;
}

/// The runtime gets its time first, then the extensions the rest.
Task<void> Program::farewell(runtime::ShutdownReason reason) {
  if (!expects_farewell()) co_return;
  const Monotonic end = loop_.now() + runtime::shutdown_external_max;
  (void)thaw();
  telemetry_->flush();
  if (!supervision_) {
    sandbox_->terminate();
    co_await exited_.wait(loop_.now() + runtime::shutdown_internal_max);
    co_return;
  }
  if (runtime_started_ && !exit_) {
    const bool internal = extensions_->book().all().size() > extension_lines_.size();
    supervision_->order(runtime::SupervisionOrder::terminate);
    co_await exited_.wait(
        loop_.now() + (internal ? runtime::shutdown_internal_max : runtime::shutdown_runtime_max));
    supervision_->order(runtime::SupervisionOrder::kill);
    telemetry_->flush();
  }
  extensions_->begin_shutdown(reason, dependencies_.env.clock.wall() +
                                          std::chrono::duration_cast<Millis>(end - loop_.now()));
  co_await extensions_->farewell(end);
}

void Program::kill_runtime() {
  if (!supervision_ || !expects_farewell()) return kill();
  supervision_->order(runtime::SupervisionOrder::kill);
}

runtime::Supervision::Owner Program::supervision_owner() {
  return {.on_output = [this](std::size_t index,
                              std::string_view bytes) { take_extension_output(index, bytes); },
          .on_extension_end =
              [this](std::size_t index, const runtime::ProcessEnd& end) {
                take_extension_output(index, {});
                if (end.launch_error != 0) {
                  extensions_->launch_failed(index, describe(end));
                } else {
                  extensions_->process_ended(index, describe(end));
                }
              },
          .on_runtime_end =
              [this](const runtime::ProcessEnd& end) {
                sandbox::Exit exit{.code = end.launch_error != 0 ? 127 : end.code,
                                   .signal = end.signal};
                exit.out_of_memory = exit.signal != 0 && sandbox_->usage().out_of_memory;
                runtime_ended(exit);
              },
          .flooded = [this] { return flood_.closed(); }};
}

/// Empty bytes: it has ended, and what has no line feed yet is a line.
void Program::take_extension_output(std::size_t index, std::string_view bytes) {
  auto sink = [this](std::string line) { take_line(std::move(line), owner_.on_extension_line); };
  if (bytes.empty()) return extension_lines_[index].finish(sink);
  extension_lines_[index].feed(bytes, sink);
}

/// Whoever waits for the runtime need wait no more.
void Program::extension_failed() {
  session_->close();
  loop_.spawn(tell_of_failure());
}

/// Not at once: it is a request of an extension that is being answered.
Task<void> Program::tell_of_failure() {
  auto inside = gate_.enter();
  if (!inside) co_return;
  co_await loop_.sleep_for(std::chrono::nanoseconds(0));
  owner_.on_exit();
}

// ---- its end

Task<std::optional<sandbox::Exit>> Program::ended(Monotonic deadline) {
  if (!exit_) co_await exited_.wait(deadline);
  co_return exit_;
}

Result<void> Program::freeze() {
  if (telemetry_) telemetry_->pause();
  return sandbox_->freeze();
}

Result<void> Program::thaw() {
  if (telemetry_) telemetry_->resume();
  return sandbox_->thaw();
}

void Program::throttle() {
  if (sandbox_) sandbox_->throttle();
}

void Program::kill() {
  if (sandbox_) sandbox_->kill();
}

std::uint64_t Program::memory_peak_bytes() {
  return sandbox_ ? sandbox_->usage().memory_peak_bytes : 0;
}

Task<void> Program::watch_exit() {
  auto inside = gate_.enter();
  auto exit = co_await sandbox_->exited(Monotonic::max());
  sandbox_ended_ = true;
  if (extensions_) extensions_->close();
  runtime_ended(exit.value_or(sandbox::Exit{}));
}

void Program::runtime_ended(sandbox::Exit exit) {
  if (exit_) return;
  exit_ = exit;
  session_->close();
  exited_.set();
  owner_.on_exit();
}

Task<void> Program::shut_down() {
  kill();
  if (sandbox_) {
    co_await exited_.wait(loop_.now() + exit_wait_max);
    session_->close();
    if (extensions_) extensions_->close();
    co_await session_->shut_down();
    if (api_) co_await api_->stop(Millis(0));
    if (supervision_) co_await supervision_->stop();
    if (telemetry_) co_await telemetry_->stop();
    if (names_) co_await names_->stop();
    // Whoever else holds the pipes' other ends must not keep us waiting.
    loop_.forget(sandbox_->stdout_fd());
    loop_.forget(sandbox_->stderr_fd());
  }
  co_await gate_.close();
  drain_output();
  session_.reset();
  api_.reset();
  supervision_.reset();
  extensions_.reset();
  telemetry_.reset();
  names_.reset();
  sandbox_.reset();
  if (dependencies_.sandbox_ended) dependencies_.sandbox_ended(sandbox_id_);
}

// ---- its output

Task<void> Program::pump(int fd, LineCutter& cutter) {
  auto inside = gate_.enter();
  while (inside) {
    if (co_await loop_.readable(fd, Monotonic::max()) != Wake::ready) co_return;
    if (read_once(fd, cutter) == Read::ended) co_return;
    if (flood_.closed()) co_await loop_.sleep_for(flood_pause);
  }
}

Program::Read Program::read_once(int fd, LineCutter& cutter) {
  // Not zeroed: this is on the path of every invocation.
  [[clang::uninitialized]] std::array<char, read_piece_bytes> piece;
  ssize_t n = ::read(fd, piece.data(), piece.size());
  if (n == 0) return Read::ended;
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Read::none : Read::ended;
  cutter.feed({piece.data(), static_cast<std::size_t>(n)},
              [this](std::string line) { take_line(std::move(line), owner_.on_line); });
  return Read::some;
}

void Program::drain_output() {
  if (!sandbox_) return;
  auto sink = [this](std::string line) { take_line(std::move(line), owner_.on_line); };
  for (auto [fd, cutter] : {std::pair(sandbox_->stdout_fd(), &stdout_lines_),
                            std::pair(sandbox_->stderr_fd(), &stderr_lines_)}) {
    std::size_t pieces = drain_bytes_max / read_piece_bytes;
    while (pieces-- > 0 && read_once(fd, *cutter) == Read::some) {
    }
    cutter->finish(sink);
  }
  if (auto notice = flood_.take_notice()) owner_.on_line(*std::move(notice));
}

void Program::take_line(std::string line, const Sink& sink) {
  bool dropping = flood_.closed();
  if (!flood_.admit(line.size(), loop_.now())) return;
  if (dropping) {
    if (auto notice = flood_.take_notice()) owner_.on_line(*std::move(notice));
  }
  sink(std::move(line));
}

}  // namespace wolke::invoke
