#pragma once
// Owning pointers for the OpenSSL objects of tls.cc and certificates.cc, and what a TlsIdentity
// holds. Included by those two and their tests only: OpenSSL's headers are heavy, and no other file
// sees its types.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <vector>

#include "wolke/net/tls.h"

namespace wolke::net {

template <auto free_function>
struct OpensslFree {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};

using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpensslFree<X509_EXTENSION_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslFree<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;

struct TlsIdentity::Native {
  CertificatePtr leaf;
  KeyPtr key;
  std::vector<CertificatePtr> intermediates;
};

}  // namespace wolke::net
