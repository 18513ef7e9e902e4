#include "app/client_target.h"

#include <fmt/format.h>

#include <array>

#include "net/address.h"

namespace ficus::app {
namespace {

constexpr std::uint64_t kPemBytesMax = 1 << 20;

struct Scheme {
  std::string_view name;
  std::string_view plain;  // the same without TLS
  std::uint16_t port;
};
constexpr std::array<Scheme, 4> kSchemes{{{"http", "http", 80},
                                          {"https", "http", 443},
                                          {"mqtt", "mqtt", 1883},
                                          {"mqtts", "mqtt", 8883}}};

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
