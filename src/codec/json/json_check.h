#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ficus::json {

struct JsonMistake {
  std::size_t offset = 0;  // byte from 0 at which the text goes wrong
  std::string message;     // what was expected there
};

// The first place at which a text is not JSON (RFC 8259), or nothing if it is. Slow and simple: for
// saying what is wrong once the fast parser has refused a text, and as its oracle in tests. Refuses
// what the fast parser cannot hold: integers beyond 64 bits, numbers beyond a double, nesting
// beyond `depth_max`.
std::optional<JsonMistake> find_json_mistake(std::string_view text, std::size_t depth_max);

}  // namespace ficus::json
