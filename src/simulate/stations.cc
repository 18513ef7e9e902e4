#include "simulate/stations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "codec/json/json_writer.h"
#include "simulate/daily_rhythm.h"

namespace ficus::simulate {
namespace {

constexpr std::int64_t kAirPeriod = 10;  // seconds
constexpr std::int64_t kNoisePeriod = 5;
constexpr std::int64_t kCarParkPeriod = 15;
constexpr std::int64_t kPumpPeriod = 5;
constexpr double kSilenceSeconds = 150;
constexpr std::int64_t kFaultSeconds = 120;

double rounded(double value, double unit) { return std::round(value / unit) * unit; }
double tenth(double value) { return std::round(value * 10) / 10; }

int scaled(int count, double scale) {
  return std::max(1, static_cast<int>(std::lround(count * scale)));
}

void begin_report(json::JsonWriter& json, Timestamp now, GeoPoint position) {
  json.begin_object().key("ts").integer(now.micros / 1000);
  json.key("lon").number(position.longitude).key("lat").number(position.latitude);
}

bool is_turn(std::int64_t second, std::size_t index, std::int64_t period) {
  return (second + static_cast<std::int64_t>(index)) % period == 0;
}

}  // namespace

Stations::Stations(const CityMap& map, double scale, double speed, Random random)
    : speed_(std::max(1.0, speed)), random_(random) {
  air_ = place(map, "air", scaled(12, scale));
  noise_ = place(map, "noise", scaled(10, scale));
  car_parks_ = place(map, "carpark", scaled(8, scale));
  pumps_ = place(map, "pump", scaled(6, scale));
  for (Station& park : car_parks_) {
    park.capacity = static_cast<double>(120 + 20 * random_.below(20));
  }
}

std::vector<Stations::Station> Stations::place(const CityMap& map, const char* prefix, int count) {
  std::vector<Station> stations;
  for (int i = 0; i < count; ++i) {
    Station s;
    s.name = fmt::format("{}-{:02}", prefix, i + 1);
    s.position = map.crossing(
        static_cast<int>(random_.below(static_cast<std::uint64_t>(map.crossing_count()))));
    s.level = random_.between(-1, 1);
    s.first.value = random_.between(-1, 1);
    s.second.value = random_.between(-1, 1);
    stations.push_back(std::move(s));
  }
  return stations;
}

void Stations::begin(IncidentKind kind, std::int64_t second) {
  std::size_t count = air_.size();
  if (kind == IncidentKind::noise_over_limit) count = noise_.size();
  if (kind == IncidentKind::car_park_full) count = car_parks_.size();
  if (kind == IncidentKind::pump_vibration) count = pumps_.size();
  Fault& f = fault(kind);
  f.station = static_cast<int>(random_.below(count));
  f.end = second + kFaultSeconds;
  f.is_told = false;
  if (kind != IncidentKind::station_silent) return;
  // A station in the middle of its PM2.5 episode does not also fall silent.
  if (f.station == fault(IncidentKind::pm25_episode).station) {
    f.station = (f.station + 1) % static_cast<int>(count);
  }
  f.end = second + std::llround(kSilenceSeconds * speed_);
}

bool Stations::shows(IncidentKind kind, int index, const std::string& entity, Timestamp now,
                     CityStep& out) {
  Fault& f = fault(kind);
  if (f.station != index) return false;
  if (!f.is_told) out.incidents.push_back({now, kind, entity});
  f.is_told = true;
  return true;
}

void Stations::step(Timestamp now, std::int64_t second, CityStep& out) {
  for (Fault& f : faults_) {
    if (f.station >= 0 && second >= f.end) f.station = -1;
  }
  for (std::size_t i = 0; i < air_.size(); ++i) {
    if (is_turn(second, i, kAirPeriod)) report_air(now, static_cast<int>(i), out);
  }
  for (std::size_t i = 0; i < noise_.size(); ++i) {
    if (is_turn(second, i, kNoisePeriod)) report_noise(now, static_cast<int>(i), out);
  }
  for (std::size_t i = 0; i < pumps_.size(); ++i) {
    if (is_turn(second, i, kPumpPeriod)) report_pump(now, static_cast<int>(i), out);
  }
  if (second % kCarParkPeriod == 0) report_car_parks(now, out);
}

void Stations::report_air(Timestamp now, int index, CityStep& out) {
  Station& s = air_[static_cast<std::size_t>(index)];
  const std::string entity = "urn:ngsi-ld:AirQualityObserved:" + s.name;
  const double traffic = traffic_share(now);
  const double a = s.first.next(random_);
  const double b = s.second.next(random_);
  double pm25 = std::max(4.0, 28 + 18 * traffic + 8 * s.level + 9 * a);
  if (shows(IncidentKind::station_silent, index, entity, now, out)) return;
  if (shows(IncidentKind::pm25_episode, index, entity, now, out)) pm25 = 172 + 8 * a;
  CityMessage message{Channel::mqtt, "city/air/" + s.name, {}};
  json::JsonWriter json(message.payload);
  begin_report(json, now, s.position);
  json.key("pm25").number(std::round(pm25));
  json.key("pm10").number(std::round(pm25 * 1.4 + 5 * b + 8));
  json.key("no2").number(std::round(std::max(3.0, 14 + 40 * traffic + 5 * b)));
  json.key("o3").number(std::round(std::max(5.0, 60 + 35 * warmth(now) - 15 * traffic + 6 * a)));
  json.key("co").number(tenth(std::max(0.1, 0.4 + 0.6 * traffic + 0.1 * b)));
  json.key("temperature").number(tenth(22 + 5 * warmth(now) + s.level + 0.4 * b));
  json.key("humidity").number(std::round(std::clamp(74 - 14 * warmth(now) + 3 * a, 20.0, 100.0)));
  json.end_object();
  out.messages.push_back(std::move(message));
}

void Stations::report_noise(Timestamp now, int index, CityStep& out) {
  Station& s = noise_[static_cast<std::size_t>(index)];
  const std::string entity = "urn:ngsi-ld:NoiseLevelObserved:" + s.name;
  double level =
      std::min(67.0, 46 + 14 * traffic_share(now) + 3 * s.level + 2 * s.first.next(random_));
  if (shows(IncidentKind::noise_over_limit, index, entity, now, out)) {
    level = random_.between(74, 82);
  }
  CityMessage message{Channel::mqtt, "city/noise/" + s.name, {}};
  json::JsonWriter json(message.payload);
  begin_report(json, now, s.position);
  json.key("laeq").number(tenth(level)).end_object();
  out.messages.push_back(std::move(message));
}

void Stations::report_car_parks(Timestamp now, CityStep& out) {
  CityMessage message{Channel::http, "carparks", {}};
  json::JsonWriter json(message.payload);
  json.begin_array();
  for (std::size_t i = 0; i < car_parks_.size(); ++i) {
    Station& s = car_parks_[i];
    double share = std::clamp(
        0.35 + 0.4 * traffic_share(now) + 0.1 * s.level + 0.05 * s.first.next(random_), 0.05, 0.9);
    if (shows(IncidentKind::car_park_full, static_cast<int>(i),
              "urn:ngsi-ld:OffStreetParking:" + s.name, now, out)) {
      share = 0.985;
    }
    begin_report(json, now, s.position);
    json.key("park").text(s.name).key("capacity").number(s.capacity);
    json.key("occupied").number(std::round(s.capacity * share)).end_object();
  }
  json.end_array();
  out.messages.push_back(std::move(message));
}

void Stations::report_pump(Timestamp now, int index, CityStep& out) {
  Station& s = pumps_[static_cast<std::size_t>(index)];
  const double a = s.first.next(random_);
  const double b = s.second.next(random_);
  const double water = water_share(now);
  double vibration = std::max(0.6, 2.2 + 0.4 * s.level + 0.3 * a);
  double heat = 0;
  if (shows(IncidentKind::pump_vibration, index, "urn:ngsi-ld:WaterPump:" + s.name, now, out)) {
    vibration = random_.between(9, 12);
    heat = 14;
  }
  CityMessage message{Channel::mqtt, "city/pump/" + s.name, {}};
  json::JsonWriter json(message.payload);
  begin_report(json, now, s.position);
  json.key("flow").number(rounded(std::max(10.0, 420 * water + 30 * s.level + 8 * b), 1));
  json.key("pressure").number(std::round((0.42 - 0.08 * water + 0.005 * a) * 1000) / 1000);
  json.key("vibration").number(std::round(vibration * 100) / 100);
  json.key("motorTemperature").number(tenth(52 + 12 * water + 2 * b + heat)).end_object();
  out.messages.push_back(std::move(message));
}

}  // namespace ficus::simulate
