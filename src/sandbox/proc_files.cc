#include "wolke/sandbox/proc_files.h"

#include <fmt/format.h>

#include "wolke/sandbox/cgroups.h"

namespace wolke::sandbox {
namespace {

// Kernel addresses and keys, other tenants' traces, the host's hardware and boot line.
constexpr const char* masked_files[] = {
    "kcore",      "kallsyms",    "keys",          "key-users",   "timer_list", "sched_debug",
    "kmsg",       "vmallocinfo", "pagetypeinfo",  "slabinfo",    "cmdline",    "config.gz",
    "modules",    "iomem",       "ioports",       "interrupts",  "softirqs",   "diskstats",
    "partitions", "zoneinfo",    "buddyinfo",     "vmstat",      "swaps",      "mdstat",
    "misc",       "devices",     "dma",           "execdomains", "fb",         "locks",
    "consoles",   "cgroups",     "latency_stats", "latency",     "schedstat",  "kpagecount",
    "kpageflags", "kpagecgroup", "sysrq-trigger", "bootconfig",  "allocinfo",  "crypto"};
constexpr const char* masked_directories[] = {"acpi", "asound", "bus",      "driver",       "fs",
                                              "irq",  "scsi",   "pressure", "dynamic_debug"};

/// The first `count` processor blocks of the host's cpuinfo.
std::string cpuinfo_text(const std::string& host, unsigned count) {
  std::size_t end = 0;
  for (unsigned i = 0; i < count; ++i) {
    const std::size_t blank = host.find("\n\n", end);
    if (blank == std::string::npos) return host;
    end = blank + 2;
  }
  return host.substr(0, end);
}

std::string meminfo_text(std::uint64_t memory_bytes) {
  const std::uint64_t kib = memory_bytes / 1024;
  const std::uint64_t free = kib - kib / 8;
  return fmt::format(
      "MemTotal:       {:8} kB\nMemFree:        {:8} kB\nMemAvailable:   {:8} kB\n"
      "Buffers:               0 kB\nCached:                0 kB\nSwapCached:            0 kB\n"
      "Active:                0 kB\nInactive:              0 kB\nSwapTotal:             0 kB\n"
      "SwapFree:              0 kB\nDirty:                 0 kB\nWriteback:             0 kB\n"
      "AnonPages:             0 kB\nMapped:                0 kB\nShmem:                 0 kB\n",
      kib, free, free);
}

std::string stat_text(std::uint64_t boot_time_seconds, unsigned cpus) {
  std::string text = "cpu  0 0 0 0 0 0 0 0 0 0\n";
  for (unsigned i = 0; i < cpus; ++i) text += fmt::format("cpu{} 0 0 0 0 0 0 0 0 0 0\n", i);
  return text +
         fmt::format("intr 0\nctxt 0\nbtime {}\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n",
                     boot_time_seconds);
}

}  // namespace

std::vector<ProcFile> synthetic_proc_files(const HostView& host, std::uint64_t memory_bytes) {
  const unsigned cpus = visible_cpus(memory_bytes, host.cpus);
  std::vector<ProcFile> files;
  files.push_back({"cpuinfo", cpuinfo_text(host.cpuinfo, cpus)});
  files.push_back({"meminfo", meminfo_text(memory_bytes)});
  files.push_back({"stat", stat_text(host.boot_time_seconds, cpus)});
  files.push_back({"loadavg", "0.00 0.00 0.00 1/1 1\n"});
  return files;
}

std::span<const char* const> masked_proc_files() {
  return masked_files;
}
std::span<const char* const> masked_proc_directories() {
  return masked_directories;
}

}  // namespace wolke::sandbox
