#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <map>
#include <memory>
#include <string>

#include "net/tls.h"

namespace ficus::net {

// OpenSSL's objects with their owners. For this module only.
template <auto Free>
struct OpensslDelete {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using SslContextPtr = std::unique_ptr<SSL_CTX, OpensslDelete<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslDelete<SSL_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, OpensslDelete<SSL_SESSION_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslDelete<X509_free>>;
using X509CrlPtr = std::unique_ptr<X509_CRL, OpensslDelete<X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslDelete<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslDelete<BIO_free_all>>;

class TlsServerContext::Core {
 public:
  explicit Core(SslContextPtr ssl) : context(std::move(ssl)) {}
  SslContextPtr context;
};

class TlsClientContext::Core {
 public:
  explicit Core(SslContextPtr ssl) : context(std::move(ssl)) {}

  // The newest session with "host:port", or null.
  SSL_SESSION* session(const std::string& host_port) const;
  void keep_session(const std::string& host_port, SslSessionPtr session);

  SslContextPtr context;

 private:
  static constexpr std::size_t kSessionsMax = 64;
  std::map<std::string, SslSessionPtr> sessions_;
};

// The oldest entry of OpenSSL's list of errors of this thread, in words; clears the list.
std::string take_openssl_error();

}  // namespace ficus::net
