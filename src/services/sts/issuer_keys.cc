#include "wolke/services/sts/issuer_keys.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "wolke/base/hash.h"
#include "wolke/shape/json.h"

namespace wolke::sts {
namespace {

constexpr unsigned threads = 4;
constexpr std::size_t waiting_max = 64;
constexpr std::size_t document_bytes_max = 256 * 1024;
constexpr long connect_milliseconds_max = 3000;
constexpr long fetch_milliseconds_max = 5000;
constexpr std::size_t issuers_max = 256;
constexpr auto remembered = std::chrono::minutes(10);
constexpr auto failure_remembered = std::chrono::seconds(5);
constexpr auto again_after = std::chrono::seconds(30);

Error not_reached() {
  return {"IDPCommunicationError", 400, "Error communicating with the identity provider."};
}

Error no_keys() {
  return {"InvalidIdentityToken", 400,
          "Couldn't retrieve verification key from your identity provider, please reference "
          "AssumeRoleWithWebIdentity documentation for requirements"};
}

struct Network4 {
  std::uint32_t address;
  int bits;
};

/// IANA's registry of special addresses; what may be let in by name is judged before.
constexpr Network4 special4[] = {
    {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
    {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16},
    {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 3},
};
constexpr Network4 private4[] = {
    {0x0a000000, 8}, {0x64400000, 10}, {0xac100000, 12}, {0xc0a80000, 16}, {0x7f000000, 8}};

bool within(std::uint32_t address, const Network4& network) {
  return (address ^ network.address) >> (32 - network.bits) == 0;
}

bool may_reach4(std::uint32_t address, Reach reach) {
  if (reach.loopback && within(address, {0x7f000000, 8})) return true;
  const auto is_in = [address](const Network4& network) { return within(address, network); };
  if (reach.private_networks && std::ranges::any_of(private4, is_in)) return true;
  return std::ranges::none_of(special4, is_in);
}

bool may_reach6(const std::array<unsigned char, 16>& address, Reach reach) {
  std::array<unsigned char, 16> loopback{};
  loopback[15] = 1;
  if (address == loopback) return reach.loopback || reach.private_networks;
  if ((address[0] & 0xfe) == 0xfc) return reach.private_networks;
  // Global unicast, without what carries an IPv4 address (Teredo, 6to4) or is for documents.
  if ((address[0] & 0xe0) != 0x20) return false;
  const unsigned first = static_cast<unsigned>(address[0]) << 8 | address[1];
  const unsigned second = static_cast<unsigned>(address[2]) << 8 | address[3];
  if (first == 0x2002) return false;
  return first != 0x2001 || (second >= 0x0200 && second != 0x0db8);
}

struct Fetch {
  Reach reach;
  const std::vector<std::string>* thumbprints = nullptr;
  std::string body;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* to) {
  auto& fetch = *static_cast<Fetch*>(to);
  if (fetch.body.size() + size * count > document_bytes_max) return 0;  // ends the transfer
  fetch.body.append(data, size * count);
  return size * count;
}

curl_socket_t on_socket(void* from, curlsocktype, curl_sockaddr* address) {
  const auto& fetch = *static_cast<Fetch*>(from);
  if (!may_reach(address->addr, fetch.reach)) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::string thumbprint_of(X509* certificate) {
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha1(), sum, &size) != 1) return "";
  return to_hex({reinterpret_cast<const char*>(sum), size});
}

/// The chain leads to this certificate, which is trusted by its thumbprint.
bool leads_to(X509_STORE_CTX* given, X509* authority) {
  X509_STORE* store = X509_STORE_new();
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  const bool leads =
      store != nullptr && context != nullptr && X509_STORE_add_cert(store, authority) == 1 &&
      X509_STORE_CTX_init(context, store, X509_STORE_CTX_get0_cert(given),
                          X509_STORE_CTX_get0_untrusted(given)) == 1 &&
      X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER) == 1 &&
      X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN) ==
          1 &&
      X509_verify_cert(context) == 1;
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return leads;
}

/// Names are libcurl's to check, whoever vouches for the certificate.
int verify_chain(X509_STORE_CTX* context, void* from) {
  const auto& fetch = *static_cast<Fetch*>(from);
  if (X509_verify_cert(context) == 1) return 1;
  const STACK_OF(X509)* sent = X509_STORE_CTX_get0_untrusted(context);
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    X509* certificate = sk_X509_value(sent, i);
    const auto& known = *fetch.thumbprints;
    if (std::ranges::find(known, thumbprint_of(certificate)) == known.end()) continue;
    if (!leads_to(context, certificate)) continue;
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
  }
  return 0;
}

CURLcode on_tls(CURL*, void* context, void* fetch) {
  SSL_CTX_set_cert_verify_callback(static_cast<SSL_CTX*>(context), verify_chain, fetch);
  return CURLE_OK;
}

/// One GET, as the header of this module says.
Result<std::string> get(const std::string& url, Reach reach,
                        const std::vector<std::string>& thumbprints) {
  Fetch fetch{.reach = reach, .thumbprints = &thumbprints, .body = {}};
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(),
                                                                   curl_easy_cleanup);
  CURL* curl = handle.get();
  if (curl == nullptr) return fail(not_reached());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, reach.loopback ? "http,https" : "https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect_milliseconds_max);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, fetch_milliseconds_max);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &fetch);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &fetch);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_tls);
  curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, &fetch);
  const CURLcode done = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (done != CURLE_OK || status >= 500) return fail(not_reached());
  if (status != 200) return fail(no_keys());
  return std::move(fetch.body);
}

/// https anywhere; http only to this machine, by name, and only where it may be reached.
bool is_plain_elsewhere(const std::string& url, Reach reach) {
  if (url.starts_with("https://")) return false;
  const std::string_view places[] = {"http://localhost", "http://127.0.0.1", "http://[::1]"};
  return !reach.loopback || std::ranges::none_of(places, [&url](std::string_view place) {
    if (!url.starts_with(place)) return false;
    const char next = url.size() == place.size() ? '/' : url[place.size()];
    return next == '/' || next == ':';
  });
}

}  // namespace

bool may_reach(const sockaddr& address, Reach reach) {
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    return may_reach4(ntohl(in.sin_addr.s_addr), reach);
  }
  if (address.sa_family != AF_INET6) return false;
  sockaddr_in6 in{};
  std::memcpy(&in, &address, sizeof in);
  std::array<unsigned char, 16> bytes{};
  std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
  return may_reach6(bytes, reach);
}

IssuerKeys::IssuerKeys(Env env, Reach reach)
    : env_(env), reach_(reach), pool_(threads, waiting_max) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}
IssuerKeys::~IssuerKeys() = default;

Result<std::string> IssuerKeys::keys_of(const IssuerQuestion& question) {
  std::string name = question.url;
  for (const std::string& thumbprint : question.thumbprints) name += " " + thumbprint;
  const Monotonic now = env_.clock.monotonic();
  {
    auto known = known_.lock();
    if (auto it = known->find(name); it != known->end()) {
      const auto age = now - it->second.fetched;
      if (!it->second.keys && age < failure_remembered) return it->second.keys;
      if (it->second.keys && age < (question.again ? again_after : remembered)) {
        return it->second.keys;
      }
    }
  }
  Result<std::string> keys = fetch_keys(question);
  auto known = known_.lock();
  if (known->size() >= issuers_max) known->clear();
  known->insert_or_assign(name, Known{.keys = keys, .fetched = now});
  return keys;
}

Result<std::string> IssuerKeys::fetch_keys(const IssuerQuestion& question) const {
  if (is_plain_elsewhere(question.url, reach_)) return fail(not_reached());
  std::string discovery = question.url;
  while (discovery.ends_with('/')) discovery.pop_back();
  discovery += "/.well-known/openid-configuration";
  TRY(const std::string document, get(discovery, reach_, question.thumbprints));
  const Result<shape::Json> configuration = shape::parse_json(document);
  // Its own name, or else one issuer's page could speak for another.
  if (!configuration || configuration->string_at("issuer") != question.url) return fail(no_keys());
  const std::string place = configuration->string_at("jwks_uri").value_or("");
  if (place.empty() || is_plain_elsewhere(place, reach_)) return fail(no_keys());
  return get(place, reach_, question.thumbprints);
}

}  // namespace wolke::sts
