#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "app/arguments.h"
#include "base/disk.h"
#include "net/tls.h"
#include "simulate/credentials.h"

namespace ficus::app {

// What the commands that are clients of a running brain connect to.
struct ClientTarget {
  std::string host_port;
  std::shared_ptr<net::TlsClientContext> tls;  // null: not encrypted
};

// "https://ficus.city.cn", "http://127.0.0.1:8080/", "mqtts://broker:8883", "127.0.0.1:8080"
// (`scheme`, "http" or "mqtt", is what a target without one means). With TLS the option --ca FILE
// names the authority to trust; without it, the system's are.
Result<ClientTarget> client_target(const Arguments& arguments, std::string_view url,
                                   std::string_view scheme, Disk& disk);

// Who we are, by --user with --password-file or --token-file; a token may also be the content of
// the environment variable FICUS_TOKEN. `speaks_mqtt`: there a token needs its user's name too.
Result<simulate::Credentials> client_credentials(const Arguments& arguments, Disk& disk,
                                                 bool speaks_mqtt);

// Whom to trust, by --ca.
Result<std::shared_ptr<net::TlsClientContext>> client_tls(const Arguments& arguments, Disk& disk);

}  // namespace ficus::app
