#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "codec/mqtt/byte_reader.h"
#include "codec/mqtt/property_id.h"
#include "codec/mqtt/property_rules.h"
#include "codec/mqtt/repeated_property.h"
#include "codec/mqtt/topic.h"

namespace ficus::mqtt {

// Reads one property section (MQTT 5.0, 2.2.2) into any of the property structs. Internal to this
// folder.
class PropertyDecoder {
 public:
  // Reads the length and the section itself. A fault is the reader's.
  template <typename Properties>
  static void read(ByteReader& packet, Properties& properties) {
    const std::uint32_t section_bytes = packet.variable_integer();
    if (section_bytes == 0) return;
    PropertyDecoder decoder(packet.take(section_bytes));
    while (!decoder.reader_.at_end()) decoder.read_one(properties);
    if (!decoder.reader_.ok()) packet.fail(decoder.reader_.error());
  }

 private:
  explicit PropertyDecoder(Bytes section) : reader_(section) {}

  template <typename Properties>
  void read_one(Properties& properties) {
    start_ = reader_.at();
    // All identifiers are below 128, where a variable byte integer is one byte; longer forms are no
    // property's.
    id_ = static_cast<PropertyId>(reader_.u8());
    bool is_known = false;
    Properties::fields(properties, [&](PropertyId field_id, auto& field) {
      if (field_id != id_) return;
      is_known = true;
      read_field(field);
    });
    if (!is_known) reader_.fail(DecodeError::property_not_allowed);
  }

  template <typename Value>
  void read_field(std::optional<Value>& field) {
    if (field.has_value()) return reader_.fail(DecodeError::property_duplicated);
    if constexpr (std::is_same_v<Value, std::string_view>) {
      field = reader_.text();
      // [MQTT-3.3.2-14]; also 3.1.3.2.5 for the will.
      if (id_ == PropertyId::response_topic && reader_.ok() && !is_valid_topic_name(*field)) {
        reader_.fail(DecodeError::topic_name_invalid);
      }
    } else if constexpr (std::is_same_v<Value, Bytes>) {
      field = reader_.binary();
    } else {
      field = static_cast<Value>(checked(number<Value>()));
    }
  }

  // May occur any number of times (3.1.2.11.8 and its like).
  void read_field(UserProperties& field) {
    reader_.text();
    reader_.text();
    keep(field);
  }

  // More than once in a PUBLISH that several subscriptions match (3.3.2.3.8).
  void read_field(SubscriptionIds& field) {
    checked(reader_.variable_integer());
    keep(field);
  }

  template <typename Value>
  std::uint32_t number() {
    if constexpr (std::is_same_v<Value, std::uint32_t>) return reader_.u32();
    if constexpr (std::is_same_v<Value, std::uint16_t>) return reader_.u16();
    if constexpr (std::is_same_v<Value, SubscriptionId>) return reader_.variable_integer();
    if constexpr (std::is_same_v<Value, Qos>) return reader_.u8();
    if constexpr (std::is_same_v<Value, bool>) {
      const std::uint8_t value = reader_.u8();
      if (value > 1) reader_.fail(DecodeError::property_value_invalid);
      return value;
    }
  }

  std::uint32_t checked(std::uint32_t value) {
    if (!is_property_value_allowed(id_, value)) {
      reader_.fail(id_ == PropertyId::topic_alias ? DecodeError::topic_alias_zero
                                                  : DecodeError::property_value_invalid);
    }
    return value;
  }

  template <typename Repeated>
  void keep(Repeated& field) {
    if (reader_.ok()) field.extend(Bytes(start_, reader_.at()));
  }

  ByteReader reader_;
  const std::byte* start_ = nullptr;
  PropertyId id_{};
};

}  // namespace ficus::mqtt
