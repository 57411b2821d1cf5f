#include "wolke/runtime/supervision.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "wolke/base/text.h"

// The bytes of the executable; WOLKE_SUPERVISOR is the path that the build gave it.
asm(".pushsection .rodata.wolke_supervisor, \"a\", @progbits\n"
    ".balign 16\n"
    ".globl wolke_supervisor_begin\n"
    "wolke_supervisor_begin:\n"
    ".incbin \"" WOLKE_SUPERVISOR
    "\"\n"
    ".globl wolke_supervisor_end\n"
    "wolke_supervisor_end:\n"
    ".popsection\n");
extern "C" const char wolke_supervisor_begin[];
extern "C" const char wolke_supervisor_end[];

namespace wolke::runtime {
namespace {

using async::Task;
using async::Wake;

constexpr std::size_t read_piece_bytes = 32 * 1024;
/// As long as too much is written, so that the extensions block rather than we work.
constexpr auto flood_pause = std::chrono::milliseconds(5);

Error disk_error(const std::string& what) {
  return {.code = "DiskError",
          .status = 500,
          .message = fmt::format("{}: {}", what, std::strerror(errno))};
}

bool holds(const std::string& path, std::string_view bytes) {
  std::ifstream file(path, std::ios::binary);
  const std::string found((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return found == bytes;
}

}  // namespace

std::string describe(const ProcessEnd& end) {
  if (end.launch_error != 0) return to_lower(std::strerror(end.launch_error));
  if (end.signal != 0) {
    const char* name = ::strsignal(end.signal);
    return fmt::format("signal: {}", name ? to_lower(name) : std::to_string(end.signal));
  }
  if (end.code != 0) return fmt::format("exit status {}", end.code);
  return "exit code 0";
}

Supervision::Supervision(async::Loop& loop, Fd listening, std::size_t extensions, Owner owner)
    : loop_(loop),
      listening_(std::move(listening)),
      extensions_(extensions),
      owner_(std::move(owner)) {
  loop_.spawn(listen());
}

void Supervision::order(SupervisionOrder order) {
  orders_.push_back(static_cast<char>(order));
  send_orders();
}

void Supervision::send_orders() {
  if (!connection_.valid() || orders_.empty()) return;
  const ssize_t n =
      ::send(connection_.get(), orders_.data(), orders_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  // A supervisor that takes no single byte is ended with its sandbox.
  if (n > 0) orders_.erase(0, static_cast<std::size_t>(n));
}

Task<void> Supervision::listen() {
  auto inside = gate_.enter();
  while (!stopped_ && listening_.valid() && !connection_.valid()) {
    if (co_await loop_.readable(listening_.get(), Monotonic::max()) != Wake::ready) co_return;
    connection_ = Fd(::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  }
  if (stopped_) co_return;
  // One connection only.
  if (listening_.valid()) loop_.forget(listening_.get());
  listening_.reset();
  send_orders();
  co_await receive();
}

Task<void> Supervision::receive() {
  std::string piece(read_piece_bytes, '\0');
  while (!stopped_ && connection_.valid()) {
    const ssize_t n = ::recv(connection_.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (n > 0) {
      in_.append(piece.data(), static_cast<std::size_t>(n));
      if (!take_messages()) co_return;
      if (owner_.flooded() && co_await loop_.sleep_for(flood_pause) == Wake::cancelled) co_return;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
      co_return;
    }
    if (stopped_) co_return;
    if (co_await loop_.readable(connection_.get(), Monotonic::max()) != Wake::ready) co_return;
  }
}

bool Supervision::take_messages() {
  std::size_t at = 0;
  while (in_.size() - at >= supervision_head_bytes) {
    std::uint32_t length = 0;
    std::memcpy(&length, in_.data() + at, sizeof length);
    if (length > supervision_payload_max) return false;
    if (in_.size() - at < supervision_head_bytes + length) break;
    const auto word = static_cast<SupervisionWord>(in_[at + 4]);
    const int index = static_cast<unsigned char>(in_[at + 5]);
    const auto payload = std::string_view(in_).substr(at + supervision_head_bytes, length);
    at += supervision_head_bytes + length;
    if (!take(word, index, payload)) return false;
  }
  in_.erase(0, at);
  return true;
}

bool Supervision::take(SupervisionWord word, int index, std::string_view payload) {
  const bool of_runtime = index == supervised_runtime;
  const auto extension = static_cast<std::size_t>(index);
  if (!of_runtime && extension >= extensions_) return false;
  if (word == SupervisionWord::output) {
    if (!of_runtime) owner_.on_output(extension, payload);
    return !of_runtime;
  }
  std::int32_t number = 0;
  if (payload.size() != sizeof number) return false;
  std::memcpy(&number, payload.data(), sizeof number);
  ProcessEnd end;
  if (word == SupervisionWord::failed) {
    end.launch_error = number;
  } else if (word != SupervisionWord::ended) {
    return false;
  } else if (WIFSIGNALED(number)) {
    end.signal = WTERMSIG(number);
  } else {
    end.code = WEXITSTATUS(number);
  }
  of_runtime ? owner_.on_runtime_end(end) : owner_.on_extension_end(extension, end);
  return true;
}

Task<void> Supervision::stop() {
  stopped_ = true;
  for (const Fd* fd : {&listening_, &connection_}) {
    if (fd->valid()) loop_.forget(fd->get());
  }
  co_await gate_.close();
}

Result<void> unpack_supervisor(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) {
    return fail(disk_error("making " + directory));
  }
  if (::chmod(directory.c_str(), 0755) < 0) return fail(disk_error(directory));
  const std::string path = directory + "/supervise";
  const std::string_view program(
      wolke_supervisor_begin,
      static_cast<std::size_t>(wolke_supervisor_end - wolke_supervisor_begin));
  if (holds(path, program)) return {};
  // Put in place at once, as an older one may be running.
  const std::string fresh = path + ".new";
  (void)::unlink(fresh.c_str());
  {
    Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
    if (!file.valid() || ::fchmod(file.get(), 0755) < 0) return fail(disk_error(fresh));
    std::string_view rest = program;
    while (!rest.empty()) {
      const ssize_t n = ::write(file.get(), rest.data(), rest.size());
      if (n <= 0) return fail(disk_error(fresh));
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) < 0) return fail(disk_error(path));
  return {};
}

}  // namespace wolke::runtime
