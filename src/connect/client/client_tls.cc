#include "connect/client/client_tls.h"

#include "base/hash.h"

namespace ficus::connect {
namespace {

constexpr std::uint64_t kPemBytesMax = 4 << 20;

Status read_pem(Disk& disk, const std::string& path, std::string& out) {
  if (path.empty()) return {};
  FICUS_TRY(out, read_file(disk, path, kPemBytesMax));
  return {};
}

}  // namespace

Result<std::shared_ptr<net::TlsClientContext>> make_client_tls(const TlsPlaces& places,
                                                               Disk& disk) {
  net::TlsClientOptions options;
  FICUS_TRY_VOID(read_pem(disk, places.ca, options.ca_pem));
  FICUS_TRY_VOID(read_pem(disk, places.certificate, options.identity.certificate_pem));
  FICUS_TRY_VOID(read_pem(disk, places.key, options.identity.key_pem));
  auto context = net::TlsClientContext::make(options);
  if (!context) return in_context("tls: ", std::move(context).error());
  return context;
}

std::uint64_t client_tls_fingerprint(const TlsPlaces& places, Disk& disk) {
  std::uint64_t print = 0;
  for (const std::string* const path : {&places.ca, &places.certificate, &places.key}) {
    std::string text;
    // One that cannot be read now counts as another one.
    const bool is_read = read_pem(disk, *path, text).has_value();
    print = hash_mix(print, is_read ? hash64(text) : ~hash64(*path));
  }
  return print;
}

}  // namespace ficus::connect
