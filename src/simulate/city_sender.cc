#include "simulate/city_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <csignal>

#include "net/bytes.h"
#include "net/udp.h"
#include "simulate/http_sender.h"
#include "simulate/mqtt_client.h"

namespace ficus::simulate {
namespace {

constexpr Micros kBeat = Micros::from_millis(100);
constexpr Micros kReportEvery = Micros::from_seconds(5);
constexpr Micros kPatience = Micros::from_millis(1500);  // for acknowledgements after a signal
constexpr std::int64_t kCatchUpSeconds = 30;             // lived in one beat at most

class CitySender {
 public:
  CitySender(const CitySenderOptions& options, const Clock& clock,
             const std::function<void(const std::string&)>& on_line)
      : options_(options),
        clock_(clock),
        on_line_(on_line),
        start_(clock.now()),
        began_(clock.monotonic()),
        city_(city_options()),
        mqtt_(loop_, {.host_port = options.mqtt,
                      .client_id = fmt::format("ficus-simulate-{}", start_.micros),
                      .tls = options.mqtt_tls,
                      .user = options.credentials.user,
                      .password = options.credentials.password}),
        http_(loop_, options.http, 100, options.http_tls, options.credentials.authorization),
        beat_(loop_),
        reporter_(loop_),
        patience_(loop_) {}

  Status run(Disk& disk);

 private:
  CityOptions city_options() const {
    CityOptions city = options_.city;
    city.start = start_;
    return city;
  }
  void live();
  void live_until(Timestamp now);
  void send(CityMessage message);
  void end_if_done();
  void stop_soon();
  std::string progress() const;

  const CitySenderOptions& options_;
  const Clock& clock_;
  const std::function<void(const std::string&)>& on_line_;
  const Timestamp start_;
  const Micros began_;
  net::EventLoop loop_;
  City city_;
  MqttClient mqtt_;
  HttpSender http_;
  std::unique_ptr<net::UdpSocket> udp_;
  net::Address ais_;
  net::Timer beat_;
  net::Timer reporter_;
  net::Timer patience_;
  std::unique_ptr<File> truth_;
  Status truth_written_;
  CityStep step_;
  Micros lived_;  // simulated, since the start
  Micros held_;   // of real time, in which the city stood still because nobody took its messages
  Micros last_beat_;
  bool is_ending_ = false;
  bool is_given_up_ = false;
  std::uint64_t lines_ = 0;
  std::uint64_t lines_lost_ = 0;
  std::uint64_t incidents_ = 0;
};

Status CitySender::run(Disk& disk) {
  FICUS_TRY(ais_, net::Address::parse(options_.ais));
  FICUS_TRY(const net::Address any,
            net::Address::parse(ais_.family == net::AddressFamily::v6 ? "[::]:0" : "0.0.0.0:0"));
  FICUS_TRY(udp_, net::UdpSocket::open(loop_, any, {}, {}));
  if (!options_.truth_file.empty()) {
    FICUS_TRY(truth_, disk.open(options_.truth_file, OpenMode::create));
  }
  FICUS_TRY_VOID(loop_.watch_signals([this](int) { stop_soon(); }));
  mqtt_.on_progress([this] { end_if_done(); });
  http_.on_progress([this] { end_if_done(); });
  last_beat_ = clock_.monotonic();
  beat_.start_repeating(kBeat, [this] { live(); });
  reporter_.start_repeating(kReportEvery, [this] { on_line_(progress()); });
  loop_.run();
  on_line_(progress());
  mqtt_.close();
  loop_.run_turn(Micros::from_millis(50));
  FICUS_TRY_VOID(truth_written_);
  if (is_given_up_ || mqtt_.counts().refused > 0 || http_.counts().refused > 0) {
    const std::string& why = mqtt_.last_error().empty() ? http_.last_error() : mqtt_.last_error();
    return fail(ErrorCode::unavailable, "not everything was acknowledged: " + why);
  }
  return {};
}

void CitySender::live() {
  const Micros now = clock_.monotonic();
  const Micros passed = now - last_beat_;
  last_beat_ = now;
  if (is_ending_) return end_if_done();
  const Micros real = now - began_ - held_;
  Micros wanted{std::llround(static_cast<double>(real.count) * options_.city.speed)};
  wanted = std::min(wanted, lived_ + Micros::from_seconds(kCatchUpSeconds));
  const Micros end{std::llround(options_.seconds * 1e6)};
  if (end.count > 0) wanted = std::min(wanted, end);
  while (lived_ < wanted) {
    // A city that nobody hears stands still; it does not pile up messages.
    if (mqtt_.is_full() || http_.is_full()) {
      held_ = held_ + passed;
      return;
    }
    lived_ = std::min(wanted, lived_ + Micros::from_seconds(1));
    live_until(start_ + lived_);
  }
  if (end.count > 0 && lived_ >= end) {
    is_ending_ = true;
    end_if_done();
  }
}

void CitySender::live_until(Timestamp now) {
  city_.step(now, step_);
  for (CityMessage& message : step_.messages) send(std::move(message));
  for (const Incident& incident : step_.incidents) {
    ++incidents_;
    if (truth_ == nullptr || !truth_written_) continue;
    const std::string line = to_json(incident) + "\n";
    truth_written_ = truth_->append(net::bytes_of(line));
  }
}

void CitySender::send(CityMessage message) {
  switch (message.channel) {
    case Channel::mqtt:
      mqtt_.publish(std::move(message.address), std::move(message.payload));
      return;
    case Channel::http:
      http_.post("/ingest/" + message.address, "application/json", std::move(message.payload), 1);
      return;
    case Channel::nmea:
      message.payload += "\r\n";
      ++lines_;
      if (!udp_->send(net::bytes_of(message.payload), ais_)) ++lines_lost_;
      return;
  }
}

void CitySender::end_if_done() {
  if (is_ending_ && mqtt_.is_idle() && http_.is_idle()) loop_.stop();
}

void CitySender::stop_soon() {
  is_ending_ = true;
  patience_.start_once(kPatience, [this] {
    is_given_up_ = true;
    loop_.stop();
  });
  end_if_done();
}

std::string CitySender::progress() const {
  const MqttClientCounts& m = mqtt_.counts();
  const HttpSenderCounts& h = http_.counts();
  std::string line = fmt::format(
      "simulated {:.0f} s: sent {}, acknowledged {}, AIS lines {}, incidents {}", lived_.seconds(),
      m.accepted + h.accepted, m.acknowledged + h.acknowledged, lines_, incidents_);
  if (lines_lost_ > 0) line += fmt::format(", AIS lines not sent {}", lines_lost_);
  if (h.quarantined > 0) line += fmt::format(", quarantined {}", h.quarantined);
  if (!mqtt_.is_connected()) line += "; MQTT: no connection: " + mqtt_.last_error();
  if (!http_.is_idle() && !http_.last_error().empty()) line += "; HTTP: " + http_.last_error();
  return line;
}

}  // namespace

Status run_city(const CitySenderOptions& options, const Clock& clock, Disk& disk,
                const std::function<void(const std::string&)>& on_line) {
  CitySender sender(options, clock, on_line);
  return sender.run(disk);
}

}  // namespace ficus::simulate
