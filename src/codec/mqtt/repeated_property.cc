#include "codec/mqtt/repeated_property.h"

#include <utility>

#include "codec/mqtt/byte_writer.h"
#include "codec/mqtt/wire.h"

namespace ficus::mqtt {
namespace {

PropertyForm property_form(PropertyId id) {
  switch (id) {
    case PropertyId::payload_format_indicator:
    case PropertyId::request_problem_information:
    case PropertyId::request_response_information:
    case PropertyId::maximum_qos:
    case PropertyId::retain_available:
    case PropertyId::wildcard_subscription_available:
    case PropertyId::subscription_identifier_available:
    case PropertyId::shared_subscription_available:
      return PropertyForm::byte;
    case PropertyId::server_keep_alive:
    case PropertyId::receive_maximum:
    case PropertyId::topic_alias_maximum:
    case PropertyId::topic_alias:
      return PropertyForm::two_bytes;
    case PropertyId::message_expiry_interval:
    case PropertyId::session_expiry_interval:
    case PropertyId::will_delay_interval:
    case PropertyId::maximum_packet_size:
      return PropertyForm::four_bytes;
    case PropertyId::subscription_identifier:
      return PropertyForm::variable;
    case PropertyId::content_type:
    case PropertyId::response_topic:
    case PropertyId::correlation_data:
    case PropertyId::assigned_client_identifier:
    case PropertyId::authentication_method:
    case PropertyId::authentication_data:
    case PropertyId::response_information:
    case PropertyId::server_reference:
    case PropertyId::reason_string:
      return PropertyForm::sized;
    case PropertyId::user_property:
      return PropertyForm::pair;
  }
  std::unreachable();
}

std::string_view text_at(const std::byte* at) {
  return {reinterpret_cast<const char*>(at + 2), load_u16(at)};
}

}  // namespace

std::size_t property_bytes(const std::byte* at) {
  const std::byte* const value = at + 1;
  switch (property_form(static_cast<PropertyId>(*at))) {
    case PropertyForm::byte:
      return 2;
    case PropertyForm::two_bytes:
      return 3;
    case PropertyForm::four_bytes:
      return 5;
    case PropertyForm::variable: {
      std::size_t bytes = 2;
      for (const std::byte* p = value; (*p & std::byte{0x80}) != std::byte{0}; ++p) ++bytes;
      return bytes;
    }
    case PropertyForm::sized:
      return 3 + std::size_t{load_u16(value)};
    case PropertyForm::pair: {
      const std::size_t key_bytes = 2 + std::size_t{load_u16(value)};
      return 1 + key_bytes + 2 + load_u16(value + key_bytes);
    }
  }
  std::unreachable();
}

UserProperty UserProperty::from_wire(const std::byte* at) {
  const std::string_view key = text_at(at + 1);
  return {key, text_at(at + 3 + key.size())};
}

SubscriptionId SubscriptionIdProperty::from_wire(const std::byte* at) {
  std::uint32_t value = 0;
  unsigned shift = 0;
  const std::byte* p = at + 1;
  for (;; ++p, shift += 7) {
    value |= std::to_integer<std::uint32_t>(*p & std::byte{0x7f}) << shift;
    if ((*p & std::byte{0x80}) == std::byte{0}) return SubscriptionId{value};
  }
}

bool UserPropertyBuffer::add(std::string_view key, std::string_view value) {
  if (key.size() > kFieldBytesMax || value.size() > kFieldBytesMax) return false;
  ByteWriter writer = append_bytes(bytes_, 5 + key.size() + value.size());
  writer.u8(static_cast<std::uint8_t>(PropertyId::user_property));
  writer.text(key);
  writer.text(value);
  return true;
}

bool SubscriptionIdBuffer::add(SubscriptionId id) {
  const auto value = static_cast<std::uint32_t>(id);
  if (value == 0 || value > kSubscriptionIdMax) return false;
  ByteWriter writer = append_bytes(bytes_, 1 + variable_integer_bytes(value));
  writer.u8(static_cast<std::uint8_t>(PropertyId::subscription_identifier));
  writer.variable_integer(value);
  return true;
}

UserProperties UserPropertyBuffer::view() const {
  UserProperties result;
  for (std::size_t at = 0; at < bytes_.size();) {
    const std::size_t bytes = property_bytes(bytes_.data() + at);
    result.extend(Bytes(bytes_).subspan(at, bytes));
    at += bytes;
  }
  return result;
}

SubscriptionIds SubscriptionIdBuffer::view() const {
  SubscriptionIds result;
  for (std::size_t at = 0; at < bytes_.size();) {
    const std::size_t bytes = property_bytes(bytes_.data() + at);
    result.extend(Bytes(bytes_).subspan(at, bytes));
    at += bytes;
  }
  return result;
}

}  // namespace ficus::mqtt
