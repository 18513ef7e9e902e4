#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "net/address.h"
#include "net/tls.h"
#include "net/tls_core.h"

namespace ficus::net {

namespace {

// "DNS:broker.city.cn" or "IP:10.0.0.1"; nothing if it could be read as more than that.
Result<std::string> alternative_name(const std::string& host) {
  const bool is_v6 = host.contains(':');
  if (Address::parse(is_v6 ? "[" + host + "]:0" : host + ":0")) return "IP:" + host;
  const bool is_name =
      !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '*';
      });
  if (!is_name) {
    return invalid("'" + host +
                   "' is no host: expected a name such as ficus.city.cn, or an address");
  }
  return "DNS:" + host;
}

bool extend(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  using Extension = std::unique_ptr<X509_EXTENSION, OpensslDelete<X509_EXTENSION_free>>;
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_random_serial(X509* certificate) {
  using Number = std::unique_ptr<BIGNUM, OpensslDelete<BN_free>>;
  const Number number(BN_new());
  // RFC 5280, 4.1.2.2: positive, at most 20 octets.
  return BN_rand(number.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

std::string text_of_bio(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

Result<TlsIdentity> make_self_signed(const std::vector<std::string>& hosts, Timestamp now,
                                     int days) {
  if (hosts.empty()) return invalid("expected at least one host");
  std::string names;
  for (const std::string& host : hosts) {
    FICUS_TRY(const std::string name, alternative_name(host));
    names += (names.empty() ? "" : ",") + name;
  }
  const Error failure{ErrorCode::internal, "the certificate cannot be made"};
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  if (key == nullptr || certificate == nullptr) return std::unexpected(failure);
  X509* const raw = certificate.get();
  X509_set_version(raw, X509_VERSION_3);
  const auto seconds = static_cast<std::time_t>(now.micros / 1'000'000);
  // An hour back: the clients' clocks are not ours.
  ASN1_TIME_set(X509_getm_notBefore(raw), seconds - 3600);
  ASN1_TIME_set(X509_getm_notAfter(raw), seconds + std::time_t{days} * 86'400);
  X509_NAME* const subject = X509_get_subject_name(raw);
  // RFC 5280, appendix A.1: at most 64 characters.
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(hosts[0].substr(0, 64).c_str()),
                             -1, -1, 0);
  X509_set_issuer_name(raw, subject);
  X509_set_pubkey(raw, key.get());
  // keyCertSign and CA, so that strict clients accept it as the authority above itself.
  const bool is_made = set_random_serial(raw) && extend(raw, NID_subject_alt_name, names) &&
                       extend(raw, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                       extend(raw, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
                       extend(raw, NID_ext_key_usage, "serverAuth") &&
                       extend(raw, NID_subject_key_identifier, "hash") &&
                       X509_sign(raw, key.get(), EVP_sha256()) != 0;
  const BioPtr certificate_out(BIO_new(BIO_s_mem()));
  const BioPtr key_out(BIO_new(BIO_s_mem()));
  if (!is_made || PEM_write_bio_X509(certificate_out.get(), raw) != 1 ||
      PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return std::unexpected(failure);
  }
  return TlsIdentity{text_of_bio(certificate_out.get()), text_of_bio(key_out.get())};
}

}  // namespace ficus::net
