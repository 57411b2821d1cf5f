// The server against raw sockets: what is on the wire, byte for byte.

#include "wolke/net/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "wolke/net/address.h"

namespace wolke::net {
namespace {

#if defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif
/// What a large body may cost, in KiB; sanitizers hold freed memory back.
constexpr long memory_kib_max = sanitized ? 1 << 20 : 16 * 1024;

using async::Loop;
using async::Task;
using std::chrono::milliseconds;

/// Answers by path; each is one behaviour of a handler.
Task<void> serve_path(Loop& loop, std::atomic<int>& slow_started, Exchange& exchange) {
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
  } else if (path == "/none") {
    (void)co_await exchange.respond({204, {}}, "");
  } else {
    (void)co_await exchange.respond({200, {{"Content-Type", "text/plain"}}}, "hi");
  }
}

/// A server on its own thread and a blocking client.
class ServerTest : public ::testing::Test {
 protected:
  ServerTest()
      : server_(std::make_unique<Server>(
            loop_, [this](Exchange& e) { return serve_path(loop_, slow_started_, e); })) {
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

constexpr const char* hi =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  Fd fd = connect();
  for (int i = 0; i < 3; ++i) {
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(hear(fd, "hi"), hi);
  }
}

TEST_F(ServerTest, TheDateHeaderIsSent) {
  Fd fd = connect();
  say(fd, "GET / HTTP/1.0\r\n\r\n");
  std::string got;
  char c;
  while (::recv(fd.get(), &c, 1, 0) == 1) got += c;
  EXPECT_NE(got.find(" GMT\r\n"), std::string::npos) << got;
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  Fd fd = connect();
  std::string requests;
  std::string answers;
  for (int i = 0; i < 50; ++i) {
    std::string body = "n" + std::to_string(i);
    requests += "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body;
    answers +=
        "HTTP/1.1 200 OK\r\nX-Method: POST\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
  }
  say(fd, requests);
  EXPECT_EQ(hear(fd, "n49"), answers);
}

TEST_F(ServerTest, ARequestMayArriveByteByByte) {
  Fd fd = connect();
  for (char c :
       std::string_view("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\n02;x=\"y\"\r\nde\r\n0\r\nT: v\r\n\r\n")) {
    say(fd, std::string_view(&c, 1));
  }
  EXPECT_EQ(hear(fd, "abcde"),
            "HTTP/1.1 200 OK\r\nX-Method: POST\r\nContent-Length: 5\r\n\r\nabcde");
}

TEST_F(ServerTest, BodiesStreamInBothDirectionsChunked) {
  EXPECT_EQ(ask("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789"),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            "7\r\n0123456\r\n3\r\n789\r\n0\r\n\r\n");
}

TEST_F(ServerTest, Http10ClientsGetNoChunksAndAreClosedUnlessTheyAskNotTo) {
  EXPECT_EQ(ask("POST /stream HTTP/1.0\r\nContent-Length: 2\r\n\r\nab"),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nab");
  Fd fd = connect();
  say(fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(hear(fd, "hi").find("Connection: keep-alive\r\n"), std::string::npos);
  say(fd, "GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(hear(fd).ends_with("Connection: close\r\n\r\nhi"));
}

TEST_F(ServerTest, HeadIsAnsweredWithTheLengthAndNoBody) {
  Fd fd = connect();
  say(fd, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  say(fd, "HEAD /large HTTP/1.1\r\nHost: x\r\n\r\n");
  say(fd, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
  say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(hear(fd, "hi"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Length: 268435456\r\n\r\n"
            "HTTP/1.1 204 No Content\r\n\r\n" +
                std::string(hi));
}

TEST_F(ServerTest, ContinueIsSentWhenTheHandlerReads) {
  Fd fd = connect();
  say(fd, "PUT /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(hear(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  say(fd, "abc");
  EXPECT_TRUE(hear(fd, "abc").starts_with("HTTP/1.1 200 OK\r\n"));
  say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(hear(fd, "hi"), hi);
}

TEST_F(ServerTest, ContinueIsNotSentWhenTheBodyIsAlreadyThere) {
  Fd fd = connect();
  say(fd, "PUT /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_TRUE(hear(fd, "abc").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerTest, ABodyHeldBackByExpectAndNotReadEndsTheConnection) {
  Fd fd = connect();
  say(fd, "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  std::string got = hear(fd);
  EXPECT_TRUE(got.starts_with("HTTP/1.1 200 OK\r\n")) << got;
  EXPECT_NE(got.find("Connection: close\r\n"), std::string::npos) << got;
}

TEST_F(ServerTest, AShortUnreadBodyIsDrainedAndTheConnectionKept) {
  Fd fd = connect();
  std::string body(100'000, 'b');
  say(fd, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + body +
              "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(hear(fd, std::string(hi) + hi), std::string(hi) + hi);
}

TEST_F(ServerTest, ALongUnreadBodyClosesButTheAnswerIsStillReadable) {
  Fd fd = connect();
  say(fd, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n");
  say(fd, std::string(4'000'000, 'b'));
  std::string got = hear(fd);
  EXPECT_TRUE(got.ends_with("Connection: close\r\n\r\nhi")) << got;
}

TEST_F(ServerTest, AHandlerThatDoesNotAnswerGets500) {
  EXPECT_EQ(ask("GET /silent HTTP/1.1\r\nHost: x\r\n\r\n"),
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(ServerTest, AnAnswerCutShortIsAResetAndNotAnEnd) {
  for (const char* path : {"/short", "/half-chunked"}) {
    std::string got = ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(got.ends_with("<reset>")) << got;
  }
}

TEST_F(ServerTest, AHeaderThatWouldSplitTheAnswerIsRefused) {
  std::string got = ask("GET /inject HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 502 ")) << got;
  EXPECT_EQ(got.find("Set-Cookie"), std::string::npos);
}

TEST_F(ServerTest, CloseAfterClosesAndSaysSo) {
  Fd fd = connect();
  say(fd, "GET /close HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(hear(fd), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbye");
}

TEST_F(ServerTest, ConnectionCloseOfTheClientIsHonoured) {
  Fd fd = connect();
  say(fd, "GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n");
  EXPECT_TRUE(hear(fd).ends_with("Connection: close\r\n\r\nhi"));
}

TEST_F(ServerTest, AMalformedRequestIsAnsweredAndTheConnectionClosed) {
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 35\r\n"
            "Connection: close\r\n\r\ninvalid character in a header name\n");
  EXPECT_TRUE(ask("GET / HTTP/2.0\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 505 "));
  EXPECT_TRUE(ask("\x16\x03\x01").starts_with("HTTP/1.1 400 "));
}

TEST_F(ServerTest, ABadChunkEndsTheConnectionAndTheRestIsNoRequest) {
  std::string got = ask(
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n"
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(got, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST_F(ServerTest, ALargeBodyIsReadInConstantMemory) {
  Fd fd = connect();
  constexpr std::uint64_t total = 256ULL << 20;
  say(fd,
      "PUT /count HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(total) + "\r\n\r\n");
  std::string piece(1 << 20, 'p');
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  for (std::uint64_t sent = 0; sent < total; sent += piece.size()) say(fd, piece);
  EXPECT_TRUE(hear(fd, std::to_string(total)).ends_with("\r\n\r\n" + std::to_string(total)));
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, memory_kib_max) << "KiB";
}

TEST_F(ServerTest, ALargeAnswerWaitsForASlowReader) {
  Fd fd = connect();
  say(fd, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  std::uint64_t got = 0;
  std::string buffer(1 << 20, '\0');
  while (got < (256ULL << 20)) {
    ssize_t n = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    ASSERT_GT(n, 0);
    got += static_cast<std::uint64_t>(n);
  }
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, memory_kib_max) << "KiB";
}

TEST_F(ServerTest, AClientThatLeavesDuringTheAnswerHarmsNobody) {
  for (int i = 0; i < 5; ++i) {
    Fd fd = connect();
    say(fd, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  Fd fd = connect();
  say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(hear(fd, "hi"), hi);
}

TEST_F(ServerTest, StopLetsARunningRequestFinish) {
  Fd idle = connect();
  say(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  hear(idle, "hi");
  Fd busy = connect();
  say(busy, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  pollfd none{};
  while (slow_started_ == 0) ::poll(&none, 0, 1);
  loop_.post([this] { loop_.spawn(shut_down(std::chrono::seconds(10))); });
  EXPECT_EQ(hear(idle), "");
  EXPECT_EQ(hear(busy), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlate");
}

}  // namespace
}  // namespace wolke::net
