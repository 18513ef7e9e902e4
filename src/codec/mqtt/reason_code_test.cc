#include "codec/mqtt/reason_code.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "codec/mqtt/decode_error.h"
#include "codec/mqtt/encoder.h"

namespace ficus::mqtt {
namespace {

TEST(MqttReasonCode, NamesAllFortyThreeValues) {
  std::set<std::string> names;
  for (int value = 0; value < 256; ++value) {
    const std::string name = reason_code_name(static_cast<ReasonCode>(value));
    if (name != "unknown") names.insert(name);
  }
  EXPECT_EQ(names.size(), 43U);  // table 2-6 without the two other names of zero
  EXPECT_STREQ(reason_code_name(ReasonCode::quota_exceeded), "quota_exceeded");
  EXPECT_STREQ(reason_code_name(static_cast<ReasonCode>(0x03)), "unknown");
}

int allowed_count(PacketType type) {
  int count = 0;
  for (int value = 0; value < 256; ++value) {
    count += is_reason_allowed(type, static_cast<ReasonCode>(value)) ? 1 : 0;
  }
  return count;
}

// The lengths of the tables 3-1, 3-4 to 3-8, 3-10 (and one, see reason_code.cc) and 3-11.
TEST(MqttReasonCode, AllowedPerPacket) {
  EXPECT_EQ(allowed_count(PacketType::connack), 22);
  EXPECT_EQ(allowed_count(PacketType::puback), 9);
  EXPECT_EQ(allowed_count(PacketType::pubrec), 9);
  EXPECT_EQ(allowed_count(PacketType::pubrel), 2);
  EXPECT_EQ(allowed_count(PacketType::pubcomp), 2);
  EXPECT_EQ(allowed_count(PacketType::suback), 12);
  EXPECT_EQ(allowed_count(PacketType::unsuback), 7);
  EXPECT_EQ(allowed_count(PacketType::disconnect), 29 + 1);
  EXPECT_EQ(allowed_count(PacketType::auth), 3);
  for (const PacketType type : {PacketType::connect, PacketType::publish, PacketType::subscribe,
                                PacketType::unsubscribe, PacketType::pingreq}) {
    EXPECT_EQ(allowed_count(type), 0);
  }
}

TEST(MqttReasonCode, ConnectReturnCodesBothWays) {
  for (std::uint8_t code = 0; code <= 5; ++code) {
    const auto reason = from_connect_return_code(code);
    ASSERT_TRUE(reason.has_value());
    EXPECT_EQ(static_cast<std::uint8_t>(to_connect_return_code(*reason)), code);
    EXPECT_STRNE(connect_return_code_name(static_cast<ConnectReturnCode>(code)), "");
  }
  EXPECT_FALSE(from_connect_return_code(6).has_value());
  EXPECT_FALSE(from_connect_return_code(255).has_value());
  EXPECT_EQ(to_connect_return_code(ReasonCode::banned), ConnectReturnCode::not_authorized);
  EXPECT_EQ(to_connect_return_code(ReasonCode::bad_authentication_method),
            ConnectReturnCode::bad_user_name_or_password);
  EXPECT_EQ(to_connect_return_code(ReasonCode::server_busy), ConnectReturnCode::server_unavailable);
  for (int value = 0x80; value < 256; ++value) {  // a failure never becomes "accepted"
    EXPECT_NE(to_connect_return_code(static_cast<ReasonCode>(value)), ConnectReturnCode::accepted);
  }
}

TEST(MqttReasonCode, PacketTypeNames) {
  std::set<std::string> names;
  for (std::uint8_t type = 1; type <= 15; ++type) {
    names.insert(packet_type_name(static_cast<PacketType>(type)));
  }
  EXPECT_EQ(names.size(), 15U);
}

// Whatever goes wrong, there is a packet that may carry the reason: DISCONNECT, or CONNACK for a
// CONNECT.
TEST(MqttDecodeError, EveryErrorHasNameTextAndAReasonThatMayBeSent) {
  std::set<std::string> names;
  const int last = static_cast<int>(DecodeError::reason_code_invalid);
  for (int i = 0; i <= last; ++i) {
    const auto error = static_cast<DecodeError>(i);
    names.insert(decode_error_name(error));
    EXPECT_GT(std::string(decode_error_text(error)).size(), 10U);
    const ReasonCode reason = reason_code(error);
    EXPECT_TRUE(is_failure(reason));
    const bool is_of_connect = error == DecodeError::protocol_version_unsupported ||
                               error == DecodeError::client_id_missing;
    EXPECT_TRUE(
        is_reason_allowed(is_of_connect ? PacketType::connack : PacketType::disconnect, reason))
        << decode_error_name(error);
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(last) + 1);
}

TEST(MqttEncodeError, EveryErrorHasAName) {
  std::set<std::string> names;
  for (int i = 0; i <= static_cast<int>(EncodeError::value_invalid); ++i) {
    names.insert(encode_error_name(static_cast<EncodeError>(i)));
  }
  EXPECT_EQ(names.size(), 6U);
}

}  // namespace
}  // namespace ficus::mqtt
