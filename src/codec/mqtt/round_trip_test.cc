#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "codec/mqtt/encoder.h"
#include "codec/mqtt/publish_image.h"
#include "codec/mqtt/test_support.h"

// Random packets of every type and both versions: what is encoded decodes to the same value.

namespace ficus::mqtt::test {
namespace {

// Makes packets and owns what they borrow.
class PacketMaker {
 public:
  PacketMaker(std::uint64_t seed, ProtocolVersion version) : random_(seed), version_(version) {}

  Packet make(PacketType type);
  Random& random() { return random_; }

 private:
  std::string_view text(std::size_t size_max = 20) {
    static constexpr const char* kPieces[] = {"a", "Z", "0", "-", "福", "\xf0\x9f\x8c\xb3", "é"};
    std::string& text = texts_.emplace_back();
    for (auto n = random_.below(size_max); n > 0; --n) text += kPieces[random_.below(7)];
    return text;
  }
  std::string_view topic() {
    std::string& text = texts_.emplace_back("t");
    for (auto n = random_.below(4); n > 0; --n) text.append("/").append(this->text(5));
    return text;
  }
  std::string_view filter() {
    std::string& text = texts_.emplace_back(random_.chance(0.2) ? "$share/g/x" : "+");
    text.append("/").append(this->text(5));
    if (random_.chance(0.5)) text += "/#";
    return text;
  }
  Bytes bytes(std::size_t size_max = 20) {
    std::string& text = texts_.emplace_back();
    for (auto n = random_.below(size_max); n > 0; --n) text += static_cast<char>(random_.next());
    return view(text);
  }
  PacketId packet_id() { return PacketId{static_cast<std::uint16_t>(1 + random_.below(65'535))}; }
  Qos qos(std::uint64_t count = 3) { return static_cast<Qos>(random_.below(count)); }

  ReasonCode reason(PacketType type) {
    for (;;) {
      const auto code = static_cast<std::uint8_t>(random_.next());
      const ReasonCode reason{code};
      const bool is_old = type == PacketType::suback ? code <= 2 || code == 0x80
                                                     : from_connect_return_code(code).has_value();
      if (version_ == kV3 && type != PacketType::connack && !is_old) continue;
      if (is_reason_allowed(type, reason)) return reason;
    }
  }
  ReasonCodes reasons(PacketType type) {
    std::vector<ReasonCode>& codes = reasons_.emplace_back();
    for (auto n = 1 + random_.below(5); n > 0; --n) codes.push_back(reason(type));
    return ReasonCodes(std::span<const ReasonCode>(codes));
  }

  void fill(PropertyId id, std::optional<std::string_view>& field) {
    field = id == PropertyId::response_topic ? topic() : text();
  }
  void fill(PropertyId, std::optional<Bytes>& field) { field = bytes(); }
  void fill(PropertyId, std::optional<bool>& field) { field = random_.chance(0.5); }
  void fill(PropertyId, std::optional<Qos>& field) { field = qos(2); }
  void fill(PropertyId, std::optional<SubscriptionId>& field) { field = subscription_id(); }
  void fill(PropertyId, std::optional<std::uint16_t>& field) {
    field = static_cast<std::uint16_t>(1 + random_.below(65'535));
  }
  void fill(PropertyId, std::optional<std::uint32_t>& field) {
    field = static_cast<std::uint32_t>(1 + random_.below(0xffff'ffff));
  }
  void fill(PropertyId, UserProperties& field) {
    UserPropertyBuffer& buffer = user_.emplace_back();
    for (auto n = random_.below(4); n > 0; --n) EXPECT_TRUE(buffer.add(text(), text()));
    field = buffer.view();
  }
  void fill(PropertyId, SubscriptionIds& field) {
    SubscriptionIdBuffer& buffer = ids_.emplace_back();
    for (auto n = random_.below(4); n > 0; --n) EXPECT_TRUE(buffer.add(subscription_id()));
    field = buffer.view();
  }
  SubscriptionId subscription_id() {
    const std::uint64_t bits = random_.below(28);
    return SubscriptionId{static_cast<std::uint32_t>(1 + random_.below((1ULL << bits) + 0))};
  }
  template <typename Properties>
  void fill(Properties& properties) {
    if (version_ == kV3 || random_.chance(0.2)) return;
    Properties::fields(properties, [&](PropertyId id, auto& field) {
      if (random_.chance(0.5)) fill(id, field);
    });
  }

  Connect connect();
  Publish publish();
  Subscribe subscribe();
  Auth auth();
  template <typename P>
  P response() {
    P packet{.packet_id = packet_id()};
    if (version_ == kV5) packet.reason = reason(P::kType);
    fill(packet.properties);
    return packet;
  }

  Random random_;
  ProtocolVersion version_;
  std::deque<std::string> texts_;
  std::deque<std::vector<ReasonCode>> reasons_;
  std::deque<UserPropertyBuffer> user_;
  std::deque<SubscriptionIdBuffer> ids_;
  std::deque<SubscriptionBuffer> subscriptions_;
  std::deque<TopicFilterBuffer> filters_;
};

Connect PacketMaker::connect() {
  Connect connect{.version = version_,
                  .clean_start = random_.chance(0.5),
                  .keep_alive_s = static_cast<std::uint16_t>(random_.next()),
                  .client_id = text()};
  if (version_ == kV3 && connect.client_id.empty()) connect.clean_start = true;
  fill(connect.properties);
  if (!connect.properties.authentication_method) connect.properties.authentication_data.reset();
  if (random_.chance(0.5)) {
    connect.will =
        Will{.qos = qos(), .retain = random_.chance(0.5), .topic = topic(), .payload = bytes(200)};
    fill(connect.will->properties);
  }
  if (random_.chance(0.5)) connect.user_name = text();
  if (random_.chance(0.5) && (version_ == kV5 || connect.user_name)) connect.password = bytes();
  return connect;
}

Publish PacketMaker::publish() {
  Publish publish{
      .qos = qos(), .retain = random_.chance(0.5), .topic = topic(), .payload = bytes(300)};
  if (publish.qos != Qos::at_most_once) {
    publish.dup = random_.chance(0.5);
    publish.packet_id = packet_id();
  }
  fill(publish.properties);
  if (publish.properties.topic_alias && random_.chance(0.5)) publish.topic = {};
  return publish;
}

Subscribe PacketMaker::subscribe() {
  SubscriptionBuffer& buffer = subscriptions_.emplace_back();
  for (auto n = 1 + random_.below(4); n > 0; --n) {
    Subscription entry{.filter = filter(), .qos_max = qos()};
    if (version_ == kV5) {
      entry.no_local = !entry.filter.starts_with("$share/") && random_.chance(0.5);
      entry.retain_as_published = random_.chance(0.5);
      entry.retain_handling = static_cast<RetainHandling>(random_.below(3));
    }
    EXPECT_TRUE(buffer.add(entry));
  }
  Subscribe subscribe{.packet_id = packet_id(), .subscriptions = buffer.view()};
  fill(subscribe.properties);
  return subscribe;
}

Auth PacketMaker::auth() {
  Auth auth{.reason = reason(PacketType::auth)};
  fill(auth.properties);
  if (!(auth == Auth{})) auth.properties.authentication_method = text();
  return auth;
}

Packet PacketMaker::make(PacketType type) {
  switch (type) {
    case PacketType::connect:
      return connect();
    case PacketType::connack: {
      Connack connack{.reason = reason(type)};
      if (version_ == kV3) {
        connack.reason = *from_connect_return_code(
            static_cast<std::uint8_t>(to_connect_return_code(connack.reason)));
      }
      connack.session_present = connack.reason == ReasonCode::success && random_.chance(0.5);
      fill(connack.properties);
      return connack;
    }
    case PacketType::publish:
      return publish();
    case PacketType::puback:
      return response<Puback>();
    case PacketType::pubrec:
      return response<Pubrec>();
    case PacketType::pubrel:
      return response<Pubrel>();
    case PacketType::pubcomp:
      return response<Pubcomp>();
    case PacketType::subscribe:
      return subscribe();
    case PacketType::suback: {
      Suback suback{.packet_id = packet_id(), .reasons = reasons(type)};
      fill(suback.properties);
      return suback;
    }
    case PacketType::unsubscribe: {
      TopicFilterBuffer& buffer = filters_.emplace_back();
      for (auto n = 1 + random_.below(4); n > 0; --n) EXPECT_TRUE(buffer.add(filter()));
      Unsubscribe unsubscribe{.packet_id = packet_id(), .filters = buffer.view()};
      fill(unsubscribe.properties);
      return unsubscribe;
    }
    case PacketType::unsuback: {
      Unsuback unsuback{.packet_id = packet_id()};
      if (version_ == kV5) unsuback.reasons = reasons(type);
      fill(unsuback.properties);
      return unsuback;
    }
    case PacketType::pingreq:
      return Pingreq{};
    case PacketType::pingresp:
      return Pingresp{};
    case PacketType::disconnect: {
      Disconnect disconnect;
      if (version_ == kV5) disconnect.reason = reason(type);
      fill(disconnect.properties);
      return disconnect;
    }
    case PacketType::auth:
      return auth();
  }
  std::unreachable();
}

class MqttRoundTrip : public testing::TestWithParam<std::tuple<ProtocolVersion, int>> {
 protected:
  ProtocolVersion version() const { return std::get<0>(GetParam()); }
  PacketType type() const { return static_cast<PacketType>(std::get<1>(GetParam())); }
  bool exists() const { return version() == kV5 || type() != PacketType::auth; }
};

TEST_P(MqttRoundTrip, DecodesToTheSameValue) {
  if (!exists()) return;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    PacketMaker maker(seed, version());
    const Packet packet = maker.make(type());
    std::vector<std::byte> out = wire("c0 00");  // encoding appends
    const auto status = encode(packet, version(), kNoLimit, out);
    ASSERT_TRUE(status.has_value()) << seed << " " << encode_error_name(status.error());
    const auto input = std::span<const std::byte>(out).subspan(2);
    const auto decoded = decode(input, version(), kNoLimit);
    ASSERT_TRUE(decoded.has_value()) << seed << " " << decode_error_name(decoded.error());
    EXPECT_EQ(decoded->bytes, input.size());
    EXPECT_TRUE(decoded->packet == packet) << seed;
    // And the same bytes again from the decoded value, which borrows in other ways.
    std::vector<std::byte> again;
    ASSERT_TRUE(encode(decoded->packet, version(), kNoLimit, again).has_value());
    EXPECT_TRUE(Bytes(again) == Bytes(input)) << seed;
  }
}

// What follows the packet in the buffer changes nothing; one byte less and it is incomplete. The
// prefixes are copied to exact allocations, so that the address sanitizer sees a read beyond them.
TEST_P(MqttRoundTrip, EveryPrefixIsIncomplete) {
  if (!exists()) return;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    PacketMaker maker(seed, version());
    std::vector<std::byte> out;
    ASSERT_TRUE(encode(maker.make(type()), version(), kNoLimit, out).has_value());
    for (std::size_t size = 0; size < out.size(); ++size) {
      const std::vector<std::byte> prefix(out.begin(), out.begin() + size);
      EXPECT_EQ(error_of(prefix, version()), "incomplete") << size << " of " << out.size();
    }
    const std::size_t bytes = out.size();
    out.insert(out.end(), 3, std::byte{0xff});
    const auto decoded = decode(out, version(), bytes);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->bytes, bytes);
    EXPECT_EQ(error_of(out, version(), bytes - 1), "too_large");
  }
}

// Damaged packets give an error or another packet, never more than that.
TEST_P(MqttRoundTrip, DamageIsHarmless) {
  if (!exists()) return;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    PacketMaker maker(seed, version());
    std::vector<std::byte> bytes;
    ASSERT_TRUE(encode(maker.make(type()), version(), kNoLimit, bytes).has_value());
    for (auto n = 1 + maker.random().below(3); n > 0; --n) {
      bytes[maker.random().below(bytes.size())] = static_cast<std::byte>(maker.random().next());
    }
    const auto decoded = decode(bytes, version(), kNoLimit);
    if (!decoded) continue;
    std::vector<std::byte> again;
    const auto status = encode(decoded->packet, version(), kNoLimit, again);
    ASSERT_TRUE(status.has_value()) << encode_error_name(status.error());
    EXPECT_LE(again.size(), decoded->bytes);
  }
}

std::string case_name(const testing::TestParamInfo<MqttRoundTrip::ParamType>& instance) {
  const auto type = static_cast<PacketType>(std::get<1>(instance.param));
  return std::string(packet_type_name(type)) + (std::get<0>(instance.param) == kV5 ? "_5" : "_311");
}

INSTANTIATE_TEST_SUITE_P(All, MqttRoundTrip,
                         testing::Combine(testing::Values(kV3, kV5), testing::Range(1, 16)),
                         case_name);

TEST(MqttPublishImage, GivesWhatEncodingGives) {
  for (const ProtocolVersion version : {kV3, kV5}) {
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
      PacketMaker maker(seed, version);
      const Publish publish = std::get<Publish>(maker.make(PacketType::publish));
      const auto image = PublishImage::create(publish, version);
      ASSERT_TRUE(image.has_value());
      std::vector<std::byte> expected = wire("c0 00");
      std::vector<std::byte> out = expected;
      ASSERT_TRUE(encode_publish(publish, version, kNoLimit, expected).has_value());
      image->append_to(out, publish.packet_id, publish.dup);
      EXPECT_TRUE(Bytes(out) == Bytes(expected)) << seed;
      EXPECT_EQ(image->bytes() + 2, expected.size());
      EXPECT_EQ(image->qos(), publish.qos);
    }
  }
}

}  // namespace
}  // namespace ficus::mqtt::test
