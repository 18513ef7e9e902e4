#include "app/service_notice.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace ficus::app {
namespace {

constexpr long long kWatchdogMicrosMax = 3'600'000'000;

}  // namespace

ServiceNotice ServiceNotice::from_environment() {
  const char* const socket = std::getenv("NOTIFY_SOCKET");
  const char* const watchdog = std::getenv("WATCHDOG_USEC");
  std::optional<Micros> interval;
  if (watchdog != nullptr) {
    const long long micros = std::strtoll(watchdog, nullptr, 10);
    if (micros > 0 && micros <= kWatchdogMicrosMax) interval = Micros{micros};
  }
  return {socket == nullptr ? "" : socket, interval};
}

void ServiceNotice::send(std::string_view lines) const {
  sockaddr_un address{};
  if (socket_path_.empty() || socket_path_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path_.data(), socket_path_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_path_.size());
  (void)::sendto(fd, lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&address), length);
  ::close(fd);
}

std::optional<Micros> ServiceNotice::watchdog_beat() const {
  if (!watchdog_) return std::nullopt;
  return Micros{watchdog_->count / 2};
}

}  // namespace ficus::app
