#pragma once
// The runtime table: from a Lambda runtime's name to what is started for it. One pinned Node serves
// every nodejs name and the host's Python every python name; the launch says which version really
// runs and warns when that is not the one that was asked for. Custom runtimes (provided*) bring an
// executable `bootstrap`. Pure, but for locate().

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::runtime {

/// Where the interpreters lie on the host, and their versions.
struct RuntimePaths {
  std::string node_root;         // has bin/node
  std::string node_sdk_root;     // has node_modules with the SDK for JavaScript v3; may be empty
  std::string node_sdk_v2_root;  // has node_modules with aws-sdk; may be empty
  std::string python = "/usr/bin/python3";
  std::string python_root;     // a /usr of unpacked Debian packages; may be empty or not there
  std::string runtimes_dir;    // has node/bootstrap.cjs and python/bootstrap.py
  std::string supervisor_dir;  // has supervise (supervision.h); empty: no external extensions
  std::string node_version;    // "22.23.3"; locate() reads it from the package
  std::string python_version;  // "3.11"; locate() reads it from the interpreter's name
};

/// Fills in the versions, takes the interpreter of `python_root` where the host has none, and
/// checks that the files are there. Error code "RuntimeNotFound", saying which and where.
Result<RuntimePaths> locate(RuntimePaths paths);

enum class Protocol { frames, runtime_api };

struct Launch {
  Protocol protocol = Protocol::frames;
  std::vector<std::string> argv;
  std::vector<sandbox::ReadOnlyMount> mounts;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string version;  // "nodejs:22.23.3", for INIT_START
  std::string warning;  // empty when the asked-for version runs
};

/// Error code "InvalidRuntimeException" (502): a name that no interpreter here can serve.
Result<Launch> plan_launch(const RuntimePaths& paths, const std::string& runtime,
                           std::uint32_t memory_mb);

/// Whether CreateFunction may accept the name.
bool is_served(const std::string& runtime);

}  // namespace wolke::runtime
