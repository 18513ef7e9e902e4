#pragma once

// An authority of the tests' own, and what it issues: certificates of any age, for anyone.

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "net/loopback_testing.h"
#include "net/tls.h"
#include "net/tls_core.h"

namespace ficus::net {

struct TestCertificate {
  std::string common_name = "localhost";
  std::string alternative_names = "IP:127.0.0.1";  // as OpenSSL writes them; empty: none
  long valid_from_seconds = -3600;                 // seen from now
  long valid_to_seconds = 3600;
  std::string usage = "serverAuth,clientAuth";
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "Test Authority")
      : key_(EVP_EC_gen("P-256")),
        certificate_(make({.common_name = name, .alternative_names = "", .usage = ""}, key_.get(),
                          nullptr)) {}

  TlsIdentity issue(const TestCertificate& wish) const {
    const KeyPtr key(EVP_EC_gen("P-256"));
    const X509Ptr certificate = make(wish, key.get(), this);
    return {pem_of(certificate.get()), pem_of(key.get())};
  }
  std::string pem() const { return pem_of(certificate_.get()); }

  // The list of what it has revoked.
  std::string revoke(const std::vector<TlsIdentity>& revoked, long valid_to_seconds = 3600) const {
    const X509CrlPtr list(X509_CRL_new());
    X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get()));
    using TimePtr = std::unique_ptr<ASN1_TIME, OpensslDelete<ASN1_TIME_free>>;
    const TimePtr from(X509_gmtime_adj(nullptr, -7200));
    const TimePtr to(X509_gmtime_adj(nullptr, valid_to_seconds));
    X509_CRL_set1_lastUpdate(list.get(), from.get());
    X509_CRL_set1_nextUpdate(list.get(), to.get());
    for (const TlsIdentity& identity : revoked) {
      const BioPtr in(BIO_new_mem_buf(identity.certificate_pem.data(),
                                      static_cast<int>(identity.certificate_pem.size())));
      const X509Ptr certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
      X509_REVOKED* const entry = X509_REVOKED_new();
      X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate.get()));
      X509_REVOKED_set_revocationDate(entry, from.get());
      X509_CRL_add0_revoked(list.get(), entry);
    }
    X509_CRL_sort(list.get());
    X509_CRL_sign(list.get(), key_.get(), EVP_sha256());
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509_CRL(out.get(), list.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }

 private:
  static X509Ptr make(const TestCertificate& wish, EVP_PKEY* key, const TestAuthority* issuer) {
    X509Ptr made(X509_new());
    X509* const raw = made.get();
    X509_set_version(raw, X509_VERSION_3);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(raw), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(raw), wish.valid_from_seconds);
    X509_gmtime_adj(X509_getm_notAfter(raw), wish.valid_to_seconds);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(raw), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1,
                               -1, 0);
    X509* const above = issuer != nullptr ? issuer->certificate_.get() : raw;
    X509_set_issuer_name(raw, X509_get_subject_name(above));
    X509_set_pubkey(raw, key);
    extend(raw, above, NID_basic_constraints, issuer != nullptr ? "CA:FALSE" : "critical,CA:TRUE");
    if (!wish.alternative_names.empty()) {
      extend(raw, above, NID_subject_alt_name, wish.alternative_names);
    }
    if (!wish.usage.empty()) extend(raw, above, NID_ext_key_usage, wish.usage);
    X509_sign(raw, issuer != nullptr ? issuer->key_.get() : key, EVP_sha256());
    return made;
  }

  static void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  template <typename T>
  static std::string pem_of(T* object) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    if constexpr (std::is_same_v<T, X509>) {
      PEM_write_bio_X509(out.get(), object);
    } else {
      PEM_write_bio_PrivateKey(out.get(), object, nullptr, nullptr, 0, nullptr, nullptr);
    }
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }

  KeyPtr key_;
  X509Ptr certificate_;
};

// A listener with TLS whose connections are RawPeers, and clients of it.
class TlsHouse {
 public:
  explicit TlsHouse(const TlsServerOptions& server_options, TcpListenOptions options = {}) {
    auto made = TlsServerContext::make(server_options);
    EXPECT_TRUE(made) << made.error().message;
    context = *std::move(made);
    options.tls = context;
    options.on_refused = [this](const Address&, const Error& why) {
      refusals.push_back(why.message);
    };
    listener = *TcpListener::open(loop, loopback_any_port(), options, [this](auto tcp) {
      servers.push_back(std::make_unique<RawPeer>());
      servers.back()->take(std::move(tcp));
    });
  }

  std::string target(const std::string& host = "127.0.0.1") const {
    return host + ":" + std::to_string(listener->address().port);
  }

  static std::shared_ptr<TlsClientContext> trusting(const std::string& ca_pem,
                                                    const TlsIdentity& identity = {}) {
    auto made = TlsClientContext::make({.ca_pem = ca_pem, .identity = identity});
    EXPECT_TRUE(made) << made.error().message;
    return *made;
  }

  // Null if it fails: `error` says why.
  std::unique_ptr<RawPeer> connect(std::shared_ptr<TlsClientContext> client,
                                   const std::string& host = "127.0.0.1",
                                   const std::string& alpn = "") {
    auto peer = std::make_unique<RawPeer>();
    bool is_done = false;
    TcpConnectOptions options;
    options.tls = std::move(client);
    options.alpn = alpn;
    TcpConnector connector(loop, target(host), options, [&](auto result) {
      is_done = true;
      if (result) {
        peer->take(*std::move(result));
      } else {
        error = result.error();
      }
    });
    run_until(loop, [&] { return is_done; });
    return peer->tcp != nullptr ? std::move(peer) : nullptr;
  }

  EventLoop loop;
  std::shared_ptr<TlsServerContext> context;
  std::vector<std::unique_ptr<RawPeer>> servers;
  std::vector<std::string> refusals;
  std::unique_ptr<TcpListener> listener;
  Error error;
};

}  // namespace ficus::net
