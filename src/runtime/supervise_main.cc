// The program inside a sandbox of a function with external extensions: it starts them, then, when
// it is told to, the runtime, and tells the server what they write and how they end. Linked
// statically and carried in the server as bytes (supervision.h, which also describes what is said).
//
//   supervise HOST:PORT COUNT EXTENSION… RUNTIME ARGUMENT…
//
// It connects before it starts anything, and the server takes one connection only, so nobody else
// can speak in its place. It has no right that the function has not, and ends with its connection.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "wolke/runtime/supervision_wire.h"

namespace {

using namespace wolke::runtime;

/// What Lambda gives to the runtime only.
constexpr const char* runtime_only[] = {
    "AWS_EXECUTION_ENV=",          "AWS_LAMBDA_LOG_GROUP_NAME=",
    "AWS_LAMBDA_LOG_STREAM_NAME=", "AWS_XRAY_CONTEXT_MISSING=",
    "AWS_XRAY_DAEMON_ADDRESS=",    "LAMBDA_RUNTIME_DIR=",
    "LAMBDA_TASK_ROOT=",           "_AWS_XRAY_DAEMON_ADDRESS=",
    "_AWS_XRAY_DAEMON_PORT=",      "_HANDLER=",
};

struct Extension {
  pid_t pid = -1;
  int output = -1;
};

int connection = -1;
Extension extensions[supervised_extensions_max];
int extension_count = 0;
pid_t runtime_pid = -1;

[[noreturn]] void end() {
  ::_exit(1);
}

void write_all(const void* bytes, size_t count) {
  const char* at = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t n = ::write(connection, at, count);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) end();
    at += n;
    count -= static_cast<size_t>(n);
  }
}

void tell(SupervisionWord word, int index, const void* payload, size_t bytes) {
  char head[supervision_head_bytes];
  const auto length = static_cast<uint32_t>(bytes);
  memcpy(head, &length, sizeof length);
  head[4] = static_cast<char>(word);
  head[5] = static_cast<char>(index);
  write_all(head, sizeof head);
  write_all(payload, bytes);
}

void tell_number(SupervisionWord word, int index, int32_t number) {
  tell(word, index, &number, sizeof number);
}

template <class T>
T number_of(const char* text) {
  T number{};
  const char* const stop = text + strlen(text);
  const auto [at, error] = std::from_chars(text, stop, number);
  if (error != std::errc() || at != stop) end();
  return number;
}

/// "127.0.0.1:9002"
int connect_to(char* address) {
  char* colon = strrchr(address, ':');
  if (colon == nullptr) end();
  *colon = '\0';
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(number_of<uint16_t>(colon + 1));
  if (::inet_pton(AF_INET, address, &name.sin_addr) != 1) end();
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) < 0) end();
  const int one = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

void restore_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
}

void remove_runtime_only(char** environment) {
  char** to = environment;
  for (char** from = environment; *from != nullptr; ++from) {
    bool keep = true;
    for (const char* name : runtime_only) keep = keep && strncmp(*from, name, strlen(name)) != 0;
    if (keep) *to++ = *from;
  }
  *to = nullptr;
}

/// What the new process does with its descriptors and its environment before it becomes `argv`.
enum class Role { extension, runtime };

/// The process id, or -1 and the errno of what failed, exec included.
pid_t start(char** argv, Role role, int output, int& error) {
  int failed[2];
  if (::pipe2(failed, O_CLOEXEC) < 0) {
    error = errno;
    return -1;
  }
  const pid_t pid = ::fork();
  if (pid == 0) {
    restore_signals();
    if (role == Role::extension) {
      ::dup2(output, 1);
      ::dup2(output, 2);
      ::close(3);  // the runtime's way to the server
      if (::chdir("/") == 0) remove_runtime_only(environ);
    }
    ::execve(argv[0], argv, environ);
    const int why = errno;
    (void)!::write(failed[1], &why, sizeof why);
    ::_exit(127);
  }
  error = pid < 0 ? errno : 0;
  ::close(failed[1]);
  int why = 0;
  if (pid > 0 && ::read(failed[0], &why, sizeof why) == sizeof why) error = why;
  ::close(failed[0]);
  if (pid > 0 && error != 0) (void)::waitpid(pid, nullptr, 0);
  return error == 0 ? pid : -1;
}

void start_extension(int index, char* path) {
  int output[2];
  if (::pipe2(output, O_CLOEXEC) < 0) return tell_number(SupervisionWord::failed, index, errno);
  char* argv[] = {path, nullptr};
  int error = 0;
  extensions[index].pid = start(argv, Role::extension, output[1], error);
  ::close(output[1]);
  if (error != 0) {
    ::close(output[0]);
    return tell_number(SupervisionWord::failed, index, error);
  }
  (void)::fcntl(output[0], F_SETFL, O_NONBLOCK);
  extensions[index].output = output[0];
}

void start_runtime(char** argv) {
  if (runtime_pid > 0) return;
  int error = 0;
  runtime_pid = start(argv, Role::runtime, -1, error);
  // From here these are the runtime's alone: they end when it closes them.
  for (int fd = 1; fd <= 3; ++fd) ::close(fd);
  if (error != 0) tell_number(SupervisionWord::failed, supervised_runtime, error);
}

void obey(char** runtime) {
  char orders[16];
  const ssize_t n = ::read(connection, orders, sizeof orders);
  if (n == 0 || (n < 0 && errno != EINTR)) end();
  for (ssize_t i = 0; i < n; ++i) {
    const auto order = static_cast<SupervisionOrder>(orders[i]);
    if (order == SupervisionOrder::start) start_runtime(runtime);
    if (runtime_pid <= 0) continue;
    if (order == SupervisionOrder::terminate) (void)::kill(runtime_pid, SIGTERM);
    if (order == SupervisionOrder::kill) (void)::kill(runtime_pid, SIGKILL);
  }
}

/// False at the end of its output, for now or for ever.
bool pass_on(int index) {
  static char piece[16 * 1024];
  Extension& extension = extensions[index];
  if (extension.output < 0) return false;
  const ssize_t n = ::read(extension.output, piece, sizeof piece);
  if (n > 0) tell(SupervisionWord::output, index, piece, static_cast<size_t>(n));
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
    ::close(extension.output);
    extension.output = -1;
  }
  return n > 0;
}

void reap(int signals) {
  signalfd_siginfo ignored;
  (void)!::read(signals, &ignored, sizeof ignored);
  int status = 0;
  for (pid_t ended; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (ended == runtime_pid) {
      runtime_pid = -1;
      tell_number(SupervisionWord::ended, supervised_runtime, status);
    }
    for (int i = 0; i < extension_count; ++i) {
      if (extensions[i].pid != ended) continue;
      extensions[i].pid = -1;
      // Its last words come first; a bound, as what it has forked may write on.
      for (int pieces = 0; pieces < 64 && pass_on(i); ++pieces) {
      }
      tell_number(SupervisionWord::ended, i, status);
    }
  }
}

[[noreturn]] void serve(int signals, char** runtime) {
  for (;;) {
    pollfd waited[2 + supervised_extensions_max];
    waited[0] = {connection, POLLIN, 0};
    waited[1] = {signals, POLLIN, 0};
    for (int i = 0; i < extension_count; ++i) waited[2 + i] = {extensions[i].output, POLLIN, 0};
    if (::poll(waited, static_cast<nfds_t>(2 + extension_count), -1) < 0) continue;
    if (waited[0].revents != 0) obey(runtime);
    for (int i = 0; i < extension_count; ++i) {
      if (waited[2 + i].revents != 0) (void)pass_on(i);
    }
    if (waited[1].revents != 0) reap(signals);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) end();
  const int count = number_of<int>(argv[2]);
  if (count < 1 || count > supervised_extensions_max || argc < 4 + count) end();
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t children;
  ::sigemptyset(&children);
  ::sigaddset(&children, SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &children, nullptr);
  const int signals = ::signalfd(-1, &children, SFD_CLOEXEC);
  connection = connect_to(argv[1]);
  if (signals < 0) end();
  extension_count = count;
  for (int i = 0; i < count; ++i) start_extension(i, argv[3 + i]);
  serve(signals, argv + 3 + count);
}
