#include "simulate/replay.h"

#include <fmt/format.h>

#include <cmath>

#include "net/event_loop.h"
#include "simulate/replay_target.h"

namespace ficus::simulate {
namespace {

constexpr Micros kReportEvery = Micros::from_seconds(5);
constexpr Micros kPatience = Micros::from_seconds(3);  // for acknowledgements after a signal
constexpr Micros kRetryPause = Micros::from_millis(2);

class Replay {
 public:
  Replay(const ReplayOptions& options, const Clock& clock, RecordReader reader)
      : options_(options),
        clock_(clock),
        reader_(std::move(reader)),
        next_turn_(loop_),
        reporter_(loop_),
        patience_(loop_) {}

  Result<ReplayOutcome> run(const std::function<void(const std::string&)>& on_line);

 private:
  void turn();
  Result<bool> read();  // has a record to send in `record_`
  Micros wait_for_due();
  void end_reading();
  void stop_if_done();
  void fail_with(Error error) {
    fault_ = std::move(error);
    loop_.stop();
  }

  const ReplayOptions& options_;
  const Clock& clock_;
  RecordReader reader_;
  net::EventLoop loop_;
  std::unique_ptr<ReplayTarget> target_;
  net::Timer next_turn_;
  net::Timer reporter_;
  net::Timer patience_;
  Record record_;
  bool has_record_ = false;
  bool is_ended_ = false;
  std::uint64_t sent_ = 0;
  std::optional<Timestamp> first_time_;
  Micros began_;
  std::optional<Error> fault_;
};

Result<ReplayOutcome> Replay::run(const std::function<void(const std::string&)>& on_line) {
  FICUS_TRY(target_, open_target(loop_, options_.to, options_.tls, options_.credentials, [this] {
              if (!next_turn_.is_running()) next_turn_.start_once({}, [this] { turn(); });
            }));
  FICUS_TRY_VOID(loop_.watch_signals([this](int) {
    end_reading();
    patience_.start_once(kPatience, [this] { loop_.stop(); });
  }));
  reporter_.start_repeating(kReportEvery, [&] {
    std::string line = fmt::format("sent {}, acknowledged {}", sent_, target_->acknowledged());
    const std::string error = target_->last_error();
    if (!error.empty()) line += ": " + error;
    on_line(line);
  });
  next_turn_.start_once({}, [this] { turn(); });
  loop_.run();
  for (const std::string& path : reader_.passed_over()) on_line("passed over " + path);
  if (fault_) return std::unexpected(*fault_);
  return ReplayOutcome{sent_, target_->acknowledged(), target_->last_error()};
}

Result<bool> Replay::read() {
  if (has_record_) return true;
  if (options_.limit > 0 && sent_ >= options_.limit) return false;
  FICUS_TRY(const bool is_there, reader_.next(record_));
  if (!is_there) return false;
  if (reader_.is_new_file()) {
    if (reader_.kind() != target_->kind()) {
      return invalid(fmt::format(
          "{}: {} is sent to {}", reader_.path(),
          reader_.kind() == RecordKind::csv ? "CSV" : "NMEA",
          reader_.kind() == RecordKind::csv ? "mqtt:// or http://" : "udp:// or tcp://"));
    }
    static const std::vector<std::string> kNone;
    const auto& columns = reader_.kind() == RecordKind::csv ? reader_.columns() : kNone;
    if (const Status begun = target_->begin_file(columns); !begun) {
      return in_context(reader_.path() + ": ", begun.error());
    }
  }
  has_record_ = true;
  return true;
}

// How long the record has to wait for its turn.
Micros Replay::wait_for_due() {
  if (options_.speed <= 0 || !record_.time) return {};
  const Micros now = clock_.monotonic();
  if (!first_time_) {
    first_time_ = record_.time;
    began_ = now;
  }
  const double since = static_cast<double>((*record_.time - *first_time_).count);
  return began_ + Micros{std::llround(since / options_.speed)} - now;
}

void Replay::turn() {
  if (target_->has_failed() && !is_ended_) {
    return fail_with({ErrorCode::unavailable, target_->last_error()});
  }
  for (std::size_t i = 0; i < target_->records_per_turn(); ++i) {
    if (is_ended_) return stop_if_done();
    if (target_->is_full()) return;  // goes on with the target's progress
    const auto is_there = read();
    if (!is_there) return fail_with(is_there.error());
    if (!*is_there) {
      end_reading();
      continue;
    }
    if (const Micros wait = wait_for_due(); wait > Micros{}) {
      target_->flush();
      next_turn_.start_once(wait, [this] { turn(); });
      return;
    }
    if (const Status sent = target_->send(record_); !sent) {
      if (sent.error().code != ErrorCode::overloaded) return fail_with(sent.error());
      next_turn_.start_once(kRetryPause, [this] { turn(); });
      return;
    }
    has_record_ = false;
    ++sent_;
  }
  next_turn_.start_once(target_->turn_pause(), [this] { turn(); });
}

void Replay::end_reading() {
  if (is_ended_) return;
  is_ended_ = true;
  target_->flush();
  target_->finish();
  stop_if_done();
}

void Replay::stop_if_done() {
  if (target_->is_idle()) loop_.stop();
}

}  // namespace

Result<ReplayOutcome> replay(const ReplayOptions& options, const Clock& clock, Disk& disk,
                             const std::function<void(const std::string&)>& on_line) {
  FICUS_TRY(RecordReader reader, RecordReader::open(disk, options.path, options.time_column));
  Replay run(options, clock, std::move(reader));
  return run.run(on_line);
}

}  // namespace ficus::simulate
