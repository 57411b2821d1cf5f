#include "wolke/net/certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <functional>

#include "wolke/base/http_limits.h"
#include "wolke/base/text.h"
#include "wolke/net/http1.h"
#include "wolke/net/openssl.h"

namespace wolke::net {

struct LocalAuthority::Native {
  CertificatePtr certificate;
  KeyPtr key;
  KeyPtr leaf_key;
  std::vector<std::string> permitted_dns;
};

namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr auto authority_lifetime = days(3650);
constexpr auto leaf_lifetime = days(90);
constexpr auto backdated = days(1);  // for clients whose clock is behind

std::unexpected<Error> openssl_failed(const char* what) {
  ERR_clear_error();
  return fail(internal_error(what));
}

KeyPtr new_key() {
  return KeyPtr(EVP_EC_gen("P-256"));
}

/// A DNS name and nothing else: it goes into OpenSSL's configuration language.
bool is_dns_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && name.front() != '.' && name.back() != '.' &&
         name.find("..") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_';
         });
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_name(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

/// Version, random serial number, validity from yesterday and key.
CertificatePtr begin_certificate(seconds lifetime, EVP_PKEY* key) {
  CertificatePtr certificate(X509_new());
  std::array<unsigned char, 16> serial;
  if (!certificate || RAND_bytes(serial.data(), serial.size()) != 1) return nullptr;
  serial[0] = static_cast<unsigned char>((serial[0] & 0x7F) | 0x40);  // positive, never short
  std::unique_ptr<BIGNUM, OpensslFree<BN_free>> number(
      BN_bin2bn(serial.data(), serial.size(), nullptr));
  X509* c = certificate.get();
  bool made = number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(c)) &&
              X509_set_version(c, X509_VERSION_3) == 1 &&
              X509_gmtime_adj(X509_getm_notBefore(c), -seconds(backdated).count()) &&
              X509_gmtime_adj(X509_getm_notAfter(c), lifetime.count()) &&
              X509_set_pubkey(c, key) == 1;
  return made ? std::move(certificate) : nullptr;
}

std::string constraints(const std::vector<std::string>& permitted_dns) {
  std::string out = "critical";
  for (const std::string& name : permitted_dns) out += ",permitted;DNS:" + name;
  // Without these, a constraint on DNS names says nothing of certificates for addresses.
  out += ",excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0";
  return out;
}

template <class Write>
std::string to_pem(Write write) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  ASSERT(bio && write(bio.get()) == 1);
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

LocalAuthority::LocalAuthority(std::unique_ptr<Native> native) : native_(std::move(native)) {}
LocalAuthority::~LocalAuthority() = default;

Result<std::unique_ptr<LocalAuthority>> LocalAuthority::create(
    const std::string& common_name, std::vector<std::string> permitted_dns) {
  if (permitted_dns.empty() ||
      !std::all_of(permitted_dns.begin(), permitted_dns.end(), is_dns_name)) {
    return fail(
        {"InvalidCertificate", 400, "a local authority needs the DNS names it may speak for"});
  }
  auto native = std::make_unique<Native>();
  native->key = new_key();
  native->leaf_key = new_key();
  if (!native->key || !native->leaf_key) return openssl_failed("no key could be made");
  native->certificate = begin_certificate(authority_lifetime, native->key.get());
  X509* c = native->certificate.get();
  if (!c) return openssl_failed("no certificate could be made");
  X509_NAME* name = X509_get_subject_name(c);
  bool made = add_name(name, "O", "wolke") && add_name(name, "CN", common_name) &&
              X509_set_issuer_name(c, name) == 1 &&
              add_extension(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
              add_extension(c, c, NID_key_usage, "critical,keyCertSign") &&
              add_extension(c, c, NID_ext_key_usage, "serverAuth") &&
              add_extension(c, c, NID_subject_key_identifier, "hash") &&
              add_extension(c, c, NID_name_constraints, constraints(permitted_dns)) &&
              X509_sign(c, native->key.get(), EVP_sha256()) > 0;
  if (!made) return openssl_failed("no certificate could be made");
  native->permitted_dns = std::move(permitted_dns);
  return std::unique_ptr<LocalAuthority>(new LocalAuthority(std::move(native)));
}

Result<std::unique_ptr<LocalAuthority>> LocalAuthority::load(
    const std::string& certificate_pem, const std::string& private_key_pem,
    std::vector<std::string> permitted_dns) {
  TRY(auto identity, TlsIdentity::from_pem(certificate_pem, private_key_pem));
  auto native = std::make_unique<Native>();
  X509_up_ref(identity->native().leaf.get());
  EVP_PKEY_up_ref(identity->native().key.get());
  native->certificate.reset(identity->native().leaf.get());
  native->key.reset(identity->native().key.get());
  native->leaf_key = new_key();
  if (!native->leaf_key) return openssl_failed("no key could be made");
  native->permitted_dns = std::move(permitted_dns);
  return std::unique_ptr<LocalAuthority>(new LocalAuthority(std::move(native)));
}

std::string LocalAuthority::certificate_pem() const {
  return to_pem([&](BIO* bio) { return PEM_write_bio_X509(bio, native_->certificate.get()); });
}

std::string LocalAuthority::private_key_pem() const {
  return to_pem([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, native_->key.get(), nullptr, nullptr, 0, nullptr,
                                         nullptr);
  });
}

bool LocalAuthority::permits(std::string_view host) const {
  return std::any_of(
      native_->permitted_dns.begin(), native_->permitted_dns.end(), [&](const std::string& tree) {
        if (!host.ends_with(tree)) return false;
        return host.size() == tree.size() || host[host.size() - tree.size() - 1] == '.';
      });
}

Result<std::shared_ptr<const TlsIdentity>> LocalAuthority::issue(const std::string& host) const {
  CertificatePtr certificate = begin_certificate(leaf_lifetime, native_->leaf_key.get());
  X509* c = certificate.get();
  X509* issuer = native_->certificate.get();
  if (!c) return openssl_failed("no certificate could be made");
  bool made = add_name(X509_get_subject_name(c), "O", "wolke") &&
              X509_set_issuer_name(c, X509_get_subject_name(issuer)) == 1 &&
              add_extension(c, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
              add_extension(c, issuer, NID_key_usage, "critical,digitalSignature") &&
              add_extension(c, issuer, NID_ext_key_usage, "serverAuth") &&
              add_extension(c, issuer, NID_subject_alt_name, "DNS:" + host) &&
              add_extension(c, issuer, NID_authority_key_identifier, "keyid:always") &&
              X509_sign(c, native_->key.get(), EVP_sha256()) > 0;
  if (!made) return openssl_failed("no certificate could be made");
  auto native = std::make_unique<TlsIdentity::Native>();
  native->leaf = std::move(certificate);
  EVP_PKEY_up_ref(native_->leaf_key.get());
  native->key.reset(native_->leaf_key.get());
  return std::make_shared<const TlsIdentity>(std::move(native));
}

Result<std::shared_ptr<const TlsIdentity>> LocalAuthority::leaf(std::string_view host) {
  std::string name = to_lower(host);
  if (name.ends_with('.')) name.pop_back();
  if (!is_dns_name(name) || !permits(name)) {
    return fail(
        {"HostNotPermitted", 400, "this authority may not speak for \"" + printable(host) + "\""});
  }
  auto now = std::chrono::floor<seconds>(std::chrono::system_clock::now());
  auto cache = cache_.lock();
  if (auto found = cache->find(name); found != cache->end() && now < found->second.renew_at) {
    return found->second.identity;
  }
  TRY(auto identity, issue(name));
  // Names come from sandboxes: a full cache starts again rather than growing.
  if (cache->size() >= limits::tls_leaf_certificates_max) cache->clear();
  cache->insert_or_assign(name, Cached{identity, now + leaf_lifetime / 2});
  return identity;
}

CertificateSource LocalAuthority::source(std::string fallback_host) {
  return [this, fallback = std::move(fallback_host)](std::string_view server_name) {
    return leaf(server_name.empty() ? std::string_view(fallback) : server_name);
  };
}

}  // namespace wolke::net
