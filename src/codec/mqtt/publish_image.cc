#include "codec/mqtt/publish_image.h"

#include <limits>

#include "base/check.h"
#include "codec/mqtt/byte_writer.h"

namespace ficus::mqtt {
namespace {

// Where the variable byte integer that begins at `at` has ended.
std::size_t skip_variable_integer(const std::vector<std::byte>& bytes, std::size_t at) {
  while ((bytes[at] & std::byte{0x80}) != std::byte{0}) ++at;
  return at + 1;
}

}  // namespace

std::expected<PublishImage, EncodeError> PublishImage::create(Publish publish,
                                                              ProtocolVersion version) {
  const bool has_id = publish.qos != Qos::at_most_once;
  publish.packet_id = has_id ? PacketId{1} : PacketId::none;
  publish.dup = false;
  PublishImage image;
  image.qos_ = publish.qos;
  const auto status =
      encode_publish(publish, version, std::numeric_limits<std::size_t>::max(), image.bytes_);
  if (!status) return std::unexpected(status.error());

  // Behind the fixed header and the topic (3.3.2).
  image.packet_id_offset_ = skip_variable_integer(image.bytes_, 1) + 2 + publish.topic.size();
  if (version == ProtocolVersion::v5 && publish.properties.message_expiry_interval_s) {
    // The encoder writes properties in the order of PublishProperties::fields: only the payload
    // format stands before this one, which begins with its identifier.
    std::size_t at =
        skip_variable_integer(image.bytes_, image.packet_id_offset_ + (has_id ? 2U : 0U));
    if (publish.properties.payload_is_utf8) at += 2;
    FICUS_DCHECK(image.bytes_[at] == std::byte{0x02});
    image.expiry_offset_ = at + 1;
  }
  return image;
}

void PublishImage::append_to(std::vector<std::byte>& out, PacketId packet_id, bool dup,
                             std::optional<std::uint32_t> expiry_s) const {
  FICUS_DCHECK((packet_id == PacketId::none) == (qos_ == Qos::at_most_once));
  FICUS_DCHECK(!dup || packet_id != PacketId::none);
  make_room(out, bytes_.size());
  const std::size_t start = out.size();
  out.insert(out.end(), bytes_.begin(), bytes_.end());
  if (expiry_s && expiry_offset_ != 0) {
    store_u16(out.data() + start + expiry_offset_, static_cast<std::uint16_t>(*expiry_s >> 16));
    store_u16(out.data() + start + expiry_offset_ + 2,
              static_cast<std::uint16_t>(*expiry_s & 0xffff));
  }
  if (packet_id == PacketId::none) return;
  store_u16(out.data() + start + packet_id_offset_, static_cast<std::uint16_t>(packet_id));
  if (dup) out[start] |= std::byte{0b1000};
}

}  // namespace ficus::mqtt
