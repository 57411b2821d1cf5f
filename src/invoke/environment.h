#pragma once
// From a function version to the sandbox that runs it: mounts, program, and the environment that
// Lambda documents. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html. Pure, but for the look
// whether a custom runtime's `bootstrap` is in the package or in a layer.

#include <string>
#include <vector>

#include "wolke/base/env.h"
#include "wolke/base/result.h"
#include "wolke/invoke/invoke.h"
#include "wolke/invoke/invoker.h"
#include "wolke/runtime/table.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::invoke {

inline constexpr const char* runtime_api_address = "127.0.0.1:9001";
inline constexpr const char* supervision_address = "127.0.0.1:9002";
inline constexpr const char* telemetry_socket = "outward";
inline constexpr const char* gateway_address = "127.0.0.1:4566";
inline constexpr const char* gateway_tls_address = "127.0.0.1:443";
/// What the resolver's configuration inside names.
inline constexpr const char* names_datagram_address = "udp:127.0.0.1:53";
inline constexpr const char* names_stream_address = "127.0.0.1:53";

struct Plan {
  sandbox::Spec spec;
  runtime::Protocol protocol = runtime::Protocol::frames;
  std::string version;  // what INIT_START names
  std::string warning;
  bool names = false;      // the last two of spec.listen are for the name server
  bool telemetry = false;  // one of spec.listen is for deliveries
  /// External extensions, in the order in which they start; with any, the second of spec.listen is
  /// for their supervisor, which spec.argv starts.
  std::vector<std::string> extensions = {};
};

/// Errors: "InvalidRuntimeException"; "Runtime.InvalidEntrypoint" when a custom runtime has no
/// bootstrap. The order of spec.listen: the Extensions API, with the Runtime API where the protocol
/// is that, external extensions' supervisor, the way for telemetry, the gateway, the gateway with
/// TLS, names over UDP, names over TCP, as far as they are served. Names are where a sandbox has a
/// network of its own; elsewhere :53 is the host's.
Result<Plan> plan_sandbox(const Dependencies& dependencies, const FunctionSpec& function,
                          const std::string& sandbox_id, const std::string& log_stream,
                          const SandboxCredentials& credentials);

/// The files in the folder `extensions` of the function's layers, sorted by name: Lambda starts
/// each.
std::vector<std::string> external_extensions(const FunctionSpec& function);

/// An invocation's trace as the function is told of it, with all that X-Ray's clients read: a root,
/// a parent, and whether it is sampled (not, when the caller did not say so).
std::string complete_trace(std::string trace, Timestamp now, Random& random);

}  // namespace wolke::invoke
