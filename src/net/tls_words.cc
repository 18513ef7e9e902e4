#include "net/tls_words.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>
#include <system_error>

#include "net/tls_core.h"

namespace ficus::net {

namespace {

std::string time_text(const ASN1_TIME* time) {
  std::tm when{};
  if (ASN1_TIME_to_tm(time, &when) != 1) return "an unreadable time";
  std::array<char, 32> text;
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &when);
  return {text.data(), size};
}

// The one common name of the subject, as UTF-8; empty if there is none, several, or a trick in it.
std::string common_name(const X509& certificate) {
  const X509_NAME* const subject = X509_get_subject_name(&certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, index) >= 0) return {};
  const ASN1_STRING* const value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, value);
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  // A zero inside would make "admin\0x" an "admin" to whoever prints it.
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return {};
  }
  return name;
}

// "broker.city.cn, 10.0.0.1": whom the certificate is for.
std::string subjects(const X509& certificate) {
  using Names = std::unique_ptr<GENERAL_NAMES, OpensslDelete<GENERAL_NAMES_free>>;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string text;
  const int count = names != nullptr ? sk_GENERAL_NAME_num(names.get()) : 0;
  constexpr int kNamesShown = 5;
  for (int i = 0; i < count && i < kNamesShown; ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    std::string one;
    if (name->type == GEN_DNS) {
      const ASN1_STRING* const value = name->d.dNSName;
      one.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                 static_cast<std::size_t>(ASN1_STRING_length(value)));
    } else if (name->type == GEN_IPADD && ASN1_STRING_length(name->d.iPAddress) == 4) {
      const unsigned char* const bytes = ASN1_STRING_get0_data(name->d.iPAddress);
      for (int k = 0; k < 4; ++k) one += (k > 0 ? "." : "") + std::to_string(bytes[k]);
    }
    if (one.empty()) continue;
    text += (text.empty() ? "" : ", ") + one;
  }
  if (count > kNamesShown) text += ", ...";
  if (!text.empty()) return text;
  text = common_name(certificate);
  return text.empty() ? "nobody" : text;
}

}  // namespace

std::string errno_text(int error) { return std::generic_category().message(error); }

std::string describe_verify_failure(X509_STORE_CTX* store, const std::string& host) {
  const int error = X509_STORE_CTX_get_error(store);
  const X509* const certificate = X509_STORE_CTX_get_current_cert(store);
  std::string which = X509_STORE_CTX_get_error_depth(store) == 0 ? "its certificate"
                                                                 : "a certificate above its own";
  if (certificate == nullptr) return which + ": " + X509_verify_cert_error_string(error);
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return which + " expired at " + time_text(X509_get0_notAfter(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return which + " is valid only from " + time_text(X509_get0_notBefore(certificate)) +
             ": is this machine's clock right?";
    case X509_V_ERR_CERT_REVOKED:
      return which + " (" + subjects(*certificate) + ") has been revoked by its authority";
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return which + " (" + subjects(*certificate) +
             "): its authority's revocation list is out of date: fetch the newest";
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return which + " (" + subjects(*certificate) +
             "): there is no revocation list of its authority here: add it to the others";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return which + " is for " + subjects(*certificate) + ", not for " + host;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return which + " (" + subjects(*certificate) +
             ") comes from no authority that is trusted here: give the authority's certificate";
    default:
      return which + " (" + subjects(*certificate) + "): " + X509_verify_cert_error_string(error);
  }
}

TlsFailure describe_tls_failure(unsigned long error, const std::string& verify_problem) {
  switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return {verify_problem.empty() ? "its certificate is not valid" : verify_problem, true};
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return {"it showed no certificate, which this port requires", true};
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
      return {"it does not trust our certificate", true};
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return {"it says that our certificate has expired", true};
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return {"it requires a certificate of ours", true};
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return {"there is no common version of TLS: at least 1.2 is expected", false};
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return {"there is no common cipher: one with forward secrecy and authentication is expected",
              false};
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
      return {"it offers none of the protocols that are spoken here (ALPN)", false};
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return {"cut off: it ended without saying so (close_notify)", false};
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
      return {"it speaks no TLS", false};
    default: {
      const char* const reason = ERR_reason_error_string(error);
      return {reason != nullptr ? std::string("TLS: ") + reason : "TLS failed", false};
    }
  }
}

PeerCertificate describe_certificate(const X509& certificate) {
  PeerCertificate known{.common_name = common_name(certificate), .fingerprint = {}};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size) != 1) return known;
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (unsigned i = 0; i < size; ++i) {
    known.fingerprint += kDigits[digest[i] >> 4U];
    known.fingerprint += kDigits[digest[i] & 15U];
  }
  return known;
}

}  // namespace ficus::net
