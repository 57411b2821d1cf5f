#include "wolke/sandbox/plain.h"

#include <fmt/format.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "wolke/base/text.h"
#include "wolke/sandbox/landlock.h"
#include "wolke/sandbox/seccomp.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

bool begins_word(std::string_view text, std::size_t at) {
  return at == 0 || text[at - 1] == '=' || text[at - 1] == ':';
}

bool ends_part(std::string_view text, std::size_t at) {
  return at == text.size() || text[at] == '/' || text[at] == ':';
}

PathMap paths_of(const wire::Request& request, const std::vector<Fd>& mounts) {
  PathMap paths;
  // Later layers come first: there is one directory for each place, and the later one wins.
  for (std::size_t i = mounts.size(); i-- > 0;) {
    char host[4096] = {};
    const std::string link = fmt::format("/proc/self/fd/{}", mounts[i].get());
    if (::readlink(link.c_str(), host, sizeof host - 1) <= 0) continue;
    paths.emplace_back(wire::text_of(request.inside[i]), host);
  }
  return paths;
}

void rewrite(Program& program, const PathMap& paths, const std::string& temporary) {
  std::string strings;
  auto add = [&](std::string_view text) {
    strings += to_host_paths(text, paths);
    strings.push_back('\0');
  };
  for (const char* argument : program.arguments) {
    if (argument != nullptr) add(argument);
  }
  for (const char* variable : program.environment) {
    if (variable != nullptr) add(variable);
  }
  add("TMPDIR=" + temporary);
  const std::size_t arguments = program.arguments.size() - 1;
  program.bytes = std::move(strings);
  program.arguments.clear();
  program.environment.clear();
  for (char* at = program.bytes.data(); at < program.bytes.data() + program.bytes.size();
       at += std::char_traits<char>::length(at) + 1) {
    (program.arguments.size() < arguments ? program.arguments : program.environment).push_back(at);
  }
  program.arguments.push_back(nullptr);
  program.environment.push_back(nullptr);
  program.working_directory = to_host_paths(program.working_directory, paths);
}

/// Root's rights are given up here too: the program gets a reserved uid, not ours.
Result<void> give_up_root(const ShellSetup& setup) {
  if (!setup.privileged) return {};
  // SAFETY: from root to a uid that owns nothing; not reversible.
  TRY(checked(::setgroups(0, nullptr), "setgroups"));
  TRY(checked(::setresgid(setup.host_uid, setup.host_uid, setup.host_uid), "setresgid"));
  TRY(checked(::setresuid(setup.host_uid, setup.host_uid, setup.host_uid), "setresuid"));
  TRY(checked(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs"));
  return checked(::prctl(PR_SET_PDEATHSIG, SIGKILL), "death signal");  // the change cleared it
}

}  // namespace

std::string to_host_paths(std::string_view text, const PathMap& paths) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto found = std::find_if(paths.begin(), paths.end(), [&](const auto& path) {
      return begins_word(text, at) && text.substr(at).starts_with(path.first) &&
             ends_part(text, at + path.first.size());
    });
    if (found != paths.end()) {
      out += found->second;
      at += found->first.size();
    } else {
      out.push_back(text[at++]);
    }
  }
  return out;
}

void take_own_address(Spec& spec, std::uint32_t serial) {
  constexpr std::string_view shared = "127.0.0.1:";
  constexpr std::uint64_t first_free_port = 1024;
  const std::string own =
      fmt::format("127.{}.{}.{}:", 64 + (serial >> 16 & 63), serial >> 8 & 255, serial & 255);
  auto port_of = [&](std::string_view text) {
    return text.starts_with(shared) ? parse_u64(text.substr(shared.size())).value_or(0) : 0;
  };
  std::erase_if(spec.listen,
                [&](const std::string& text) { return port_of(text) < first_free_port; });
  for (std::string& listen : spec.listen) {
    const std::string moved = own + listen.substr(shared.size());
    for (auto* texts : {&spec.argv, &spec.environment}) {
      for (std::string& text : *texts) {
        for (std::size_t at = 0; (at = text.find(listen, at)) != std::string::npos;) {
          const std::size_t end = at + listen.size();
          const bool whole = end == text.size() || text[end] < '0' || text[end] > '9';
          if (whole) text.replace(at, listen.size(), moved);
          at += moved.size();
        }
      }
    }
    listen = moved;
  }
}

Result<std::string> finish_plain(const ShellSetup& setup, const wire::Request& request,
                                 const std::vector<Fd>& mounts, Program& program) {
  const PathMap paths = paths_of(request, mounts);
  TRY(give_up_root(setup));
  char temporary[] = "/tmp/wolke-sandbox-XXXXXX";
  if (::mkdtemp(temporary) == nullptr) return fail(step_failed("temporary directory", errno));
  rewrite(program, paths, temporary);
  if (::chdir(program.working_directory.c_str()) < 0) {
    TRY(checked(::chdir(temporary), "working directory"));
  }
  if (setup.level != Level::limited) return std::string(temporary);
  TRY(set_limits(setup, request));
  // Nothing counts all of its files together here; each is bounded.
  const rlimit file_size{request.tmp_bytes, request.tmp_bytes};
  TRY(checked(::setrlimit(RLIMIT_FSIZE, &file_size), "RLIMIT_FSIZE"));
  TRY(checked(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs"));
  LandlockPaths allowed;
  // The programs and public settings of the host; never the user's home.
  allowed.read = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/proc", "/dev"};
  for (const auto& [inside, host] : paths) allowed.read.push_back(host);
  allowed.write = {temporary, "/dev/shm"};
  TRY(restrict_by_landlock(setup.host->landlock_abi, allowed));
  TRY(install_filter(setup.host->filter));
  return std::string(temporary);
}

}  // namespace wolke::sandbox
