#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ais_sender.h"
#include "fault_plan.h"
#include "hostile.h"
#include "http_sender.h"
#include "model.h"
#include "peer.h"
#include "report.h"
#include "sim_brain.h"

namespace ficus::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  // Of the seed's faults only these, by their place in its plan; nothing: all.
  std::optional<std::vector<std::size_t>> only;
  std::FILE* log = nullptr;  // the brain's own log
};

struct RunResult {
  Report report;
  std::vector<Fault> plan;  // all that the seed has
  Micros simulated;
  std::uint64_t steps = 0;
  std::uint64_t starts = 0;  // of the process
  std::uint64_t readings = 0;
  std::uint64_t messages = 0;
  std::map<int, std::uint64_t> answers;  // to gateways, by status of HTTP
  std::uint64_t sightings = 0;
  std::array<std::uint64_t, kFaultKinds> injected{};
  std::uint64_t refusals_to_start = 0;  // because of damage, as promised
};

// One run: a city, its devices and subscribers, and what goes wrong, decided by the seed alone.
class World {
 public:
  explicit World(const RunOptions& options);
  RunResult run();

 private:
  // --- the process
  void start();
  void take_down(Death death, const char* why);
  bool is_up() const { return brain_ != nullptr; }
  void after_death();
  void refused_to_start(const Error& error);
  void stop_in_order();

  // --- time
  void step();
  void turn_brain();
  void inject(const Fault& fault);
  void inject_death(const Fault& fault);
  void inject_into_brain(const Fault& fault);
  void inject_cut(std::uint64_t number);
  void end_faults();
  bool is_during(FaultKind kind) const;

  // --- what is sent, and how it travels
  void make_readings();
  std::uint64_t make_reading(const std::string& source, std::size_t vehicle);
  void make_message(Peer& peer, std::size_t topic);
  Publication publication_of(std::uint64_t reading, int qos) const;
  void make_messages();
  void act_clients();
  void send_datagrams(AisSender& sender);
  // How many bytes travel in a step.
  struct Share {
    std::size_t there = 0;
    std::size_t back = 0;
  };
  Share draw_share(std::size_t client);
  void carry_all();

  // --- the end
  void calm_down();
  std::string outstanding();
  bool history_has_all();
  void disconnect_all();
  void check_limits();
  void finish();

  Micros now() const { return clock_.monotonic(); }
  Timestamp device_now() const { return kBegin + now(); }  // devices have sound clocks
  void note(std::string text) { result_.report.event(now(), std::move(text)); }
  void fail(const std::string& text) { result_.report.violation(now(), text); }

  static constexpr Timestamp kBegin = Timestamp::from_seconds(1'790'000'000);
  static constexpr std::size_t kDevices = 3;
  static constexpr std::size_t kVehiclesOfDevice = 3;
  static constexpr std::size_t kHttpVehicles = 6;
  static constexpr std::size_t kVehicles = kDevices * kVehiclesOfDevice + kHttpVehicles;

  const RunOptions run_;
  RunResult result_;
  Random work_;      // what is sent
  Random schedule_;  // who runs when, how far bytes travel
  Random faults_;    // what a fault does
  BrainOptions options_;
  ManualClock clock_;
  SimDisk disk_;
  HistoryStore history_;
  Model model_;
  std::unique_ptr<SimBrain> brain_;
  std::uint64_t life_ = 0;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::unique_ptr<HttpSender>> http_senders_;
  std::vector<std::unique_ptr<AisSender>> ais_senders_;
  std::vector<std::unique_ptr<HostilePeer>> hostiles_;
  std::vector<Fault> plan_;
  std::size_t next_fault_ = 0;
  std::array<Micros, kFaultKinds> until_{};
  std::optional<std::uint64_t> die_in_recovery_;
  Death next_death_ = Death::kill;
  Micros start_at_;
  Timestamp newest_wall_;        // that the clock has ever told
  std::size_t slow_client_ = 0;  // peers, gateways and receivers are counted through
  bool is_calm_ = false;
  bool has_extra_rule_ = false;

  std::vector<std::set<std::int64_t>> used_times_;  // of each vehicle, in milliseconds
};

}  // namespace ficus::sim
