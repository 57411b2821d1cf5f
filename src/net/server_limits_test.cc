// The server against clients that are slow, greedy or gone.

#include <chrono>
#include <string>
#include <vector>

#include "wolke/net/server_fixture.h"

namespace wolke::net {
namespace {

/// Each test shortens the one limit that it is about.
class ShortHeaderTimeout : public ServerTest {
 protected:
  ShortHeaderTimeout() : ServerTest({.header_timeout = milliseconds(20)}) {}
};
class ShortIdleTimeout : public ServerTest {
 protected:
  ShortIdleTimeout() : ServerTest({.idle_timeout = milliseconds(20)}) {}
};
class ShortStallTimeout : public ServerTest {
 protected:
  ShortStallTimeout() : ServerTest({.body_stall_timeout = milliseconds(20)}) {}
};
class NoPatienceForDrips : public ServerTest {
 protected:
  NoPatienceForDrips()
      : ServerTest(
            {.body_stall_timeout = milliseconds(100), .body_bytes_per_second_min = 1 << 20}) {}
};
class TwoConnections : public ServerTest {
 protected:
  TwoConnections() : ServerTest({.connections_max = 2}) {}
};

TEST_F(ShortHeaderTimeout, AHeadThatDoesNotEndIsAnswered408) {
  Fd fd = connect();
  say(fd, "GET / HTTP/1.1\r\nHost: x\r\n");
  std::string got = hear(fd);
  EXPECT_TRUE(got.starts_with("HTTP/1.1 408 Request Timeout\r\n")) << got;
}

TEST_F(ShortHeaderTimeout, AConnectionThatSaysNothingIsClosedSilently) {
  Fd fd = connect();
  EXPECT_EQ(hear(fd), "");
}

TEST_F(ShortIdleTimeout, AnIdleConnectionIsClosedAfterItsAnswer) {
  Fd fd = connect();
  say(fd, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(hear(fd), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_F(ShortStallTimeout, AStalledBodyIsRequestTimeoutAndCanStillBeAnswered) {
  Fd fd = connect();
  say(fd, "PUT /report HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
  std::string got = hear(fd);
  EXPECT_TRUE(got.starts_with("HTTP/1.1 400 ")) << got;
  EXPECT_TRUE(got.ends_with("Connection: close\r\n\r\nRequestTimeout")) << got;
}

TEST_F(NoPatienceForDrips, ABodyThatNeverStallsAndNeverEndsIsRequestTimeout) {
  Fd fd = connect();
  say(fd, "PUT /report HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  pollfd answer{.fd = fd.get(), .events = POLLIN, .revents = 0};
  for (int sent = 0; sent < 1000 && ::poll(&answer, 1, 5) == 0; ++sent) say(fd, "x");
  std::string got = hear(fd);
  EXPECT_TRUE(got.ends_with("RequestTimeout")) << got;
}

TEST_F(ShortStallTimeout, AReaderThatStopsReadingIsCut) {
  Fd fd = connect();
  say(fd, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  pollfd none{};
  while (connections() == 0) ::poll(&none, 0, 1);
  while (connections() > 0) ::poll(&none, 0, 1);
  EXPECT_TRUE(hear(fd).ends_with("<reset>"));
}

TEST_F(ServerTest, ABodyThatEndsEarlyIsIncompleteBody) {
  EXPECT_TRUE(ask("PUT /report HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
                  .ends_with("IncompleteBody"));
  EXPECT_TRUE(ask("PUT /report HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf")
                  .ends_with("IncompleteBody"));
}

TEST_F(ServerTest, ABrokenChunkIsInvalidChunk) {
  EXPECT_TRUE(ask("PUT /report HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
                  .ends_with("InvalidChunk"));
}

TEST_F(TwoConnections, OneMoreIsRefusedAndAPlaceBecomesFreeAgain) {
  Fd first = connect();
  Fd second = connect();
  for (const Fd* fd : {&first, &second}) {
    say(*fd, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(*fd, "\r\n\r\n");
  }
  Fd third = connect();
  EXPECT_TRUE(hear(third).starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  first.reset();
  pollfd none{};
  while (connections() == 2) ::poll(&none, 0, 1);
  Fd fourth = connect();
  say(fourth, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(hear(fourth, "\r\n\r\n"), "HTTP/1.1 204 No Content\r\n\r\n");
}

}  // namespace
}  // namespace wolke::net
