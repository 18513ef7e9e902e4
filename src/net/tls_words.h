#pragma once

#include <openssl/x509.h>

#include <string>

#include "net/connection.h"

namespace ficus::net {

// What OpenSSL found, in words an operator can act on. For this module only.
struct TlsFailure {
  std::string text;
  bool is_certificate_problem = false;
};

// `error`: of OpenSSL's list; `verify_problem`: what describe_verify_failure said before, or empty.
TlsFailure describe_tls_failure(unsigned long error, const std::string& verify_problem);
// `host`: what the certificate should be for; empty at a server.
std::string describe_verify_failure(X509_STORE_CTX* store, const std::string& host);
PeerCertificate describe_certificate(const X509& certificate);
std::string errno_text(int error);

}  // namespace ficus::net
