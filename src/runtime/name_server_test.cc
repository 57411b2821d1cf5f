#include "wolke/runtime/name_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <thread>

#include "wolke/runtime/dns.h"

namespace wolke::runtime {
namespace {

using std::string;

/// A query for the address of s3.amazonaws.com with that id.
string query(char id) {
  return string(1, '\0') + id +
         string(
             "\1\0\0\1\0\0\0\0\0\0\2s3\x09"
             "amazonaws\3com\0\0\1\0\1",
             32);
}

string with_length(const string& message) {
  return string{static_cast<char>(message.size() >> 8), static_cast<char>(message.size() & 0xff)} +
         message;
}

/// A socket of 127.0.0.1 on a port that is free, and its address.
Fd bound(int type, sockaddr_in& at) {
  Fd fd(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof at;
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &bytes), 0);
  if (type == SOCK_STREAM) EXPECT_EQ(::listen(fd.get(), 64), 0);
  return fd;
}

Fd connected(int type, const sockaddr_in& to) {
  Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  timeval patience{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

/// What comes, up to that much; empty at the end.
string received(const Fd& fd, std::size_t bytes, int flags = 0) {
  string out(bytes, '\0');
  const ssize_t n = ::recv(fd.get(), out.data(), out.size(), flags);
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return out;
}

class NameServerTest : public ::testing::Test {
 protected:
  /// Runs `client` on a thread of its own while the server serves, then stops the server.
  void run(const std::function<void()>& client) {
    NameServer server(loop_, domains_);
    server.serve_datagrams(bound(SOCK_DGRAM, datagrams));
    server.serve_streams(bound(SOCK_STREAM, streams));
    std::thread thread([&] {
      client();
      loop_.post([&] { loop_.spawn(stop(server)); });
    });
    loop_.run();
    thread.join();
  }

  sockaddr_in datagrams{}, streams{};

 private:
  async::Task<void> stop(NameServer& server) {
    co_await server.stop();
    loop_.stop();
  }
  async::Loop loop_;
  std::vector<string> domains_{"amazonaws.com"};
};

TEST_F(NameServerTest, DatagramsAreAnswered) {
  run([&] {
    Fd fd = connected(SOCK_DGRAM, datagrams);
    for (char id : {'\1', '\2'}) {
      ASSERT_GT(::send(fd.get(), query(id).data(), query(id).size(), 0), 0);
      const string answer = received(fd, 600);
      EXPECT_EQ(answer.substr(0, 2), query(id).substr(0, 2));
      EXPECT_TRUE(answer.ends_with(string("\x7f\0\0\1", 4)));
    }
  });
}

TEST_F(NameServerTest, WhatIsNoQueryIsIgnored) {
  run([&] {
    Fd fd = connected(SOCK_DGRAM, datagrams);
    string reflected = query('\1');
    reflected[2] = '\x81';  // says that it is an answer
    for (const string& garbage :
         {string(), string("x"), string(513, '\0'), string(60'000, '\0'), reflected, query('\2')}) {
      ASSERT_GE(::send(fd.get(), garbage.data(), garbage.size(), 0), 0);
    }
    EXPECT_EQ(received(fd, 600).substr(0, 2), query('\2').substr(0, 2));
  });
}

TEST_F(NameServerTest, StreamsAreAnsweredInOrderHoweverTheyArePieced) {
  run([&] {
    Fd fd = connected(SOCK_STREAM, streams);
    const string both = with_length(query('\1')) + with_length(query('\2'));
    for (std::size_t at = 0; at < both.size(); at += 7) {
      ASSERT_GT(::send(fd.get(), both.data() + at, std::min<std::size_t>(7, both.size() - at), 0),
                0);
    }
    const std::size_t answer_bytes = with_length(query('\1')).size() + dns_growth_max;
    const string answers = received(fd, 2 * answer_bytes, MSG_WAITALL);
    ASSERT_EQ(answers.size(), 2 * answer_bytes);
    EXPECT_EQ(answers[3], '\1');
    EXPECT_EQ(answers[answer_bytes + 3], '\2');
  });
}

TEST_F(NameServerTest, AStreamOfGarbageIsClosed) {
  run([&] {
    for (const string& garbage : {string("\xff\xff"), with_length(""), with_length("no query"),
                                  with_length(string(513, 'x'))}) {
      Fd fd = connected(SOCK_STREAM, streams);
      ASSERT_GT(::send(fd.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL), 0);
      EXPECT_EQ(received(fd, 600), "");
    }
  });
}

TEST_F(NameServerTest, ConnectionsHaveALimit) {
  run([&] {
    std::vector<Fd> held;
    for (std::size_t i = 0; i < dns_connections_max; ++i) {
      held.push_back(connected(SOCK_STREAM, streams));
      const string asked = with_length(query('\1'));
      ASSERT_GT(::send(held.back().get(), asked.data(), asked.size(), 0), 0);
      EXPECT_NE(received(held.back(), 600), "");
    }
    Fd beyond = connected(SOCK_STREAM, streams);
    EXPECT_EQ(received(beyond, 1), "");
  });
}

TEST_F(NameServerTest, AFloodIsAnsweredAtItsRate) {
  run([&] {
    Fd fd = connected(SOCK_DGRAM, datagrams);
    const string asked = query('\1');
    const auto began = std::chrono::steady_clock::now();
    const std::uint32_t wanted = 3 * dns_answers_per_window_max;
    for (std::uint32_t i = 0; i < wanted; ++i) {
      ASSERT_GT(::send(fd.get(), asked.data(), asked.size(), 0), 0);
      if (i % 8 == 7) {
        for (int n = 0; n < 8; ++n) ASSERT_NE(received(fd, 600), "");
      }
    }
    // The third window's answers cannot have come before two windows had ended.
    EXPECT_GE(std::chrono::steady_clock::now() - began, 2 * dns_window);
  });
}

TEST_F(NameServerTest, ItStopsWhileClientsAreConnectedAndWait) {
  Fd silent;
  run([&] {
    silent = connected(SOCK_STREAM, streams);
    ASSERT_EQ(::send(silent.get(), "\0", 1, 0), 1);
  });
  EXPECT_EQ(received(silent, 1), "");
}

}  // namespace
}  // namespace wolke::runtime
