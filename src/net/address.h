#pragma once
// Socket addresses as text. Numeric addresses and "localhost" only: nothing here asks a name
// server, so nothing here blocks. The listening half of server.h (listen_tcp, local_address) is
// implemented beside it. Threads: pure functions. Failure: "InvalidAddress".

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "wolke/base/result.h"

namespace wolke::net {

struct Address {
  std::string host;  // "127.0.0.1", "::1"; empty for other families
  std::uint16_t port = 0;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

/// IPv4-mapped IPv6 addresses are given as IPv4.
Address to_address(const sockaddr_storage& from);
/// "127.0.0.1:80", "[::1]:80", "localhost:80" -> socket address; Error "InvalidAddress".
Result<SocketAddress> parse_address(const std::string& host_port);

}  // namespace wolke::net
