// Passwords, header fields, delays, sessions: each alone.
#include <gtest/gtest.h>

#include "access/credentials.h"
#include "access/login_throttle.h"
#include "access/password.h"
#include "access/session_book.h"

namespace ficus::access {
namespace {

TEST(Password, HashesAsOthersDo) {
  // A test value of the reference implementation (its test.c, version 1.3).
  EXPECT_TRUE(verify_password(
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "password"));
  const std::string phc = hash_password("correct horse", Salt{}, {64, 1, 1});
  EXPECT_TRUE(phc.starts_with("$argon2id$v=19$m=64,t=1,p=1$")) << phc;
  EXPECT_TRUE(verify_password(phc, "correct horse"));
  EXPECT_FALSE(verify_password(phc, "correct horsf"));
  EXPECT_FALSE(verify_password(phc, ""));
  EXPECT_FALSE(verify_password("", "x"));
  for (std::size_t size = 0; size < phc.size(); ++size) {
    EXPECT_FALSE(verify_password(phc.substr(0, size), "correct horse")) << size;
  }
}

TEST(Password, RefusesHashesThatWouldCostTooMuch) {
  const std::string tail = "$c29tZXNhbHRzb21lc2E$tTpfAcYTqFX6rhqMdfNqAaMEqK7QrGbRyFKDXE0n2i4";
  EXPECT_EQ(password_cost("$argon2id$v=19$m=19456,t=3,p=1" + tail), PasswordCost{});
  for (const char* head :
       {"$argon2id$v=19$m=1000000,t=3,p=1", "$argon2id$v=19$m=19456,t=100,p=1",
        "$argon2id$v=19$m=19456,t=3,p=9", "$argon2id$v=16$m=19456,t=3,p=1",
        "$argon2i$v=19$m=19456,t=3,p=1", "$argon2id$v=19$m=1,t=3,p=1", "$argon2id$v=19$m=,t=3,p=1",
        "$argon2id$v=19$m=99999999999999,t=3,p=1", "$2b$12$abc"}) {
    EXPECT_FALSE(password_cost(head + tail)) << head;
  }
  EXPECT_TRUE(password_cost(decoy_hash({}, Salt{})));
  EXPECT_FALSE(verify_password(decoy_hash({64, 1, 1}, Salt{}), "anything"));
}

TEST(Credentials, AuthorizationFields) {
  const auto bearer = parse_authorization("Bearer abc");
  ASSERT_TRUE(bearer);
  EXPECT_EQ(std::get<BearerToken>(*bearer).token, "abc");
  // RFC 7617, 2: the example; and 2.1: UTF-8, colons in the password.
  const auto basic = parse_authorization("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  ASSERT_TRUE(basic);
  EXPECT_EQ(std::get<BasicCredentials>(*basic).user, "Aladdin");
  EXPECT_EQ(std::get<BasicCredentials>(*basic).password, "open sesame");
  const auto colons = parse_authorization("Basic dGVzdDoxOjI6wqM=");
  ASSERT_TRUE(colons);
  EXPECT_EQ(std::get<BasicCredentials>(*colons).password, "1:2:£");
  for (const std::string& field :
       {std::string(), std::string("Bearer"), std::string("Bearer "), std::string("Bearer a b"),
        std::string("Basic"), std::string("Basic !"), std::string("Basic YWJj"),
        std::string("Digest x"), "Bearer " + std::string(5000, 'a')}) {
    EXPECT_FALSE(parse_authorization(field)) << field.substr(0, 40);
  }
}

TEST(Credentials, Base64) {  // RFC 4648, 10
  const std::pair<const char*, const char*> cases[] = {{"", ""},           {"Zg==", "f"},
                                                       {"Zm8=", "fo"},     {"Zm9v", "foo"},
                                                       {"Zm9vYg", "foob"}, {"Zm9vYmE", "fooba"}};
  for (const auto& [text, bytes] : cases) EXPECT_EQ(base64_decode(text), bytes) << text;
  for (const char* text : {"Z", "Zh==", "Zm9=", "Zg=", "Z g=", "====", "Zg==Zg=="}) {
    EXPECT_FALSE(base64_decode(text)) << text;
  }
}

TEST(Credentials, CookiesAndForms) {
  EXPECT_EQ(find_cookie("a=1; s=2; s=3", "s"), "2");
  EXPECT_EQ(find_cookie("ss=1;s=\"2\"", "s"), "2");
  EXPECT_EQ(find_cookie("s", "s"), "");
  EXPECT_EQ(find_cookie(";;=;s=", "s"), "");
  EXPECT_EQ(form_value("user=w%C3%A4ng&password=a+b%26", "password"), "a b&");
  EXPECT_EQ(form_value("user=w%C3%A4ng&password=a", "user"), "wäng");
  EXPECT_FALSE(form_value("user=%C", "user"));
  EXPECT_FALSE(form_value("user=1", "password"));
  EXPECT_EQ(form_value("user", "user"), "");
}

TEST(DelayTable, GrowsToItsLimitAndForgets) {
  DelayTable table({.free_failures = 2, .max = Micros::from_seconds(8), .keys_max = 3});
  Micros now = Micros::from_seconds(1000);
  std::vector<std::int64_t> delays;
  for (int i = 0; i < 8; ++i) {
    table.fail("k", now);
    delays.push_back(std::max<std::int64_t>(table.wait("k", now).count, 0) / 1'000'000);
  }
  EXPECT_EQ(delays, (std::vector<std::int64_t>{0, 0, 1, 2, 4, 8, 8, 8}));
  for (int i = 0; i < 1000; ++i) table.fail("k", now);
  EXPECT_EQ(table.wait("k", now), Micros::from_seconds(8));
  now = now + Micros::from_seconds(16 * 60);
  table.fail("k", now);
  EXPECT_LE(table.wait("k", now).count, 0);
  for (const char* key : {"a", "b", "c", "d"}) table.fail(key, now);
  EXPECT_EQ(table.size(), 3U);
  table.forget("d");
  EXPECT_EQ(table.size(), 2U);
}

TEST(LoginThrottle, AddressesAreDelayedButNotThoseKnownThere) {
  LoginThrottle throttle;
  const Micros now = Micros::from_seconds(1000);
  throttle.succeed("wang", "10.0.0.1", now);
  for (int i = 0; i < 25; ++i) throttle.fail("user" + std::to_string(i), "10.0.0.1", now);
  EXPECT_GT(throttle.wait("li", "10.0.0.1", now).count, 0);
  EXPECT_LE(throttle.wait("li", "10.0.0.2", now).count, 0);
  EXPECT_LE(throttle.wait("wang", "10.0.0.1", now).count, 0);
  for (int i = 0; i < 6; ++i) throttle.fail("wang", "10.0.0.1", now);
  EXPECT_GT(throttle.wait("wang", "10.0.0.1", now).count, 0);  // their own failures count
}

TEST(AddressKey, IsWithoutPortAndOneNetworkForIpv6) {
  EXPECT_EQ(address_key("10.1.2.3:5000"), "10.1.2.3");
  EXPECT_EQ(address_key("10.1.2.3"), "10.1.2.3");
  EXPECT_EQ(address_key("[2001:db8:1:2:3::1]:443"), "2001:db8:1:2::/64");
  EXPECT_EQ(address_key("2001:db8:1:2:4::9"), "2001:db8:1:2::/64");
  EXPECT_EQ(address_key("[::1]:1"), "::1");
  for (const char* odd : {"", "[", "]", "[]", ":", "::::", "[:", "a:b:c"}) (void)address_key(odd);
}

TEST(SessionBook, EndsByIdlenessAgeAndCount) {
  SessionBook book({.idle_max = Micros::from_seconds(10),
                    .age_max = Micros::from_seconds(100),
                    .sessions_max = 2});
  const auto who = std::make_shared<const Principal>("wang", "", Rights{}, 1);
  const std::string first = book.start(who, sha256("1"), Micros::from_seconds(0));
  EXPECT_EQ(book.find(first, Micros::from_seconds(10)), who);
  EXPECT_EQ(book.find("", Micros::from_seconds(10)), nullptr);
  EXPECT_EQ(book.find(first, Micros::from_seconds(21)), nullptr);
  const std::string second = book.start(who, sha256("2"), Micros::from_seconds(30));
  for (int t = 30; t <= 130; t += 10)
    EXPECT_NE(book.find(second, Micros::from_seconds(t)), nullptr);
  EXPECT_EQ(book.find(second, Micros::from_seconds(131)), nullptr);
  const std::string third = book.start(who, sha256("3"), Micros::from_seconds(200));
  const std::string fourth = book.start(who, sha256("4"), Micros::from_seconds(201));
  const std::string fifth = book.start(who, sha256("5"), Micros::from_seconds(202));
  EXPECT_EQ(book.size(), 2U);
  EXPECT_EQ(book.find(third, Micros::from_seconds(203)), nullptr);
  EXPECT_TRUE(book.end(fourth));
  EXPECT_FALSE(book.end(fourth));
  EXPECT_NE(book.find(fifth, Micros::from_seconds(203)), nullptr);
}

}  // namespace
}  // namespace ficus::access
