#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "codec/mqtt/byte_writer.h"
#include "codec/mqtt/property_id.h"
#include "codec/mqtt/repeated_property.h"

// Property sections (MQTT 5.0, 2.2.2), written to either sink of byte_writer.h. Internal to this
// folder.

namespace ficus::mqtt {

template <typename Sink>
void write_value(std::string_view value, Sink& sink) {
  sink.text(value);
}
template <typename Sink>
void write_value(Bytes value, Sink& sink) {
  sink.binary(value);
}
template <typename Sink>
void write_value(std::uint32_t value, Sink& sink) {
  sink.u32(value);
}
template <typename Sink>
void write_value(std::uint16_t value, Sink& sink) {
  sink.u16(value);
}
template <typename Sink>
void write_value(bool value, Sink& sink) {
  sink.u8(value ? 1 : 0);
}
template <typename Sink>
void write_value(Qos value, Sink& sink) {
  sink.u8(static_cast<std::uint8_t>(value));
}
template <typename Sink>
void write_value(SubscriptionId value, Sink& sink) {
  sink.variable_integer(static_cast<std::uint32_t>(value));
}

template <typename Value, typename Sink>
void write_field(PropertyId id, const std::optional<Value>& field, Sink& sink) {
  if (!field) return;
  sink.u8(static_cast<std::uint8_t>(id));
  write_value(*field, sink);
}

// In the order they have, which means something for user properties ([MQTT-3.3.2-18]).
template <typename Property, typename Sink>
void write_field(PropertyId, const RepeatedProperty<Property>& field, Sink& sink) {
  const Bytes range = field.wire_range();
  if (range.size() == field.wire_bytes()) return sink.raw(range);
  for (auto at = field.begin(); at != field.end(); ++at) {
    sink.raw(Bytes(at.wire(), property_bytes(at.wire())));
  }
}

template <typename Properties, typename Sink>
void write_fields(const Properties& properties, Sink& sink) {
  Properties::fields(properties,
                     [&](PropertyId id, const auto& field) { write_field(id, field, sink); });
}

template <typename Properties>
std::size_t properties_bytes(const Properties& properties) {
  ByteCounter counter;
  write_fields(properties, counter);
  return counter.bytes();
}

// The property length and the properties (2.2.2).
template <typename Properties, typename Sink>
void write_properties(const Properties& properties, Sink& sink) {
  sink.variable_integer(properties_bytes(properties));
  write_fields(properties, sink);
}

}  // namespace ficus::mqtt
