#include "simulate/traffic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "codec/json/json_writer.h"
#include "simulate/daily_rhythm.h"

namespace ficus::simulate {
namespace {

constexpr double kSchoolKmhMax = 35;
constexpr int kBusPeriodSeconds = 2;
constexpr int kTaxiPeriodSeconds = 5;

}  // namespace

Traffic::Traffic(const CityMap& map, double scale, Random random) : map_(map), random_(random) {
  add_buses(std::max(1, static_cast<int>(60 * scale)));
  add_taxis(static_cast<int>(140 * scale));
}

void Traffic::add_buses(int count) {
  const auto& lines = map_.bus_lines();
  for (int i = 0; i < count; ++i) {
    Vehicle v;
    v.name = fmt::format("bus-{:03}", i + 1);
    v.line = i % static_cast<int>(lines.size());
    const std::vector<int>& loop = lines[static_cast<std::size_t>(v.line)];
    v.place_on_line = random_.below(loop.size());
    v.from = loop[v.place_on_line];
    v.to = loop[(v.place_on_line + 1) % loop.size()];
    v.preferred_kmh = random_.between(34, 46);
    v.passengers = static_cast<int>(random_.below(40));
    v.position = map_.crossing(v.from);
    if (i == 0) put_before_school(v);
    v.is_in_school_zone = map_.is_in_kind(v.position, "school");
    vehicles_.push_back(std::move(v));
  }
}

// So that the first minute has something to show: half a minute's drive from a school zone.
void Traffic::put_before_school(Vehicle& bus) {
  const std::vector<int>& loop = map_.bus_lines()[0];
  bus.place_on_line = loop.size() - 1;
  bus.from = loop.back();
  bus.to = loop.front();
  bus.position = map_.crossing(bus.to);
  bus.speed_kmh = bus.preferred_kmh;
  bus.along_m = distance_metres(map_.crossing(bus.from), bus.position);
  constexpr int kStepM = 10;
  for (int gone_m = 0; gone_m < 2000 && !map_.is_in_kind(bus.position, "school");
       gone_m += kStepM) {
    go_on(bus, kStepM);
  }
  bus.waiting_s = 0;
  bus.along_m = std::max(0.0, bus.along_m - 120);
  bus.position = towards(map_.crossing(bus.from), map_.crossing(bus.to), bus.along_m);
}

void Traffic::add_taxis(int count) {
  for (int i = 0; i < count; ++i) {
    Vehicle v;
    v.name = fmt::format("taxi-{:03}", i + 1);
    v.from = static_cast<int>(random_.below(static_cast<std::uint64_t>(map_.crossing_count())));
    const auto& next = map_.neighbours(v.from);
    v.to = next[random_.below(next.size())];
    v.preferred_kmh = random_.between(38, 56);
    v.position = map_.crossing(v.from);
    v.is_in_school_zone = map_.is_in_kind(v.position, "school");
    vehicles_.push_back(std::move(v));
  }
}

void Traffic::step(Timestamp now, std::int64_t second, CityStep& out) {
  const double traffic = traffic_share(now);
  for (std::size_t i = 0; i < vehicles_.size(); ++i) {
    Vehicle& v = vehicles_[i];
    drive(v, traffic, now, out);
    const std::int64_t period = v.line >= 0 ? kBusPeriodSeconds : kTaxiPeriodSeconds;
    if ((second + static_cast<std::int64_t>(i)) % period == 0) report(v, now, out);
  }
}

void Traffic::drive(Vehicle& v, double traffic, Timestamp now, CityStep& out) {
  if (v.waiting_s > 0 && !v.is_speeding) {
    --v.waiting_s;
    v.speed_kmh = 0;
    return;
  }
  double wanted = v.preferred_kmh * (1 - 0.4 * traffic) + random_.between(-3, 3);
  double most = 3.0;  // km/h a second
  if (v.is_in_school_zone) wanted = std::min(wanted, kSchoolKmhMax - 3);
  if (v.is_speeding) {
    wanted = 60 + random_.between(-2, 2);
    most = 9;
  }
  v.speed_kmh += std::clamp(wanted - v.speed_kmh, -8.0, most);
  go_on(v, v.speed_kmh / 3.6);

  const bool was_inside = v.is_in_school_zone;
  v.is_in_school_zone = map_.is_in_kind(v.position, "school");
  if (v.is_in_school_zone && !was_inside && v.line >= 0 && is_overspeed_wished_) {
    is_overspeed_wished_ = false;
    has_speeder_ = true;
    v.is_speeding = true;
    out.incidents.push_back(
        {now, IncidentKind::school_zone_overspeed, "urn:ngsi-ld:Vehicle:" + v.name});
  }
  if (v.is_in_school_zone && !v.is_speeding) v.speed_kmh = std::min(v.speed_kmh, kSchoolKmhMax);
  if (!v.is_in_school_zone && v.is_speeding) {
    v.is_speeding = false;
    has_speeder_ = false;
  }
}

void Traffic::go_on(Vehicle& v, double metres) {
  v.along_m += metres;
  double length = distance_metres(map_.crossing(v.from), map_.crossing(v.to));
  while (v.along_m >= length) {
    v.along_m -= length;
    arrive(v);
    length = distance_metres(map_.crossing(v.from), map_.crossing(v.to));
  }
  v.position = towards(map_.crossing(v.from), map_.crossing(v.to), v.along_m);
  v.heading = course_degrees(map_.crossing(v.from), map_.crossing(v.to));
}

void Traffic::arrive(Vehicle& v) {
  if (v.line >= 0) {
    const std::vector<int>& loop = map_.bus_lines()[static_cast<std::size_t>(v.line)];
    v.place_on_line = (v.place_on_line + 1) % loop.size();
    v.from = loop[v.place_on_line];
    v.to = loop[(v.place_on_line + 1) % loop.size()];
    if (random_.chance(0.4)) {  // a stop
      v.waiting_s = static_cast<int>(8 + random_.below(15));
      v.passengers = std::clamp(v.passengers + static_cast<int>(random_.below(15)) - 7, 0, 80);
    }
    return;
  }
  const std::vector<int>& next = map_.neighbours(v.to);
  int onward = next[random_.below(next.size())];
  if (onward == v.from) onward = next[random_.below(next.size())];
  v.from = v.to;
  v.to = onward;
  if (random_.chance(0.25)) v.waiting_s = static_cast<int>(5 + random_.below(20));  // a red light
  if (random_.chance(0.15)) v.passengers = static_cast<int>(random_.below(4));
}

void Traffic::report(const Vehicle& v, Timestamp now, CityStep& out) const {
  CityMessage message{Channel::mqtt, "city/vehicle/" + v.name, {}};
  json::JsonWriter json(message.payload);
  json.begin_object().key("ts").integer(now.micros / 1000);
  json.key("lon").number(std::round(v.position.longitude * 1e6) / 1e6);
  json.key("lat").number(std::round(v.position.latitude * 1e6) / 1e6);
  json.key("speed").number(std::round(v.speed_kmh * 10) / 10);
  json.key("heading").number(std::round(v.heading));
  json.key("kind").text(v.line >= 0 ? "bus" : "taxi");
  if (v.line >= 0) json.key("line").text(fmt::format("K{}", v.line + 1));
  json.key("passengers").integer(v.passengers).end_object();
  out.messages.push_back(std::move(message));
}

}  // namespace ficus::simulate
