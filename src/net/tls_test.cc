#include "net/tls.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/socket_address.h"
#include "net/tls_testing.h"

namespace ficus::net {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TlsServerOptions server_of(const TestAuthority& authority, const TestCertificate& wish = {}) {
  return {.identity = authority.issue(wish)};
}

TEST(Tls, CarriesBytesBothWaysAndEndsInOrder) {
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  const auto client = house.connect(TlsHouse::trusting(authority.pem()));
  ASSERT_NE(client, nullptr) << house.error.message;
  EXPECT_TRUE(client->tcp->is_encrypted());
  ASSERT_NE(client->tcp->peer_certificate(), nullptr);
  EXPECT_EQ(client->tcp->peer_certificate()->common_name, "localhost");
  EXPECT_EQ(client->tcp->peer_certificate()->fingerprint.size(), 64u);
  client->send("ping");
  ASSERT_TRUE(run_until(
      house.loop, [&] { return !house.servers.empty() && house.servers[0]->received == "ping"; }));
  EXPECT_EQ(house.servers[0]->tcp->peer_certificate(), nullptr);  // none was asked for
  house.servers[0]->send("pong");
  ASSERT_TRUE(run_until(house.loop, [&] { return client->received == "pong"; }));
  EXPECT_EQ(client->tcp->bytes_received(), 4u);
  client->tcp->close();
  ASSERT_TRUE(
      run_until(house.loop, [&] { return client->is_closed && house.servers[0]->is_closed; }));
  EXPECT_TRUE(house.servers[0]->has_ended);  // close_notify came, not a broken link
  EXPECT_EQ(house.listener->tls_counts().handshakes, 1u);
}

TEST(Tls, FirstBytesMayComeWithTheEndOfTheHandshake) {
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  const auto trust = TlsHouse::trusting(authority.pem());
  for (int i = 0; i < 20; ++i) {
    const auto client = house.connect(trust);
    ASSERT_NE(client, nullptr);
    client->send("now");
    ASSERT_TRUE(run_until(house.loop, [&] {
      return !house.servers.empty() && house.servers.back()->received == "now";
    }));
    house.servers.clear();
  }
}

TEST(Tls, LargeTransfersBothWaysArriveWhole) {
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  const auto client = house.connect(TlsHouse::trusting(authority.pem()));
  ASSERT_NE(client, nullptr);
  const std::string there = pattern(9 * kMiB + 17);
  client->send(there);
  ASSERT_TRUE(run_until(house.loop, [&] { return !house.servers.empty(); }));
  const std::string back = pattern(5 * kMiB + 3);
  house.servers[0]->send(back);
  ASSERT_TRUE(run_until(house.loop, [&] {
    return house.servers[0]->received.size() >= there.size() &&
           client->received.size() >= back.size();
  }));
  EXPECT_TRUE(house.servers[0]->received == there);
  EXPECT_TRUE(client->received == back);
}

TEST(Tls, ManySmallBlocksAndMovedQueuesKeepTheirOrder) {
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  const auto client = house.connect(TlsHouse::trusting(authority.pem()));
  ASSERT_NE(client, nullptr);
  const std::string all = pattern(3 * kMiB);
  std::size_t at = 0;
  ASSERT_TRUE(run_until(house.loop, [&] {
    // A bit each turn, so that writes which would block are tried again with a longer queue.
    for (int i = 0; i < 10 && at < all.size(); ++i) {
      const std::size_t part = std::min<std::size_t>(1 + (at * 7919) % 9000, all.size() - at);
      if (!client->tcp->send(std::string_view(all).substr(at, part))) break;
      at += part;
    }
    house.loop.post([] {});
    return at == all.size();
  }));
  ASSERT_TRUE(run_until(house.loop, [&] { return house.servers[0]->received.size() == at; }));
  EXPECT_TRUE(house.servers[0]->received == all);
}

TEST(Tls, BackPressureHoldsTheSenderAndLosesNothing) {
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  const auto client = house.connect(TlsHouse::trusting(authority.pem()));
  ASSERT_NE(client, nullptr);
  ASSERT_TRUE(run_until(house.loop, [&] { return !house.servers.empty(); }));
  RawPeer& server = *house.servers[0];
  server.tcp->pause_reading();
  const std::string block = pattern(256 << 10);
  std::string sent;
  run_until(
      house.loop,
      [&] {
        while (client->tcp->send(block)) sent += block;
        return false;
      },
      Micros::from_millis(300));
  EXPECT_LT(sent.size(), 64 * kMiB);
  EXPECT_GT(client->tcp->bytes_queued(), 0u);
  EXPECT_LE(server.received.size(), 128u << 10);
  server.tcp->resume_reading();
  ASSERT_TRUE(run_until(house.loop, [&] { return server.received.size() == sent.size(); }));
  EXPECT_TRUE(server.received == sent);
  EXPECT_GT(client->writable_count, 0);
}

TEST(Tls, PausingWithinAReadKeepsWhatTlsHasAlreadyDecrypted) {
  struct Sipper final : ConnectionHandler {
    std::size_t on_bytes(std::span<const std::byte> bytes) override {
      received += text_of(bytes);
      connection->pause_reading();
      return bytes.size();
    }
    void on_closed(const Error&) override {}
    Connection* connection = nullptr;
    std::string received;
  } sipper;
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  const auto client = house.connect(TlsHouse::trusting(authority.pem()));
  ASSERT_NE(client, nullptr);
  ASSERT_TRUE(run_until(house.loop, [&] { return !house.servers.empty(); }));
  sipper.connection = house.servers[0]->tcp.get();
  house.servers[0]->tcp->start(sipper);
  const std::string all = pattern(kMiB);
  client->send(all);
  ASSERT_TRUE(run_until(house.loop, [&] {
    if (sipper.connection->is_reading_paused()) sipper.connection->resume_reading();
    return sipper.received.size() >= all.size();
  }));
  EXPECT_TRUE(sipper.received == all);
}

TEST(Tls, HalfClose) {
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  const auto client = house.connect(TlsHouse::trusting(authority.pem()));
  ASSERT_NE(client, nullptr);
  ASSERT_TRUE(run_until(house.loop, [&] { return !house.servers.empty(); }));
  house.servers[0]->stays_half_open = true;
  client->send("question");
  client->tcp->close();  // its end is sent; what still comes is read over
  ASSERT_TRUE(run_until(house.loop, [&] { return house.servers[0]->has_ended; }));
  EXPECT_EQ(house.servers[0]->received, "question");
  EXPECT_TRUE(house.servers[0]->tcp->send("answer"));
  house.servers[0]->tcp->close();
  ASSERT_TRUE(
      run_until(house.loop, [&] { return house.servers[0]->is_closed && client->is_closed; }));
}

TEST(Tls, AClientCertificateTellsWhoItIs) {
  const TestAuthority authority;
  const TestAuthority devices("Device Authority");
  TlsServerOptions options = server_of(authority);
  options.client_ca_pem = devices.pem();
  TlsHouse house(options);
  const TlsIdentity pump =
      devices.issue({.common_name = "pump-7", .alternative_names = "", .usage = "clientAuth"});
  const auto with = house.connect(TlsHouse::trusting(authority.pem(), pump));
  ASSERT_NE(with, nullptr) << house.error.message;
  ASSERT_TRUE(run_until(house.loop, [&] { return house.servers.size() == 1; }));
  const PeerCertificate* const known = house.servers[0]->tcp->peer_certificate();
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->common_name, "pump-7");
  EXPECT_EQ(known->fingerprint.find_first_not_of("0123456789abcdef"), std::string::npos);
  // Not required here: a client without one is taken, and is nobody.
  const auto without = house.connect(TlsHouse::trusting(authority.pem()));
  ASSERT_NE(without, nullptr);
  ASSERT_TRUE(run_until(house.loop, [&] { return house.servers.size() == 2; }));
  EXPECT_EQ(house.servers[1]->tcp->peer_certificate(), nullptr);
}

TEST(Tls, ARequiredClientCertificateMustBeThereAndBeGood) {
  const TestAuthority authority;
  const TestAuthority devices("Device Authority");
  TlsServerOptions options = server_of(authority);
  options.client_ca_pem = devices.pem();
  options.requires_client_certificate = true;
  TlsHouse house(options);
  const TlsIdentity stranger = authority.issue({.common_name = "pump-7"});
  const TlsIdentity expired = devices.issue({.common_name = "pump-7", .valid_to_seconds = -60});
  const TlsIdentity server_only = devices.issue({.common_name = "pump-7", .usage = "serverAuth"});
  struct Case {
    TlsIdentity identity;
    std::string expected;
  };
  const std::vector<Case> cases{{{}, "showed no certificate"},
                                {stranger, "comes from no authority"},
                                {expired, "expired at"},
                                {server_only, "certificate purpose"}};
  std::vector<std::unique_ptr<RawPeer>> clients;
  for (const Case& one : cases) {
    // With TLS 1.3 the client learns it only after its own handshake (RFC 8446, 4.4.2).
    clients.push_back(house.connect(TlsHouse::trusting(authority.pem(), one.identity)));
    const std::size_t want = clients.size();
    ASSERT_TRUE(run_until(house.loop, [&] { return house.refusals.size() == want; }));
    EXPECT_TRUE(house.refusals.back().contains(one.expected)) << house.refusals.back();
  }
  EXPECT_EQ(house.listener->tls_counts().refused_certificate, cases.size());
  EXPECT_TRUE(house.servers.empty());
}

TEST(Tls, ARevokedClientCertificateIsRefused) {
  const TestAuthority authority;
  const TestAuthority devices("Device Authority");
  const TlsIdentity lost = devices.issue({.common_name = "pump-7"});
  const TlsIdentity kept = devices.issue({.common_name = "pump-8"});
  TlsServerOptions options = server_of(authority);
  options.client_ca_pem = devices.pem();
  options.client_crl_pem = devices.revoke({lost});
  TlsHouse house(options);
  const auto good = house.connect(TlsHouse::trusting(authority.pem(), kept));
  ASSERT_TRUE(run_until(house.loop, [&] { return house.servers.size() == 1; }));
  const auto bad = house.connect(TlsHouse::trusting(authority.pem(), lost));
  ASSERT_TRUE(run_until(house.loop, [&] { return house.refusals.size() == 1; }));
  EXPECT_TRUE(house.refusals[0].contains("has been revoked")) << house.refusals[0];
  // Who shows none is asked for none.
  EXPECT_NE(house.connect(TlsHouse::trusting(authority.pem())), nullptr);

  // A list that is out of date says nothing any more: nobody is taken on its word.
  options.client_crl_pem = devices.revoke({lost}, -60);
  ASSERT_TRUE(house.context->reload(options));
  const auto late = house.connect(TlsHouse::trusting(authority.pem(), kept));
  ASSERT_TRUE(run_until(house.loop, [&] { return house.refusals.size() == 2; }));
  EXPECT_TRUE(house.refusals[1].contains("out of date")) << house.refusals[1];
  // Nor that of another authority.
  options.client_crl_pem = TestAuthority("Other Authority").revoke({});
  ASSERT_TRUE(house.context->reload(options));
  const auto foreign = house.connect(TlsHouse::trusting(authority.pem(), kept));
  ASSERT_TRUE(run_until(house.loop, [&] { return house.refusals.size() == 3; }));
  EXPECT_TRUE(house.refusals[2].contains("no revocation list")) << house.refusals[2];

  for (const std::string& text : {std::string("nonsense"), authority.pem()}) {
    options.client_crl_pem = text;
    const auto made = TlsServerContext::make(options);
    ASSERT_FALSE(made);
    EXPECT_TRUE(made.error().message.contains("BEGIN X509 CRL")) << made.error().message;
  }
}

TEST(Tls, TheClientSaysWhatIsWrongWithTheServersCertificate) {
  const TestAuthority authority;
  const TestAuthority other("Other Authority");
  const auto trust = TlsHouse::trusting(authority.pem());
  const auto attempt = [&](const TlsServerOptions& options, const std::string& host = "127.0.0.1") {
    TlsHouse house(options);
    EXPECT_EQ(house.connect(trust, host), nullptr);
    EXPECT_EQ(house.error.code, ErrorCode::denied);
    run_until(house.loop, [&] { return !house.refusals.empty(); });
    EXPECT_EQ(house.listener->tls_counts().refused_certificate, 1u);
    return house.error.message;
  };
  const std::string expired = attempt(server_of(authority, {.valid_to_seconds = -60}));
  EXPECT_TRUE(expired.contains("certificate expired at 20")) << expired;
  const std::string early =
      attempt(server_of(authority, {.valid_from_seconds = 600, .valid_to_seconds = 900}));
  EXPECT_TRUE(early.contains("valid only from")) << early;
  const std::string untrusted = attempt(server_of(other));
  EXPECT_TRUE(untrusted.contains("no authority that is trusted here")) << untrusted;
  const std::string wrong_host = attempt(
      server_of(authority, {.alternative_names = "DNS:a.city.cn,DNS:b.city.cn,IP:10.0.0.9"}));
  EXPECT_TRUE(wrong_host.contains("is for a.city.cn, b.city.cn, 10.0.0.9, not for 127.0.0.1"))
      << wrong_host;
  // A common name is no host name (RFC 9525, 2).
  const std::string only_name =
      attempt(server_of(authority, {.alternative_names = "DNS:ficus.city.cn"}), "localhost");
  EXPECT_TRUE(only_name.contains("not for localhost")) << only_name;
  const std::string for_clients = attempt(server_of(authority, {.usage = "clientAuth"}));
  EXPECT_TRUE(for_clients.contains("certificate purpose")) << for_clients;
}

TEST(Tls, ASelfSignedCertificateIsTrustedByTakingIt) {
  const Timestamp now{static_cast<std::int64_t>(::time(nullptr)) * 1'000'000};
  const auto identity = make_self_signed({"localhost", "127.0.0.1", "::1"}, now, 30);
  ASSERT_TRUE(identity) << identity.error().message;
  TlsHouse house({.identity = *identity});
  const auto trust = TlsHouse::trusting(identity->certificate_pem);
  EXPECT_NE(house.connect(trust), nullptr) << house.error.message;
  EXPECT_NE(house.connect(trust, "localhost"), nullptr) << house.error.message;
  EXPECT_EQ(house.context->certificate_expires_at().micros / 1'000'000,
            now.micros / 1'000'000 + 30 * 86'400);
  EXPECT_FALSE(make_self_signed({"two words"}, now, 30));
  EXPECT_FALSE(make_self_signed({"a,DNS:b"}, now, 30));
  EXPECT_FALSE(make_self_signed({}, now, 30));
}

TEST(Tls, SessionsResumeUntilTheCertificateIsReplaced) {
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  const auto trust = TlsHouse::trusting(authority.pem());
  const auto talk = [&] {
    const auto client = house.connect(trust);
    ASSERT_NE(client, nullptr) << house.error.message;
    ASSERT_TRUE(run_until(house.loop, [&] { return !house.servers.empty(); }));
    house.servers.back()->send("x");  // its ticket comes before it
    ASSERT_TRUE(run_until(house.loop, [&] { return client->received == "x"; }));
    house.servers.clear();
  };
  talk();
  talk();
  EXPECT_EQ(house.listener->tls_counts().resumed, 1u);
  ASSERT_TRUE(house.context->reload(server_of(authority)));
  talk();
  EXPECT_EQ(house.listener->tls_counts().resumed, 1u);
  EXPECT_EQ(house.listener->tls_counts().handshakes, 3u);
}

TEST(Tls, ReloadTakesEffectForNewConnectionsAndLeavesOldOnes) {
  const TestAuthority old_authority("Old");
  const TestAuthority new_authority("New");
  TlsHouse house(server_of(old_authority));
  const auto old_client = house.connect(TlsHouse::trusting(old_authority.pem()));
  ASSERT_NE(old_client, nullptr);
  const Status bad = house.context->reload({.identity = {"nonsense", "nonsense"}});
  ASSERT_FALSE(bad);
  EXPECT_TRUE(bad.error().message.contains("expected certificates in PEM"));
  EXPECT_NE(house.connect(TlsHouse::trusting(old_authority.pem())), nullptr);
  ASSERT_TRUE(house.context->reload(server_of(new_authority)));
  EXPECT_EQ(house.connect(TlsHouse::trusting(old_authority.pem())), nullptr);
  EXPECT_NE(house.connect(TlsHouse::trusting(new_authority.pem())), nullptr);
  old_client->send("still here");
  EXPECT_TRUE(run_until(house.loop, [&] { return house.servers[0]->received == "still here"; }));
}

TEST(Tls, MistakesInTheFilesAreNamed) {
  const TestAuthority authority;
  const TlsIdentity good = authority.issue({});
  const TlsIdentity other = authority.issue({});
  const auto refusal = [](TlsServerOptions options) {
    const auto made = TlsServerContext::make(options);
    EXPECT_FALSE(made);
    return made ? std::string() : made.error().message;
  };
  EXPECT_TRUE(refusal({.identity = {"", good.key_pem}}).contains("expected certificates"));
  EXPECT_TRUE(refusal({.identity = {good.certificate_pem, ""}}).contains("expected a private key"));
  EXPECT_TRUE(refusal({.identity = {good.certificate_pem, other.key_pem}})
                  .contains("does not belong to the certificate"));
  EXPECT_TRUE(refusal({.identity = {good.certificate_pem,
                                    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
                                    "-----END ENCRYPTED PRIVATE KEY-----\n"}})
                  .contains("protected by a password"));
  EXPECT_TRUE(refusal({.identity = good, .client_ca_pem = "x"}).contains("authorities"));
  EXPECT_TRUE(refusal({.identity = good, .requires_client_certificate = true})
                  .contains("no authority for them"));
  const std::string cut = good.certificate_pem + good.certificate_pem.substr(0, 200);
  EXPECT_TRUE(refusal({.identity = {cut, good.key_pem}}).contains("number 2 cannot be read"));
  // A chain is more than one.
  EXPECT_TRUE(
      TlsServerContext::make({.identity = {good.certificate_pem + authority.pem(), good.key_pem}}));
}

TEST(Tls, AlpnKeepsProtocolsApart) {
  const TestAuthority authority;
  TcpListenOptions options;
  options.alpn = "mqtt";
  TlsHouse house(server_of(authority), options);
  const auto trust = TlsHouse::trusting(authority.pem());
  EXPECT_NE(house.connect(trust, "127.0.0.1", "mqtt"), nullptr) << house.error.message;
  EXPECT_NE(house.connect(trust, "127.0.0.1", ""), nullptr) << house.error.message;
  EXPECT_EQ(house.connect(trust, "127.0.0.1", "http/1.1"), nullptr);
  EXPECT_TRUE(house.error.message.contains("ALPN")) << house.error.message;
}

// A client of the tests' own that OpenSSL lets do what ours does not.
bool connects_with(const TlsHouse& house, EventLoop& loop, int version_max, const char* ciphers) {
  const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_max_proto_version(context.get(), version_max);
  if (ciphers != nullptr) SSL_CTX_set_cipher_list(context.get(), ciphers);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const SocketAddress target = to_socket_address(house.listener->address());
  EXPECT_EQ(::connect(fd, target.raw(), target.size), 0);
  EXPECT_EQ(::fcntl(fd, F_SETFL, O_NONBLOCK), 0);
  const SslPtr ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), fd);
  int outcome = 0;
  run_until(loop, [&] {
    outcome = SSL_connect(ssl.get());
    loop.run_turn(Micros::from_millis(1));
    const int error = SSL_get_error(ssl.get(), outcome);
    return outcome == 1 || (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE);
  });
  ::close(fd);
  return outcome == 1;
}

TEST(Tls, OldVersionsAndWeakCiphersAreRefused) {
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  EXPECT_TRUE(connects_with(house, house.loop, TLS1_3_VERSION, nullptr));
  EXPECT_TRUE(connects_with(house, house.loop, TLS1_2_VERSION, nullptr));
  EXPECT_FALSE(connects_with(house, house.loop, TLS1_1_VERSION, "ALL:@SECLEVEL=0"));
  EXPECT_FALSE(connects_with(house, house.loop, TLS1_2_VERSION, "ECDHE+AES:!AESGCM:!AESCCM"));
  ASSERT_GE(house.refusals.size(), 2u);
  EXPECT_TRUE(house.refusals[0].contains("at least 1.2")) << house.refusals[0];
  EXPECT_TRUE(house.refusals[1].contains("no common cipher")) << house.refusals[1];
  EXPECT_EQ(house.listener->tls_counts().refused_protocol, 2u);
}

TEST(Tls, PlainTextIsRefusedAndCounted) {
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  for (const std::string_view text :
       {std::string_view("GET / HTTP/1.1\r\n\r\n"), std::string_view("\x10\x0c\0\x04MQTT", 8)}) {
    const auto peer = RawPeer::connect(house.loop, house.listener->address());
    peer->send(text);
    ASSERT_TRUE(run_until(house.loop, [&] { return peer->is_closed || peer->has_ended; }));
  }
  EXPECT_EQ(house.listener->tls_counts().refused_plain_text, 2u);
  EXPECT_TRUE(house.refusals[0].contains("speaks no TLS"));
  EXPECT_TRUE(house.servers.empty());
  // The other way round: our client at a plain port.
  auto plain = *TcpListener::open(house.loop, loopback_any_port(), {}, [&](auto tcp) {
    house.servers.push_back(std::make_unique<RawPeer>());
    house.servers.back()->take(std::move(tcp));
    house.servers.back()->send("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  std::optional<Error> error;
  TcpConnectOptions options;
  options.tls = TlsHouse::trusting(authority.pem());
  TcpConnector connector(house.loop, plain->address().text(), options,
                         [&](auto result) { error = result.error(); });
  ASSERT_TRUE(run_until(house.loop, [&] { return error.has_value(); }));
  EXPECT_TRUE(error->message.contains("it speaks no TLS")) << error->message;
}

TEST(Tls, GarbageAfterTheFirstByteIsRefused) {
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  for (std::size_t size : {5u, 6u, 50u, 5000u}) {
    const auto peer = RawPeer::connect(house.loop, house.listener->address());
    std::string bytes = pattern(size);
    bytes[0] = 22;
    peer->send(bytes);
    peer->tcp->close();
    ASSERT_TRUE(run_until(house.loop, [&] { return peer->is_closed; }));
  }
  EXPECT_TRUE(run_until(house.loop, [&] { return house.refusals.size() == 4; }));
  EXPECT_EQ(house.listener->tls_counts().refused_protocol, 4u);
}

// The descriptor of our own socket that is connected to `server`, to send past its owner's back.
int find_socket_to(const Address& server) {
  for (int fd = 3; fd < 1024; ++fd) {
    SocketAddress peer;
    if (::getpeername(fd, peer.raw(), &peer.size) == 0 && peer.storage.ss_family == AF_INET &&
        to_address(peer) == server) {
      return fd;
    }
  }
  return -1;
}

TEST(Tls, ATruncatedOrSpoiledRecordBreaksTheConnectionAndNothingElse) {
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  const auto trust = TlsHouse::trusting(authority.pem());
  for (const bool is_spoiled : {false, true}) {
    const auto client = house.connect(trust);
    ASSERT_NE(client, nullptr);
    ASSERT_TRUE(run_until(house.loop, [&] { return !house.servers.empty(); }));
    RawPeer& server = *house.servers.back();
    client->send("good");
    ASSERT_TRUE(run_until(house.loop, [&] { return server.received == "good"; }));
    // A record's head, then silence or nonsense, past our own client's back.
    const int fd = find_socket_to(house.listener->address());
    ASSERT_GE(fd, 0);
    const std::string record =
        std::string("\x17\x03\x03\x00\x40", 5) + (is_spoiled ? pattern(64) : "half");
    ASSERT_EQ(::send(fd, record.data(), record.size(), MSG_NOSIGNAL), ssize_t(record.size()));
    if (!is_spoiled) ::shutdown(fd, SHUT_RDWR);
    ASSERT_TRUE(run_until(house.loop, [&] { return server.is_closed; }));
    EXPECT_FALSE(server.has_ended);  // no end in order
    EXPECT_EQ(server.received, "good");
    EXPECT_TRUE(server.error.message.contains(is_spoiled ? "TLS: " : "cut off"))
        << server.error.message;
    house.servers.clear();
  }
}

TEST(Tls, ASlowHandshakeIsEndedInTime) {
  const TestAuthority authority;
  TcpListenOptions options;
  options.handshake_timeout = Micros::from_millis(500);
  TlsHouse house(server_of(authority), options);
  const auto silent = RawPeer::connect(house.loop, house.listener->address());
  const auto slow = RawPeer::connect(house.loop, house.listener->address());
  std::size_t at = 0;
  const std::string hello =
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(500, 'x');
  Timer drip(house.loop);
  drip.start_repeating(Micros::from_millis(20), [&] {
    if (at < hello.size() && slow->tcp->is_open()) slow->send(hello.substr(at++, 1));
  });
  ASSERT_TRUE(run_until(house.loop, [&] {
    return (silent->is_closed || silent->has_ended) && (slow->is_closed || slow->has_ended);
  }));
  EXPECT_EQ(house.listener->tls_counts().refused_slow, 2u);
  EXPECT_TRUE(house.refusals[0].contains("took longer than 500 ms")) << house.refusals[0];
}

TEST(Tls, SilentOnesAreDroppedForOthersWhenAllPlacesAreTaken) {
  const TestAuthority authority;
  TcpListenOptions options;
  options.handshakes_max = 8;
  options.handshake_timeout = Micros::from_seconds(60);
  TlsHouse house(server_of(authority), options);
  std::vector<std::unique_ptr<RawPeer>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(RawPeer::connect(house.loop, house.listener->address()));
  }
  const auto client = house.connect(TlsHouse::trusting(authority.pem()));
  EXPECT_NE(client, nullptr) << house.error.message;
  EXPECT_GE(house.listener->tls_counts().refused_slow, 12u);
  EXPECT_TRUE(house.refusals[0].contains("dropped for another"));
}

TEST(Tls, AStormOfHandshakesLeavesOthersTheirTurn) {
  const TestAuthority authority;
  TlsHouse house(server_of(authority));
  const auto trust = TlsHouse::trusting(authority.pem());
  const auto friendly = house.connect(trust);
  ASSERT_NE(friendly, nullptr);
  ASSERT_TRUE(run_until(house.loop, [&] { return house.servers.size() == 1; }));
  RawPeer& server = *house.servers[0];
  constexpr std::size_t kStorm = 200;
  std::vector<std::unique_ptr<TcpConnector>> connectors;
  std::vector<std::unique_ptr<Connection>> connections;
  std::size_t done = 0;
  TcpConnectOptions options;
  options.tls = trust;
  for (std::size_t i = 0; i < kStorm; ++i) {
    connectors.push_back(
        std::make_unique<TcpConnector>(house.loop, house.target(), options, [&](auto result) {
          ++done;
          if (result) connections.push_back(*std::move(result));
        }));
  }
  // A message is there and back again and again while the storm lasts.
  std::size_t rounds = 0;
  std::size_t heard = 0;
  friendly->send("?");
  ASSERT_TRUE(run_until(house.loop, [&] {
    if (server.received.size() > heard) {
      ++heard;
      ++rounds;
      friendly->send("?");
    }
    return done == kStorm;
  }));
  EXPECT_EQ(connections.size(), kStorm);
  EXPECT_GT(rounds, kStorm / 8);
}

TEST(Tls, TheListenerMayGoWithinItsCallbackAndDuringHandshakes) {
  const TestAuthority authority;
  EventLoop loop;
  TcpListenOptions options;
  options.tls = *TlsServerContext::make(server_of(authority));
  std::unique_ptr<TcpListener> listener;
  std::unique_ptr<Connection> taken;
  listener = *TcpListener::open(loop, loopback_any_port(), options, [&](auto tcp) {
    taken = std::move(tcp);
    listener.reset();
  });
  const std::string target = listener->address().text();
  TcpConnectOptions connect;
  connect.tls = TlsHouse::trusting(authority.pem());
  std::size_t done = 0;
  std::vector<std::unique_ptr<TcpConnector>> connectors;
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < 5; ++i) {
    connectors.push_back(std::make_unique<TcpConnector>(loop, target, connect, [&](auto result) {
      ++done;
      if (result) connections.push_back(*std::move(result));
    }));
  }
  ASSERT_TRUE(run_until(loop, [&] { return done == 5; }));
  EXPECT_NE(taken, nullptr);
  EXPECT_EQ(listener, nullptr);
}

TEST(Tls, HttpsRoundTrip) {
  struct Hello final : HttpHandler {
    void on_request(std::unique_ptr<HttpExchange> exchange) override {
      is_encrypted = exchange->is_encrypted();
      exchange->respond(200, "text/plain", "hello");
    }
    bool is_encrypted = false;
  } handler;
  const TestAuthority authority;
  EventLoop loop;
  HttpServerOptions options;
  options.tls = *TlsServerContext::make(server_of(authority));
  const auto server = *HttpServer::open(loop, loopback_any_port(), options, handler);
  HttpClientOptions client_options;
  client_options.tls = TlsHouse::trusting(authority.pem());
  HttpClient client(loop, server->address().text(), client_options);
  for (int i = 0; i < 3; ++i) {
    std::optional<Result<HttpResponse>> answer;
    client.request({}, [&](auto response) { answer = std::move(response); });
    ASSERT_TRUE(run_until(loop, [&] { return answer.has_value(); }));
    ASSERT_TRUE(*answer) << answer->error().message;
    EXPECT_EQ((*answer)->body, "hello");
  }
  EXPECT_TRUE(handler.is_encrypted);
  EXPECT_EQ(server->tls_counts().handshakes, 1u);  // kept alive
}

}  // namespace
}  // namespace ficus::net
