#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "codec/mqtt/bytes.h"
#include "codec/mqtt/packet_type.h"
#include "codec/mqtt/property_id.h"
#include "codec/mqtt/repeated_property.h"

// The properties of MQTT 5.0, one struct for each set that a packet may carry (2.2.2.2, table 2-4):
// a property that a packet must not have has no place here. MQTT 3.1.1 packets leave all of them
// empty.
//
// `fields` is the only list that the decoder, the encoder and its size computation follow; the type
// of a member gives its form on the wire. Text and bytes borrow from the packet that was decoded.

namespace ficus::mqtt {

struct ConnectProperties {  // 3.1.2.11
  std::optional<std::uint32_t> session_expiry_interval_s{};
  std::optional<std::uint16_t> receive_maximum{};
  std::optional<std::uint32_t> packet_bytes_max{};
  std::optional<std::uint16_t> topic_alias_max{};
  std::optional<bool> request_response_information{};
  std::optional<bool> request_problem_information{};
  std::optional<std::string_view> authentication_method{};
  std::optional<Bytes> authentication_data{};
  UserProperties user_properties{};

  static constexpr void fields(auto& self, auto&& visit) {
    visit(PropertyId::session_expiry_interval, self.session_expiry_interval_s);
    visit(PropertyId::receive_maximum, self.receive_maximum);
    visit(PropertyId::maximum_packet_size, self.packet_bytes_max);
    visit(PropertyId::topic_alias_maximum, self.topic_alias_max);
    visit(PropertyId::request_response_information, self.request_response_information);
    visit(PropertyId::request_problem_information, self.request_problem_information);
    visit(PropertyId::authentication_method, self.authentication_method);
    visit(PropertyId::authentication_data, self.authentication_data);
    visit(PropertyId::user_property, self.user_properties);
  }
  friend bool operator==(const ConnectProperties&, const ConnectProperties&) = default;
};

struct WillProperties {  // 3.1.3.2
  std::optional<std::uint32_t> will_delay_interval_s{};
  std::optional<bool> payload_is_utf8{};
  std::optional<std::uint32_t> message_expiry_interval_s{};
  std::optional<std::string_view> content_type{};
  std::optional<std::string_view> response_topic{};
  std::optional<Bytes> correlation_data{};
  UserProperties user_properties{};

  static constexpr void fields(auto& self, auto&& visit) {
    visit(PropertyId::will_delay_interval, self.will_delay_interval_s);
    visit(PropertyId::payload_format_indicator, self.payload_is_utf8);
    visit(PropertyId::message_expiry_interval, self.message_expiry_interval_s);
    visit(PropertyId::content_type, self.content_type);
    visit(PropertyId::response_topic, self.response_topic);
    visit(PropertyId::correlation_data, self.correlation_data);
    visit(PropertyId::user_property, self.user_properties);
  }
  friend bool operator==(const WillProperties&, const WillProperties&) = default;
};

struct ConnackProperties {  // 3.2.2.3
  std::optional<std::uint32_t> session_expiry_interval_s{};
  std::optional<std::uint16_t> receive_maximum{};
  std::optional<Qos> maximum_qos{};
  std::optional<bool> retain_available{};
  std::optional<std::uint32_t> packet_bytes_max{};
  std::optional<std::string_view> assigned_client_id{};
  std::optional<std::uint16_t> topic_alias_max{};
  std::optional<std::string_view> reason_string{};
  std::optional<bool> wildcard_subscription_available{};
  std::optional<bool> subscription_id_available{};
  std::optional<bool> shared_subscription_available{};
  std::optional<std::uint16_t> server_keep_alive_s{};
  std::optional<std::string_view> response_information{};
  std::optional<std::string_view> server_reference{};
  std::optional<std::string_view> authentication_method{};
  std::optional<Bytes> authentication_data{};
  UserProperties user_properties{};

  static constexpr void fields(auto& self, auto&& visit) {
    visit(PropertyId::session_expiry_interval, self.session_expiry_interval_s);
    visit(PropertyId::receive_maximum, self.receive_maximum);
    visit(PropertyId::maximum_qos, self.maximum_qos);
    visit(PropertyId::retain_available, self.retain_available);
    visit(PropertyId::maximum_packet_size, self.packet_bytes_max);
    visit(PropertyId::assigned_client_identifier, self.assigned_client_id);
    visit(PropertyId::topic_alias_maximum, self.topic_alias_max);
    visit(PropertyId::reason_string, self.reason_string);
    visit(PropertyId::wildcard_subscription_available, self.wildcard_subscription_available);
    visit(PropertyId::subscription_identifier_available, self.subscription_id_available);
    visit(PropertyId::shared_subscription_available, self.shared_subscription_available);
    visit(PropertyId::server_keep_alive, self.server_keep_alive_s);
    visit(PropertyId::response_information, self.response_information);
    visit(PropertyId::server_reference, self.server_reference);
    visit(PropertyId::authentication_method, self.authentication_method);
    visit(PropertyId::authentication_data, self.authentication_data);
    visit(PropertyId::user_property, self.user_properties);
  }
  friend bool operator==(const ConnackProperties&, const ConnackProperties&) = default;
};

struct PublishProperties {  // 3.3.2.3
  std::optional<bool> payload_is_utf8{};
  std::optional<std::uint32_t> message_expiry_interval_s{};
  std::optional<std::uint16_t> topic_alias{};
  std::optional<std::string_view> response_topic{};
  std::optional<Bytes> correlation_data{};
  UserProperties user_properties{};
  SubscriptionIds subscription_ids{};  // from a server only ([MQTT-3.3.4-6]): the session checks
  std::optional<std::string_view> content_type{};

  static constexpr void fields(auto& self, auto&& visit) {
    visit(PropertyId::payload_format_indicator, self.payload_is_utf8);
    visit(PropertyId::message_expiry_interval, self.message_expiry_interval_s);
    visit(PropertyId::topic_alias, self.topic_alias);
    visit(PropertyId::response_topic, self.response_topic);
    visit(PropertyId::correlation_data, self.correlation_data);
    visit(PropertyId::user_property, self.user_properties);
    visit(PropertyId::subscription_identifier, self.subscription_ids);
    visit(PropertyId::content_type, self.content_type);
  }
  friend bool operator==(const PublishProperties&, const PublishProperties&) = default;
};

// PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK (3.4.2.2 to 3.7.2.2, 3.9.2.1, 3.11.2.1).
struct AckProperties {
  std::optional<std::string_view> reason_string{};
  UserProperties user_properties{};

  static constexpr void fields(auto& self, auto&& visit) {
    visit(PropertyId::reason_string, self.reason_string);
    visit(PropertyId::user_property, self.user_properties);
  }
  friend bool operator==(const AckProperties&, const AckProperties&) = default;
};

struct SubscribeProperties {  // 3.8.2.1
  std::optional<SubscriptionId> subscription_id{};
  UserProperties user_properties{};

  static constexpr void fields(auto& self, auto&& visit) {
    visit(PropertyId::subscription_identifier, self.subscription_id);
    visit(PropertyId::user_property, self.user_properties);
  }
  friend bool operator==(const SubscribeProperties&, const SubscribeProperties&) = default;
};

struct UnsubscribeProperties {  // 3.10.2.1
  UserProperties user_properties{};

  static constexpr void fields(auto& self, auto&& visit) {
    visit(PropertyId::user_property, self.user_properties);
  }
  friend bool operator==(const UnsubscribeProperties&, const UnsubscribeProperties&) = default;
};

struct DisconnectProperties {  // 3.14.2.2
  std::optional<std::uint32_t> session_expiry_interval_s{};
  std::optional<std::string_view> reason_string{};
  UserProperties user_properties{};
  std::optional<std::string_view> server_reference{};

  static constexpr void fields(auto& self, auto&& visit) {
    visit(PropertyId::session_expiry_interval, self.session_expiry_interval_s);
    visit(PropertyId::reason_string, self.reason_string);
    visit(PropertyId::user_property, self.user_properties);
    visit(PropertyId::server_reference, self.server_reference);
  }
  friend bool operator==(const DisconnectProperties&, const DisconnectProperties&) = default;
};

struct AuthProperties {  // 3.15.2.2
  std::optional<std::string_view> authentication_method{};
  std::optional<Bytes> authentication_data{};
  std::optional<std::string_view> reason_string{};
  UserProperties user_properties{};

  static constexpr void fields(auto& self, auto&& visit) {
    visit(PropertyId::authentication_method, self.authentication_method);
    visit(PropertyId::authentication_data, self.authentication_data);
    visit(PropertyId::reason_string, self.reason_string);
    visit(PropertyId::user_property, self.user_properties);
  }
  friend bool operator==(const AuthProperties&, const AuthProperties&) = default;
};

}  // namespace ficus::mqtt
