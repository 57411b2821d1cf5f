// TLS listeners and the local authority, against OpenSSL's client with full verification.

#include "wolke/net/tls.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <thread>

#include "wolke/net/address.h"
#include "wolke/net/certificates.h"
#include "wolke/net/openssl.h"
#include "wolke/net/server.h"

namespace wolke::net {
namespace {

using async::Loop;
using async::Task;

Task<void> echo(Exchange& exchange) {
  std::string body;
  for (;;) {
    Result<std::string> piece = co_await exchange.read(64 * 1024);
    if (!piece || piece->empty()) break;
    body += *piece;
  }
  std::string tls = exchange.head().tls ? "yes" : "no";
  (void)co_await exchange.respond({200, {{"X-Tls", tls}}}, std::move(body));
}

class TlsServer {
 public:
  explicit TlsServer(CertificateSource source) : server_(loop_, echo) {
    Fd listening = listen_tcp("127.0.0.1:0").value();
    address_ = local_address(listening.get());
    server_.serve_tls(std::move(listening), std::move(source));
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~TlsServer() {
    loop_.post([this] { loop_.spawn(shut_down()); });
    thread_.join();
  }
  Fd connect() const {
    SocketAddress to = parse_address(address_).value();
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to.storage), to.size), 0);
    return fd;
  }

 private:
  Task<void> shut_down() {
    co_await server_.stop(std::chrono::milliseconds(0));
    loop_.stop();
  }

  Loop loop_;
  Server server_;
  std::string address_;
  std::thread thread_;
};

struct ClientOptions {
  std::string trusted_pem;
  const char* server_name = nullptr;
  const char* verify_name = nullptr;
  int version_max = 0;
  std::string alpn = {};
};

struct Client {
  Client(const TlsServer& server, const ClientOptions& options)
      : fd(server.connect()), context(SSL_CTX_new(TLS_client_method())) {
    BioPtr bio(
        BIO_new_mem_buf(options.trusted_pem.data(), static_cast<int>(options.trusted_pem.size())));
    CertificatePtr root(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root.get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    if (options.version_max) SSL_CTX_set_max_proto_version(context.get(), options.version_max);
    ssl.reset(SSL_new(context.get()));
    if (!options.alpn.empty()) {
      SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                          static_cast<unsigned>(options.alpn.size()));
    }
    if (options.server_name) SSL_set_tlsext_host_name(ssl.get(), options.server_name);
    if (options.verify_name) SSL_set1_host(ssl.get(), options.verify_name);
    SSL_set_fd(ssl.get(), fd.get());
    connected = SSL_connect(ssl.get()) == 1;
    verified = SSL_get_verify_result(ssl.get());
    ERR_clear_error();
  }

  std::string ask(std::string_view request, std::string_view end) {
    std::size_t written = 0;
    if (SSL_write_ex(ssl.get(), request.data(), request.size(), &written) != 1)
      return "<write failed>";
    std::string got;
    char buffer[16384];
    while (!got.ends_with(end)) {
      int n = SSL_read(ssl.get(), buffer, sizeof buffer);
      if (n <= 0) break;
      got.append(buffer, static_cast<std::size_t>(n));
    }
    return got;
  }

  Fd fd;
  SslContextPtr context;
  SslPtr ssl;
  bool connected = false;
  long verified = -1;
};

constexpr const char* s3_name = "photos.s3.eu-central-1.amazonaws.com";

std::unique_ptr<LocalAuthority> authority() {
  return LocalAuthority::create("test authority", {"amazonaws.com"}).value();
}

TEST(Tls, AVerifyingClientIsServedUnderTheNameItAskedFor) {
  auto ca = authority();
  TlsServer server(ca->source("lambda.amazonaws.com"));
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Client client(server, {ca->certificate_pem(), s3_name, s3_name, version});
    ASSERT_TRUE(client.connected) << X509_verify_cert_error_string(client.verified);
    for (int i = 0; i < 3; ++i) {
      std::string got =
          client.ask("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", "\r\n\r\nab");
      EXPECT_NE(got.find("X-Tls: yes\r\n"), std::string::npos) << got;
      EXPECT_TRUE(got.ends_with("ab"));
    }
  }
}

TEST(Tls, LargeBodiesPassInBothDirections) {
  auto ca = authority();
  TlsServer server(ca->source("lambda.amazonaws.com"));
  Client client(server, {ca->certificate_pem(), s3_name, s3_name});
  ASSERT_TRUE(client.connected);
  std::string body(3'000'000, 'b');
  body += "the end";
  std::string got =
      client.ask("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                     "\r\n\r\n" + body,
                 "the end");
  EXPECT_TRUE(got.ends_with("\r\n\r\n" + body));
}

TEST(Tls, AClientWithoutAServerNameGetsTheFallback) {
  auto ca = authority();
  TlsServer server(ca->source("lambda.amazonaws.com"));
  Client client(server, {ca->certificate_pem(), nullptr, "lambda.amazonaws.com"});
  EXPECT_TRUE(client.connected);
}

TEST(Tls, ANameTheAuthorityMayNotSpeakForEndsTheHandshake) {
  auto ca = authority();
  TlsServer server(ca->source("lambda.amazonaws.com"));
  for (const char* name : {"example.com", "evilamazonaws.com", "amazonaws.com.example.com"}) {
    Client client(server, {ca->certificate_pem(), name, name});
    EXPECT_FALSE(client.connected) << name;
  }
}

TEST(Tls, NameConstraintsHoldAgainstAStolenKey) {
  auto ca = authority();
  auto thief = LocalAuthority::load(ca->certificate_pem(), ca->private_key_pem(),
                                    {"example.com", "amazonaws.com"});
  ASSERT_TRUE(thief);
  TlsServer server((*thief)->source("example.com"));
  Client stolen(server, {ca->certificate_pem(), "example.com", "example.com"});
  EXPECT_FALSE(stolen.connected);
  EXPECT_EQ(stolen.verified, X509_V_ERR_PERMITTED_VIOLATION);
  Client control(server, {ca->certificate_pem(), s3_name, s3_name});
  EXPECT_TRUE(control.connected);
}

TEST(Tls, Http11IsChosenByAlpn) {
  auto ca = authority();
  TlsServer server(ca->source("lambda.amazonaws.com"));
  Client client(server, {ca->certificate_pem(), s3_name, s3_name, 0, "\x02h2\x08http/1.1"});
  ASSERT_TRUE(client.connected);
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(client.ssl.get(), &protocol, &size);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(protocol), size), "http/1.1");
}

TEST(Tls, OldVersionsAreRefused) {
  auto ca = authority();
  TlsServer server(ca->source("lambda.amazonaws.com"));
  Client client(server, {ca->certificate_pem(), s3_name, s3_name, TLS1_1_VERSION});
  EXPECT_FALSE(client.connected);
}

TEST(Tls, PlainTextOnATlsPortIsCut) {
  auto ca = authority();
  TlsServer server(ca->source("lambda.amazonaws.com"));
  Fd fd = server.connect();
  constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_EQ(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  char buffer[4096];
  std::string got;
  for (ssize_t n; (n = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;) {
    got.append(buffer, static_cast<std::size_t>(n));
  }
  EXPECT_EQ(got.find("HTTP"), std::string::npos);
}

TEST(LocalAuthority, LeavesAreCachedPerName) {
  auto ca = authority();
  auto first = ca->leaf("S3.amazonaws.com.").value();
  EXPECT_EQ(ca->leaf("s3.amazonaws.com").value(), first);
  EXPECT_NE(ca->leaf("sqs.amazonaws.com").value(), first);
}

TEST(LocalAuthority, RefusesNamesThatAreNoHostNames) {
  auto ca = authority();
  for (const char* name :
       {"", ".amazonaws.com", "*.amazonaws.com", "a..amazonaws.com",
        "a,DNS:example.com,DNS:b.amazonaws.com", "a b.amazonaws.com", "127.0.0.1"}) {
    auto leaf = ca->leaf(name);
    ASSERT_FALSE(leaf) << name;
    EXPECT_EQ(leaf.error().code, "HostNotPermitted");
  }
  EXPECT_FALSE(LocalAuthority::create("x", {}));
  EXPECT_FALSE(LocalAuthority::create("x", {"a,excluded;DNS:b"}));
}

TEST(TlsIdentity, AKeyOfAnotherCertificateIsRefused) {
  auto one = authority();
  auto other = authority();
  EXPECT_TRUE(TlsIdentity::from_pem(one->certificate_pem(), one->private_key_pem()));
  EXPECT_FALSE(TlsIdentity::from_pem(one->certificate_pem(), other->private_key_pem()));
  EXPECT_FALSE(TlsIdentity::from_pem("nonsense", one->private_key_pem()));
  EXPECT_FALSE(TlsIdentity::from_pem(one->certificate_pem(), "nonsense"));
}

}  // namespace
}  // namespace wolke::net
