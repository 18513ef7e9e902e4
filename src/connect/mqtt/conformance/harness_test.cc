#include "connect/mqtt/conformance/harness.h"

#include <fmt/format.h>

#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"
#include "codec/mqtt/reason_code.h"

namespace ficus::connect::conformance {

struct Wire {
  net::ConnectionHandler* handler = nullptr;
  std::string to_broker;  // not consumed yet
  std::string to_client;
  bool is_paused = false;
  bool is_stalled = false;  // the client takes nothing
  bool is_closing = false;  // the broker has closed
  bool is_dropped = false;  // the client has gone
  bool has_fresh = false;   // bytes to show
  bool is_gone = false;     // on_closed was called, or the broker destroyed its end
};

namespace {

class Link final : public net::Connection {
 public:
  explicit Link(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  ~Link() override { wire_->is_gone = wire_->is_closing = true; }

  using Connection::send;
  void start(net::ConnectionHandler& handler) override { wire_->handler = &handler; }
  bool send(std::string_view text) override {
    if (wire_->is_closing) return false;
    wire_->to_client += text;
    return true;
  }
  bool send_block(std::string&& block) override { return send(std::string_view(block)); }
  void send_beyond_limit(std::string&& block) override { (void)send(std::string_view(block)); }
  std::size_t bytes_queued() const override { return 0; }
  bool is_congested() const override { return wire_->is_stalled; }
  void pause_reading() override { wire_->is_paused = true; }
  void resume_reading() override {
    wire_->is_paused = false;
    wire_->has_fresh = !wire_->to_broker.empty();
  }
  bool is_reading_paused() const override { return wire_->is_paused; }
  void close() override { wire_->is_closing = true; }
  void abort() override { wire_->is_closing = true; }
  bool is_open() const override { return !wire_->is_closing; }
  void set_output_bytes_max(std::size_t) override {}
  void set_input_bytes_max(std::size_t) override {}
  const net::Address& peer() const override { return peer_; }
  std::uint64_t bytes_received() const override { return 0; }
  std::uint64_t bytes_sent() const override { return 0; }
  bool is_encrypted() const override { return false; }
  const net::PeerCertificate* peer_certificate() const override { return nullptr; }

 private:
  std::shared_ptr<Wire> wire_;
  net::Address peer_;
};

template <typename P>
std::string answer(const char* name, const P& packet) {
  return packet.reason == ReasonCode::success
             ? fmt::format("{} #{}", name, static_cast<int>(packet.packet_id))
             : fmt::format("{} #{} {}", name, static_cast<int>(packet.packet_id),
                           mqtt::reason_code_name(packet.reason));
}

std::string reasons(const mqtt::ReasonCodes& codes) {
  std::string text;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    text += fmt::format(" {:x}", static_cast<int>(codes[i]));
  }
  return text;
}

struct Describe {
  std::string operator()(const mqtt::Connack& p) const {
    return fmt::format("CONNACK{} {}", p.session_present ? " present" : "",
                       mqtt::reason_code_name(p.reason));
  }
  std::string operator()(const mqtt::Publish& p) const {
    std::string text = fmt::format(
        "PUBLISH {} '{}'", p.topic,
        std::string_view(reinterpret_cast<const char*>(p.payload.data()), p.payload.size()));
    if (p.qos != Qos::at_most_once) {
      text += fmt::format(" q{} #{}", static_cast<int>(p.qos), static_cast<int>(p.packet_id));
    }
    return text + (p.retain ? " retain" : "") + (p.dup ? " dup" : "");
  }
  std::string operator()(const mqtt::Puback& p) const { return answer("PUBACK", p); }
  std::string operator()(const mqtt::Pubrec& p) const { return answer("PUBREC", p); }
  std::string operator()(const mqtt::Pubrel& p) const { return answer("PUBREL", p); }
  std::string operator()(const mqtt::Pubcomp& p) const { return answer("PUBCOMP", p); }
  std::string operator()(const mqtt::Suback& p) const {
    return fmt::format("SUBACK #{}:{}", static_cast<int>(p.packet_id), reasons(p.reasons));
  }
  std::string operator()(const mqtt::Unsuback& p) const {
    return fmt::format("UNSUBACK #{}:{}", static_cast<int>(p.packet_id), reasons(p.reasons));
  }
  std::string operator()(const mqtt::Pingresp&) const { return "PINGRESP"; }
  std::string operator()(const mqtt::Disconnect& p) const {
    return fmt::format("DISCONNECT {}", mqtt::reason_code_name(p.reason));
  }
  template <typename P>
  std::string operator()(const P&) const {
    return "a packet that only a client sends";
  }
};

}  // namespace

std::string describe(const mqtt::Packet& packet) { return std::visit(Describe{}, packet); }

mqtt::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// ---- the client

Client::Client(Broker& broker, ProtocolVersion version)
    : broker_(broker), version_(version), wire_(std::make_shared<Wire>()) {
  broker_.wires_.push_back(wire_);
  broker_.server_->accept(std::make_unique<Link>(wire_));
}

Client& Client::raw_bytes(std::string_view bytes) {
  wire_->to_broker += bytes;
  wire_->has_fresh = true;
  broker_.settle();
  return *this;
}

Client& Client::raw(std::string_view hex) {
  std::string bytes;
  int digits = 0;
  unsigned value = 0;
  for (const char c : hex) {
    if (c == ' ') continue;
    value = value * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    if (++digits % 2 != 0) continue;
    bytes += static_cast<char>(value);
    value = 0;
  }
  return raw_bytes(bytes);
}

Client& Client::send(const mqtt::Packet& packet) {
  std::vector<std::byte> bytes;
  EXPECT_TRUE(mqtt::encode(packet, version_, SIZE_MAX, bytes)) << "the test sends no packet";
  return raw_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void Client::stall() { wire_->is_stalled = true; }

void Client::go_on() {
  wire_->is_stalled = false;
  if (wire_->handler != nullptr) wire_->handler->on_writable();
  broker_.settle();
}

void Client::drop() {
  wire_->is_dropped = true;
  broker_.settle();
}

std::string Client::heard() {
  broker_.settle();
  bytes_ = std::exchange(wire_->to_client, {});
  packets_.clear();
  std::string text;
  std::span<const std::byte> rest = bytes_of(bytes_);
  while (!rest.empty()) {
    const auto decoded = mqtt::decode(rest, version_, SIZE_MAX);
    if (!decoded) {
      ADD_FAILURE() << "the broker sent no packet: " << mqtt::decode_error_text(decoded.error());
      return text + "?";
    }
    rest = rest.subspan(decoded->bytes);
    packets_.push_back(decoded->packet);
    text += (text.empty() ? "" : "; ") + describe(decoded->packet);
  }
  if (wire_->is_closing) text += text.empty() ? "CLOSED" : "; CLOSED";
  return text;
}

mqtt::Connect Client::connect_packet(std::string_view id, bool clean,
                                     std::uint32_t expiry_s) const {
  mqtt::Connect connect{.version = version_, .clean_start = clean, .client_id = id};
  if (expiry_s > 0) connect.properties.session_expiry_interval_s = expiry_s;
  return connect;
}

std::string Client::connect(std::string_view id, bool clean, std::uint32_t expiry_s) {
  return send(connect_packet(id, clean, expiry_s)).heard();
}

std::string Client::subscribe(std::string_view filter, int qos, std::uint16_t packet_id) {
  mqtt::SubscriptionBuffer buffer;
  (void)buffer.add({.filter = filter, .qos_max = static_cast<Qos>(qos)});
  return send(mqtt::Subscribe{.packet_id = mqtt::PacketId{packet_id},
                              .properties = {},
                              .subscriptions = buffer.view()})
      .heard();
}

std::string Client::publish(std::string_view topic, std::string_view payload, int qos,
                            std::uint16_t packet_id, bool retain) {
  return send(mqtt::Publish{.qos = static_cast<Qos>(qos),
                            .retain = retain,
                            .topic = topic,
                            .packet_id = mqtt::PacketId{packet_id},
                            .properties = {},
                            .payload = bytes_of(payload)})
      .heard();
}

void Client::puback(std::uint16_t id, ReasonCode reason) {
  send(mqtt::Puback{mqtt::PacketId{id}, reason, {}});
}
std::string Client::pubrec(std::uint16_t id, ReasonCode reason) {
  return send(mqtt::Pubrec{mqtt::PacketId{id}, reason, {}}).heard();
}
std::string Client::pubrel(std::uint16_t id) {
  return send(mqtt::Pubrel{mqtt::PacketId{id}, ReasonCode::success, {}}).heard();
}
void Client::pubcomp(std::uint16_t id) {
  send(mqtt::Pubcomp{mqtt::PacketId{id}, ReasonCode::success, {}});
}
std::string Client::disconnect(ReasonCode reason) {
  return send(mqtt::Disconnect{.reason = reason, .properties = {}}).heard();
}

// ---- the broker

Broker::Broker(MqttServerOptions options, access::AccessControl* access)
    : options_(options), access_(access) {
  options_.address = *net::Address::parse("127.0.0.1:0");
  const std::uint64_t positions[] = {0};
  feed_ = std::make_unique<history::HistoryFeed>(history_, clock_, history::FeedOptions{},
                                                 history::FeedEvents{}, positions);
  EngineOptions engine_options;
  engine_options.data_directory = "/engine";
  engine_options.log.sync_place = SyncPlace::inline_with_commit;
  engine_options.rules = *rules::RuleSet::compile({}, schema_, std::make_shared<ZoneSet>());
  auto engine = Engine::open({.disk = disk_,
                              .clock = clock_,
                              .logger = logger_,
                              .schema = schema_,
                              .history = *feed_,
                              .history_positions = positions},
                             std::move(engine_options));
  EXPECT_TRUE(engine) << engine.error().message;
  engine_ = *std::move(engine);
  ingest_ = std::make_unique<Ingest>(*engine_, loop_, clock_);
  start();
}

Broker::~Broker() {
  server_.reset();
  ingest_.reset();
  engine_.reset();
}

void Broker::start() {
  CommitLogOptions log_options;
  log_options.sync_place = SyncPlace::inline_with_commit;
  auto server = MqttServer::open({.loop = loop_,
                                  .ingest = *ingest_,
                                  .sources = sources_,
                                  .disk = disk_,
                                  .clock = clock_,
                                  .logger = logger_,
                                  .data_directory = "/data",
                                  .access = access_},
                                 log_options, options_);
  ASSERT_TRUE(server) << server.error().message;
  server_ = *std::move(server);
}

void Broker::crash() {
  for (const auto& wire : wires_) wire->is_gone = true;
  wires_.clear();
  server_.reset();
  disk_.lose_unsynced();
  start();
  settle();
}

void Broker::pass(int seconds) {
  for (int i = 0; i < seconds; ++i) {
    clock_.advance(Micros::from_seconds(1));
    server_->tick();
  }
  settle();
}

void Broker::settle() {
  int quiet = 0;
  while (quiet < 3) {
    bool has_moved = false;
    for (std::size_t i = 0; i < wires_.size(); ++i) {
      Wire& wire = *wires_[i];
      if (wire.is_gone || wire.handler == nullptr) continue;
      if (wire.is_dropped || wire.is_closing) {
        wire.is_gone = has_moved = true;
        wire.handler->on_closed(Error{ErrorCode::unavailable, "closed"});
      } else if (std::exchange(wire.has_fresh, false)) {
        has_moved = true;
        const std::string shown = wire.to_broker;
        wire.to_broker.erase(0, wire.handler->on_bytes(bytes_of(shown)));
      }
    }
    loop_.run_turn(Micros{200});
    quiet = has_moved ? 0 : quiet + 1;
  }
}

Client Broker::connected(std::string_view id, ProtocolVersion version, bool clean,
                         std::uint32_t expiry_s) {
  Client client(*this, version);
  const std::string heard = client.connect(id, clean, expiry_s);
  EXPECT_TRUE(heard == "CONNACK success" || heard == "CONNACK present success") << heard;
  return client;
}

}  // namespace ficus::connect::conformance
