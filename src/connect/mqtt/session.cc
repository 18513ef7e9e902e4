#include "connect/mqtt/session.h"

namespace ficus::connect {

mqtt::PacketId Session::next_packet_id() {
  while (true) {
    ++last_packet_id_;
    if (last_packet_id_ == 0) continue;  // zero is none (MQTT 5.0, 2.2.1)
    const mqtt::PacketId id{last_packet_id_};
    bool is_used = false;
    // Identifiers are given in order, so a clash is rare and found at the front.
    for (std::size_t i = 0; i < in_flight && !is_used; ++i) is_used = queue[i].packet_id == id;
    if (!is_used) return id;
  }
}

}  // namespace ficus::connect
