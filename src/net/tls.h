#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace ficus::net {

// Who we are: a certificate with those that lead to a known authority behind it, and its private
// key, all PEM, as read from files. The key is not protected by a password.
struct TlsIdentity {
  std::string certificate_pem;
  std::string key_pem;
};

struct TlsServerOptions {
  TlsIdentity identity;
  std::string client_ca_pem = {};  // authorities that clients' certificates must come from; empty:
                                   // clients are not asked for one
  // Revocation lists of those authorities. Given: a certificate on the list is refused, and so is
  // one whose authority's list is not here or has passed the day of its next update.
  std::string client_crl_pem = {};
  bool requires_client_certificate = false;
};

// What listeners with TLS share: 1.2 and 1.3, forward secrecy and authenticated encryption only, no
// renegotiation, no compression, no early data; sessions resume for two hours by tickets whose key
// is never stored. Used on the loop's thread.
class TlsServerContext {
 public:
  class Core;
  // Fails with what is wrong: no certificate in the text, a key that does not belong to it, ...
  static Result<std::shared_ptr<TlsServerContext>> make(const TlsServerOptions& options);
  explicit TlsServerContext(std::unique_ptr<Core> core);
  ~TlsServerContext();

  // New certificates for connections that begin from now on; sessions from before do not resume.
  // On failure everything stays as it was.
  Status reload(const TlsServerOptions& options);
  Timestamp certificate_expires_at() const;

  Core& core() { return *core_; }

 private:
  std::unique_ptr<Core> core_;
};

struct TlsClientOptions {
  std::string ca_pem = {};    // whom to trust; empty: the system's authorities
  TlsIdentity identity = {};  // shown if the server asks; empty: none
};

// What connections as a client share. The server's certificate must lead to a trusted authority
// and be for the host that was asked for (RFC 9525); there is no way to switch that off. Keeps the
// newest session of some hosts to resume them. Used on the loop's thread.
class TlsClientContext {
 public:
  class Core;
  static Result<std::shared_ptr<TlsClientContext>> make(const TlsClientOptions& options);
  explicit TlsClientContext(std::unique_ptr<Core> core);
  ~TlsClientContext();

  Core& core() { return *core_; }

 private:
  std::unique_ptr<Core> core_;
};

// A new key (P-256) and a certificate for it that it has signed itself, for trials: `hosts` are
// names or numeric addresses. A client trusts it by taking the certificate as its authority.
Result<TlsIdentity> make_self_signed(const std::vector<std::string>& hosts, Timestamp now,
                                     int days);

}  // namespace ficus::net
