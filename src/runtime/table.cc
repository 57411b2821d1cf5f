#include "wolke/runtime/table.h"

#include <fmt/core.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "wolke/base/text.h"
#include "wolke/shape/json.h"

namespace wolke::runtime {
namespace {

constexpr std::string_view node_prefix = "nodejs";
constexpr std::string_view python_prefix = "python";
/// The last runtime whose image has the SDK for JavaScript v2:
/// https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
constexpr std::uint64_t last_node_with_sdk_v2 = 16;

Error not_found(std::string what) {
  return {.code = "RuntimeNotFound", .status = 500, .message = std::move(what)};
}

bool readable(const std::string& path) {
  return ::access(path.c_str(), R_OK) == 0;
}

/// 18 of "nodejs18.x"; nullopt when the name is not of that form.
std::optional<std::uint64_t> node_major(std::string_view runtime) {
  if (!runtime.starts_with(node_prefix) || !runtime.ends_with(".x")) return std::nullopt;
  runtime.remove_prefix(node_prefix.size());
  runtime.remove_suffix(2);
  return parse_u64(runtime);
}

/// "3.12" of "python3.12".
std::optional<std::string> python_version_asked(std::string_view runtime) {
  if (!runtime.starts_with("python3.")) return std::nullopt;
  std::string_view minor = runtime.substr(std::string_view("python3.").size());
  if (!parse_u64(minor)) return std::nullopt;
  return std::string(runtime.substr(python_prefix.size()));
}

bool is_custom(std::string_view runtime) {
  return runtime == "provided" || runtime == "provided.al2" || runtime == "provided.al2023";
}

std::uint64_t major_of(std::string_view version) {
  return parse_u64(version.substr(0, version.find('.'))).value_or(0);
}

Launch node_launch(const RuntimePaths& paths, std::uint64_t asked, std::uint32_t memory_mb) {
  std::uint64_t runs = major_of(paths.node_version);
  // V8 must collect before the sandbox's memory ends, not after.
  std::uint32_t old_space_mb = memory_mb * 9 / 10;
  bool sdk_v2 = asked <= last_node_with_sdk_v2;
  const std::string& sdk = sdk_v2 ? paths.node_sdk_v2_root : paths.node_sdk_root;
  Launch launch{
      .argv = {"/var/lang/bin/node", "--use-openssl-ca", "--max-http-header-size=81920",
               fmt::format("--max-old-space-size={}", old_space_mb), "/var/rapid/bootstrap.cjs"},
      .mounts = {{paths.node_root, "/var/lang"}, {paths.runtimes_dir + "/node", "/var/rapid"}},
      .environment = {{"NODE_PATH",
                       fmt::format("/opt/nodejs/node{}/node_modules:/opt/nodejs/node_modules:"
                                   "/var/runtime/node_modules:/var/runtime:/var/task",
                                   asked)}},
      .version = "nodejs:" + paths.node_version};
  if (!sdk.empty()) launch.mounts.push_back({sdk, "/var/runtime"});
  if (asked != runs) {
    launch.warning =
        fmt::format("runtime nodejs{}.x runs on Node.js {} here", asked, paths.node_version);
  }
  return launch;
}

/// Packages of Debian's that were unpacked instead of installed: as Lambda's own lie, in /var/lang.
void add_python_root(Launch& launch, const std::string& root) {
  if (root.empty()) return;
  launch.mounts.push_back({root, "/var/lang"});
  for (auto& [name, value] : launch.environment) {
    if (name == "PYTHONPATH") value += ":/var/lang/lib/python3/dist-packages";
  }
  launch.environment.emplace_back(
      "LD_LIBRARY_PATH", "/var/lang/lib/x86_64-linux-gnu:/var/task:/var/task/lib:/opt/lib");
  std::string& program = launch.argv.front();
  if (program.starts_with(root + "/")) program = "/var/lang" + program.substr(root.size());
}

Launch python_launch(const RuntimePaths& paths, const std::string& asked) {
  // A layer made for the version that was asked for is found, too, where another one runs.
  std::string layers = fmt::format("/opt/python/lib/python{}/site-packages", paths.python_version);
  if (asked != paths.python_version)
    layers += fmt::format(":/opt/python/lib/python{}/site-packages", asked);
  Launch launch{
      .argv = {paths.python, "-s", "/var/rapid/bootstrap.py"},
      .mounts = {{paths.runtimes_dir + "/python", "/var/rapid"}},
      .environment = {{"PYTHONPATH", layers + ":/opt/python"}, {"PYTHONDONTWRITEBYTECODE", "1"}},
      .version = "python:" + paths.python_version};
  add_python_root(launch, paths.python_root);
  if (asked != paths.python_version) {
    launch.warning =
        fmt::format("runtime python{} runs on Python {} here", asked, paths.python_version);
  }
  return launch;
}

}  // namespace

Result<RuntimePaths> locate(RuntimePaths paths) {
  if (!readable(paths.node_root + "/bin/node")) {
    return fail(not_found("no Node interpreter at " + paths.node_root + "/bin/node"));
  }
  for (const char* file : {"/node/bootstrap.cjs", "/python/bootstrap.py"}) {
    if (!readable(paths.runtimes_dir + file)) {
      return fail(not_found("no runtime at " + paths.runtimes_dir + file));
    }
  }
  if (paths.node_version.empty()) {
    std::ifstream file(paths.node_root + "/package.json");
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    auto package = shape::parse_json(text);
    if (package) paths.node_version = package->string_at("version").value_or("");
    if (paths.node_version.empty()) {
      return fail(not_found("no version in " + paths.node_root + "/package.json"));
    }
  }
  if (!readable(paths.python_root + "/lib/python3/dist-packages")) paths.python_root.clear();
  if (!paths.python_root.empty() && !readable(paths.python)) {
    paths.python = paths.python_root + "/bin/python3";
  }
  if (paths.python_version.empty()) {
    char real[PATH_MAX];
    if (::realpath(paths.python.c_str(), real) == nullptr) {
      return fail(not_found("no Python interpreter at " + paths.python));
    }
    paths.python = real;
    std::string name = std::filesystem::path(real).filename().string();
    if (!name.starts_with(python_prefix) || name.size() == python_prefix.size()) {
      return fail(not_found("the interpreter's file name has no version: " + paths.python));
    }
    paths.python_version = name.substr(python_prefix.size());
  }
  return paths;
}

Result<Launch> plan_launch(const RuntimePaths& paths, const std::string& runtime,
                           std::uint32_t memory_mb) {
  if (auto major = node_major(runtime)) return node_launch(paths, *major, memory_mb);
  if (auto version = python_version_asked(runtime)) return python_launch(paths, *version);
  if (is_custom(runtime)) {
    return Launch{.protocol = Protocol::runtime_api,
                  .argv = {"/var/task/bootstrap"},
                  .version = "provided:" + (runtime == "provided" ? "al1" : runtime.substr(9))};
  }
  return fail({.code = "InvalidRuntimeException",
               .status = 502,
               .message = "The runtime or runtime version specified is not supported: " + runtime});
}

bool is_served(const std::string& runtime) {
  return node_major(runtime) || python_version_asked(runtime) || is_custom(runtime);
}

}  // namespace wolke::runtime
