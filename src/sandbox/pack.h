#pragma once
// From a Spec to what crosses to the spawner: the checked Request, the program memfd, the mounts as
// O_PATH descriptors. Runs in the server, without rights. Failure: "SandboxFailed" naming what of
// the Spec cannot be.

#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/fd.h"
#include "wolke/base/result.h"
#include "wolke/sandbox/client.h"
#include "wolke/sandbox/sandbox.h"
#include "wolke/sandbox/wire.h"

namespace wolke::sandbox {

struct Packed {
  wire::Request request{};
  Fd stdout_read, stderr_read, control;  // ours, non-blocking
  std::vector<Fd> descriptors;           // for the spawner, in the order of wire.h
};
Result<Packed> pack(const Spec& spec, const std::vector<Root>& roots);

/// "127.0.0.1:9001" or "udp:127.0.0.1:53"; loopback addresses only.
Result<wire::ListenAddress> parse_listen(std::string_view text);
/// The bytes of the program memfd (wire::ProgramHead).
Result<std::string> pack_program(const Spec& spec);

}  // namespace wolke::sandbox
