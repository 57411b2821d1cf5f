#pragma once
// TLS, server side, over OpenSSL: an identity (certificate chain and key) is chosen for each
// connection by the name that the client asked for (SNI); TLS 1.2 and 1.3, ALPN http/1.1. The
// handshake happens inside the first reads and writes.
//
// Threads: an acceptor and its transports belong to one loop; a TlsIdentity is immutable and may be
// shared by any. Failure: a name that the source refuses ends the handshake with an alert; nothing
// is said to the handler.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "wolke/base/fd.h"
#include "wolke/base/result.h"
#include "wolke/net/transport.h"

namespace wolke::net {

class TlsIdentity {
 public:
  /// Leaf first, then intermediates. Errors: "InvalidCertificate" (unreadable, or the key is of
  /// another one).
  static Result<std::shared_ptr<const TlsIdentity>> from_pem(const std::string& chain,
                                                             const std::string& key);
  struct Native;
  explicit TlsIdentity(std::unique_ptr<Native> native);
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;
  const Native& native() const { return *native_; }

 private:
  std::unique_ptr<Native> native_;
};

/// The identity for a server name, lower case; empty when the client named none. Called on the loop
/// for each handshake.
using CertificateSource =
    std::function<Result<std::shared_ptr<const TlsIdentity>>(std::string_view server_name)>;

class TlsAcceptor {
 public:
  explicit TlsAcceptor(CertificateSource source);
  ~TlsAcceptor();
  std::unique_ptr<Transport> accept(Fd connected);

  struct Shared;

 private:
  std::shared_ptr<Shared> shared_;  // owners: this and the transports that it made
};

}  // namespace wolke::net
