#include "connect/mqtt/plain_publish.h"

#include <cstdint>

#include "codec/mqtt/encoder.h"

namespace ficus::connect {
namespace {

std::size_t index_of(mqtt::ProtocolVersion version) {
  return version == mqtt::ProtocolVersion::v5 ? 1 : 0;
}

// Of the packet at QoS 0 without properties. A longer one has some, or has a length in more bytes
// than it needs, which we take but must not pass on (MQTT 5.0, 1.5.5).
std::size_t shortest_bytes(const mqtt::Publish& publish, mqtt::ProtocolVersion version) {
  const std::size_t properties = version == mqtt::ProtocolVersion::v5 ? 1 : 0;
  const std::size_t body = 2 + publish.topic.size() + properties + publish.payload.size();
  std::size_t header = 2;
  for (std::size_t rest = body >> 7; rest > 0; rest >>= 7) ++header;
  return header + body;
}

}  // namespace

void PlainPublish::begin(const mqtt::Publish& publish, std::span<const std::byte> received,
                         mqtt::ProtocolVersion version) {
  for (Form& form : forms_) form.is_made = false;
  // An alias is between the sender and us (3.3.2.3.4): the topic it stands for goes on.
  const bool is_same = publish.qos == mqtt::Qos::at_most_once && !publish.retain &&
                       !publish.properties.topic_alias &&
                       received.size() == shortest_bytes(publish, version);
  if (is_same) {
    Form& form = forms_[index_of(version)];
    form.packet = received;
    form.is_made = true;
  }
  publish_ = &publish;
}

std::span<const std::byte> PlainPublish::packet(mqtt::ProtocolVersion version) {
  Form& form = forms_[index_of(version)];
  if (!form.is_made) make(version, form);
  return form.packet;
}

void PlainPublish::make(mqtt::ProtocolVersion version, Form& form) {
  form.is_made = true;
  form.bytes.clear();
  mqtt::Publish publish = *publish_;
  publish.dup = false;
  publish.qos = mqtt::Qos::at_most_once;
  publish.retain = false;  // passed on as it comes, it is not a retained one (3.3.1.3)
  publish.packet_id = mqtt::PacketId::none;
  publish.properties.topic_alias.reset();  // of the sender's connection only (3.3.2.3.4)
  if (version == mqtt::ProtocolVersion::v3_1_1) publish.properties = {};
  const auto encoded = mqtt::encode_publish(publish, version, SIZE_MAX, form.bytes);
  form.packet = encoded ? std::span<const std::byte>(form.bytes) : std::span<const std::byte>();
}

}  // namespace ficus::connect
