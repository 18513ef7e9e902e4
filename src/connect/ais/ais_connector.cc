#include "connect/ais/ais_connector.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"

namespace ficus::connect {
namespace {

constexpr Micros kReconnectFirst = Micros::from_seconds(1);
constexpr Micros kReconnectMost = Micros::from_seconds(60);
constexpr Micros kExpireBeat = Micros::from_seconds(1);
constexpr std::uint64_t kBatchItemsMax = 2048;
// What cannot be held back at its sender is held here while the engine is full; beyond this it is
// refused.
constexpr std::uint64_t kHeldItemsMax = 65'536;

std::string host_port(const AisSource& ais) {
  const bool is_v6 = ais.host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", ais.host, ais.port)
               : fmt::format("{}:{}", ais.host, ais.port);
}

}  // namespace

// One TCP peer: a receiver that connected to us, or the one that we connected to.
class AisConnector::Peer final : public net::ConnectionHandler {
 public:
  Peer(AisConnector& owner, std::unique_ptr<net::Connection> tcp, std::uint64_t origin)
      : owner_(owner), tcp_(std::move(tcp)), origin_(origin), key_(tcp_->peer().text()) {}

  void start() { tcp_->start(*this); }
  void hold_back() { tcp_->pause_reading(); }
  void go_on() { tcp_->resume_reading(); }

  std::size_t on_bytes(std::span<const std::byte> bytes) override {
    lines_.feed({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    owner_.take_lines(lines_, origin_, key_);
    if (owner_.ingest_.is_congested()) owner_.await_room();
    return bytes.size();
  }
  bool on_end() override {
    lines_.finish();
    owner_.take_lines(lines_, origin_, key_);
    return false;
  }
  void on_closed(const Error& reason) override {
    owner_.receiver_.discard(origin_);
    owner_.take_lost(key_);
    owner_.logger_.info("ais", "peer gone",
                        {{"source", owner_.name_}, {"peer", key_}, {"reason", reason.message}});
    owner_.remove_peer(*this);  // destroys this
  }

  std::list<std::unique_ptr<Peer>>::iterator place;

 private:
  AisConnector& owner_;
  std::unique_ptr<net::Connection> tcp_;
  const std::uint64_t origin_;
  const std::string key_;
  ais::LineSplitter lines_;
};

AisConnector::AisConnector(net::EventLoop& loop, Ingest& ingest,
                           std::shared_ptr<const Source> source, const AisTypes& types,
                           const Clock& clock, Logger& logger)
    : loop_(loop),
      ingest_(ingest),
      source_(std::move(source)),
      types_(types),
      clock_(clock),
      logger_(logger),
      name_(source_->declaration.name),
      is_udp_(std::get<AisSource>(source_->declaration.connector).transport ==
              AisSource::Transport::udp),
      builder_(source_->id),
      reconnect_(loop),
      expire_(loop),
      reconnect_after_(kReconnectFirst) {}

AisConnector::~AisConnector() = default;

Result<std::unique_ptr<AisConnector>> AisConnector::open(net::EventLoop& loop, Ingest& ingest,
                                                         std::shared_ptr<const Source> source,
                                                         Schema& schema, const Clock& clock,
                                                         Logger& logger) {
  FICUS_TRY(std::unique_ptr<AisConnector> connector,
            create(loop, ingest, std::move(source), schema, clock, logger));
  if (auto opened = connector->open_port(); !opened) {
    return in_context(fmt::format("source '{}': ", connector->name_), std::move(opened).error());
  }
  return connector;
}

Result<std::unique_ptr<AisConnector>> AisConnector::create(net::EventLoop& loop, Ingest& ingest,
                                                           std::shared_ptr<const Source> source,
                                                           Schema& schema, const Clock& clock,
                                                           Logger& logger) {
  FICUS_TRY(const AisTypes types, AisTypes::declare(schema));
  std::unique_ptr<AisConnector> connector(
      new AisConnector(loop, ingest, std::move(source), types, clock, logger));
  connector->start();
  return connector;
}

void AisConnector::start() {
  expire_.start_repeating(kExpireBeat, [this] {
    receiver_.expire(clock_.now());
    take_lost(name_);
  });
}

Status AisConnector::open_port() {
  const auto& ais = std::get<AisSource>(source_->declaration.connector);
  if (!ais.is_listening) {
    connect();
    return {};
  }
  FICUS_TRY(const net::Address address, net::Address::parse(host_port(ais)));
  if (is_udp_) {
    FICUS_TRY(udp_, net::UdpSocket::open(
                        loop_, address, {},
                        [this](std::span<const std::byte> bytes, const net::Address& sender) {
                          accept_datagram(bytes, sender);
                        }));
    return {};
  }
  FICUS_TRY(listener_, net::TcpListener::open(loop_, address, {},
                                              [this](std::unique_ptr<net::Connection> tcp) {
                                                accept(std::move(tcp));
                                              }));
  return {};
}

void AisConnector::connect() {
  const auto& ais = std::get<AisSource>(source_->declaration.connector);
  connector_ = std::make_unique<net::TcpConnector>(
      loop_, host_port(ais), net::TcpConnectOptions{},
      [this](Result<std::unique_ptr<net::TcpConnection>> tcp) {
        if (tcp) {
          reconnect_after_ = kReconnectFirst;
          return accept(*std::move(tcp));
        }
        logger_.warning("ais", "cannot connect; will try again",
                        {{"source", name_},
                         {"error", tcp.error().message},
                         {"after_seconds", std::to_string(reconnect_after_.seconds())}});
        connect_later();
      });
}

void AisConnector::connect_later() {
  if (is_draining_) return;
  reconnect_.start_once(reconnect_after_, [this] { connect(); });
  reconnect_after_ = std::min(Micros{reconnect_after_.count * 2}, kReconnectMost);
}

void AisConnector::accept(std::unique_ptr<net::Connection> link) {
  logger_.info("ais", "peer connected", {{"source", name_}, {"peer", link->peer().text()}});
  peers_.push_back(std::make_unique<Peer>(*this, std::move(link), next_origin_++));
  peers_.back()->place = std::prev(peers_.end());
  peers_.back()->start();
  // Or who comes again and again would be read all the same.
  if (room_awaited_) peers_.back()->hold_back();
}

void AisConnector::remove_peer(Peer& peer) {
  peers_.erase(peer.place);
  if (!std::get<AisSource>(source_->declaration.connector).is_listening) connect_later();
}

void AisConnector::accept_datagram(std::span<const std::byte> bytes, const net::Address& sender) {
  if (is_draining_) return;
  const std::string key = sender.text();
  // Parts of a message may come in several datagrams of one sender.
  const std::uint64_t origin = hash64(key) | (std::uint64_t{1} << 63);
  datagram_lines_.feed(
      ais::strip_datagram_header({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  take_lines(datagram_lines_, origin, key);
  datagram_lines_.finish();
  take_lines(datagram_lines_, origin, key);
}

void AisConnector::take_lines(ais::LineSplitter& lines, std::uint64_t origin,
                              const std::string& key) {
  while (const auto line = lines.next()) {
    ++counts_.lines;
    if (is_udp_ && builder_.item_count() >= kHeldItemsMax) {
      builder_.refuse("overloaded");
    } else {
      take_line(line->text, origin, key);
    }
  }
  take_lost(key);
  hand_over_later();
}

void AisConnector::take_line(std::string_view line, std::uint64_t origin, const std::string& key) {
  const ais::Reception reception = receiver_.accept(origin, line, clock_.now());
  switch (reception.outcome) {
    case ais::LineOutcome::message:
      ++counts_.messages;
      map_ais(reception, types_, builder_);
      break;
    case ais::LineOutcome::held:
      break;
    case ais::LineOutcome::ignored:
      if (reception.error == ais::AisError::not_ais) builder_.refuse("not_ais");
      break;
    case ais::LineOutcome::refused:
      builder_.quarantine(key, ais::name(reception.error.value_or(ais::AisError::malformed)),
                          reception.earlier_lines + std::string(line));
      break;
  }
  if (builder_.item_count() >= kBatchItemsMax) hand_over();
}

void AisConnector::take_lost(const std::string& key) {
  for (const ais::IncompleteSet& set : receiver_.take_lost()) {
    builder_.quarantine(key,
                        fmt::format("incomplete message, {}: {} of {} parts", ais::name(set.loss),
                                    set.fragments_held, set.fragment_count),
                        set.lines);
    hand_over_later();
  }
}

void AisConnector::hand_over_later() {
  if (hand_over_posted_ || builder_.empty()) return;
  hand_over_posted_ = true;
  loop_.post([this] {
    hand_over_posted_ = false;
    hand_over();
  });
}

void AisConnector::hand_over() {
  if (builder_.empty()) return;
  if (!ingest_.is_congested()) {
    ingest_.submit(builder_.take(clock_.now()), [](const Status&) {});
  }
  if (ingest_.is_congested()) await_room();
}

void AisConnector::await_room() {
  for (const auto& peer : peers_) peer->hold_back();
  if (room_awaited_) return;
  room_awaited_ = true;
  ingest_.on_room([this] { on_room(); });
}

void AisConnector::on_room() {
  room_awaited_ = false;
  hand_over();
  if (ingest_.is_congested() || is_draining_) return;
  for (const auto& peer : peers_) peer->go_on();
}

void AisConnector::drain() {
  is_draining_ = true;
  reconnect_.cancel();
  connector_.reset();
  listener_.reset();
  for (const auto& peer : peers_) peer->hold_back();
  receiver_.discard_all();
  take_lost(name_);
  hand_over();
}

void AisConnector::stop() {
  drain();
  udp_.reset();
  peers_.clear();
  expire_.cancel();
}

AisCounts AisConnector::counts() const {
  AisCounts counts = counts_;
  counts.connections = peers_.size();
  if (udp_ != nullptr) counts.datagrams_dropped = udp_->dropped_count();
  if (listener_ != nullptr) counts.connections_refused = listener_->refused_count();
  return counts;
}

net::Address AisConnector::address() const {
  if (udp_ != nullptr) return udp_->address();
  if (listener_ != nullptr) return listener_->address();
  net::Address peer;
  peer.port = std::get<AisSource>(source_->declaration.connector).port;
  return peer;
}

}  // namespace ficus::connect
