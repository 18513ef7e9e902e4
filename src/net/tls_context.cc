#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <ctime>
#include <utility>

#include "net/tls.h"
#include "net/tls_core.h"
#include "net/tls_stream.h"

namespace ficus::net {

namespace {

constexpr long kSessionSeconds = 2 * 3600;
// TLS 1.2: ephemeral keys and authenticated encryption only (RFC 9325, 4.2). 1.3 has no others.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr int kSecurityLevel = 2;  // 112 bits: RSA from 2048, no SHA-1

BioPtr reader_of(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int refuse_password(char*, int, int, void*) { return -1; }

std::unexpected<Error> bad(std::string what) {
  ERR_clear_error();
  return invalid(std::move(what));
}

Result<std::vector<X509Ptr>> read_certificates(const std::string& pem, const std::string& what) {
  std::vector<X509Ptr> found;
  const BioPtr reader = reader_of(pem);
  while (X509* const next = PEM_read_bio_X509(reader.get(), nullptr, refuse_password, nullptr)) {
    found.emplace_back(next);
  }
  const unsigned long error = ERR_peek_last_error();
  const bool is_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (found.empty() || !is_end) {
    return bad(
        what + ": expected certificates in PEM (\"-----BEGIN CERTIFICATE-----\")" +
        (found.empty() ? "" : "; number " + std::to_string(found.size() + 1) + " cannot be read"));
  }
  ERR_clear_error();
  return found;
}

Result<KeyPtr> read_key(const std::string& pem) {
  const BioPtr reader = reader_of(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(reader.get(), nullptr, refuse_password, nullptr));
  if (key == nullptr) {
    return bad(pem.contains("ENCRYPTED")
                   ? "the private key is protected by a password: store it without one, readable "
                     "by this service only"
                   : "expected a private key in PEM (\"-----BEGIN PRIVATE KEY-----\")");
  }
  return key;
}

Status use_identity(SSL_CTX* context, const TlsIdentity& identity) {
  FICUS_TRY(const std::vector<X509Ptr> chain,
            read_certificates(identity.certificate_pem, "the certificate"));
  FICUS_TRY(const KeyPtr key, read_key(identity.key_pem));
  if (SSL_CTX_use_certificate(context, chain[0].get()) != 1) {
    return bad("the certificate cannot be used: " + take_openssl_error());
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      return bad("the certificate's chain cannot be used: " + take_openssl_error());
    }
  }
  if (X509_check_private_key(chain[0].get(), key.get()) != 1) {
    return bad("the private key does not belong to the certificate");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return bad("the private key cannot be used: " + take_openssl_error());
  }
  return {};
}

Status trust(SSL_CTX* context, const std::string& ca_pem, bool names_them) {
  FICUS_TRY(const std::vector<X509Ptr> authorities,
            read_certificates(ca_pem, "the authorities' certificates"));
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  for (const X509Ptr& authority : authorities) {
    X509_STORE_add_cert(store, authority.get());
    if (names_them) SSL_CTX_add_client_CA(context, authority.get());
  }
  ERR_clear_error();
  return {};
}

Status check_revocation(SSL_CTX* context, const std::string& crl_pem) {
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  const BioPtr reader = reader_of(crl_pem);
  std::size_t count = 0;
  while (const X509CrlPtr list{
      PEM_read_bio_X509_CRL(reader.get(), nullptr, refuse_password, nullptr)}) {
    X509_STORE_add_crl(store, list.get());
    ++count;
  }
  const unsigned long error = ERR_peek_last_error();
  const bool is_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (count == 0 || !is_end) {
    return bad(
        "the revocation lists: expected PEM (\"-----BEGIN X509 CRL-----\")" +
        std::string(count == 0 ? "" : "; number " + std::to_string(count + 1) + " cannot be read"));
  }
  ERR_clear_error();
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_CRL_CHECK);
  return {};
}

Result<SslContextPtr> make_context(const SSL_METHOD* method) {
  SslContextPtr context(SSL_CTX_new(method));
  if (context == nullptr) {
    return fail(ErrorCode::internal, "TLS cannot be set up: " + take_openssl_error());
  }
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_security_level(raw, kSecurityLevel);
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(raw, kCiphers);
  SSL_CTX_set1_groups_list(raw, kGroups);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // An idle connection gives its buffers back (34 KB); a queue may hand the same bytes over again
  // from another place.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(raw, 1);  // a record's header and body in one system call
  SSL_CTX_set_timeout(raw, kSessionSeconds);
  ERR_clear_error();
  return context;
}

Result<SslContextPtr> make_server_context(const TlsServerOptions& options) {
  FICUS_TRY(SslContextPtr context, make_context(TLS_server_method()));
  FICUS_TRY_VOID(use_identity(context.get(), options.identity));
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets need no memory
  // Without it sessions with a client's certificate could not resume.
  constexpr std::array<unsigned char, 5> kId{'f', 'i', 'c', 'u', 's'};
  SSL_CTX_set_session_id_context(context.get(), kId.data(), kId.size());
  if (!options.client_ca_pem.empty()) {
    FICUS_TRY_VOID(trust(context.get(), options.client_ca_pem, true));
    if (!options.client_crl_pem.empty()) {
      FICUS_TRY_VOID(check_revocation(context.get(), options.client_crl_pem));
    }
    SSL_CTX_set_verify(
        context.get(),
        SSL_VERIFY_PEER |
            (options.requires_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
        TlsStream::on_verify);
  } else if (options.requires_client_certificate) {
    return invalid("clients' certificates are required, but no authority for them is given");
  }
  SSL_CTX_set_alpn_select_cb(context.get(), TlsStream::on_alpn, nullptr);
  return context;
}

}  // namespace

std::string take_openssl_error() {
  const unsigned long error = ERR_get_error();
  const char* const reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown reason";
}

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::make(const TlsServerOptions& options) {
  FICUS_TRY(SslContextPtr context, make_server_context(options));
  return std::make_shared<TlsServerContext>(std::make_unique<Core>(std::move(context)));
}

TlsServerContext::TlsServerContext(std::unique_ptr<Core> core) : core_(std::move(core)) {}
TlsServerContext::~TlsServerContext() = default;

Status TlsServerContext::reload(const TlsServerOptions& options) {
  FICUS_TRY(core_->context, make_server_context(options));
  return {};
}

Timestamp TlsServerContext::certificate_expires_at() const {
  std::tm when{};
  ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(core_->context.get())), &when);
  return Timestamp{static_cast<std::int64_t>(::timegm(&when)) * 1'000'000};
}

Result<std::shared_ptr<TlsClientContext>> TlsClientContext::make(const TlsClientOptions& options) {
  FICUS_TRY(SslContextPtr context, make_context(TLS_client_method()));
  if (!options.identity.certificate_pem.empty()) {
    FICUS_TRY_VOID(use_identity(context.get(), options.identity));
  }
  if (!options.ca_pem.empty()) {
    FICUS_TRY_VOID(trust(context.get(), options.ca_pem, false));
    // A certificate that is trusted itself needs no authority above it.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.get()), X509_V_FLAG_PARTIAL_CHAIN);
  } else if (SSL_CTX_set_default_verify_paths(context.get()) != 1) {
    return fail(ErrorCode::unavailable,
                "the system's authorities cannot be read: " + take_openssl_error());
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, TlsStream::on_verify);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), TlsStream::on_session);
  return std::make_shared<TlsClientContext>(std::make_unique<Core>(std::move(context)));
}

TlsClientContext::TlsClientContext(std::unique_ptr<Core> core) : core_(std::move(core)) {}
TlsClientContext::~TlsClientContext() = default;

SSL_SESSION* TlsClientContext::Core::session(const std::string& host_port) const {
  const auto found = sessions_.find(host_port);
  return found == sessions_.end() ? nullptr : found->second.get();
}

void TlsClientContext::Core::keep_session(const std::string& host_port, SslSessionPtr session) {
  if (sessions_.size() >= kSessionsMax && !sessions_.contains(host_port)) sessions_.clear();
  sessions_[host_port] = std::move(session);
}

}  // namespace ficus::net
