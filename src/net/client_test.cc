// The client against the server on one loop, and against canned answers on a socket pair.

#include "wolke/net/client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "wolke/net/server.h"

namespace wolke::net {
namespace {

using async::Loop;
using async::Task;
using std::chrono::seconds;

Task<void> reflect(Exchange& exchange) {
  std::string body;
  for (;;) {
    Result<std::string> piece = co_await exchange.read(4096);
    if (!piece || piece->empty()) break;
    body += *piece;
  }
  if (exchange.head().target == "/chunked") {
    (void)co_await exchange.start({200, {}}, std::nullopt);
    (void)co_await exchange.write(body);
    (void)co_await exchange.finish();
    co_return;
  }
  const std::string* host = find_header(exchange.head().headers, "host");
  (void)co_await exchange.respond({201, {{"X-Host", host ? *host : ""}}}, std::move(body));
}

struct Outcome {
  std::vector<Result<ClientResponse>> answers;
  bool reusable = false;
};

Task<void> ask_all(Loop& loop, Server& server, std::string address,
                   std::vector<ClientRequest> requests, Outcome& outcome) {
  Monotonic deadline = loop.now() + seconds(20);
  auto client = co_await ClientConnection::connect(loop, address, deadline);
  EXPECT_TRUE(client);
  for (ClientRequest& request : requests) {
    outcome.answers.push_back(co_await (*client)->send(std::move(request), 1 << 20, deadline));
  }
  outcome.reusable = (*client)->reusable();
  client->reset();
  co_await server.stop(seconds(1));
  loop.stop();
}

TEST(Client, SendsSeveralRequestsOverOneConnection) {
  Loop loop;
  Server server(loop, reflect);
  Fd listening = listen_tcp("127.0.0.1:0").value();
  std::string address = local_address(listening.get());
  server.serve(std::move(listening));
  Outcome outcome;
  std::string large(700'000, 'l');
  std::vector<ClientRequest> requests{{"POST", "/a", {}, "one"},
                                      {"POST", "/chunked", {{"X-A", "b"}}, large},
                                      {"HEAD", "/a", {}, ""},
                                      {"GET", "/a", {{"host", "other"}}, ""}};
  loop.spawn(ask_all(loop, server, address, std::move(requests), outcome));
  loop.run();
  ASSERT_EQ(outcome.answers.size(), 4U);
  for (auto& answer : outcome.answers) ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(outcome.answers[0]->status, 201);
  EXPECT_EQ(outcome.answers[0]->body, "one");
  EXPECT_EQ(*find_header(outcome.answers[0]->headers, "x-host"), address);
  EXPECT_EQ(outcome.answers[1]->body, large);
  EXPECT_EQ(outcome.answers[2]->body, "");
  EXPECT_EQ(*find_header(outcome.answers[3]->headers, "x-host"), "other");
  EXPECT_TRUE(outcome.reusable);
}

Task<void> ask_canned(Loop& loop, ClientConnection& client, Outcome& outcome) {
  outcome.answers.push_back(
      co_await client.send({}, 10, loop.now() + std::chrono::milliseconds(20)));
  outcome.reusable = client.reusable();
  loop.stop();
}

/// What the client makes of these bytes; `open` leaves the connection open behind them.
Outcome with_answer(std::string_view bytes, bool open = false) {
  int fds[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  Fd server(fds[1]);
  EXPECT_EQ(::send(server.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
  if (!open) ::shutdown(server.get(), SHUT_WR);
  Loop loop;
  Outcome outcome;
  ClientConnection client(loop, Fd(fds[0]), "x");
  loop.spawn(ask_canned(loop, client, outcome));
  loop.run();
  return outcome;
}

std::string code_of(std::string_view bytes, bool open = false) {
  Outcome outcome = with_answer(bytes, open);
  return outcome.answers[0] ? "ok" : outcome.answers[0].error().code;
}

TEST(Client, ReadsABodyThatEndsWithTheConnection) {
  Outcome outcome = with_answer("HTTP/1.1 200 OK\r\n\r\nall");
  ASSERT_TRUE(outcome.answers[0]);
  EXPECT_EQ(outcome.answers[0]->body, "all");
  EXPECT_FALSE(outcome.reusable);
}

TEST(Client, SkipsInterimAnswers) {
  Outcome outcome =
      with_answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", true);
  ASSERT_TRUE(outcome.answers[0]);
  EXPECT_EQ(outcome.answers[0]->status, 204);
  EXPECT_TRUE(outcome.reusable);
}

TEST(Client, NamesWhatWentWrong) {
  EXPECT_EQ(code_of(""), "ConnectionLost");
  EXPECT_EQ(code_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"), "ConnectionLost");
  EXPECT_EQ(code_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", true), "RequestTimeout");
  EXPECT_EQ(code_of("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"), "ResponseTooLarge");
  EXPECT_EQ(code_of("HTTP/1.1 200 OK\r\n\r\n12345678901"), "ResponseTooLarge");
  EXPECT_EQ(code_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
            "InvalidResponse");
  EXPECT_EQ(code_of("HTTP/1.1 200 OK\nA: b\n\n"), "InvalidResponse");
  EXPECT_EQ(code_of("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "InvalidResponse");
}

TEST(Client, BytesBehindTheAnswerEndTheConnection) {
  EXPECT_FALSE(with_answer("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK", true).reusable);
}

Task<void> connect_nowhere(Loop& loop, std::string address, std::string& code) {
  auto client = co_await ClientConnection::connect(loop, address, loop.now() + seconds(5));
  code = client ? "ok" : client.error().code;
  loop.stop();
}

TEST(Client, ConnectFailsByName) {
  std::string address = local_address(listen_tcp("127.0.0.1:0").value().get());  // closed again
  for (auto [to, expected] : {std::pair{address, "ConnectFailed"},
                              {"nowhere", "InvalidAddress"},
                              {"example.com:80", "InvalidAddress"},
                              {"127.0.0.1:70000", "InvalidAddress"}}) {
    Loop loop;
    std::string code;
    loop.spawn(connect_nowhere(loop, to, code));
    loop.run();
    EXPECT_EQ(code, expected) << to;
  }
}

TEST(Listen, ErrorsNameTheAddressAndTheReason) {
  Fd first = listen_tcp("127.0.0.1:0").value();
  std::string address = local_address(first.get());
  auto second = listen_tcp(address);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "cannot listen on " + address + ": address in use");
  EXPECT_EQ(listen_tcp("somewhere:1").error().code, "InvalidAddress");
  auto v6 = listen_tcp("[::1]:0");
  if (v6) {
    EXPECT_TRUE(local_address(v6->get()).starts_with("[::1]:"));
  }
}

}  // namespace
}  // namespace wolke::net
