#include "wolke/net/address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#include "wolke/base/text.h"
#include "wolke/net/server.h"

namespace wolke::net {
namespace {

constexpr int listen_backlog = 4096;

std::string say(int error) {
  switch (error) {
    case EADDRINUSE:
      return "address in use";
    case EADDRNOTAVAIL:
      return "this machine does not have that address";
    case EACCES:
    case EPERM:
      return "not permitted (ports below 1024 need privileges)";
    default:
      return std::strerror(error);
  }
}

std::unexpected<Error> cannot_listen(const std::string& host_port, int error) {
  return fail({"ListenFailed", 500, fmt::format("cannot listen on {}: {}", host_port, say(error))});
}

}  // namespace

Address to_address(const sockaddr_storage& from) {
  char text[INET6_ADDRSTRLEN] = "";
  if (from.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &from, sizeof v4);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return {text, ntohs(v4.sin_port)};
  }
  if (from.ss_family != AF_INET6) return {};
  sockaddr_in6 v6;
  std::memcpy(&v6, &from, sizeof v6);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    ::inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  }
  return {text, ntohs(v6.sin6_port)};
}

Result<SocketAddress> parse_address(const std::string& host_port) {
  auto invalid = [&] {
    return fail({"InvalidAddress", 400, fmt::format("\"{}\" is no address:port", host_port)});
  };
  std::size_t colon = host_port.rfind(':');
  if (colon == std::string::npos) return invalid();
  std::string host = host_port.substr(0, colon);
  auto port = parse_u64(std::string_view(host_port).substr(colon + 1));
  if (!port || *port > 65535) return invalid();
  if (host == "localhost") host = "127.0.0.1";

  SocketAddress out;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<std::uint16_t>(*port));
    host = host.substr(1, host.size() - 2);
    if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return invalid();
    std::memcpy(&out.storage, &v6, sizeof v6);
    out.size = sizeof v6;
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<std::uint16_t>(*port));
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) return invalid();
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.size = sizeof v4;
  }
  return out;
}

Result<Fd> listen_tcp(const std::string& host_port) {
  TRY(SocketAddress address, parse_address(host_port));
  Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return cannot_listen(host_port, errno);
  int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 ||
      ::listen(fd.get(), listen_backlog) != 0) {
    return cannot_listen(host_port, errno);
  }
  return fd;
}

std::string local_address(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return {};
  Address address = to_address(bound);
  bool v6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address.host, v6 ? "]" : "", address.port);
}

}  // namespace wolke::net
