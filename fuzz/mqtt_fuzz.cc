#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <variant>
#include <vector>

#include "base/check.h"
#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"
#include "codec/mqtt/publish_image.h"
#include "codec/mqtt/topic.h"

// The input is a version byte and a stream of packets, decoded as a connection would. What decodes
// must encode, to no more bytes, and decode again to the same value; no prefix of it may decode.

namespace {

using namespace ficus::mqtt;

constexpr std::size_t kPacketBytesMax = 1U << 20;

void check_prefixes(std::span<const std::byte> packet, ProtocolVersion version) {
  // An exact copy, so that the address sanitizer sees a read beyond the end.
  const std::size_t sizes[] = {0, 1, 2, packet.size() / 2, packet.size() - 1};
  for (const std::size_t size : sizes) {
    const std::vector<std::byte> prefix(packet.begin(), packet.begin() + size);
    const auto decoded = decode(prefix, version, kPacketBytesMax);
    FICUS_CHECK(size == packet.size() || (!decoded && decoded.error() == DecodeError::incomplete));
  }
}

void check_topics(const Packet& packet) {
  if (const auto* publish = std::get_if<Publish>(&packet)) {
    if (!publish->topic.empty()) FICUS_CHECK(matches(publish->topic, publish->topic));
  } else if (const auto* subscribe = std::get_if<Subscribe>(&packet)) {
    std::size_t count = 0;
    for (const Subscription subscription : subscribe->subscriptions) {
      FICUS_CHECK(is_valid_topic_filter(subscription.filter));
      matches(subscription.filter, "a/b");
      ++count;
    }
    FICUS_CHECK(count == subscribe->subscriptions.size());
  }
}

void check_image(const Publish& publish, ProtocolVersion version,
                 const std::vector<std::byte>& expected) {
  const auto image = PublishImage::create(publish, version);
  FICUS_CHECK(image.has_value());
  std::vector<std::byte> out;
  image->append_to(out, publish.packet_id, publish.dup);
  FICUS_CHECK(out == expected);
}

void check_round_trip(const Decoded& first, ProtocolVersion version) {
  std::vector<std::byte> bytes;
  FICUS_CHECK(encode(first.packet, version, kPacketBytesMax, bytes).has_value());
  FICUS_CHECK(bytes.size() <= first.bytes);
  const auto second = decode(bytes, version, kPacketBytesMax);
  FICUS_CHECK(second.has_value() && second->bytes == bytes.size());
  FICUS_CHECK(second->packet == first.packet);
  if (const auto* publish = std::get_if<Publish>(&first.packet)) {
    check_image(*publish, version, bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto version = (data[0] & 1) != 0 ? ProtocolVersion::v5 : ProtocolVersion::v3_1_1;
  std::span<const std::byte> input = std::as_bytes(std::span(data, size)).subspan(1);
  connect_protocol_level(input);
  while (!input.empty()) {
    const auto decoded = decode(input, version, kPacketBytesMax);
    if (!decoded) {
      FICUS_CHECK(*decode_error_text(decoded.error()) != '\0');
      break;
    }
    FICUS_CHECK(decoded->bytes >= 2 && decoded->bytes <= input.size());
    check_prefixes(input.first(decoded->bytes), version);
    check_topics(decoded->packet);
    check_round_trip(*decoded, version);
    if (const auto* connect = std::get_if<Connect>(&decoded->packet)) version = connect->version;
    input = input.subspan(decoded->bytes);
  }
  return 0;
}
