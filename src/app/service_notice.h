#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace ficus::app {

// Tells systemd how the service is doing, by datagrams to a socket that it names in the environment
// (sd_notify(3)); so small a protocol that we write it ourselves. Without systemd all of it does
// nothing.
class ServiceNotice {
 public:
  // From NOTIFY_SOCKET and WATCHDOG_USEC.
  static ServiceNotice from_environment();
  ServiceNotice(std::string socket_path, std::optional<Micros> watchdog)
      : socket_path_(std::move(socket_path)), watchdog_(watchdog) {}

  // Lines such as "READY=1\nSTATUS=serving". What cannot be sent is not missed.
  void send(std::string_view lines) const;
  // How often systemd wants to hear WATCHDOG=1; half of the time after which it would restart us.
  std::optional<Micros> watchdog_beat() const;

 private:
  std::string socket_path_;  // empty: nobody listens; "@name" is one of Linux's abstract names
  std::optional<Micros> watchdog_;
};

}  // namespace ficus::app
