#pragma once
// The address that a server is to listen on, looked at before anything is started: is it one, is it
// free (and who has it), does it reach beyond this machine.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::cli {

/// "Usage": no HOST:PORT. "ListenFailed": not to be had; names the process that has it, where the
/// kernel shows that to us.
Result<void> check_listen(const std::string& host_port);

/// Whether only this machine reaches it.
bool is_loopback(std::string_view host_port);

/// Socket inodes that listen on the port, from the text of /proc/net/tcp or tcp6. Pure.
std::vector<std::uint64_t> listening_inodes(std::string_view table, std::uint16_t port);

}  // namespace wolke::cli
