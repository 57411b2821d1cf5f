#include "wolke/cli/listening.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "wolke/net/server.h"

namespace wolke::cli {
namespace {

TEST(Listening, LoopbackIsToldFromTheRest) {
  for (const char* address : {"127.0.0.1:4566", "127.1.2.3:0", "localhost:80", "[::1]:4566"}) {
    EXPECT_TRUE(is_loopback(address)) << address;
  }
  for (const char* address : {"0.0.0.0:4566", "[::]:4566", "192.168.1.2:80", "1.127.0.0:1"}) {
    EXPECT_FALSE(is_loopback(address)) << address;
  }
}

TEST(Listening, InodesAreThoseThatListenOnThePort) {
  constexpr std::string_view table =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:11D6 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "4711 1 0 100 0 0 10 0\n"
      "   1: 0100007F:11D6 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 "
      "4712 1 0 100 0 0 10 0\n"
      "   2: 0100007F:11D7 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "4713 1 0 100 0 0 10 0\n";
  EXPECT_EQ(listening_inodes(table, 4566), std::vector<std::uint64_t>{4711});
  EXPECT_TRUE(listening_inodes("", 4566).empty());
}

TEST(Listening, ATakenAddressNamesItsOwner) {
  Fd taken = net::listen_tcp("127.0.0.1:0").value();
  const std::string address = net::local_address(taken.get());
  const Error error = check_listen(address).error();
  EXPECT_EQ(error.code, "ListenFailed");
  EXPECT_NE(error.message.find(fmt::format("(pid {}) listens there", ::getpid())),
            std::string::npos)
      << error.message;
  EXPECT_NE(error.message.find("--listen 127.0.0.1:PORT"), std::string::npos);
}

TEST(Listening, AnAddressIsNumeric) {
  EXPECT_TRUE(check_listen("127.0.0.1:0").has_value());
  for (const char* address : {"here:1", "127.0.0.1", "127.0.0.1:99999"}) {
    EXPECT_EQ(check_listen(address).error().code, "Usage") << address;
  }
}

}  // namespace
}  // namespace wolke::cli
