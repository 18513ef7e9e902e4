#pragma once

#include <cstdint>
#include <string_view>

// What coded values mean, in English (ITU-R M.1371-5) and Chinese. Total: every value has a name.

namespace ficus::ais {

struct Name {
  std::string_view english;
  std::string_view chinese;
};

Name navigation_status_name(std::uint8_t status);  // 0 to 15, table 48
Name ship_type_name(std::uint8_t ship_type);       // 0 to 255, table 53
Name aid_type_name(std::uint8_t aid_type);         // 0 to 31, table 74
Name position_device_name(std::uint8_t device);    // 0 to 15, table 50
Name message_type_name(std::uint8_t type);         // 1 to 27, table 46

}  // namespace ficus::ais
