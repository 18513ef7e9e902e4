#include "world.h"

#include <fmt/format.h>

#include <algorithm>

#include "checker.h"

namespace ficus::sim {
namespace {

constexpr Micros kLength = Micros::from_seconds(600);
constexpr std::uint64_t kStepsMax = 6000;
constexpr Micros kCalmMax = Micros::from_seconds(240);
constexpr Timestamp kBegin = Timestamp::from_seconds(1'790'000'000);
constexpr std::size_t kDevices = 3;
constexpr std::size_t kVehiclesOfDevice = 3;
constexpr std::size_t kDirectVehicles = 6;
constexpr std::size_t kVehicles = kDevices * kVehiclesOfDevice + kDirectVehicles;
constexpr std::size_t kBacklogMax = 40;
constexpr std::size_t kDirectUnderWayMax = 3;

BrainOptions draw_options(Random& random) {
  BrainOptions options;
  options.shards = 1 + random.below(3);
  options.segment_bytes_max = (std::uint64_t{1} << 10) << random.below(6);
  options.snapshot_every_bytes = (std::uint64_t{4} << 10) << random.below(6);
  options.queue_batches_max = 2 + random.below(30);
  options.feed_items_max = 4 + random.below(100);
  return options;
}

std::vector<Fault> chosen(const std::vector<Fault>& plan,
                          const std::optional<std::vector<std::size_t>>& only) {
  if (!only) return plan;
  std::vector<Fault> some;
  for (const std::size_t index : *only) {
    if (index < plan.size()) some.push_back(plan[index]);
  }
  return some;
}

}  // namespace

World::World(const RunOptions& options)
    : run_(options),
      work_(options.seed * 4 + 1),
      schedule_(options.seed * 4 + 2),
      faults_(options.seed * 4 + 3),
      clock_(kBegin),
      disk_(clock_),
      used_times_(kVehicles) {
  Random draws(options.seed * 4);
  options_ = draw_options(draws);
  history_.positions.resize(options_.shards);
  result_.plan = make_fault_plan(draws, kLength);
  plan_ = chosen(result_.plan, options.only);
  const auto add = [&](Peer::Options peer) {
    peer.version = draws.chance(0.5) ? mqtt::ProtocolVersion::v5 : mqtt::ProtocolVersion::v3_1_1;
    peers_.push_back(std::make_unique<Peer>(std::move(peer), model_, result_.report));
  };
  for (std::size_t i = 0; i < kDevices; ++i) add({.id = fmt::format("device-{}", i)});
  add({.id = "talker-1"});
  add({.id = "talker-2"});
  add({.id = "hears-all-1", .filter = "chat/#", .filter_qos = 1});
  add({.id = "hears-all-2", .filter = "chat/#", .filter_qos = 2});
  add({.id = "watches-alerts", .filter = "ficus/alert/#", .filter_qos = 2});
  add({.id = "dead", .filter = "chat/#", .filter_qos = 1, .is_dead = true});
}

RunResult World::run() {
  note(fmt::format("seed {}: {} shards, segments of {}, snapshots each {} bytes", run_.seed,
                   options_.shards, options_.segment_bytes_max, options_.snapshot_every_bytes));
  while (now() < kLength && result_.steps < kStepsMax && result_.report.is_sound()) step();
  if (result_.report.is_sound()) calm_down();
  if (result_.report.is_sound()) finish();
  result_.simulated = now();
  result_.readings = model_.readings.size();
  result_.messages = model_.messages.size();
  return std::move(result_);
}

// ---- the process

void World::start() {
  ++life_;
  ++result_.starts;
  if (die_in_recovery_) disk_.die_at(*std::exchange(die_in_recovery_, std::nullopt));
  auto brain = SimBrain::open({disk_, clock_, history_, run_.log}, options_);
  const bool has_died = disk_.was_killed();
  if (brain && !has_died) {
    brain_ = *std::move(brain);
    has_extra_rule_ = false;
    disk_.fail_reads(0);
    disk_.heal();
    note("started");
    return;
  }
  start_at_ = now() + Micros::from_millis(200);
  if (has_died) {
    if (brain) brain->reset();
    note("died while starting");
    disk_.revive(next_death_, faults_);
    return;
  }
  const bool could_not_read = disk_.has_failed_reads();
  disk_.revive(Death::kill, faults_);
  if (could_not_read) {
    note("could not read: " + brain.error().message);
    return disk_.fail_reads(0);
  }
  refused_to_start(brain.error());
}

void World::refused_to_start(const Error& error) {
  note("does not start: " + error.message);
  if (error.code == ErrorCode::disk_full && is_during(FaultKind::disk_full)) return;
  const std::string damaged = disk_.damaged_file();
  if (error.code == ErrorCode::corrupt && !damaged.empty()) {
    if (!error.message.contains(damaged)) {
      return fail(fmt::format("damage in {} is reported as: {}", damaged, error.message));
    }
    ++result_.refusals_to_start;
    disk_.heal();
    return;
  }
  fail("it does not start: " + error.message);
}

void World::take_down(Death death, const char* why) {
  note(fmt::format("down: {}", why));
  for (const auto& peer : peers_) {
    if (peer->is_connected()) peer->on_disconnected();
  }
  hostiles_.clear();
  brain_.reset();
  for (auto& [number, batch] : direct_under_way_) direct_.push_back(std::move(batch));
  direct_under_way_.clear();
  disk_.revive(death, faults_);
  result_.report.mix(disk_.hash());
  check_views(disk_, options_, clock_, now(), result_.report);
  start_at_ = now() + Micros::from_millis(static_cast<std::int64_t>(faults_.below(3000)));
}

void World::after_death() {
  if (!is_up()) return;
  if (disk_.is_dead()) {
    return take_down(next_death_, next_death_ == Death::kill ? "killed" : "power lost");
  }
  std::vector<CommitLog*> logs = brain_->engine().logs();
  logs.push_back(&brain_->mqtt().log());
  for (const CommitLog* const log : logs) {
    if (log->sync_failure()) return take_down(Death::kill, "restarted as its log cannot be synced");
  }
}

void World::stop_in_order() {
  if (!is_up()) return;
  if (!brain_->stop()) fail("it did not stop in time");
  if (disk_.is_dead()) return after_death();
  take_down(Death::power_loss, "stopped in order, then the power is cut");
}

// ---- time

void World::step() {
  ++result_.steps;
  Micros by{static_cast<std::int64_t>(2000 + schedule_.below(38'000))};
  if (!is_calm_ && schedule_.chance(0.02)) {
    by = Micros::from_millis(static_cast<std::int64_t>(schedule_.below(40'000)));
  }
  clock_.advance(by);
  newest_wall_ = std::max(newest_wall_, clock_.now());
  while (next_fault_ < plan_.size() && plan_[next_fault_].at <= now()) inject(plan_[next_fault_++]);
  end_faults();
  if (!is_up() && now() >= start_at_) start();
  if (!is_calm_) {
    make_readings();
    make_messages();
  }
  act_direct();
  act_peers();
  carry_all();
  turn_brain();
  after_death();
  if (is_up() && result_.steps % 64 == 0) check_limits();
}

void World::turn_brain() {
  const std::uint64_t turns = 1 + schedule_.below(3);
  for (std::uint64_t i = 0; i < turns && is_up() && !disk_.is_dead(); ++i) {
    const bool syncs = schedule_.chance(0.7);
    const bool feeds = schedule_.chance(0.6);
    brain_->turn(syncs, feeds);
  }
}

bool World::is_during(FaultKind kind) const {
  return now() < until_[static_cast<std::size_t>(kind)];
}

void World::inject(const Fault& fault) {
  note("fault: " + fault.text());
  ++result_.injected[static_cast<std::size_t>(fault.kind)];
  until_[static_cast<std::size_t>(fault.kind)] = now() + fault.lasts;
  inject_death(fault);
  if (is_up()) inject_into_brain(fault);
  switch (fault.kind) {
    case FaultKind::disk_full:
      disk_.set_capacity(disk_.used_bytes() + fault.number * 100);
      break;
    case FaultKind::slow_disk:
      disk_.set_sync_takes(Micros::from_millis(static_cast<std::int64_t>(fault.number)));
      break;
    case FaultKind::read_errors:
      disk_.fail_reads(1 + static_cast<std::uint32_t>(fault.number % 3));
      break;
    case FaultKind::bit_flip:
      note("a bit flips in " + (fault.number % 8 == 0 ? disk_.flip_bits_of_snapshots(faults_)
                                                      : disk_.flip_bit(faults_)));
      break;
    case FaultKind::misdirected:
      disk_.misdirect_next_write(faults_);
      break;
    case FaultKind::clock_jump: {
      // Up to half a day, as often back as forth.
      const auto seconds = static_cast<std::int64_t>(fault.number * fault.number % 43'200);
      const std::int64_t by = fault.number % 2 == 0 ? seconds : -seconds;
      clock_.jump_wall(clock_.now() + Micros::from_seconds(by));
      break;
    }
    case FaultKind::slow_client:
      slow_peer_ = fault.number % peers_.size();
      break;
    default:
      break;
  }
}

void World::inject_death(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::kill:
    case FaultKind::power_loss:
      next_death_ = fault.kind == FaultKind::kill ? Death::kill : Death::power_loss;
      if (is_up()) disk_.die_at(fault.number % 30);
      break;
    case FaultKind::die_in_recovery:
      die_in_recovery_ = fault.number % 20;
      next_death_ = fault.number % 3 == 0 ? Death::kill : Death::power_loss;
      if (is_up()) disk_.die_at(fault.number % 7);
      break;
    case FaultKind::sync_fails:
      if (is_up()) disk_.set_sync_fails(true);
      break;
    case FaultKind::stop:
      stop_in_order();
      break;
    default:
      break;
  }
}

void World::inject_into_brain(const Fault& fault) {
  if (fault.kind == FaultKind::cut) {
    Peer& peer = *peers_[fault.number % peers_.size()];
    if (!peer.is_connected()) return;
    (void)carry(*peer.wire(), fault.number, 0, true);
    peer.on_disconnected();
  } else if (fault.kind == FaultKind::hostile) {
    for (std::uint64_t i = 0; i <= fault.number % 5; ++i) {
      hostiles_.push_back(std::make_unique<HostilePeer>(brain_->connect()));
      hostiles_.back()->wire->to_broker = hostile_bytes(faults_);
    }
  } else if (fault.kind == FaultKind::rules_change) {
    has_extra_rule_ = !has_extra_rule_;
    brain_->change_rules(has_extra_rule_, [](const Status&) {});
  }
}

void World::end_faults() {
  if (!is_during(FaultKind::disk_full)) disk_.set_capacity(std::nullopt);
  if (!is_during(FaultKind::slow_disk)) disk_.set_sync_takes({});
  history_.refuses = is_during(FaultKind::history_refuses);
}

// ---- what is sent

std::uint64_t World::make_reading(const std::string& source, std::size_t vehicle) {
  std::set<std::int64_t>& used = used_times_[vehicle];
  std::int64_t millis = (kBegin + now()).micros / 1000;
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
  if (direct_.size() < kBacklogMax && work_.chance(often * 0.4)) {
    std::vector<std::uint64_t> batch;
    const std::size_t first = kDevices * kVehiclesOfDevice;
    for (std::uint64_t i = 0; i <= work_.below(8); ++i) {
      batch.push_back(make_reading("direct", first + work_.below(kDirectVehicles)));
    }
    direct_.push_back(std::move(batch));
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

void World::act_direct() {
  if (!is_up() || brain_->is_congested() || direct_.empty()) return;
  if (direct_under_way_.size() >= kDirectUnderWayMax) return;
  std::vector<std::uint64_t> numbers = std::move(direct_.front());
  direct_.pop_front();
  submit_direct(std::move(numbers));
}

void World::submit_direct(std::vector<std::uint64_t> numbers) {
  SourceBatch batch;
  batch.source = brain_->direct_source();
  batch.received_at = clock_.now();
  ObservationBatch rows(brain_->vehicle());
  const AttributeId speed = *brain_->schema().find_attribute(brain_->vehicle(), "speed");
  const AttributeId seq = *brain_->schema().find_attribute(brain_->vehicle(), "seq");
  for (const std::uint64_t number : numbers) {
    Reading& reading = model_.readings.at(number);
    reading.was_sent = true;
    rows.begin_row(reading.entity, reading.observed_at);
    rows.set_number(speed, reading.speed);
    rows.set_number(seq, static_cast<double>(number));
  }
  model_.copies["direct"] += numbers.size();
  rows.finish();
  batch.observations.push_back(std::move(rows));
  const std::uint64_t batch_number = next_batch_++;
  direct_under_way_[batch_number] = std::move(numbers);
  brain_->submit(std::move(batch), [this, batch_number](const Status& status) {
    if (disk_.is_dead()) return;  // nobody hears it
    auto node = direct_under_way_.extract(batch_number);
    if (node.empty()) return fail("a submission was answered twice");
    if (!status) return direct_.push_back(std::move(node.mapped()));
    for (const std::uint64_t number : node.mapped()) {
      model_.readings.at(number).is_acknowledged = true;
    }
  });
}

void World::connect_peer(Peer& peer) { peer.connect(brain_->connect()); }

void World::act_peers() {
  for (const auto& peer : peers_) {
    if (!is_up() || disk_.is_dead()) return;
    if (!peer->is_connected()) {
      if (schedule_.chance(is_calm_ ? 0.2 : 0.05)) connect_peer(*peer);
      continue;
    }
    peer->act(now(), schedule_);
  }
}

void World::carry_all() {
  const bool is_parted = is_during(FaultKind::partition);
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    Peer& peer = *peers_[i];
    if (!is_up() || disk_.is_dead()) return;
    if (!peer.is_connected()) continue;
    const bool is_slow = is_during(FaultKind::slow_client) && i == slow_peer_;
    std::size_t there = schedule_.chance(0.2) ? schedule_.below(20) : schedule_.below(4000);
    std::size_t back = schedule_.chance(0.2) ? schedule_.below(20) : schedule_.below(4000);
    if (is_parted) there = back = 0;
    if (is_slow) back = std::min<std::size_t>(back, 20);
    if (peer.is_dead() && peer.is_subscribed()) back = 0;
    const bool goes_on = carry(*peer.wire(), there, back, false);
    result_.report.mix(peer.wire()->traffic);
    if (!goes_on) {
      if (peer.wire()->input_was_exceeded) fail(peer.id() + ": the broker kept more than it may");
      peer.on_disconnected();
    }
  }
  for (const auto& hostile : hostiles_) {
    if (is_up() && !disk_.is_dead()) {
      const std::size_t there = schedule_.below(200);
      (void)carry(*hostile->wire, there, 10'000, schedule_.chance(0.01));
      result_.report.mix(hostile->wire->traffic);
    }
  }
}

// ---- the end

void World::check_limits() {
  if (brain_->feed().queue_size() > options_.feed_items_max)
    fail("the history's queue is over its limit");
  for (const auto& [source, books] : brain_->books()) {
    if (!books.balanced()) fail(fmt::format("the books of {} do not balance", source));
  }
}

bool World::history_has_all() {
  std::size_t shard = 0;
  for (const CommitLog* const log : brain_->engine().logs()) {
    if (history_.positions[shard++] < log->facts_end().offset) return false;
  }
  return true;
}

// What has still to happen; empty: nothing.
std::string World::outstanding() {
  if (!is_up()) return "the process is down";
  for (const auto& peer : peers_) {
    if (!peer->is_idle())
      return fmt::format("{} has {} to send or is not ready", peer->id(), peer->waiting());
  }
  if (!direct_.empty() || !direct_under_way_.empty()) return "batches are not acknowledged";
  if (!history_has_all()) return "history lacks something";
  return {};
}

void World::calm_down() {
  note("all faults end");
  is_calm_ = true;
  next_fault_ = plan_.size();
  until_ = {};
  disk_.set_sync_fails(false);
  disk_.fail_reads(0);
  die_in_recovery_.reset();
  const Micros by = now() + kCalmMax;
  std::uint64_t at_rest = 0;
  while (at_rest < 20 && result_.report.is_sound()) {
    if (now() > by) return fail("no progress: " + outstanding());
    step();
    at_rest = outstanding().empty() ? at_rest + 1 : 0;
  }
}

void World::finish() {
  // What was silent long enough is told; then all of it once more behind a restart.
  clock_.jump_wall(newest_wall_);
  clock_.advance(Micros::from_seconds(70));
  for (int i = 0; i < 50; ++i) step();
  stop_in_order();
  if (!result_.report.is_sound()) return;
  calm_down();
  if (!result_.report.is_sound()) return;
  peers_.push_back(std::make_unique<Peer>(
      Peer::Options{.id = "fresh", .filter = "state/#", .filter_qos = 1, .is_fresh = true}, model_,
      result_.report));
  calm_down();
  if (!result_.report.is_sound()) return;
  check_history(model_, history_, now(), result_.report);
  check_alerts(model_, history_, now(), result_.report);
  check_books(brain_->books(), model_, history_, now(), result_.report);
  check_present(*brain_, history_, now(), result_.report);
  check_messages(model_, now(), result_.report);
  take_down(Death::kill, "the end");
}

}  // namespace ficus::sim
