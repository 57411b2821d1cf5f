#include "wolke/invoke/program.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace wolke::invoke {
namespace {

using async::Task;
using async::Wake;

constexpr std::size_t read_piece_bytes = 64 * 1024;
/// What is read of the log, at most, between a function's answer and ours.
constexpr std::size_t drain_bytes_max = 2 * 1024 * 1024;
/// A function that logs too much is read this much slower, so that it blocks rather than we work.
constexpr auto flood_pause = std::chrono::milliseconds(5);
constexpr auto exit_wait_max = std::chrono::seconds(1);

}  // namespace

Program::Program(const Dependencies& dependencies, std::string sandbox_id, Owner owner)
    : dependencies_(dependencies),
      loop_(dependencies.loop),
      sandbox_id_(std::move(sandbox_id)),
      owner_(std::move(owner)),
      exited_(dependencies.loop) {}

Task<Result<void>> Program::start(Plan plan) {
  CO_TRY(sandbox_, co_await dependencies_.sandboxes.start(std::move(plan.spec)));
  // From here the program runs.
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

Task<std::optional<sandbox::Exit>> Program::ended(Monotonic deadline) {
  if (!exit_) co_await exited_.wait(deadline);
  co_return exit_;
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
  exit_ = co_await sandbox_->exited(Monotonic::max());
  session_->close();
  exited_.set();
  owner_.on_exit();
}

Task<void> Program::shut_down() {
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
              [this](std::string line) { take_line(std::move(line)); });
  return Read::some;
}

void Program::drain_output() {
  if (!sandbox_) return;
  auto sink = [this](std::string line) { take_line(std::move(line)); };
  for (auto [fd, cutter] : {std::pair(sandbox_->stdout_fd(), &stdout_lines_),
                            std::pair(sandbox_->stderr_fd(), &stderr_lines_)}) {
    std::size_t pieces = drain_bytes_max / read_piece_bytes;
    while (pieces-- > 0 && read_once(fd, *cutter) == Read::some) {
    }
    cutter->finish(sink);
  }
  if (auto notice = flood_.take_notice()) owner_.on_line(*std::move(notice));
}

void Program::take_line(std::string line) {
  bool dropping = flood_.closed();
  if (!flood_.admit(line.size(), loop_.now())) return;
  if (dropping) {
    if (auto notice = flood_.take_notice()) owner_.on_line(*std::move(notice));
  }
  owner_.on_line(std::move(line));
}

}  // namespace wolke::invoke
