#include "app/client_target.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "net/address.h"
#include "net/websocket_handshake.h"

namespace ficus::app {
namespace {

constexpr std::uint64_t kPemBytesMax = 1 << 20;
constexpr std::uint64_t kSecretBytesMax = 64 << 10;

struct Scheme {
  std::string_view name;
  std::string_view plain;  // the same without TLS
  std::uint16_t port;
};
constexpr std::array<Scheme, 4> kSchemes{{{"http", "http", 80},
                                          {"https", "http", 443},
                                          {"mqtt", "mqtt", 1883},
                                          {"mqtts", "mqtt", 8883}}};

// The first line of the file: a secret among the arguments could be seen by everyone on the
// machine.
Result<std::string> read_secret(Disk& disk, std::string_view option, const std::string& path) {
  auto text = read_file(disk, path, kSecretBytesMax);
  if (!text) return in_context(fmt::format("--{}: ", option), std::move(text).error());
  std::string line = text->substr(0, text->find('\n'));
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty())
    return invalid(fmt::format("--{}: the first line of {} is empty", option, path));
  return line;
}

}  // namespace

Result<std::shared_ptr<net::TlsClientContext>> client_tls(const Arguments& arguments, Disk& disk) {
  net::TlsClientOptions options;
  if (const auto file = arguments.find("ca")) {
    auto text = read_file(disk, *file, kPemBytesMax);
    if (!text) return in_context("--ca: ", std::move(text).error());
    options.ca_pem = *std::move(text);
  }
  auto made = net::TlsClientContext::make(options);
  if (!made) return in_context("--ca: ", std::move(made).error());
  return made;
}

Result<simulate::Credentials> client_credentials(const Arguments& arguments, Disk& disk,
                                                 bool speaks_mqtt) {
  simulate::Credentials credentials;
  credentials.user = arguments.value("user", "");
  if (arguments.has("password-file") && arguments.has("token-file")) {
    return invalid("expected --password-file or --token-file, not both");
  }
  if (const auto file = arguments.find("password-file")) {
    if (credentials.user.empty()) return invalid("--password-file: expected --user NAME too");
    FICUS_TRY(credentials.password, read_secret(disk, "password-file", *file));
    const std::string pair = credentials.user + ":" + credentials.password;
    const std::vector<std::uint8_t> octets(pair.begin(), pair.end());
    credentials.authorization = "Basic " + net::base64(octets);
    return credentials;
  }
  const char* const variable = std::getenv("FICUS_TOKEN");
  if (const auto file = arguments.find("token-file")) {
    FICUS_TRY(credentials.password, read_secret(disk, "token-file", *file));
  } else if (variable != nullptr) {
    credentials.password = variable;
  }
  if (credentials.password.empty()) {
    if (credentials.user.empty()) return credentials;
    return invalid("--user: expected --password-file FILE or --token-file FILE too");
  }
  if (speaks_mqtt && credentials.user.empty()) {
    return invalid("a token over MQTT needs the name of its user: --user NAME");
  }
  credentials.authorization = "Bearer " + credentials.password;
  return credentials;
}

Result<ClientTarget> client_target(const Arguments& arguments, std::string_view url,
                                   std::string_view scheme, Disk& disk) {
  const std::size_t end = url.find("://");
  const std::string_view name = end == std::string_view::npos ? scheme : url.substr(0, end);
  std::string_view rest = end == std::string_view::npos ? url : url.substr(end + 3);
  rest = rest.substr(0, rest.find('/'));
  for (const Scheme& known : kSchemes) {
    if (known.name != name || known.plain != scheme) continue;
    ClientTarget target;
    FICUS_TRY(const net::HostPort host_port, net::parse_host_port(rest, known.port));
    target.host_port = host_port.host.contains(':')
                           ? fmt::format("[{}]:{}", host_port.host, host_port.port)
                           : fmt::format("{}:{}", host_port.host, host_port.port);
    if (known.name != known.plain) {
      FICUS_TRY(target.tls, client_tls(arguments, disk));
    }
    return target;
  }
  return invalid(
      fmt::format("expected {0}://HOST:PORT or {0}s://HOST:PORT, got '{1}'", scheme, url));
}

}  // namespace ficus::app
