// Frames from a hostile peer: whatever the splitting, the same events; never more held than
// allowed; and what was decoded, encoded again, decodes to the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "net/bytes.h"
#include "net/websocket_codec.h"

namespace {

using ficus::net::WebSocketDecoder;
using ficus::net::WebSocketKind;
using ficus::net::WebSocketOpcode;
using ficus::net::WebSocketRole;
using Event = WebSocketDecoder::Event;

constexpr std::size_t kMessageBytesMax = 600;

std::vector<std::pair<Event, std::string>> decode(std::span<const std::byte> input,
                                                  std::size_t step, WebSocketRole role) {
  WebSocketDecoder decoder(role, kMessageBytesMax);
  std::vector<std::pair<Event, std::string>> events;
  while (!input.empty()) {
    std::span<const std::byte> part = input.first(std::min(step, input.size()));
    input = input.subspan(part.size());
    while (!part.empty()) {
      const WebSocketDecoder::Step got = decoder.put(part);
      FICUS_CHECK(got.consumed <= part.size());
      part = part.subspan(got.consumed);
      FICUS_CHECK(decoder.bytes_held() < 2 * kMessageBytesMax + 5000);
      if (got.event == Event::need_more) {
        FICUS_CHECK(part.empty());
        break;
      }
      FICUS_CHECK(decoder.payload().size() <= kMessageBytesMax);
      events.emplace_back(got.event, got.event == Event::error
                                         ? std::to_string(decoder.close_code())
                                         : std::string(ficus::net::text_of(decoder.payload())));
      if (got.event == Event::error) return events;
    }
  }
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  for (const WebSocketRole role : {WebSocketRole::server, WebSocketRole::client}) {
    const auto whole = decode(input, size + 1, role);
    FICUS_CHECK(decode(input, 1, role) == whole);
    FICUS_CHECK(decode(input, 5, role) == whole);
    for (const auto& [event, payload] : whole) {
      if (event != Event::message) continue;
      std::string again;
      ficus::net::append_websocket_frame(again, WebSocketOpcode::binary,
                                         ficus::net::bytes_of(payload), nullptr);
      const auto decoded = decode(ficus::net::bytes_of(again), 1 << 16, WebSocketRole::client);
      FICUS_CHECK(decoded.size() == 1 && decoded[0].second == payload);
    }
  }
  return 0;
}
