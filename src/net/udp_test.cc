#include "net/udp.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "net/loopback_testing.h"

namespace ficus::net {
namespace {

TEST(Udp, ReceivesDatagramsWithTheirSender) {
  EventLoop loop;
  std::vector<std::pair<std::string, Address>> got;
  auto receiver = UdpSocket::open(
      loop, loopback_any_port(), {},
      [&](auto bytes, const Address& from) { got.emplace_back(text_of(bytes), from); });
  auto sender = UdpSocket::open(loop, loopback_any_port(), {}, nullptr);
  ASSERT_TRUE(receiver && sender);
  const std::string largest = pattern(65'507);  // RFC 768 and 791: 65535 - 20 - 8
  for (const std::string& text : {std::string("!AIVDM"), std::string(), largest}) {
    EXPECT_TRUE((*sender)->send(bytes_of(text), (*receiver)->address()));
  }
  ASSERT_TRUE(run_until(loop, [&] { return got.size() == 3; }));
  EXPECT_EQ(got[0].first, "!AIVDM");
  EXPECT_EQ(got[1].first, "");
  EXPECT_TRUE(got[2].first == largest);
  EXPECT_EQ(got[0].second, (*sender)->address());
  EXPECT_EQ((*receiver)->received_count(), 3u);
  EXPECT_EQ((*receiver)->dropped_count(), 0u);
}

TEST(Udp, CountsWhatTheKernelDropped) {
  EventLoop loop;
  auto receiver = UdpSocket::open(loop, loopback_any_port(), {.receive_buffer_bytes = 4096},
                                  [](auto, const Address&) {});
  auto sender = UdpSocket::open(loop, loopback_any_port(), {}, nullptr);
  const std::string datagram(1000, 'x');
  constexpr std::uint64_t kSent = 500;
  for (std::uint64_t i = 0; i < kSent; ++i) {
    ASSERT_TRUE((*sender)->send(bytes_of(datagram), (*receiver)->address()));
  }
  run_for(loop, Micros::from_millis(5));
  ASSERT_TRUE((*sender)->send(bytes_of("last"), (*receiver)->address()));  // carries the count
  ASSERT_TRUE(run_until(loop, [&] {
    return (*receiver)->received_count() + (*receiver)->dropped_count() == kSent + 1;
  }));
  EXPECT_GT((*receiver)->dropped_count(), 0u);
}

TEST(Udp, RefusesWhatCannotBeSent) {
  EventLoop loop;
  auto sender = UdpSocket::open(loop, loopback_any_port(), {}, nullptr);
  const std::string too_long(66'000, 'x');
  const auto sent = (*sender)->send(bytes_of(too_long), (*sender)->address());
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::invalid_input);
  auto again = UdpSocket::open(loop, (*sender)->address(), {}, nullptr);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
}

TEST(Udp, ServesBothFamiliesWithOneSocket) {
  EventLoop loop;
  std::vector<std::pair<std::string, Address>> got;
  auto any = UdpSocket::open(loop, *Address::parse(":0"), {}, [&](auto bytes, const Address& from) {
    got.emplace_back(text_of(bytes), from);
  });
  auto v4 = UdpSocket::open(loop, loopback_any_port(), {}, [&](auto bytes, const Address&) {
    got.emplace_back(text_of(bytes), Address{});
  });
  ASSERT_TRUE(any && v4);
  Address target = (*v4)->address();
  target.port = (*any)->address().port;
  ASSERT_TRUE((*v4)->send(bytes_of("there"), target));
  ASSERT_TRUE(run_until(loop, [&] { return got.size() == 1; }));
  EXPECT_EQ(got[0].second, (*v4)->address());
  ASSERT_TRUE((*any)->send(bytes_of("back"), got[0].second));
  ASSERT_TRUE(run_until(loop, [&] { return got.size() == 2; }));
  EXPECT_EQ(got[1].first, "back");
}

TEST(Udp, MayBeDestroyedInItsCallback) {
  EventLoop loop;
  std::unique_ptr<UdpSocket> socket;
  bool is_done = false;
  socket = *UdpSocket::open(loop, loopback_any_port(), {}, [&](auto, const Address&) {
    socket.reset();
    is_done = true;
  });
  const Address address = socket->address();
  auto sender = UdpSocket::open(loop, loopback_any_port(), {}, nullptr);
  ASSERT_TRUE((*sender)->send(bytes_of("a"), address));
  ASSERT_TRUE((*sender)->send(bytes_of("b"), address));
  ASSERT_TRUE(run_until(loop, [&] { return is_done; }));
  run_for(loop, Micros::from_millis(2));
}

}  // namespace
}  // namespace ficus::net
