#include "connect/ais/ais_connector.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

#include "connect/ingest/engine_testing.h"
#include "net/bytes.h"
#include "net/loopback_testing.h"
#include "net/udp.h"

namespace ficus::connect {
namespace {

constexpr std::string_view kPosition = "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A\r\n";
constexpr std::string_view kVoyage1 =
    "!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C\r\n";
constexpr std::string_view kVoyage2 = "!AIVDM,2,2,1,A,88888888880,2*25\r\n";

std::string source_of(std::string_view ais) {
  return "sources:\n  - name: coast\n    ais: {" + std::string(ais) + "}\n";
}

// A port that was free a moment ago: a source has no port 0.
net::Address free_address() {
  net::EventLoop loop;
  const auto listener = net::TcpListener::open(loop, net::loopback_any_port(), {}, [](auto) {});
  return (*listener)->address();
}

struct AisHouse : EngineHouse {
  explicit AisHouse(std::string_view ais) : EngineHouse(source_of(ais), "types: {}\n") {
    auto opened =
        AisConnector::open(loop, *ingest, sources.share(sources.all()[0]), schema, clock, logger);
    EXPECT_TRUE(opened) << opened.error().message;
    connector = *std::move(opened);
  }
  bool until_received(std::uint64_t items) {
    return net::run_until(loop, [&] { return books("coast").received >= items; });
  }
  std::unique_ptr<AisConnector> connector;
};

TEST(AisConnector, TcpPeersInPiecesOfAnySize) {
  AisHouse house("listen: 'tcp://" + free_address().text() + "'");
  const auto peer = net::RawPeer::connect(house.loop, house.connector->address());
  ASSERT_NE(peer, nullptr);
  for (const char c : std::string(kPosition) + std::string(kVoyage1) + std::string(kVoyage2)) {
    peer->send(std::string(1, c));
    house.loop.run_turn(Micros::from_millis(1));
  }
  ASSERT_TRUE(house.until_received(2));
  const SourceBooks books = house.books("coast");
  EXPECT_EQ(books.applied, 2u);
  EXPECT_TRUE(books.balanced());
  EXPECT_EQ(house.connector->counts().messages, 2u);
  EXPECT_EQ(house.connector->counts().lines, 3u);
  EXPECT_EQ(house.connector->counts().connections, 1u);
}

TEST(AisConnector, WhatIsNoAisOrDamagedIsCountedAndStopsNothing) {
  AisHouse house("listen: 'tcp://" + free_address().text() + "'");
  const auto peer = net::RawPeer::connect(house.loop, house.connector->address());
  std::string damaged(kPosition);
  damaged[20] = damaged[20] == 'a' ? 'b' : 'a';  // the checksum tells
  peer->send("$GPGLL,5057.970,N,00146.110,E,142451,A*27\r\n" + damaged +
             std::string("\x16\x03\x01 hello\r\n", 11) + std::string(kPosition));
  ASSERT_TRUE(net::run_until(house.loop, [&] { return house.books("coast").applied == 1; }));
  const SourceBooks books = house.books("coast");
  EXPECT_EQ(books.quarantined, 2u);  // damaged, and no sentence at all
  EXPECT_EQ(books.refused(), 1u);    // another sentence of NMEA 0183
  EXPECT_TRUE(books.balanced());
}

TEST(AisConnector, ALineWithoutAnEndIsBounded) {
  AisHouse house("listen: 'tcp://" + free_address().text() + "'");
  const auto peer = net::RawPeer::connect(house.loop, house.connector->address());
  const std::string endless(std::size_t{4} << 20, 'x');
  peer->send(endless);
  peer->send("\r\n" + std::string(kPosition));
  ASSERT_TRUE(net::run_until(house.loop, [&] { return house.books("coast").applied == 1; }));
  EXPECT_TRUE(house.books("coast").balanced());
}

TEST(AisConnector, TheRestOfAPeerThatLeavesIsTaken) {
  AisHouse house("listen: 'tcp://" + free_address().text() + "'");
  const auto peer = net::RawPeer::connect(house.loop, house.connector->address());
  peer->send(kVoyage1);  // its second part will never come
  peer->send(kPosition.substr(0, kPosition.size() - 2));
  peer->tcp->close();
  ASSERT_TRUE(house.until_received(2));
  const SourceBooks books = house.books("coast");
  EXPECT_EQ(books.applied, 1u);      // the line without its end was whole
  EXPECT_EQ(books.quarantined, 1u);  // the first part, kept with its bytes
  EXPECT_EQ(house.connector->counts().connections, 0u);
}

TEST(AisConnector, UdpDatagramsOfSeveralLinesAndParts) {
  AisHouse house("listen: 'udp://" + free_address().text() + "'");
  auto socket = net::UdpSocket::open(house.loop, net::loopback_any_port(), {}, {});
  ASSERT_TRUE(socket);
  const auto send = [&](const std::string& text) {
    ASSERT_TRUE((*socket)->send(net::bytes_of(text), house.connector->address()));
  };
  send(std::string(kPosition) + std::string(kPosition));
  send(std::string(kVoyage1));
  send(std::string(kVoyage2.substr(0, kVoyage2.size() - 2)));  // without an end
  send("");
  send("nothing of ours");
  ASSERT_TRUE(net::run_until(house.loop, [&] { return house.connector->counts().messages == 3; }));
  ASSERT_TRUE(house.until_received(3));
  EXPECT_TRUE(house.books("coast").balanced());
}

// Whoever comes while there is no room waits with the others, or who comes again and again would be
// read all the same.
TEST(AisConnector, WhileTheEngineIsFullNoPeerIsRead) {
  AisHouse house("listen: 'tcp://" + free_address().text() + "'");
  // An answer is given on the shard's thread, which takes nothing in until this one is through.
  std::promise<void> go_on;
  house.engine->books([waits = go_on.get_future().share()](const auto&) { waits.wait(); });
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += kPosition;
  const auto first = net::RawPeer::connect(house.loop, house.connector->address());
  std::uint64_t sent = 0;
  while (!house.ingest->is_congested()) {
    first->send(lines);
    sent += 1000;
    house.loop.run_turn(Micros::from_millis(1));
  }
  house.loop.run_turn(Micros::from_millis(1));  // of the peer that was being read
  const std::uint64_t taken = house.connector->counts().lines;

  std::vector<std::unique_ptr<net::RawPeer>> later;
  for (int i = 0; i < 3; ++i) {
    later.push_back(net::RawPeer::connect(house.loop, house.connector->address()));
    later.back()->send(lines);
    sent += 1000;
  }
  ASSERT_TRUE(
      net::run_until(house.loop, [&] { return house.connector->counts().connections == 4; }));
  net::run_for(house.loop, Micros::from_millis(100));
  EXPECT_EQ(house.connector->counts().lines, taken);
  go_on.set_value();
  EXPECT_TRUE(house.until_received(sent));
  EXPECT_TRUE(house.books("coast").balanced());
}

TEST(AisConnector, AsAClientItConnectsAgain) {
  const net::Address server = free_address();  // nobody is there yet
  AisHouse house("connect: 'tcp://" + server.text() + "'");
  net::run_for(house.loop, Micros::from_millis(200));
  std::vector<std::unique_ptr<net::Connection>> accepted;
  auto listener = net::TcpListener::open(house.loop, server, {}, [&](auto tcp) {
    accepted.push_back(std::move(tcp));
    accepted.back()->send_beyond_limit(std::string(kPosition));
  });
  ASSERT_TRUE(listener);
  ASSERT_TRUE(house.until_received(1));
  accepted.clear();  // the link is lost: it comes back
  ASSERT_TRUE(net::run_until(house.loop, [&] { return accepted.size() == 1; }));
  ASSERT_TRUE(house.until_received(2));
}

TEST(AisConnector, WhatItDoesNotListenForIsGivenToIt) {
  AisHouse house("listen: 'udp://" + free_address().text() + "'");
  house.connector.reset();
  auto created =
      AisConnector::create(house.loop, *house.ingest, house.sources.share(house.sources.all()[0]),
                           house.schema, house.clock, house.logger);
  ASSERT_TRUE(created);
  // Two senders whose messages of two parts have the same sequence id.
  const auto here = *net::Address::parse("10.0.0.1:4000");
  const auto there = *net::Address::parse("10.0.0.2:4000");
  (*created)->accept_datagram(net::bytes_of(kVoyage1), here);
  (*created)->accept_datagram(net::bytes_of(kVoyage2), there);
  ASSERT_TRUE(house.until_received(1));
  EXPECT_EQ(house.books("coast").quarantined, 1u);  // a second part without a first
  (*created)->accept_datagram(net::bytes_of(kVoyage2), here);
  ASSERT_TRUE(house.until_received(2));
  EXPECT_EQ(house.books("coast").applied, 1u);
  (*created)->drain();
  (*created)->accept_datagram(net::bytes_of(kPosition), here);
  house.loop.run_turn({});
  EXPECT_EQ((*created)->counts().lines, 3u);
}

// Or the first half of a message would be gone without a trace.
TEST(AisConnector, DrainingBooksThePartsThatWait) {
  AisHouse house("listen: 'tcp://" + free_address().text() + "'");
  const auto peer = net::RawPeer::connect(house.loop, house.connector->address());
  peer->send(kVoyage1);
  ASSERT_TRUE(net::run_until(house.loop, [&] { return house.connector->counts().lines == 1; }));
  house.connector->drain();
  ASSERT_TRUE(house.until_received(1));
  EXPECT_EQ(house.books("coast").quarantined, 1u);
  EXPECT_TRUE(net::run_until(house.loop, [&] { return house.connector->is_idle(); }));
}

TEST(AisConnector, DrainingTakesNoMore) {
  AisHouse house("listen: 'tcp://" + free_address().text() + "'");
  const auto peer = net::RawPeer::connect(house.loop, house.connector->address());
  peer->send(kPosition);
  ASSERT_TRUE(house.until_received(1));
  const net::Address address = house.connector->address();
  house.connector->drain();
  peer->send(kPosition);
  EXPECT_EQ(net::RawPeer::connect(house.loop, address), nullptr);
  EXPECT_EQ(house.books("coast").received, 1u);
}

}  // namespace
}  // namespace ficus::connect
