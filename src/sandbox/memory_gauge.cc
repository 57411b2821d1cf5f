#include "wolke/sandbox/memory_gauge.h"

#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "wolke/base/text.h"
#include "wolke/sandbox/process_memory.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

using std::chrono::milliseconds;

/// More than one processor fills in a millisecond.
constexpr std::uint64_t growth_per_ms = 2ULL << 20;
constexpr milliseconds look_min{2};
constexpr milliseconds look_max{50};
constexpr std::uint64_t batch_bytes = 256 << 10;  // MEMCG_CHARGE_BATCH, 64 pages

/// a - b, at least 0.
std::uint64_t less(std::uint64_t a, std::uint64_t b) {
  return a - std::min(a, b);
}

std::uint64_t read_number(const Fd& fd) {
  char text[32] = {};
  if (!fd.valid() || ::pread(fd.get(), text, sizeof text - 1, 0) <= 0) return 0;
  const std::string_view all(text);
  return parse_u64(trim(all.substr(0, all.find('\n')))).value_or(0);
}

MemoryStat read_stat(const Fd& fd) {
  return fd.valid() ? parse_memory_stat(read_small_fd(fd.get())) : MemoryStat{};
}

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

MemoryStat parse_memory_stat(std::string_view text) {
  MemoryStat stat;
  const bool v1 = text.starts_with("cache ");
  std::uint64_t cache = 0;  // v1: tmpfs included
  std::uint64_t swap = 0;   // v1: what was written out may be of /tmp too
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, space);
    const std::uint64_t value = parse_u64(trim(line.substr(space + 1))).value_or(0);
    if (key == "shmem") stat.shared = value;
    if (v1) {
      if (key == "rss") stat.held = value;
      if (key == "cache") cache = value;
      if (key == "swap") swap = value;
      continue;
    }
    if (key == "file") cache = value;
    for (const std::string_view counted : {"anon", "kernel_stack", "pagetables", "sec_pagetables",
                                           "percpu", "sock", "vmalloc", "slab_unreclaimable"}) {
      if (key == counted) stat.held += value;
    }
  }
  stat.cached = less(cache, stat.shared);
  stat.shared += swap;
  return stat;
}

std::uint64_t held_bytes(const MemoryStat& stat, std::uint64_t tmp_bytes) {
  return stat.held + less(stat.shared, tmp_bytes);
}

milliseconds until_next_look(std::uint64_t held, std::uint64_t limit) {
  const auto room = static_cast<std::int64_t>(less(limit, held) / growth_per_ms);
  return std::clamp(milliseconds(room), look_min, look_max);
}

std::uint64_t tolerance_bytes(std::uint64_t limit, unsigned cpus) {
  return std::min<std::uint64_t>(batch_bytes * std::max(1U, cpus), limit / 16);
}

MemoryGauge::MemoryGauge(Sources sources, std::uint64_t limit_bytes, unsigned cpus)
    : sources_(std::move(sources)),
      limit_(limit_bytes),
      tolerance_(tolerance_bytes(limit_bytes, cpus)) {
  struct stat status{};
  tmp_used_ = tmp_bytes() != 0;
  if (sources_.tmp.valid() && ::fstat(sources_.tmp.get(), &status) == 0) {
    tmp_changed_ = status.st_ctim;
  }
}

bool MemoryGauge::watches() const {
  return sources_.usage.valid() && sources_.stat.valid() && sources_.tmp.valid();
}

MemoryGauge::Look MemoryGauge::look() {
  // In the order of their price; the first that says "within the limit" is enough.
  std::uint64_t held = read_number(sources_.usage);
  if (held > limit_) held = less(held, tmp_bytes());
  if (held > limit_) {
    held = held_bytes(read_stat(sources_.stat), tmp_bytes());
    if (held > limit_ + tolerance_) return {.over = true};
  }
  return {.next = until_next_look(held, limit_)};
}

std::uint64_t MemoryGauge::peak() {
  if (!sources_.peak.valid()) {
    peak_ = std::max(peak_, resident_peak_below(pid_of(sources_.init.get())));
  } else {
    take_peak(read_number(sources_.peak));
  }
  return peak_;
}

std::uint64_t MemoryGauge::peak_at_end(std::uint64_t kernel_peak) {
  if (sources_.peak.valid()) {
    take_peak(kernel_peak);
  } else {
    peak_ = std::max(peak_, kernel_peak);
  }
  return peak_;
}

/// The kernel's peak counts all at once: the program, /tmp, file caches. While /tmp is untouched
/// the rest follows; after that files may have come and gone, and the processes' own peaks say how
/// much of it can have been theirs.
void MemoryGauge::take_peak(std::uint64_t kernel_peak) {
  if (kernel_peak == kernel_peak_) return;
  kernel_peak_ = kernel_peak;
  const MemoryStat stat = read_stat(sources_.stat);
  const std::uint64_t tmp = tmp_bytes();
  std::uint64_t apart = less(kernel_peak, stat.cached + tmp);
  if (tmp_was_used() || kernel_peak > limit_) {
    apart = std::min(
        apart, std::max(resident_peak_below(pid_of(sources_.init.get())), held_bytes(stat, tmp)));
  }
  peak_ = std::max(peak_, std::min(apart, limit_));
}

std::uint64_t MemoryGauge::tmp_bytes() const {
  struct statfs status{};
  if (!sources_.tmp.valid() || ::fstatfs(sources_.tmp.get(), &status) != 0) return 0;
  return less(status.f_blocks, status.f_bfree) * static_cast<std::uint64_t>(status.f_bsize);
}

/// A directory's time of change cannot be set back by its owner.
bool MemoryGauge::tmp_was_used() {
  struct stat status{};
  if (tmp_used_ || !sources_.tmp.valid() || ::fstat(sources_.tmp.get(), &status) != 0) {
    return tmp_used_;
  }
  tmp_used_ = !same_time(status.st_ctim, tmp_changed_);
  return tmp_used_;
}

}  // namespace wolke::sandbox
