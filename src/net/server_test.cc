// The server against raw sockets: what is on the wire, byte for byte.

#include <sys/resource.h>

#include "wolke/net/server_fixture.h"

namespace wolke::net {
namespace {

#if defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif
/// What a large body may cost, in KiB; sanitizers hold freed memory back.
constexpr long memory_kib_max = sanitized ? 1 << 20 : 16 * 1024;

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

TEST_F(ServerTest, ContinueComesBeforeTheAnswerWhenThereIsNoBodyToWaitFor) {
  Fd fd = connect();
  say(fd, "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n");
  std::string got = hear(fd, "hi");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")) << got;
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
