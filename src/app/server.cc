#include "wolke/app/server.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>

#include "wolke/app/components.h"
#include "wolke/observe/log.h"
#include "wolke/runtime/supervision.h"
#include "wolke/shape/json.h"

namespace wolke::app {

namespace {

using observe::Level;

/// Ends when SIGTERM or SIGINT comes.
async::Task<void> wait_for_signal(async::Loop& loop, int signals) {
  for (;;) {
    async::Wake wake = co_await loop.readable(signals, loop.now() + std::chrono::hours(24));
    if (wake == async::Wake::cancelled) co_return;
    signalfd_siginfo info;
    if (wake == async::Wake::ready && ::read(signals, &info, sizeof info) == sizeof info) co_return;
  }
}

/// Doors close first, then deliveries end, then functions: nothing new comes while the rest
/// finishes.
async::Task<void> run_until_signal(async::Loop& loop, Components& parts, int signals) {
  co_await wait_for_signal(loop, signals);
  observe::log(Level::info, "server", "stopping");
  co_await parts.stop();
  loop.forget(signals);
  loop.stop();
}

Result<Fd> block_and_take_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return fail(internal_error("signalfd"));
  return fd;
}

std::string ready_line(const Config& config, const std::string& address, sandbox::Level level) {
  const std::string endpoint = "http://" + address;
  if (config.ready == ReadyLine::text) return "ready " + endpoint;
  shape::Json out;
  out.set("Ready", endpoint);
  out.set("Mode", config.dev ? "dev" : "serve");
  out.set("DataDir", config.data_dir_shown);
  out.set("Isolation", std::string(sandbox::level_name(level)));
  return out.text();
}

/// Not synced: after a power cut no server listens at that address, and a start need not wait for
/// the disk.
Result<void> write_endpoint(const Config& config, const std::string& address) {
  Disk& disk = system_env().disk;
  const std::string path = config.data_dir + "/endpoint";
  {
    TRY(std::unique_ptr<File> file, disk.open(path + ".new", OpenMode::create_or_open));
    TRY(file->truncate(0));
    TRY(file->write_at(0, "http://" + address + (config.dev ? "\ndev\n" : "\n")));
  }
  return disk.rename(path + ".new", path);
}

void announce(const Config& config, const std::string& address, const Components& parts) {
  if (config.dev) {
    observe::log(Level::info, "server",
                 "development: any access key is accepted, e.g. test/test (account 000000000000)",
                 {{"data", config.data_dir_shown},
                  {"isolation", std::string(sandbox::level_name(parts.level()))}});
  } else if (parts.made_root_credentials()) {
    observe::log(Level::info, "server", "root credentials were created",
                 {{"file", config.data_dir_shown + "/root-credentials"}});
  }
  // Verbs on this machine find the server, and how to speak to it, through this file.
  if (auto written = write_endpoint(config, address); !written) {
    observe::log(Level::warning, "server", written.error().message);
  }
  const std::string line = ready_line(config, address, parts.level());
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

/// With port 0, a server that was killed comes back at the address that its clients know: its
/// endpoint file still stands.
Result<Fd> listen_again(const Config& config) {
  std::ifstream file(config.data_dir + "/endpoint");
  std::string before;
  std::getline(file, before);
  constexpr std::string_view scheme = "http://";
  const std::string host = config.listen.substr(0, config.listen.rfind(':') + 1);
  if (config.listen == host + "0" && before.starts_with(std::string(scheme) + host)) {
    if (Result<Fd> same = net::listen_tcp(before.substr(scheme.size()))) return same;
  }
  return net::listen_tcp(config.listen);
}

/// The program that starts the extensions of functions lies beside the data. Without it these
/// functions cannot start, and say so.
Config with_supervisor(Config config) {
  config.runtimes.supervisor_dir = config.data_dir + "/supervisor";
  if (auto done = runtime::unpack_supervisor(config.runtimes.supervisor_dir); !done) {
    observe::log(Level::warning, "extensions", done.error().message);
  }
  return config;
}

Result<int> serve(const Config& config, sandbox::ServerSide sandboxes) {
  TRY(Fd signals, block_and_take_signals());
  TRY(Fd listening, listen_again(config));
  const std::string address = net::local_address(listening.get());
  async::Loop loop;
  const int signal_fd = signals.get();
  TRY(std::unique_ptr<Components> parts,
      make_components(config, address, loop, std::move(sandboxes)));
  loop.post([&] {
    parts->start(std::move(listening));
    loop.spawn(run_until_signal(loop, *parts, signal_fd));
    announce(config, address, *parts);
  });
  loop.run();
  ::unlink((config.data_dir + "/endpoint").c_str());
  return 0;
}

}  // namespace

int run_server(const Config& config, sandbox::ServerSide sandboxes) {
  Result<int> code = serve(with_supervisor(config), std::move(sandboxes));
  if (code) return *code;
  observe::log(Level::error, "server", code.error().message, {{"code", code.error().code}});
  return 1;
}

}  // namespace wolke::app
