// CPU time of the server's thread per request over loopback, kernel included: a small GET and an
// SDK-sized PUT, over one and over 32 keep-alive connections. `--smoke` runs few rounds, to hold
// that it works.

#include <fmt/format.h>
#include <pthread.h>
#include <sys/socket.h>

#include <chrono>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "wolke/net/address.h"
#include "wolke/net/server.h"

namespace {

using namespace wolke;
using namespace wolke::net;

async::Task<void> answer(Exchange& exchange) {
  if (exchange.body_length() != 0) {
    Result<std::string> body = co_await exchange.read(64 * 1024);
    if (!body) co_return;
  }
  (void)co_await exchange.respond({200, {{"Content-Type", "application/json"}}}, R"({"ok":true})");
}

double cpu_seconds(pthread_t thread) {
  clockid_t clock;
  timespec t{};
  ASSERT(::pthread_getcpuclockid(thread, &clock) == 0 && ::clock_gettime(clock, &t) == 0);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

Fd connect(const SocketAddress& to) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) == 0);
  return fd;
}

/// One request on each connection, then all answers.
void round_trip(const std::vector<Fd>& connections, std::string_view request) {
  for (const Fd& fd : connections) {
    ASSERT(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(request.size()));
  }
  char buffer[4096];
  for (const Fd& fd : connections) {
    std::string got;
    while (!got.ends_with(R"({"ok":true})")) {
      ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
      ASSERT(n > 0);
      got.append(buffer, static_cast<std::size_t>(n));
    }
  }
}

void measure(const char* what, const SocketAddress& to, pthread_t server, std::size_t connections,
             int rounds, std::string_view request) {
  std::vector<Fd> fds;
  for (std::size_t i = 0; i < connections; ++i) fds.push_back(connect(to));
  round_trip(fds, request);
  double cpu = cpu_seconds(server);
  auto wall = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) round_trip(fds, request);
  std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - wall;
  double requests = static_cast<double>(connections) * rounds;
  fmt::print("{:<28} c={:<3} {:>6.2f} server CPU-us/request {:>8.0f} requests/s\n", what,
             connections, (cpu_seconds(server) - cpu) / requests * 1e6, requests / elapsed.count());
}

async::Task<void> shut_down(Server& server, async::Loop& loop) {
  co_await server.stop(std::chrono::milliseconds(0));
  loop.stop();
}

}  // namespace

int main(int argc, char** argv) {
  bool smoke = argc > 1 && std::string_view(argv[1]) == "--smoke";
  int rounds = smoke ? 100 : 100'000;
  async::Loop loop;
  Server server(loop, answer);
  Fd listening = listen_tcp("127.0.0.1:0").value();
  SocketAddress to = parse_address(local_address(listening.get())).value();
  server.serve(std::move(listening));
  std::thread thread([&] { loop.run(); });

  std::string get = "GET /a HTTP/1.1\r\nHost: 127.0.0.1:4566\r\nUser-Agent: bench\r\n\r\n";
  std::string put =
      "PUT /photos/2026/11/cat.jpg?x-id=PutObject HTTP/1.1\r\nHost: 127.0.0.1:4566\r\n"
      "Content-Type: image/jpeg\r\nX-Amz-Date: 20261123T095113Z\r\nX-Amz-Content-Sha256: " +
      std::string(64, 'e') +
      "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/" +
      "20261123/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
      std::string(64, 'f') + "\r\nContent-Length: 4096\r\n\r\n" + std::string(4096, 'b');
  for (std::size_t connections : {1UL, 32UL}) {
    int each = rounds / static_cast<int>(connections);
    measure("small GET", to, thread.native_handle(), connections, each, get);
    measure("4 KiB PUT", to, thread.native_handle(), connections, each, put);
  }
  loop.post([&] { loop.spawn(shut_down(server, loop)); });
  thread.join();
  return 0;
}
