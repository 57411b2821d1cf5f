#pragma once
// LocalAuthority: a certificate authority that may speak for a few DNS subtrees only, and the leaf
// certificates that it issues per host name. A sandbox trusts it so that AWS host names can be
// answered by us; X.509 name constraints (critical, all IP addresses excluded) keep even a stolen
// key from speaking for anything else.
//
// ECDSA P-256; leaves share one key that is made with the authority object. Threads: any. Failure:
// "HostNotPermitted", "InvalidCertificate".

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/guarded.h"
#include "wolke/base/result.h"
#include "wolke/net/tls.h"

namespace wolke::net {

class LocalAuthority {
 public:
  /// `permitted_dns`: "amazonaws.com" stands for itself and all names below it; not empty.
  static Result<std::unique_ptr<LocalAuthority>> create(const std::string& common_name,
                                                        std::vector<std::string> permitted_dns);
  /// From what certificate_pem() and private_key_pem() gave before.
  static Result<std::unique_ptr<LocalAuthority>> load(const std::string& certificate_pem,
                                                      const std::string& private_key_pem,
                                                      std::vector<std::string> permitted_dns);
  ~LocalAuthority();
  LocalAuthority(const LocalAuthority&) = delete;
  LocalAuthority& operator=(const LocalAuthority&) = delete;

  std::string certificate_pem() const;
  std::string private_key_pem() const;
  /// The certificate for one host name, from the cache or issued now (about 0.1 ms).
  Result<std::shared_ptr<const TlsIdentity>> leaf(std::string_view host);
  /// For Server::serve_tls; the authority must outlive the server. A client without SNI gets
  /// `fallback_host`'s leaf.
  CertificateSource source(std::string fallback_host);

 private:
  struct Native;
  struct Cached {
    std::shared_ptr<const TlsIdentity> identity;
    std::chrono::sys_seconds renew_at;
  };
  explicit LocalAuthority(std::unique_ptr<Native> native);
  bool permits(std::string_view host) const;
  Result<std::shared_ptr<const TlsIdentity>> issue(const std::string& host) const;

  std::unique_ptr<Native> native_;
  Guarded<std::map<std::string, Cached, std::less<>>> cache_;
};

}  // namespace wolke::net
