#include "connect/client/client_tls.h"

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

}  // namespace ficus::connect
