#pragma once

#include <cstdint>

#include "codec/mqtt/property_id.h"

namespace ficus::mqtt {

// The ranges that are narrower than the form on the wire; texts have none here. Internal to this
// folder.
constexpr bool is_property_value_allowed(PropertyId id, std::uint32_t value) {
  switch (id) {
    case PropertyId::receive_maximum:          // 3.1.2.11.3
    case PropertyId::maximum_packet_size:      // 3.1.2.11.4
    case PropertyId::topic_alias:              // [MQTT-3.3.2-8]
    case PropertyId::subscription_identifier:  // 3.8.2.1.2; its form has the upper bound
      return value != 0;
    case PropertyId::maximum_qos:  // 3.2.2.3.4
      return value <= 1;
    default:
      return true;
  }
}

}  // namespace ficus::mqtt
