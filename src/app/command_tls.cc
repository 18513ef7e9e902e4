#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "app/command_list.h"
#include "base/errno_text.h"
#include "net/tls.h"

namespace ficus::app {
namespace {

constexpr int kTrialDays = 365;

// Never over an existing file, which may be the key of a running service.
Status write_new(const std::string& path, mode_t mode, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) {
    return fail(errno == EEXIST ? ErrorCode::conflict : ErrorCode::unavailable,
                fmt::format("{}: {}", path, errno_text(errno)));
  }
  const ssize_t written = ::write(fd, text.data(), text.size());
  const int error = errno;
  if (::close(fd) == 0 && written == static_cast<ssize_t>(text.size())) return {};
  return fail(ErrorCode::unavailable, fmt::format("{}: {}", path, errno_text(error)));
}

}  // namespace

int run_tls_self_signed(const Arguments& arguments, const Machine& machine) {
  if (arguments.positional().size() != 1) {
    fmt::print(stderr, "ficus tls self-signed: expected one folder\n");
    return 2;
  }
  std::vector<std::string> hosts{"localhost", "127.0.0.1", "::1"};
  if (const auto host = arguments.find("host")) hosts.insert(hosts.begin(), *host);
  const auto identity = net::make_self_signed(hosts, machine.clock.now(), kTrialDays);
  if (!identity) return report(identity.error());
  const std::string& folder = arguments.positional()[0];
  const std::string certificate = folder + "/server.crt";
  const std::string key = folder + "/server.key";
  if (const Status made = machine.disk.make_directories(folder); !made) return report(made.error());
  if (const Status made = write_new(key, 0600, identity->key_pem); !made) {
    return report(made.error());
  }
  if (const Status made = write_new(certificate, 0644, identity->certificate_pem); !made) {
    return report(made.error());
  }
  fmt::print(
      "{}: for {}, valid for {} days\n{}: its private key\n\nIn ficus.yaml:\n\n"
      "tls:\n  certificate: {}\n  key: {}\n\n"
      "Clients trust it by taking {} as their authority, such as `ficus sql --ca {} --url "
      "https://...`.\nIt proves nothing to anyone else: for service, get a certificate from an "
      "authority.\n",
      certificate, fmt::join(hosts, ", "), kTrialDays, key, certificate, key, certificate,
      certificate);
  return 0;
}

}  // namespace ficus::app
