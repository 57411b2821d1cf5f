// How long a sandbox takes: request to exec (the `started` answer at the server), request to
// everything cleaned up, and how many a second; with ready shells and without. CPU microseconds are
// those of the whole process tree.
//   sandbox_sandbox_bench [--smoke] [--count N]
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "wolke/base/text.h"
#include "wolke/sandbox/client.h"
#include "wolke/sandbox/level.h"

namespace wolke::sandbox {
namespace {

using async::Task;
using namespace std::chrono_literals;

struct Figures {
  std::vector<double> started_us, cleaned_us;
  double wall_us = 0;
  std::string error;
};

Spec no_op(unsigned serial) {
  Spec spec;
  spec.id = fmt::format("bench-{}", serial);
  spec.argv = {"/bin/true"};
  spec.working_directory = "/tmp";
  return spec;
}

double microseconds(Monotonic::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

Task<void> one_after_the_other(async::Loop& loop, Sandboxes& sandboxes, unsigned count, bool rest,
                               Figures& figures) {
  const Monotonic begin = loop.now();
  for (unsigned i = 0; i < count && figures.error.empty(); ++i) {
    // A pause lets the spawner make the next shell: what a request finds on a machine that is not
    // flooded.
    if (rest) (void)co_await loop.sleep_for(5ms);
    const Monotonic start = loop.now();
    auto instance = co_await sandboxes.start(no_op(i));
    if (!instance) {
      figures.error = instance.error().message;
      break;
    }
    figures.started_us.push_back(microseconds(loop.now() - start));
    (void)co_await (*instance)->exited(loop.now() + 10s);
    figures.cleaned_us.push_back(microseconds(loop.now() - start));
  }
  figures.wall_us = microseconds(loop.now() - begin);
  loop.stop();
}

/// Daemons of daemons in sessions of their own, deaf to SIGTERM, each forking on: what a timeout
/// must end.
Spec swarm(unsigned serial) {
  Spec spec = no_op(serial);
  spec.argv = {"/bin/sh", "-c",
               "trap '' TERM INT HUP; for i in 1 2 3 4 5 6 7 8; do "
               "setsid sh -c 'while :; do setsid sleep 100 & done' & done; echo up; wait"};
  spec.environment = {"PATH=/usr/bin:/bin"};
  spec.pids_max = 64;
  return spec;
}

/// From the kill to the news that nothing is left: pid 1 is reaped only after all of its namespace.
Task<void> kill_swarms(async::Loop& loop, Sandboxes& sandboxes, unsigned count, Figures& figures) {
  for (unsigned i = 0; i < count && figures.error.empty(); ++i) {
    auto instance = co_await sandboxes.start(swarm(i));
    if (!instance) {
      figures.error = instance.error().message;
      break;
    }
    (void)co_await loop.readable((*instance)->stdout_fd(), loop.now() + 10s);
    (void)co_await loop.sleep_for(30ms);
    const Monotonic start = loop.now();
    (*instance)->kill();
    const auto exit = co_await (*instance)->exited(loop.now() + 10s);
    if (!exit) figures.error = "a swarm outlived its kill by ten seconds";
    figures.cleaned_us.push_back(microseconds(loop.now() - start));
  }
  loop.stop();
}

double percentile(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(p * static_cast<double>(values.size() - 1))];
}

double cpu_us(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

bool measure(const char* name, unsigned ready, bool rest, unsigned count) {
  const double before = cpu_us(RUSAGE_SELF) + cpu_us(RUSAGE_CHILDREN);
  auto process = start_spawner({decide_level(gather_facts()), ready});
  if (!process) {
    std::fprintf(stderr, "%s\n", process.error().message.c_str());
    return false;
  }
  Figures figures;
  {
    async::Loop loop;
    ServerSide side = std::move(process->side);
    auto sandboxes = connect(loop, std::move(side));
    loop.spawn(one_after_the_other(loop, *sandboxes, count, rest, figures));
    loop.run();
  }
  stop_spawner(*process);
  if (!figures.error.empty()) {
    std::fprintf(stderr, "%s\n", figures.error.c_str());
    return false;
  }
  const double cpu = cpu_us(RUSAGE_SELF) + cpu_us(RUSAGE_CHILDREN) - before;
  fmt::print("{:<28} started p50 {:6.0f} us  p99 {:6.0f} us   ended p50 {:6.0f} us  p99 {:6.0f} us",
             name, percentile(figures.started_us, 0.5), percentile(figures.started_us, 0.99),
             percentile(figures.cleaned_us, 0.5), percentile(figures.cleaned_us, 0.99));
  if (!rest) fmt::print("   {:5.0f}/s", static_cast<double>(count) * 1e6 / figures.wall_us);
  fmt::print("   {:5.0f} CPU-us each\n", cpu / static_cast<double>(count));
  return true;
}

bool measure_kills(unsigned count) {
  auto process = start_spawner({decide_level(gather_facts()), 1});
  if (!process) {
    std::fprintf(stderr, "%s\n", process.error().message.c_str());
    return false;
  }
  Figures figures;
  {
    async::Loop loop;
    auto sandboxes = connect(loop, std::move(process->side));
    loop.spawn(kill_swarms(loop, *sandboxes, count, figures));
    loop.run();
  }
  stop_spawner(*process);
  if (!figures.error.empty()) {
    std::fprintf(stderr, "%s\n", figures.error.c_str());
    return false;
  }
  fmt::print("{:<28} gone    p50 {:6.0f} us  p99 {:6.0f} us   max {:6.0f} us\n",
             "kill of a swarm of 64", percentile(figures.cleaned_us, 0.5),
             percentile(figures.cleaned_us, 0.99), percentile(figures.cleaned_us, 1));
  return true;
}

}  // namespace
}  // namespace wolke::sandbox

int main(int argc, char** argv) {
  unsigned count = 300;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--smoke") count = 5;
    if (std::string_view(argv[i]) == "--count" && i + 1 < argc) {
      count = static_cast<unsigned>(wolke::parse_u64(argv[i + 1]).value_or(count));
    }
  }
  using wolke::sandbox::measure;
  const bool ok = measure("ready shell, with pauses", 4, true, count) &&
                  measure("ready shells, back to back", 4, false, count) &&
                  measure("nothing ready, back to back", 0, false, count) &&
                  wolke::sandbox::measure_kills(std::min(count, 100U));
  return ok ? 0 : 1;
}
