#include "peer.h"

#include <fmt/format.h>

#include <charconv>

#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"

namespace ficus::sim {
namespace {

constexpr std::size_t kInFlightMax = 8;
constexpr std::uint32_t kSessionSeconds = 6 * 24 * 3600;

std::uint16_t number_of(mqtt::PacketId id) { return static_cast<std::uint16_t>(id); }

}  // namespace

bool Peer::is_idle() const {
  if (options_.is_dead) return true;
  const bool has_subscribed = options_.filter.empty() || is_subscribed_;
  return outbox_.empty() && in_flight_.empty() && is_accepted_ && has_subscribed && taken_.empty();
}

void Peer::fail(Micros now, const std::string& text) {
  report_.violation(now, options_.id + ": " + text);
}

void Peer::send(const mqtt::Packet& packet) {
  scratch_.clear();
  (void)mqtt::encode(packet, options_.version, SIZE_MAX, scratch_);
  wire_->to_broker.append(reinterpret_cast<const char*>(scratch_.data()), scratch_.size());
}

void Peer::connect(std::shared_ptr<Wire> wire) {
  wire_ = std::move(wire);
  is_accepted_ = is_subscribing_ = false;
  mqtt::Connect connect{
      .version = options_.version, .clean_start = options_.is_fresh, .client_id = options_.id};
  if (options_.version == mqtt::ProtocolVersion::v5 && !options_.is_fresh) {
    connect.properties.session_expiry_interval_s = kSessionSeconds;
  }
  send(connect);
}

void Peer::on_disconnected() {
  wire_.reset();
  is_accepted_ = is_subscribing_ = false;
  if (!options_.is_fresh) return;
  is_subscribed_ = false;
  taken_.clear();
}

void Peer::act(Micros now, Random& random) {
  if (wire_ == nullptr) return;
  const std::string bytes = std::exchange(wire_->arrived, {});
  std::span<const std::byte> rest = std::as_bytes(std::span(bytes));
  while (!rest.empty() && wire_ != nullptr) {
    const auto decoded = mqtt::decode(rest, options_.version, SIZE_MAX);
    if (!decoded) {
      if (decoded.error() != mqtt::DecodeError::incomplete) {
        fail(now, fmt::format("the broker sent what is no packet: {}",
                              mqtt::decode_error_text(decoded.error())));
      }
      break;
    }
    hear(decoded->packet, now);
    rest = rest.subspan(decoded->bytes);
  }
  if (wire_ == nullptr) return;
  wire_->arrived.insert(0, reinterpret_cast<const char*>(rest.data()), rest.size());
  if (!is_accepted_) return;
  if (!options_.filter.empty() && !is_subscribed_ && !is_subscribing_) {
    is_subscribing_ = true;
    mqtt::SubscriptionBuffer buffer;
    (void)buffer.add(
        {.filter = options_.filter, .qos_max = static_cast<mqtt::Qos>(options_.filter_qos)});
    send(mqtt::Subscribe{
        .packet_id = mqtt::PacketId{60'000}, .properties = {}, .subscriptions = buffer.view()});
  }
  while (!outbox_.empty() && in_flight_.size() < kInFlightMax && random.chance(0.8)) {
    InFlight flight{std::move(outbox_.front()), next_order_++, false};
    outbox_.pop_front();
    note_sent(flight.publication);
    if (flight.publication.qos == 0) {
      send_publish(flight, 0, false);
      continue;
    }
    while (in_flight_.contains(next_id_) || next_id_ == 0) {
      next_id_ = static_cast<std::uint16_t>(next_id_ % 1000 + 1);
    }
    send_publish(flight, next_id_, false);
    in_flight_.emplace(next_id_, std::move(flight));
  }
}

void Peer::send_publish(const InFlight& flight, std::uint16_t id, bool dup) {
  const Publication& p = flight.publication;
  if (p.what == Publication::What::reading || p.what == Publication::What::nonsense) {
    ++model_.copies["vehicles"];
  }
  send(mqtt::Publish{.dup = dup,
                     .qos = static_cast<mqtt::Qos>(p.qos),
                     .retain = p.retain,
                     .topic = p.topic,
                     .packet_id = mqtt::PacketId{id},
                     .properties = {},
                     .payload = std::as_bytes(std::span(p.payload))});
}

void Peer::hear(const mqtt::Packet& packet, Micros now) {
  if (const auto* const connack = std::get_if<mqtt::Connack>(&packet)) {
    on_connack(*connack, now);
  } else if (const auto* const publish = std::get_if<mqtt::Publish>(&packet)) {
    on_publish(*publish, now);
  } else if (const auto* const puback = std::get_if<mqtt::Puback>(&packet)) {
    on_answer(number_of(puback->packet_id), puback->reason, 1, now);
  } else if (const auto* const pubrec = std::get_if<mqtt::Pubrec>(&packet)) {
    on_answer(number_of(pubrec->packet_id), pubrec->reason, 2, now);
  } else if (const auto* const pubcomp = std::get_if<mqtt::Pubcomp>(&packet)) {
    const auto found = in_flight_.find(number_of(pubcomp->packet_id));
    if (found != in_flight_.end() && found->second.is_taken) in_flight_.erase(found);
  } else if (const auto* const pubrel = std::get_if<mqtt::Pubrel>(&packet)) {
    taken_.erase(number_of(pubrel->packet_id));
    if (!options_.is_dead) send(mqtt::Pubcomp{pubrel->packet_id, {}, {}});
  } else if (const auto* const suback = std::get_if<mqtt::Suback>(&packet)) {
    is_subscribing_ = false;
    is_subscribed_ = suback->reasons.size() == 1 && static_cast<int>(suback->reasons[0]) < 0x80;
    const bool counts = is_subscribed_ && !options_.is_fresh && !options_.is_dead;
    if (counts && options_.filter == "chat/#") model_.subscribers.insert(options_.id);
  }
}

void Peer::on_connack(const mqtt::Connack& connack, Micros now) {
  if (connack.reason != mqtt::ReasonCode::success) return;  // it closes; another try later
  is_accepted_ = true;
  if (options_.is_fresh) return;
  if (has_session_ && !connack.session_present) fail(now, "the broker has forgotten the session");
  has_session_ = true;
  if (!connack.session_present) {
    taken_.clear();
    is_subscribed_ = false;
    model_.subscribers.erase(options_.id);
  }
  // 4.4: what is not acknowledged is sent again, in its order.
  std::map<std::uint64_t, std::uint16_t> by_order;
  for (const auto& [id, flight] : in_flight_) by_order[flight.order] = id;
  for (const auto& [order, id] : by_order) {
    const InFlight& flight = in_flight_.at(id);
    if (flight.is_taken) {
      send(mqtt::Pubrel{mqtt::PacketId{id}, {}, {}});
    } else {
      send_publish(flight, id, connack.session_present);
    }
  }
}

void Peer::on_answer(std::uint16_t id, mqtt::ReasonCode reason, int qos, Micros now) {
  const auto found = in_flight_.find(id);
  if (found == in_flight_.end() || found->second.publication.qos != qos) {
    return fail(now, fmt::format("an answer to #{}, which is not in flight", id));
  }
  if (static_cast<int>(reason) >= 0x80) {  // refused: another try, later
    const Publication& refused = found->second.publication;
    if (refused.what == Publication::What::message) {
      model_.messages.at(refused.number).was_refused = true;
    }
    outbox_.push_front(std::move(found->second.publication));
    in_flight_.erase(found);
    return;
  }
  if (!found->second.is_taken) note_acknowledged(found->second.publication);
  if (qos == 1) {
    in_flight_.erase(found);
  } else {
    found->second.is_taken = true;
    send(mqtt::Pubrel{mqtt::PacketId{id}, {}, {}});
  }
}

void Peer::on_publish(const mqtt::Publish& publish, Micros now) {
  if (options_.is_dead) return;
  const std::uint16_t id = number_of(publish.packet_id);
  if (publish.qos == mqtt::Qos::exactly_once) {
    if (taken_.insert(id).second) note_heard(publish, now);
    send(mqtt::Pubrec{publish.packet_id, {}, {}});
    return;
  }
  note_heard(publish, now);
  if (publish.qos == mqtt::Qos::at_least_once) send(mqtt::Puback{publish.packet_id, {}, {}});
}

void Peer::note_heard(const mqtt::Publish& publish, Micros now) {
  const std::string payload(reinterpret_cast<const char*>(publish.payload.data()),
                            publish.payload.size());
  Model::Heard& heard = model_.heard[options_.id];
  if (publish.topic.starts_with("ficus/")) {
    const std::uint64_t times = ++heard.alerts[payload];
    if (publish.qos == mqtt::Qos::at_most_once || times == 1) return;
    // Only a repetition on the wire may come twice, at QoS 1.
    if (!publish.dup) fail(now, "an alert was told twice: " + payload);
    return;
  }
  std::uint64_t number = 0;
  std::from_chars(payload.data(), payload.data() + payload.size(), number);
  if (publish.topic.starts_with("state/")) {
    const Retained& retained = model_.retained[std::string(publish.topic)];
    if (number > retained.sent) fail(now, fmt::format("a value that nobody sent: {}", payload));
    std::uint64_t& newest = heard.newest[std::string(publish.topic)];
    newest = number;
    return;
  }
  const auto found = model_.messages.find(number);
  if (found == model_.messages.end() || !found->second.was_sent ||
      found->second.topic != publish.topic) {
    return fail(now, fmt::format("a message that nobody sent: {} '{}'", publish.topic, payload));
  }
  const Message& message = found->second;
  const std::uint64_t times = ++heard.times[number];
  if (publish.qos == mqtt::Qos::exactly_once && times > 1) {
    fail(now, fmt::format("message {} of QoS 2 came {} times", number, times));
  }
  std::uint64_t& newest = heard.newest[message.topic];
  if (times == 1 && message.index < newest && !message.was_refused) {
    fail(now, fmt::format("message {} of {} came behind {}", message.index, message.topic, newest));
  }
  newest = std::max(newest, message.index);
}

void Peer::note_sent(const Publication& publication) {
  switch (publication.what) {
    case Publication::What::reading:
      model_.readings.at(publication.number).was_sent = true;
      break;
    case Publication::What::nonsense:
      model_.nonsense.try_emplace(publication.payload, false);
      break;
    case Publication::What::message: {
      Message& message = model_.messages.at(publication.number);
      if (!std::exchange(message.was_sent, true)) message.owed_to = model_.subscribers;
      break;
    }
    case Publication::What::retained: {
      Retained& retained = model_.retained[publication.topic];
      retained.sent = std::max(retained.sent, publication.number);
      break;
    }
  }
}

void Peer::note_acknowledged(const Publication& publication) {
  switch (publication.what) {
    case Publication::What::reading:
      model_.readings.at(publication.number).is_acknowledged = true;
      break;
    case Publication::What::nonsense:
      model_.nonsense[publication.payload] = true;
      break;
    case Publication::What::message:
      model_.messages.at(publication.number).is_acknowledged = true;
      break;
    case Publication::What::retained: {
      Retained& retained = model_.retained[publication.topic];
      retained.acknowledged = std::max(retained.acknowledged, publication.number);
      break;
    }
  }
}

}  // namespace ficus::sim
