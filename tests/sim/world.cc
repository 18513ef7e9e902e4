#include "world.h"

#include <fmt/format.h>

#include <algorithm>

#include "checker.h"

namespace ficus::sim {
namespace {

constexpr Micros kLength = Micros::from_seconds(600);
constexpr std::uint64_t kStepsMax = 6000;
constexpr Micros kCalmMax = Micros::from_seconds(240);
constexpr std::size_t kHttpSenders = 3;
constexpr std::uint16_t kAisSenders = 2;  // with a connection; as many without

BrainOptions draw_options(Random& random) {
  BrainOptions options;
  options.shards = 1 + random.below(3);
  options.segment_bytes_max = (std::uint64_t{1} << 10) << random.below(6);
  options.snapshot_every_bytes = (std::uint64_t{4} << 10) << random.below(6);
  options.queue_batches_max = 2 + random.below(30);
  options.feed_items_max = 4 + random.below(100);
  options.snapshot_values_a_turn = std::size_t{1} << random.below(10);
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
  for (std::size_t i = 0; i < kHttpSenders; ++i) {
    http_senders_.push_back(
        std::make_unique<HttpSender>(fmt::format("gateway-{}", i), model_, result_.report));
  }
  for (std::uint16_t i = 0; i < kAisSenders; ++i) {
    net::Address address;
    address.port = static_cast<std::uint16_t>(5000 + i);
    ais_senders_.push_back(std::make_unique<AisSender>("coast", model_, std::nullopt));
    ais_senders_.push_back(std::make_unique<AisSender>("harbour", model_, address));
  }
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
  result_.answers = model_.answers;
  result_.sightings = model_.sightings.size();
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
  disconnect_all();
  brain_.reset();
  disk_.revive(death, faults_);
  result_.report.mix(disk_.hash());
  check_views(disk_, options_, clock_, now(), result_.report);
  start_at_ = now() + Micros::from_millis(static_cast<std::int64_t>(faults_.below(3000)));
}

void World::disconnect_all() {
  for (const auto& peer : peers_) {
    if (peer->is_connected()) peer->on_disconnected();
  }
  for (const auto& sender : http_senders_) sender->on_disconnected();
  for (const auto& sender : ais_senders_) sender->on_disconnected();
  hostiles_.clear();
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
  act_clients();
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
      // Wrong by up to half a day, as often back as forth. What several jumps would add up to, over
      // a day, would rightly quarantine what devices with sound clocks say.
      const auto seconds = static_cast<std::int64_t>(fault.number * fault.number % 43'200);
      const std::int64_t by = fault.number % 2 == 0 ? seconds : -seconds;
      clock_.jump_wall(device_now() + Micros::from_seconds(by));
      break;
    }
    case FaultKind::slow_client:
      slow_client_ = fault.number % (peers_.size() + http_senders_.size());
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
    inject_cut(fault.number);
  } else if (fault.kind == FaultKind::hostile) {
    for (std::uint64_t i = 0; i <= fault.number % 5; ++i) {
      const double drawn = faults_.unit();
      const Port port = drawn < 0.5 ? Port::mqtt : drawn < 0.8 ? Port::http : Port::hostile_ais;
      hostiles_.push_back(std::make_unique<HostilePeer>(brain_->connect(port)));
      hostiles_.back()->wire->to_broker = hostile_bytes(port, faults_);
    }
  } else if (fault.kind == FaultKind::rules_change) {
    has_extra_rule_ = !has_extra_rule_;
    brain_->change_rules(has_extra_rule_, [](const Status&) {});
  }
}

// The link of one of the clients, of the MQTT ones or the others. Those who speak HTTP or AIS may
// just as well hang up in the middle of what they say.
void World::inject_cut(std::uint64_t number) {
  const auto cut = [&](auto& client, bool hangs_up) {
    if (!client.is_connected()) return;
    if (carry(*client.wire(), number, 0, !hangs_up)) {
      client.wire()->to_broker.clear();
      client.wire()->is_ended = true;
    } else {
      client.on_disconnected();
    }
  };
  const bool hangs_up = number % 2 == 0;
  std::uint64_t chosen = number % (peers_.size() + http_senders_.size() + ais_senders_.size());
  if (chosen < peers_.size()) return cut(*peers_[chosen], false);
  chosen -= peers_.size();
  if (chosen < http_senders_.size()) return cut(*http_senders_[chosen], hangs_up);
  cut(*ais_senders_[chosen - http_senders_.size()], hangs_up);
}

void World::end_faults() {
  if (!is_during(FaultKind::disk_full)) disk_.set_capacity(std::nullopt);
  if (!is_during(FaultKind::slow_disk)) disk_.set_sync_takes({});
  history_.refuses = is_during(FaultKind::history_refuses);
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
  for (const auto& sender : http_senders_) {
    if (sender->waiting() > 0) return sender->id() + " has no answer";
  }
  for (const auto& sender : ais_senders_) {
    if (!sender->is_idle()) return "sightings are on their way to " + sender->source();
  }
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
  disk_.live_on();
  die_in_recovery_.reset();
  const Micros by = now() + kCalmMax;
  std::uint64_t at_rest = 0;
  bool has_said_last = false;
  while ((at_rest < 20 || !has_said_last) && result_.report.is_sound()) {
    if (now() > by) return fail("no progress: " + outstanding());
    step();
    at_rest = outstanding().empty() ? at_rest + 1 : 0;
    if (at_rest >= 10 && !has_said_last && brain_->takes_data()) {
      has_said_last = true;
      for (const auto& sender : ais_senders_) sender->hear_last(device_now());
    }
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
  check_sightings(model_, history_, now(), result_.report);
  check_alerts(model_, history_, now(), result_.report);
  check_books(brain_->books(), model_, history_, now(), result_.report);
  check_present(*brain_, history_, now(), result_.report);
  check_messages(model_, now(), result_.report);
  take_down(Death::kill, "the end");
}

}  // namespace ficus::sim
