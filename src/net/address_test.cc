#include "net/address.h"

#include <gtest/gtest.h>

namespace ficus::net {
namespace {

TEST(Address, ParsesAndFormatsEachFamily) {
  for (const char* text : {"127.0.0.1:1883", "0.0.0.0:0", "[::1]:80", "[::]:65535", ":8080",
                           "[2001:db8::1]:443", "255.255.255.255:1"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address) << text << ": " << address.error().message;
    EXPECT_EQ(address->text(), text);
  }
  EXPECT_EQ(Address::parse(":8080")->family, AddressFamily::any);
  EXPECT_EQ(Address::parse("[::1]:80")->family, AddressFamily::v6);
}

TEST(Address, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "a port is missing"},
      {"127.0.0.1", "a port is missing"},
      {"127.0.0.1:", "the port after ':' is missing"},
      {"127.0.0.1:65536", "0 to 65535"},
      {"127.0.0.1:-1", "0 to 65535"},
      {"127.0.0.1:80x", "0 to 65535"},
      {"localhost:80", "names are not looked up"},
      {"256.0.0.1:80", "no IPv4 address"},
      {"::1:80", "in brackets"},
      {"[::1:80", "']' is missing"},
      {"[::1]80", "must follow ']'"},
      {"[127.0.0.1]:80", "no IPv6 address"},
      {"[]:80", "no IPv6 address"},
      {"[fe80::1%eth0]:80", "no IPv6 address"},
  };
  for (const auto& [text, expected] : cases) {
    const auto address = Address::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, ErrorCode::invalid_input);
    EXPECT_NE(address.error().message.find(expected), std::string::npos) << address.error().message;
  }
}

TEST(Address, KnowsLoopbackAndMulticast) {
  EXPECT_TRUE(Address::parse("127.0.0.1:1")->is_loopback());
  EXPECT_TRUE(Address::parse("127.9.9.9:1")->is_loopback());
  EXPECT_TRUE(Address::parse("[::1]:1")->is_loopback());
  EXPECT_FALSE(Address::parse("[::2]:1")->is_loopback());
  EXPECT_FALSE(Address::parse("10.0.0.1:1")->is_loopback());
  EXPECT_FALSE(Address::parse(":1")->is_loopback());
  EXPECT_TRUE(Address::parse("239.1.2.3:1")->is_multicast());
  EXPECT_TRUE(Address::parse("[ff02::1]:1")->is_multicast());
  EXPECT_FALSE(Address::parse("127.0.0.1:1")->is_multicast());
}

TEST(HostPort, TakesNamesNumbersAndDefaults) {
  EXPECT_EQ(*parse_host_port("broker.city.cn:1883"), (HostPort{"broker.city.cn", 1883}));
  EXPECT_EQ(*parse_host_port("[::1]:80"), (HostPort{"::1", 80}));
  EXPECT_EQ(*parse_host_port("localhost", 1883), (HostPort{"localhost", 1883}));
  EXPECT_FALSE(parse_host_port("localhost"));
  EXPECT_FALSE(parse_host_port(":80"));
  EXPECT_FALSE(parse_host_port("a:0"));
  EXPECT_FALSE(parse_host_port("a:b"));
  EXPECT_FALSE(parse_host_port(std::string(300, 'a') + ":80"));
}

}  // namespace
}  // namespace ficus::net
