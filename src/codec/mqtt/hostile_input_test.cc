#include <gtest/gtest.h>

#include <vector>

#include "codec/mqtt/test_support.h"

// One faulty packet for each thing the standards forbid, and the error it must give.

namespace ficus::mqtt::test {
namespace {

struct Case {
  const char* body;
  DecodeError error;
};

void expect_errors(const char* first, ProtocolVersion version, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(error_of(framed(first, c.body), version), decode_error_name(c.error))
        << first << " | " << c.body;
  }
}

TEST(MqttHostile, FixedHeader) {
  EXPECT_EQ(error_of(wire("00 00"), kV5), "packet_type_invalid");
  EXPECT_EQ(error_of(wire("f0 00"), kV3), "packet_type_invalid");
  for (const char* first : {"11", "18", "21", "41", "52", "60", "63", "71", "80", "83", "91", "a0",
                            "a6", "b2", "c1", "d8", "e1", "f2"}) {
    EXPECT_EQ(error_of(framed(first, ""), kV5), "packet_flags_invalid") << first;
  }
  EXPECT_EQ(error_of(wire("36 00"), kV5), "qos_invalid");
  EXPECT_EQ(error_of(wire("3e 00"), kV5), "qos_invalid");
  EXPECT_EQ(error_of(wire("38 00"), kV5), "dup_invalid");
}

TEST(MqttHostile, BodiesWhereNoneBelongs) {
  EXPECT_EQ(error_of(wire("c0 01 00"), kV5), "trailing_bytes");
  EXPECT_EQ(error_of(wire("d0 01 00"), kV3), "trailing_bytes");
  EXPECT_EQ(error_of(wire("e0 01 00"), kV3), "trailing_bytes");
  EXPECT_EQ(error_of(wire("40 03 00 01 00"), kV3), "trailing_bytes");
  EXPECT_EQ(error_of(wire("b0 03 00 01 00"), kV3), "trailing_bytes");
  EXPECT_EQ(error_of(wire("20 03 00 00 00"), kV3), "trailing_bytes");
}

TEST(MqttHostile, ConnectOf311) {
  expect_errors(
      "10", kV5,
      {{"", DecodeError::field_truncated},
       {"00 04 'MQTT'", DecodeError::field_truncated},
       {"00 04 'MQTT' 04 02 00", DecodeError::field_truncated},
       {"00 04 'MQTT' 04 02 00 00", DecodeError::field_truncated},
       {"00 04 'MQTT' 04 02 00 00 00 05 'id'", DecodeError::field_truncated},
       {"00 04 'MQTT' 04 02 00 00 00 00 00", DecodeError::trailing_bytes},
       {"00 04 'mqtt' 04 02 00 00 00 00", DecodeError::protocol_version_unsupported},
       {"00 06 'MQIsdp' 03 02 00 00 00 00", DecodeError::protocol_version_unsupported},
       {"00 04 'MQTT' 03 02 00 00 00 00", DecodeError::protocol_version_unsupported},
       {"00 04 'MQTT' 06 02 00 00 00 00", DecodeError::protocol_version_unsupported},
       {"00 04 'MQTT' 84 02 00 00 00 00", DecodeError::protocol_version_unsupported},
       {"00 04 'MQTT' 04 03 00 00 00 00", DecodeError::connect_flags_invalid},
       {"00 04 'MQTT' 04 0a 00 00 00 00", DecodeError::connect_flags_invalid},
       {"00 04 'MQTT' 04 22 00 00 00 00", DecodeError::connect_flags_invalid},
       {"00 04 'MQTT' 04 42 00 00 00 00 00 01 'p'", DecodeError::connect_flags_invalid},
       {"00 04 'MQTT' 04 1e 00 00 00 00", DecodeError::qos_invalid},
       {"00 04 'MQTT' 04 00 00 00 00 00", DecodeError::client_id_missing},
       {"00 04 'MQTT' 04 02 00 00 00 01 ff", DecodeError::utf8_invalid},
       {"00 04 'MQTT' 04 02 00 00 00 01 00", DecodeError::utf8_invalid},
       {"00 04 'MQTT' 04 06 00 00 00 00 00 02 'a#' 00 00", DecodeError::topic_name_invalid},
       {"00 04 'MQTT' 04 06 00 00 00 00 00 00 00 00", DecodeError::topic_name_invalid},
       {"00 04 'MQTT' 04 06 00 00 00 00 00 01 'w'", DecodeError::field_truncated},
       {"00 04 'MQTT' 04 82 00 00 00 00 00 02 'u'", DecodeError::field_truncated},
       {"00 04 'MQTT' 04 82 00 00 00 00 00 02 c0 80", DecodeError::utf8_invalid},
       {"00 04 'MQTT' 04 c2 00 00 00 00 00 01 'u'", DecodeError::field_truncated}});
}

TEST(MqttHostile, ConnectOf5) {
  expect_errors(
      "10", kV3,
      {{"00 04 'MQTT' 05 02 00 00", DecodeError::field_truncated},
       {"00 04 'MQTT' 05 02 00 00 05 11 00 00", DecodeError::field_truncated},
       {"00 04 'MQTT' 05 02 00 00 03 11 00 00 00 00", DecodeError::field_truncated},
       {"00 04 'MQTT' 05 02 00 00 03 21 00 00 00 00", DecodeError::property_value_invalid},
       {"00 04 'MQTT' 05 02 00 00 05 27 00 00 00 00 00 00", DecodeError::property_value_invalid},
       {"00 04 'MQTT' 05 02 00 00 02 17 02 00 00", DecodeError::property_value_invalid},
       {"00 04 'MQTT' 05 02 00 00 02 19 ff 00 00", DecodeError::property_value_invalid},
       {"00 04 'MQTT' 05 02 00 00 04 17 00 17 00 00 00", DecodeError::property_duplicated},
       {"00 04 'MQTT' 05 02 00 00 04 16 00 01 'd' 00 00",
        DecodeError::authentication_method_missing},
       {"00 04 'MQTT' 05 02 00 00 02 24 01 00 00", DecodeError::property_not_allowed},
       {"00 04 'MQTT' 05 06 00 00 00 00 00 02 24 01 00 01 'w' 00 00",
        DecodeError::property_not_allowed},
       {"00 04 'MQTT' 05 06 00 00 00 00 00 05 11 00 00 00 00 00 01 'w' 00 00",
        DecodeError::property_not_allowed},
       {"00 04 'MQTT' 05 06 00 00 00 00 00 04 08 00 01 '#' 00 01 'w' 00 00",
        DecodeError::topic_name_invalid},
       {"00 04 'MQTT' 05 06 00 00 00 00 00 02 01 02 00 01 'w' 00 00",
        DecodeError::property_value_invalid}});
}

TEST(MqttHostile, PropertySections) {
  expect_errors("30", kV5,
                {{"00 01 't'", DecodeError::field_truncated},
                 {"00 01 't' 01", DecodeError::field_truncated},
                 {"00 01 't' 80 00", DecodeError::integer_invalid},
                 {"00 01 't' ff ff ff ff 7f", DecodeError::integer_invalid},
                 {"00 01 't' 02 00 00", DecodeError::property_not_allowed},
                 {"00 01 't' 02 7f 00", DecodeError::property_not_allowed},
                 {"00 01 't' 03 81 00 01", DecodeError::property_not_allowed},  // 1 in two bytes
                 {"00 01 't' 01 01", DecodeError::field_truncated},
                 {"00 01 't' 04 01 01 01 01", DecodeError::property_duplicated},
                 {"00 01 't' 06 23 00 01 23 00 01", DecodeError::property_duplicated},
                 {"00 01 't' 08 03 00 01 'c' 03 00 01 'c'", DecodeError::property_duplicated},
                 {"00 01 't' 03 23 00 00", DecodeError::topic_alias_zero},
                 {"00 00 00", DecodeError::topic_name_missing},
                 {"00 01 't' 02 0b 00", DecodeError::property_value_invalid},
                 {"00 01 't' 03 0b 80 00", DecodeError::integer_invalid},
                 {"00 01 't' 06 0b ff ff ff ff 01", DecodeError::integer_invalid},
                 {"00 01 't' 03 0b ff ff", DecodeError::field_truncated},
                 {"00 01 't' 06 26 00 01 'k' 00 02", DecodeError::field_truncated},
                 {"00 01 't' 07 26 00 01 ff 00 01 'v'", DecodeError::utf8_invalid},
                 {"00 01 't' 07 26 00 01 'k' 00 01 00", DecodeError::utf8_invalid},
                 {"00 01 't' 05 08 00 02 'a+'", DecodeError::topic_name_invalid},
                 {"00 01 't' 05 03 00 04 'ab'", DecodeError::field_truncated},
                 {"00 01 't' 05 09 00 04 'ab'", DecodeError::field_truncated}});
}

TEST(MqttHostile, Publish) {
  expect_errors("30", kV3,
                {{"", DecodeError::field_truncated},
                 {"00", DecodeError::field_truncated},
                 {"00 02 'a'", DecodeError::field_truncated},
                 {"00 00", DecodeError::topic_name_invalid},
                 {"00 03 'a/#'", DecodeError::topic_name_invalid},
                 {"00 01 '+'", DecodeError::topic_name_invalid},
                 {"00 03 ed a0 80", DecodeError::utf8_invalid},
                 {"00 02 'a' 00", DecodeError::utf8_invalid}});
  expect_errors("32", kV3,
                {{"00 01 'a'", DecodeError::field_truncated},
                 {"00 01 'a' 00", DecodeError::field_truncated},
                 {"00 01 'a' 00 00", DecodeError::packet_id_zero}});
  expect_errors("30", kV5, {{"00 03 'a/#' 00", DecodeError::topic_name_invalid}});
}

TEST(MqttHostile, Answers) {
  expect_errors("40", kV3,
                {{"", DecodeError::field_truncated},
                 {"00", DecodeError::field_truncated},
                 {"00 00", DecodeError::packet_id_zero}});
  expect_errors("40", kV5,
                {{"00 01 01", DecodeError::reason_code_invalid},
                 {"00 01 92", DecodeError::reason_code_invalid},
                 {"00 01 00 01", DecodeError::field_truncated},
                 {"00 01 00 00 00", DecodeError::trailing_bytes},
                 {"00 01 00 02 01 00", DecodeError::property_not_allowed}});
  expect_errors("62", kV5, {{"00 01 10", DecodeError::reason_code_invalid}});
  expect_errors("20", kV3,
                {{"", DecodeError::field_truncated},
                 {"00", DecodeError::field_truncated},
                 {"02 00", DecodeError::connack_flags_invalid},
                 {"01 01", DecodeError::connack_flags_invalid},
                 {"00 06", DecodeError::reason_code_invalid}});
  expect_errors("20", kV5,
                {{"00 00", DecodeError::field_truncated},
                 {"01 87 00", DecodeError::connack_flags_invalid},
                 {"00 01 00", DecodeError::reason_code_invalid},
                 {"00 00 02 24 02", DecodeError::property_value_invalid},
                 {"00 00 03 21 00 00", DecodeError::property_value_invalid},
                 {"00 00 02 2a 02", DecodeError::property_value_invalid}});
}

TEST(MqttHostile, Subscribe) {
  expect_errors("82", kV3,
                {{"", DecodeError::field_truncated},
                 {"00 00 00 01 'a' 00", DecodeError::packet_id_zero},
                 {"00 01", DecodeError::payload_empty},
                 {"00 01 00 01 'a'", DecodeError::field_truncated},
                 {"00 01 00 02 'a' 00", DecodeError::utf8_invalid},
                 {"00 01 00 01 'a' 03", DecodeError::qos_invalid},
                 {"00 01 00 01 'a' 04", DecodeError::subscription_options_invalid},
                 {"00 01 00 00 00", DecodeError::topic_filter_invalid},
                 {"00 01 00 02 'a#' 00", DecodeError::topic_filter_invalid},
                 {"00 01 00 01 'a' 00 00", DecodeError::field_truncated}});
  expect_errors("82", kV5,
                {{"00 01 00", DecodeError::payload_empty},
                 {"00 01 02 0b 00 00 01 'a' 00", DecodeError::property_value_invalid},
                 {"00 01 04 0b 01 0b 01 00 01 'a' 00", DecodeError::property_duplicated},
                 {"00 01 00 00 01 'a' 03", DecodeError::qos_invalid},
                 {"00 01 00 00 01 'a' 30", DecodeError::retain_handling_invalid},
                 {"00 01 00 00 01 'a' 40", DecodeError::subscription_options_invalid},
                 {"00 01 00 00 01 'a' 80", DecodeError::subscription_options_invalid},
                 {"00 01 00 00 0a '$share/g/a' 04", DecodeError::no_local_on_shared},
                 {"00 01 00 00 09 '$share//a' 00", DecodeError::topic_filter_invalid},
                 {"00 01 00 00 08 '$share/g' 00", DecodeError::topic_filter_invalid}});
}

TEST(MqttHostile, UnsubscribeAndItsAnswers) {
  expect_errors("a2", kV3,
                {{"00 01", DecodeError::payload_empty},
                 {"00 00 00 01 'a'", DecodeError::packet_id_zero},
                 {"00 01 00 02 '#a'", DecodeError::topic_filter_invalid},
                 {"00 01 00 02 'a'", DecodeError::field_truncated}});
  expect_errors("a2", kV5,
                {{"00 01 00", DecodeError::payload_empty},
                 {"00 01 02 0b 01 00 01 'a'", DecodeError::property_not_allowed}});
  expect_errors("90", kV3,
                {{"00 01", DecodeError::payload_empty},
                 {"00 01 03", DecodeError::reason_code_invalid},
                 {"00 01 87", DecodeError::reason_code_invalid}});
  expect_errors("90", kV5,
                {{"00 01 00", DecodeError::payload_empty},
                 {"00 01 00 00 11", DecodeError::reason_code_invalid}});
  expect_errors("b0", kV5,
                {{"00 01 00", DecodeError::payload_empty},
                 {"00 01", DecodeError::field_truncated},
                 {"00 01 00 01", DecodeError::reason_code_invalid}});
}

TEST(MqttHostile, DisconnectAndAuth) {
  expect_errors("e0", kV5,
                {{"86", DecodeError::reason_code_invalid},
                 {"00 00 00", DecodeError::trailing_bytes},
                 {"00 02 17 00", DecodeError::property_not_allowed}});
  expect_errors("f0", kV5,
                {{"18", DecodeError::field_truncated},
                 {"18 00", DecodeError::authentication_method_missing},
                 {"80 00", DecodeError::reason_code_invalid},
                 {"18 04 16 00 01 'd'", DecodeError::authentication_method_missing}});
}

}  // namespace
}  // namespace ficus::mqtt::test
