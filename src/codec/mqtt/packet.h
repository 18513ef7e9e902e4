#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "codec/mqtt/bytes.h"
#include "codec/mqtt/packet_type.h"
#include "codec/mqtt/payload_list.h"
#include "codec/mqtt/properties.h"
#include "codec/mqtt/reason_code.h"

// The control packets of MQTT 3.1.1 and 5.0 as values. All text and bytes borrow: from the
// decoder's input, or from what the sender holds while it encodes. Nothing here allocates; copying
// a packet copies views.
//
// One struct serves both versions. What 3.1.1 does not have (properties, most reason codes) is
// empty after decoding and left out when encoding.

namespace ficus::mqtt {

struct Will {  // 3.1.2.5, 3.1.3.2 to 3.1.3.4
  Qos qos = Qos::at_most_once;
  bool retain = false;
  std::string_view topic{};
  Bytes payload{};
  WillProperties properties{};

  friend bool operator==(const Will&, const Will&) = default;
};

struct Connect {
  static constexpr PacketType kType = PacketType::connect;
  ProtocolVersion version = ProtocolVersion::v5;
  bool clean_start = true;         // "clean session" in 3.1.1
  std::uint16_t keep_alive_s = 0;  // 0: none
  std::string_view client_id{};    // empty: the server assigns one
  std::optional<Will> will{};
  std::optional<std::string_view> user_name{};
  std::optional<Bytes> password{};
  ConnectProperties properties{};

  friend bool operator==(const Connect&, const Connect&) = default;
};

struct Connack {
  static constexpr PacketType kType = PacketType::connack;
  bool session_present = false;
  ReasonCode reason = ReasonCode::success;  // in 3.1.1 translated from and to the return code
  ConnackProperties properties{};

  friend bool operator==(const Connack&, const Connack&) = default;
};

struct Publish {
  static constexpr PacketType kType = PacketType::publish;
  bool dup = false;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  std::string_view topic{};  // empty only when a topic alias stands for it (5.0, 3.3.2.3.4)
  PacketId packet_id = PacketId::none;  // none exactly when QoS 0
  PublishProperties properties{};
  Bytes payload{};

  friend bool operator==(const Publish&, const Publish&) = default;
};

// PUBACK, PUBREC, PUBREL and PUBCOMP have the same parts (3.4 to 3.7).
template <PacketType type>
struct PublishResponse {
  static constexpr PacketType kType = type;
  PacketId packet_id = PacketId::none;
  ReasonCode reason = ReasonCode::success;
  AckProperties properties{};

  friend bool operator==(const PublishResponse&, const PublishResponse&) = default;
};
using Puback = PublishResponse<PacketType::puback>;
using Pubrec = PublishResponse<PacketType::pubrec>;
using Pubrel = PublishResponse<PacketType::pubrel>;
using Pubcomp = PublishResponse<PacketType::pubcomp>;

struct Subscribe {
  static constexpr PacketType kType = PacketType::subscribe;
  PacketId packet_id = PacketId::none;
  SubscribeProperties properties{};
  Subscriptions subscriptions{};  // at least one

  friend bool operator==(const Subscribe&, const Subscribe&) = default;
};

struct Suback {
  static constexpr PacketType kType = PacketType::suback;
  PacketId packet_id = PacketId::none;
  AckProperties properties{};
  ReasonCodes reasons{};  // at least one; every failure is 0x80 in 3.1.1

  friend bool operator==(const Suback&, const Suback&) = default;
};

struct Unsubscribe {
  static constexpr PacketType kType = PacketType::unsubscribe;
  PacketId packet_id = PacketId::none;
  UnsubscribeProperties properties{};
  TopicFilters filters{};  // at least one

  friend bool operator==(const Unsubscribe&, const Unsubscribe&) = default;
};

struct Unsuback {
  static constexpr PacketType kType = PacketType::unsuback;
  PacketId packet_id = PacketId::none;
  AckProperties properties{};
  ReasonCodes reasons{};  // at least one in 5.0, none in 3.1.1

  friend bool operator==(const Unsuback&, const Unsuback&) = default;
};

struct Pingreq {
  static constexpr PacketType kType = PacketType::pingreq;
  friend bool operator==(const Pingreq&, const Pingreq&) = default;
};

struct Pingresp {
  static constexpr PacketType kType = PacketType::pingresp;
  friend bool operator==(const Pingresp&, const Pingresp&) = default;
};

struct Disconnect {
  static constexpr PacketType kType = PacketType::disconnect;
  ReasonCode reason = ReasonCode::success;  // success: a normal disconnection
  DisconnectProperties properties{};

  friend bool operator==(const Disconnect&, const Disconnect&) = default;
};

struct Auth {  // MQTT 5.0 only
  static constexpr PacketType kType = PacketType::auth;
  ReasonCode reason = ReasonCode::success;
  AuthProperties properties{};

  friend bool operator==(const Auth&, const Auth&) = default;
};

// Pingreq stands first because it costs nothing to default-construct.
using Packet = std::variant<Pingreq, Pingresp, Connect, Connack, Publish, Puback, Pubrec, Pubrel,
                            Pubcomp, Subscribe, Suback, Unsubscribe, Unsuback, Disconnect, Auth>;

inline PacketType packet_type(const Packet& packet) {
  return std::visit([](const auto& p) { return p.kType; }, packet);
}

}  // namespace ficus::mqtt
