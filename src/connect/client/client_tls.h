#pragma once

#include <cstdint>
#include <memory>

#include "base/disk.h"
#include "base/result.h"
#include "connect/mapping/connector.h"
#include "net/tls.h"

namespace ficus::connect {

// What a link over TLS needs, from the PEM files that sources.yaml names. Errors name the file.
Result<std::shared_ptr<net::TlsClientContext>> make_client_tls(const TlsPlaces& places, Disk& disk);

// Of what those files hold now: another one calls for another context.
std::uint64_t client_tls_fingerprint(const TlsPlaces& places, Disk& disk);

}  // namespace ficus::connect
