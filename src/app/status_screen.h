#pragma once

#include <string>
#include <string_view>

#include "codec/json/json_reader.h"

namespace ficus::app {

struct ScreenStyle {
  bool chinese = false;
  bool colours = false;  // a terminal's (ECMA-48, 8.3.117)
};

// The answer of GET /status as one screen of text, about 80 columns wide.
std::string status_screen(json::JsonValue status, const ScreenStyle& style);
std::string unreachable_text(std::string_view url, std::string_view why, bool chinese);

}  // namespace ficus::app
