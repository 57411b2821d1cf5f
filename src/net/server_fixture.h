#pragma once
// For the server's tests: a server on its own thread, a handler with one behaviour per path, and a
// blocking client that sees every byte. The client's waits end when the server answers or closes;
// nothing sleeps for a fixed time.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "wolke/net/address.h"
#include "wolke/net/server.h"

namespace wolke::net {

using async::Loop;
using async::Task;
using std::chrono::milliseconds;

/// Answers by path; each is one behaviour of a handler.
inline Task<void> serve_path(Loop& loop, std::atomic<int>& slow_started, Exchange& exchange) {
  const std::string& path = exchange.head().target;
  if (path == "/echo") {
    std::string body;
    for (;;) {
      Result<std::string> piece = co_await exchange.read(1024);
      if (!piece) co_return;
      if (piece->empty()) break;
      body += *piece;
    }
    (void)co_await exchange.respond({200, {{"X-Method", exchange.head().method}}}, std::move(body));
  } else if (path == "/stream") {
    (void)co_await exchange.start({200, {}}, std::nullopt);
    for (;;) {
      Result<std::string> piece = co_await exchange.read(7);
      if (!piece || piece->empty()) break;
      (void)co_await exchange.write(*piece);
    }
    (void)co_await exchange.finish();
  } else if (path == "/count") {
    std::uint64_t bytes = 0;
    for (;;) {
      Result<std::string> piece = co_await exchange.read(256 * 1024);
      if (!piece || piece->empty()) break;
      bytes += piece->size();
    }
    (void)co_await exchange.respond({200, {}}, std::to_string(bytes));
  } else if (path == "/large") {
    constexpr std::uint64_t total = 256ULL << 20;
    std::string piece(256 * 1024, 'x');
    (void)co_await exchange.start({200, {}}, total);
    for (std::uint64_t sent = 0; sent < total; sent += piece.size()) {
      if (!co_await exchange.write(piece)) co_return;
    }
    (void)co_await exchange.finish();
  } else if (path == "/short") {
    (void)co_await exchange.start({200, {}}, 10);
    (void)co_await exchange.write("half");
    EXPECT_FALSE(co_await exchange.finish());
  } else if (path == "/half-chunked") {
    (void)co_await exchange.start({200, {}}, std::nullopt);
    (void)co_await exchange.write("half");
  } else if (path == "/inject") {
    Result<void> sent = co_await exchange.respond({200, {{"X", "a\r\nSet-Cookie: b"}}}, "");
    EXPECT_FALSE(sent);
    EXPECT_FALSE(exchange.started());
    (void)co_await exchange.respond({502, {}}, "bad header");
  } else if (path == "/silent") {
    co_return;
  } else if (path == "/close") {
    exchange.close_after();
    (void)co_await exchange.respond({200, {}}, "bye");
  } else if (path == "/slow") {
    ++slow_started;
    co_await loop.sleep_for(milliseconds(20));
    (void)co_await exchange.respond({200, {}}, "late");
  } else if (path == "/report") {
    // The errors of read() are said in the answer, as a service would.
    Result<std::string> piece = co_await exchange.read(1024);
    while (piece && !piece->empty()) piece = co_await exchange.read(1024);
    (void)co_await exchange.respond({piece ? 200 : 400, {}}, piece ? "fine" : piece.error().code);
  } else if (path == "/none") {
    (void)co_await exchange.respond({204, {}}, "");
  } else {
    (void)co_await exchange.respond({200, {{"Content-Type", "text/plain"}}}, "hi");
  }
}

/// A server on its own thread and a blocking client.
class ServerTest : public ::testing::Test {
 protected:
  explicit ServerTest(ServerOptions options = {})
      : server_(std::make_unique<Server>(
            loop_, [this](Exchange& e) { return serve_path(loop_, slow_started_, e); }, options)) {
    Result<Fd> listening = listen_tcp("127.0.0.1:0");
    EXPECT_TRUE(listening) << listening.error().message;
    address_ = local_address(listening->get());
    server_->serve(std::move(*listening));
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~ServerTest() override {
    loop_.post([this] { loop_.spawn(shut_down(milliseconds(0))); });
    thread_.join();
    server_.reset();
  }
  Task<void> shut_down(milliseconds grace) {
    co_await server_->stop(grace);
    loop_.stop();
  }

  /// Asked on the loop.
  std::size_t connections() {
    std::promise<std::size_t> count;
    loop_.post([&] { count.set_value(server_->connections()); });
    return count.get_future().get();
  }

  Fd connect() {
    SocketAddress to = parse_address(address_).value();
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to.storage), to.size), 0);
    return fd;
  }
  static void say(const Fd& fd, std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t n = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  /// Reads until `end` is the end of what came, or the connection closes.
  static std::string hear(const Fd& fd, std::string_view end = "\xff") {
    std::string got;
    char buffer[65536];
    while (!without_date(got).ends_with(end)) {
      ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
      if (n < 0) got += "<reset>";
      if (n <= 0) break;
      got.append(buffer, static_cast<std::size_t>(n));
    }
    return without_date(got);
  }
  static std::string without_date(std::string text) {
    for (std::size_t at; (at = text.find("Date: ")) != std::string::npos;) {
      text.erase(at, text.find("\r\n", at) + 2 - at);
    }
    return text;
  }
  std::string ask(std::string_view request) {
    Fd fd = connect();
    say(fd, request);
    ::shutdown(fd.get(), SHUT_WR);
    return hear(fd);
  }

  Loop loop_;
  std::atomic<int> slow_started_ = 0;
  std::unique_ptr<Server> server_;
  std::string address_;
  std::thread thread_;
};

}  // namespace wolke::net
