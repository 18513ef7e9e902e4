// What devices and clients send, and how it travels.

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "world.h"

namespace ficus::sim {
namespace {

constexpr std::size_t kBacklogMax = 40;

}  // namespace

std::uint64_t World::make_reading(const std::string& source, std::size_t vehicle) {
  std::set<std::int64_t>& used = used_times_[vehicle];
  std::int64_t millis = device_now().micros / 1000;
  if (!used.empty()) millis = std::max(millis, *used.rbegin() + 1);
  if (work_.chance(0.15)) millis -= static_cast<std::int64_t>(work_.below(20'000));
  while (!used.insert(millis).second) --millis;
  // Mostly slow or mostly fast for a while, so that conditions last.
  const double mean =
      (now().count / 30'000'000 + static_cast<std::int64_t>(vehicle)) % 3 == 0 ? 65 : 25;
  const double speed = static_cast<double>(
      std::max<std::int64_t>(0, static_cast<std::int64_t>(mean + work_.between(-30, 30))));
  const std::uint64_t number = model_.next_number++;
  model_.readings[number] = {.entity = fmt::format("urn:ngsi-ld:Vehicle:{}", vehicle),
                             .observed_at = Timestamp{millis * 1000},
                             .speed = speed,
                             .source = source};
  return number;
}

Publication World::publication_of(std::uint64_t number, int qos) const {
  const Reading& reading = model_.readings.at(number);
  const std::string id = reading.entity.substr(reading.entity.rfind(':') + 1);
  return {.what = Publication::What::reading,
          .number = number,
          .topic = "city/vehicle/" + id,
          .payload = fmt::format(R"({{"ts":{},"speed":{},"seq":{}}})",
                                 reading.observed_at.micros / 1000, reading.speed, number),
          .qos = qos};
}

void World::make_readings() {
  const double often = is_during(FaultKind::flood) ? 1.0 : 0.15;
  for (std::size_t device = 0; device < kDevices; ++device) {
    Peer& peer = *peers_[device];
    while (peer.waiting() < kBacklogMax && work_.chance(often * 0.9)) {
      const std::size_t vehicle = device * kVehiclesOfDevice + work_.below(kVehiclesOfDevice);
      const int qos = static_cast<int>(work_.below(3));
      if (work_.chance(0.05)) {
        peer.publish({.what = Publication::What::nonsense,
                      .topic = fmt::format("city/vehicle/{}", vehicle),
                      .payload = fmt::format("nonsense {}", model_.next_number++),
                      .qos = qos});
        continue;
      }
      const std::uint64_t number = make_reading("vehicles", vehicle);
      peer.publish(publication_of(number, qos));
      if (work_.chance(0.1)) peer.publish(publication_of(number, static_cast<int>(work_.below(3))));
    }
  }
  const std::size_t first = kDevices * kVehiclesOfDevice;
  for (const auto& sender : http_senders_) {
    if (sender->waiting() >= kBacklogMax || !work_.chance(often * 0.15)) continue;
    std::vector<std::uint64_t> batch;
    for (std::uint64_t i = 0; i <= work_.below(8); ++i) {
      batch.push_back(make_reading("gateways", first + work_.below(kHttpVehicles)));
    }
    sender->post(std::move(batch), work_);
  }
  for (const auto& sender : ais_senders_) {
    if (sender->waiting() < kBacklogMax && work_.chance(often * 0.6)) {
      sender->hear(device_now(), work_);
    }
  }
}

void World::make_message(Peer& peer, std::size_t topic) {
  const std::uint64_t number = model_.next_number++;
  Message& message = model_.messages[number];
  message.topic = fmt::format("chat/{}/{}", peer.id(), topic);
  message.index = number;
  message.qos = 1 + static_cast<int>(topic % 2);
  peer.publish({.what = Publication::What::message,
                .number = number,
                .topic = message.topic,
                .payload = std::to_string(number),
                .qos = message.qos});
}

void World::make_messages() {
  for (std::size_t i = kDevices; i < kDevices + 2; ++i) {
    Peer& peer = *peers_[i];
    if (peer.waiting() < kBacklogMax && work_.chance(0.1)) make_message(peer, work_.below(4));
    // One at a time: a value that is refused must not come behind a newer one.
    if (peer.waiting() == 0 && work_.chance(0.1)) {
      peer.publish({.what = Publication::What::retained,
                    .number = model_.next_number,
                    .topic = "state/" + peer.id(),
                    .payload = std::to_string(model_.next_number),
                    .qos = 1 + static_cast<int>(work_.below(2)),
                    .retain = true});
      ++model_.next_number;
    }
  }
}

void World::act_clients() {
  const auto is_over = [&] { return !is_up() || disk_.is_dead(); };
  const auto connects = [&] { return schedule_.chance(is_calm_ ? 0.2 : 0.05); };
  for (const auto& peer : peers_) {
    if (is_over()) return;
    if (peer->is_connected()) {
      peer->act(now(), schedule_);
    } else if (connects()) {
      peer->connect(brain_->connect(Port::mqtt));
    }
  }
  for (const auto& sender : http_senders_) {
    if (is_over()) return;
    if (sender->is_connected()) {
      sender->act(now(), schedule_);
    } else if (connects()) {
      sender->connect(brain_->connect(Port::http));
    }
  }
  for (const auto& sender : ais_senders_) {
    if (is_over()) return;
    if (sender->address()) {
      send_datagrams(*sender);
    } else if (sender->is_connected()) {
      sender->act(schedule_);
    } else if (connects()) {
      sender->connect(brain_->connect(Port::ais));
    }
  }
}

// Each is lost, comes, or comes twice.
void World::send_datagrams(AisSender& sender) {
  while (sender.waiting() > 0 && schedule_.chance(0.5)) {
    const std::string datagram = sender.next_datagram(schedule_);
    const double drawn = is_calm_ ? 1 : schedule_.unit();
    if (drawn < 0.05 || is_during(FaultKind::partition)) continue;
    for (int times = drawn < 0.1 ? 2 : 1; times > 0; --times) {
      sender.note_sent(datagram);
      brain_->ports().accept_datagram(sender.source(), datagram, *sender.address());
    }
    result_.report.mix(hash64(datagram));
  }
}

World::Share World::draw_share(std::size_t client) {
  const auto drawn = [&] {
    return schedule_.chance(0.2) ? schedule_.below(20) : schedule_.below(4000);
  };
  Share share;
  share.there = drawn();
  share.back = drawn();
  if (is_during(FaultKind::partition)) return {};
  if (!is_during(FaultKind::slow_client) || client != slow_client_) return share;
  share.back = std::min<std::size_t>(share.back, 20);
  // Slower than HTTP allows: it is told so.
  if (client >= peers_.size()) share.there = schedule_.chance(0.1) ? 1 : 0;
  return share;
}

void World::carry_all() {
  std::size_t number = 0;
  const auto carry_next = [&](auto& client, bool takes_nothing) {
    const std::size_t client_number = number++;
    if (!is_up() || disk_.is_dead() || !client.is_connected()) return;
    const Share share = draw_share(client_number);
    const bool goes_on = carry(*client.wire(), share.there, takes_nothing ? 0 : share.back, false);
    result_.report.mix(client.wire()->traffic);
    if (goes_on) return;
    if (client.wire()->input_was_exceeded) fail("the brain kept more of its input than it may");
    client.on_disconnected();
  };
  for (const auto& peer : peers_) carry_next(*peer, peer->is_dead() && peer->is_subscribed());
  for (const auto& sender : http_senders_) carry_next(*sender, false);
  for (const auto& sender : ais_senders_) carry_next(*sender, false);
  for (const auto& hostile : hostiles_) {
    if (!is_up() || disk_.is_dead()) return;
    const std::size_t there = schedule_.below(200);
    (void)carry(*hostile->wire, there, 10'000, schedule_.chance(0.01));
    result_.report.mix(hostile->wire->traffic);
  }
}

}  // namespace ficus::sim
