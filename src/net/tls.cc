#include "wolke/net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "wolke/base/text.h"
#include "wolke/net/openssl.h"

namespace wolke::net {
namespace {

constexpr std::size_t record_bytes_max = 16 * 1024;

int descriptor_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

/// OpenSSL's own socket BIO uses write(), which raises SIGPIPE; this one does not.
int bio_write(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
  BIO_clear_retry_flags(bio);
  ssize_t n = ::send(descriptor_of(bio), data, size, MSG_NOSIGNAL);
  *written = n > 0 ? static_cast<std::size_t>(n) : 0;
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    BIO_set_retry_write(bio);
  return n > 0 ? 1 : 0;
}

int bio_read(BIO* bio, char* data, std::size_t size, std::size_t* got) {
  BIO_clear_retry_flags(bio);
  ssize_t n = ::recv(descriptor_of(bio), data, size, 0);
  *got = n > 0 ? static_cast<std::size_t>(n) : 0;
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(bio);
  return n > 0 ? 1 : 0;
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  constexpr std::string_view ours = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  int found =
      SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned>(ours.size()), offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

// ---- identities

TlsIdentity::TlsIdentity(std::unique_ptr<Native> native) : native_(std::move(native)) {}
TlsIdentity::~TlsIdentity() = default;

Result<std::shared_ptr<const TlsIdentity>> TlsIdentity::from_pem(const std::string& chain,
                                                                 const std::string& key) {
  auto invalid = [](const char* why) {
    ERR_clear_error();
    return fail({"InvalidCertificate", 400, why});
  };
  auto native = std::make_unique<Native>();
  BioPtr chain_bio(BIO_new_mem_buf(chain.data(), static_cast<int>(chain.size())));
  native->leaf.reset(PEM_read_bio_X509(chain_bio.get(), nullptr, nullptr, nullptr));
  if (!native->leaf) return invalid("the certificate is not readable");
  while (X509* next = PEM_read_bio_X509(chain_bio.get(), nullptr, nullptr, nullptr)) {
    native->intermediates.emplace_back(next);
  }
  ERR_clear_error();
  BioPtr key_bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  // No password callback may ask on the terminal: an encrypted key is unreadable.
  auto no_password = [](char*, int, int, void*) { return 0; };
  native->key.reset(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_password, nullptr));
  if (!native->key) return invalid("the private key is not readable");
  if (X509_check_private_key(native->leaf.get(), native->key.get()) != 1) {
    return invalid("the private key does not belong to the certificate");
  }
  return std::make_shared<const TlsIdentity>(std::move(native));
}

// ---- connections

struct TlsAcceptor::Shared {
  CertificateSource source;
  SslContextPtr context;
  BIO_METHOD* method = nullptr;

  ~Shared() { BIO_meth_free(method); }
  static int choose_certificate(SSL* ssl, void* self);
};

/// Called when the client's hello is known. 0 ends the handshake.
int TlsAcceptor::Shared::choose_certificate(SSL* ssl, void* self) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  auto identity = static_cast<Shared*>(self)->source(to_lower(name ? name : ""));
  if (!identity) return 0;
  const TlsIdentity::Native& native = (*identity)->native();
  if (SSL_use_certificate(ssl, native.leaf.get()) != 1) return 0;
  if (SSL_use_PrivateKey(ssl, native.key.get()) != 1) return 0;
  SSL_clear_chain_certs(ssl);
  for (const CertificatePtr& intermediate : native.intermediates) {
    if (SSL_add1_chain_cert(ssl, intermediate.get()) != 1) return 0;
  }
  return 1;
}

namespace {

class TlsTransport final : public Transport {
 public:
  TlsTransport(std::shared_ptr<TlsAcceptor::Shared> shared, Fd connected)
      : shared_(std::move(shared)),
        fd_(std::move(connected)),
        ssl_(SSL_new(shared_->context.get())) {
    BIO* bio = BIO_new(shared_->method);
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd_.get())));
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_accept_state(ssl_.get());
  }

  int fd() const override { return fd_.get(); }

  Io try_read(std::span<char> out) override {
    ERR_clear_error();
    std::size_t n = 0;
    if (SSL_read_ex(ssl_.get(), out.data(), out.size(), &n) == 1) return {Io::Status::done, n};
    return trouble();
  }

  Io try_write(std::span<const iovec> pieces) override {
    ERR_clear_error();
    std::string_view bytes(static_cast<const char*>(pieces[0].iov_base), pieces[0].iov_len);
    if (pieces.size() > 1 && bytes.size() < record_bytes_max) bytes = joined(pieces);
    std::size_t n = 0;
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &n) == 1) return {Io::Status::done, n};
    return trouble();
  }

  bool short_read_means_drained() const override { return false; }  // records wait inside OpenSSL

  void end_writing() override {
    ERR_clear_error();
    if (!failed_) SSL_shutdown(ssl_.get());
    ::shutdown(fd_.get(), SHUT_WR);
  }

 private:
  /// One record for a head and its small body. A retry offers the same pieces, so the copy is the
  /// same again.
  std::string_view joined(std::span<const iovec> pieces) {
    record_.clear();
    for (const iovec& piece : pieces) {
      std::size_t room = record_bytes_max - record_.size();
      record_.append(static_cast<const char*>(piece.iov_base), std::min(piece.iov_len, room));
    }
    return record_;
  }

  Io trouble() {
    switch (SSL_get_error(ssl_.get(), 0)) {
      case SSL_ERROR_WANT_READ:
        return {Io::Status::want_read};
      case SSL_ERROR_WANT_WRITE:
        return {Io::Status::want_write};
      case SSL_ERROR_ZERO_RETURN:
        return {Io::Status::end};
      default:
        failed_ = true;
        ERR_clear_error();
        return {Io::Status::failed};
    }
  }

  std::shared_ptr<TlsAcceptor::Shared> shared_;  // the BIO's method must outlive it
  Fd fd_;
  SslPtr ssl_;
  std::string record_;
  bool failed_ = false;
};

}  // namespace

TlsAcceptor::TlsAcceptor(CertificateSource source) : shared_(std::make_shared<Shared>()) {
  shared_->source = std::move(source);
  shared_->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "wolke socket");
  BIO_meth_set_write_ex(shared_->method, bio_write);
  BIO_meth_set_read_ex(shared_->method, bio_read);
  BIO_meth_set_ctrl(shared_->method, bio_control);

  shared_->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = shared_->context.get();
  ASSERT(context != nullptr);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets resume without our memory
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_cert_cb(context, Shared::choose_certificate, shared_.get());
}

TlsAcceptor::~TlsAcceptor() = default;

std::unique_ptr<Transport> TlsAcceptor::accept(Fd connected) {
  return std::make_unique<TlsTransport>(shared_, std::move(connected));
}

}  // namespace wolke::net
