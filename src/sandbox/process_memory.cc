#include "wolke/sandbox/process_memory.h"

#include <dirent.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/text.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

constexpr std::size_t processes_max = 4096;

/// The number after `key` in a file of "Key:  value unit" lines.
std::uint64_t value_of(std::string_view text, std::string_view key) {
  for (std::string_view line : split(text, '\n')) {
    if (!line.starts_with(key)) continue;
    line = trim(line.substr(key.size()));
    return parse_u64(line.substr(0, line.find(' '))).value_or(0);
  }
  return 0;
}

/// A process's children are listed by the thread that started them.
void add_children(pid_t pid, std::vector<pid_t>& out) {
  const std::string tasks = fmt::format("/proc/{}/task", pid);
  DIR* directory = ::opendir(tasks.c_str());
  if (directory == nullptr) return;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    const std::string path = fmt::format("{}/{}/children", tasks, entry->d_name);
    const std::string text = read_small_file(path.c_str());
    for (const std::string_view word : split(text, ' ')) {
      if (const auto child = parse_u64(word)) out.push_back(static_cast<pid_t>(*child));
    }
  }
  ::closedir(directory);
}

}  // namespace

pid_t pid_of(int pidfd) {
  const std::string text = read_small_file(fmt::format("/proc/self/fdinfo/{}", pidfd).c_str());
  // "-1" of an ended process is no number here.
  return static_cast<pid_t>(value_of(text, "Pid:"));
}

std::uint64_t resident_peak(pid_t pid) {
  const std::string text = read_small_file(fmt::format("/proc/{}/status", pid).c_str());
  return value_of(text, "VmHWM:") * 1024;
}

std::uint64_t resident_peak_below(pid_t ancestor) {
  if (ancestor <= 0) return 0;
  std::vector<pid_t> found = {ancestor};
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < found.size() && found.size() < processes_max; ++i) {
    if (i > 0) sum += resident_peak(found[i]);
    add_children(found[i], found);
  }
  return sum;
}

}  // namespace wolke::sandbox
