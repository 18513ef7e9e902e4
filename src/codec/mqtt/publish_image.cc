#include "codec/mqtt/publish_image.h"

#include <limits>

#include "base/check.h"
#include "codec/mqtt/byte_writer.h"

namespace ficus::mqtt {

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

  // Behind the fixed header and the topic (3.3.2); the length ends at the first byte without its
  // top bit.
  std::size_t header_bytes = 2;
  while ((image.bytes_[header_bytes - 1] & std::byte{0x80}) != std::byte{0}) ++header_bytes;
  image.packet_id_offset_ = header_bytes + 2 + publish.topic.size();
  return image;
}

void PublishImage::append_to(std::vector<std::byte>& out, PacketId packet_id, bool dup) const {
  FICUS_DCHECK((packet_id == PacketId::none) == (qos_ == Qos::at_most_once));
  FICUS_DCHECK(!dup || packet_id != PacketId::none);
  make_room(out, bytes_.size());
  const std::size_t start = out.size();
  out.insert(out.end(), bytes_.begin(), bytes_.end());
  if (packet_id == PacketId::none) return;
  store_u16(out.data() + start + packet_id_offset_, static_cast<std::uint16_t>(packet_id));
  if (dup) out[start] |= std::byte{0b1000};
}

}  // namespace ficus::mqtt
