#include "hostile.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "codec/ais/encoder.h"
#include "codec/mqtt/encoder.h"
#include "http_sender.h"

namespace ficus::sim {
namespace {

void add(const mqtt::Packet& packet, mqtt::ProtocolVersion version, std::string& out) {
  std::vector<std::byte> bytes;
  (void)mqtt::encode(packet, version, SIZE_MAX, bytes);
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string sound_packets(Random& random) {
  const auto version =
      random.chance(0.5) ? mqtt::ProtocolVersion::v5 : mqtt::ProtocolVersion::v3_1_1;
  const std::string id = fmt::format("hostile-{}", random.below(3));
  const std::string noise(random.below(300), 'x');
  std::string bytes;
  add(mqtt::Connect{.version = version, .clean_start = true, .client_id = id}, version, bytes);
  mqtt::SubscriptionBuffer buffer;
  (void)buffer.add(
      {.filter = random.chance(0.5) ? "hostile/#" : "+/+/#", .qos_max = mqtt::Qos::exactly_once});
  add(
      mqtt::Subscribe{
          .packet_id = mqtt::PacketId{1}, .properties = {}, .subscriptions = buffer.view()},
      version, bytes);
  for (std::uint16_t i = 2; i < 2 + random.below(8); ++i) {
    const auto qos = static_cast<mqtt::Qos>(random.below(3));
    add(mqtt::Publish{.qos = qos,
                      .retain = random.chance(0.2),
                      .topic = "hostile/topic",
                      .packet_id =
                          qos == mqtt::Qos::at_most_once ? mqtt::PacketId::none : mqtt::PacketId{i},
                      .properties = {},
                      .payload = std::as_bytes(std::span(noise))},
        version, bytes);
    if (random.chance(0.3)) add(mqtt::Pubrel{mqtt::PacketId{i}, {}, {}}, version, bytes);
    if (random.chance(0.2)) add(mqtt::Puback{mqtt::PacketId{i}, {}, {}}, version, bytes);
  }
  return bytes;
}

std::string sound_requests(Random& random) {
  std::string bytes;
  for (std::uint64_t i = 0; i <= random.below(3); ++i) {
    std::string body;
    for (std::uint64_t line = 0; line < random.below(5); ++line) {
      body += fmt::format("{{\"id\":{},\"value\":1}}\n", random.below(100));
    }
    const bool is_document = random.chance(0.5);
    const bool is_chunked = random.chance(0.5);
    bytes += http_post("hostile", is_document ? "application/json" : "application/x-ndjson", body,
                       is_chunked, random);
  }
  return bytes;
}

std::string sound_sentences(Random& random) {
  std::string bytes;
  for (std::uint64_t i = 0; i <= random.below(8); ++i) {
    const auto mmsi = static_cast<std::uint32_t>(random.below(1'000'000'000));
    ais::Message message{.type = 1, .mmsi = mmsi, .body = ais::PositionReport{}};
    if (random.chance(0.5)) {
      message.type = 5;
      message.body = ais::StaticVoyageData{};
    }
    ais::SentenceOptions options;
    options.sequence_id = static_cast<std::uint8_t>(random.below(10));
    const auto lines = ais::encode_sentences(message, options);
    for (const std::string& line : *lines) bytes += line + "\r\n";
  }
  return bytes;
}

std::string sound_exchange(Port port, Random& random) {
  switch (port) {
    case Port::mqtt:
      return sound_packets(random);
    case Port::http:
      return sound_requests(random);
    case Port::ais:
    case Port::hostile_ais:
      return sound_sentences(random);
  }
  std::unreachable();
}

}  // namespace

std::string hostile_bytes(Port port, Random& random) {
  std::string bytes = sound_exchange(port, random);
  const std::uint64_t changes = random.below(5);
  for (std::uint64_t i = 0; i < changes && !bytes.empty(); ++i) {
    const std::size_t at = random.below(bytes.size());
    switch (random.below(5)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(random.below(256));
        break;
      case 2:
        bytes.erase(at, random.below(20));
        break;
      // Each draw has a statement of its own: compilers order arguments as they like.
      case 3: {
        const std::size_t from = random.below(bytes.size());
        bytes.insert(at, bytes.substr(from, random.below(40)));
        break;
      }
      default: {
        const std::size_t count = random.below(30);
        bytes.insert(at, std::string(count, static_cast<char>(random.below(256))));
      }
    }
  }
  if (random.chance(0.1)) {
    for (char& c : bytes) c = static_cast<char>(random.below(256));
  }
  return bytes;
}

}  // namespace ficus::sim
