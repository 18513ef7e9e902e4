#include "codec/mqtt/payload_list.h"

#include "codec/mqtt/byte_writer.h"
#include "codec/mqtt/wire.h"

namespace ficus::mqtt {
namespace {

// MQTT 5.0, 3.8.3.1.
std::uint8_t options_byte(const Subscription& subscription) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(subscription.qos_max) |
                                   (subscription.no_local ? 0b0000'0100U : 0U) |
                                   (subscription.retain_as_published ? 0b0000'1000U : 0U) |
                                   (static_cast<unsigned>(subscription.retain_handling) << 4));
}

}  // namespace

Subscription Subscription::from_wire(const std::byte* at) {
  const std::string_view filter = UnsubscribeEntry::from_wire(at);
  const auto options = std::to_integer<std::uint8_t>(at[2 + filter.size()]);
  return {.filter = filter,
          .qos_max = static_cast<Qos>(options & 0b11),
          .no_local = (options & 0b100) != 0,
          .retain_as_published = (options & 0b1000) != 0,
          .retain_handling = static_cast<RetainHandling>((options >> 4) & 0b11)};
}

std::string_view UnsubscribeEntry::from_wire(const std::byte* at) {
  return {reinterpret_cast<const char*>(at + 2), load_u16(at)};
}

bool SubscriptionBuffer::add(const Subscription& subscription) {
  if (subscription.filter.size() > kFieldBytesMax) return false;
  ByteWriter writer = append_bytes(bytes_, Subscription::wire_bytes(subscription));
  writer.text(subscription.filter);
  writer.u8(options_byte(subscription));
  ++count_;
  return true;
}

bool TopicFilterBuffer::add(std::string_view filter) {
  if (filter.size() > kFieldBytesMax) return false;
  append_bytes(bytes_, UnsubscribeEntry::wire_bytes(filter)).text(filter);
  ++count_;
  return true;
}

}  // namespace ficus::mqtt
