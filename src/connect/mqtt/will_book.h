#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "connect/mqtt/message.h"

namespace ficus::connect {

// The will of a client (MQTT 5.0, 3.1.2.5): kept from its CONNECT on, due some time after a
// connection that ended without a proper DISCONNECT.
struct Will {
  MessagePtr message;  // its expiry begins when it is published
  std::string owner;   // the user whose client gave it: asked again when it is published
  Micros delay;
  std::optional<Timestamp> due;  // nothing while the client is connected
};

// All wills by client, and when they are due. One thread.
class WillBook {
 public:
  void put(std::string_view client_id, Will will);  // in place of an earlier one
  bool remove(std::string_view client_id);          // false: there was none
  void set_due(std::string_view client_id, Timestamp due);
  const Will* find(std::string_view client_id) const;  // null if there is none
  // Whose will is due first, if it is by now.
  std::optional<std::string> first_due(Timestamp now) const;

  std::size_t bytes() const { return bytes_; }  // of their messages
  const std::map<std::string, Will, std::less<>>& all() const { return wills_; }

 private:
  std::map<std::string, Will, std::less<>> wills_;
  std::set<std::pair<Timestamp, std::string>> due_;
  std::size_t bytes_ = 0;
};

}  // namespace ficus::connect
