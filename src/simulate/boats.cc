#include "simulate/boats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "codec/ais/encoder.h"

namespace ficus::simulate {
namespace {

constexpr double kMetresPerSecondPerKnot = 1852.0 / 3600;
constexpr std::int64_t kPositionPeriod = 6;  // seconds
constexpr std::int64_t kStaticPeriod = 60;
constexpr double kIntruderKnots = 12;
constexpr int kFishingSeconds = 75;
constexpr int kFishers = 2;           // the first boats are those that intrude
constexpr std::uint8_t kFishing = 7;  // navigation status (M.1371-5, table 45)

// "\s:...,c:...*hh\" in front of a sentence (NMEA 0183 4.0, 7).
std::string tag_block(Timestamp now) {
  const std::string inside = fmt::format("s:ficus-simulated,c:{}", now.micros / 1'000'000);
  unsigned sum = 0;
  for (const char c : inside) sum ^= static_cast<unsigned char>(c);
  return fmt::format("\\{}*{:02X}\\", inside, sum);
}

}  // namespace

Boats::Boats(const CityMap& map, double scale, Random random) : map_(map), random_(random) {
  // Beside the western and the northern edge of the reserve, 100 m off.
  add({{119.419, 26.104}, {119.419, 26.116}}, "MIN YU 01", 30, 5);
  add({{119.424, 26.1209}, {119.436, 26.1209}}, "MIN YU 02", 30, 5);
  for (int i = 0; i < 5; ++i) {
    std::vector<GeoPoint> river;
    for (int k = 0; k <= 24; ++k) {
      GeoPoint p = map.river_middle(119.25 + 0.005 * k);
      p.latitude += 0.0004 * (i - 2);
      river.push_back(p);
    }
    add(std::move(river), i < 3 ? "RIVER FERRY" : "SAND BARGE", i < 3 ? 60 : 70, 7 + i);
  }
  for (int i = 0; i < 8; ++i) {
    const double lane = 119.386 + 0.003 * i;
    add({{lane, 26.024}, {lane + 0.001, 26.08}, {lane - 0.001, 26.136}},
        i % 3 == 0 ? "COAST TANKER" : "COAST CARGO", i % 3 == 0 ? 80 : 70, 9 + 0.7 * i);
  }
  const auto count = static_cast<std::size_t>(std::max(1.0, std::round(15 * scale)));
  for (std::size_t i = 0; boats_.size() < count; ++i) {
    const Boat like = boats_[kFishers + i % 13];
    add(like.course, "FLEET", like.ship_type, like.knots + random_.between(-2, 2));
  }
  if (boats_.size() > count) boats_.resize(count);
}

void Boats::add(std::vector<GeoPoint> course, const char* name, std::uint8_t ship_type,
                double knots) {
  Boat boat;
  const auto number = static_cast<std::uint32_t>(boats_.size() + 1);
  boat.mmsi = 412'900'000 + number;
  boat.name = fmt::format("{} {}", name, number);
  boat.ship_type = ship_type;
  boat.knots = knots;
  boat.goal = 1 + random_.below(course.size() - 1);
  boat.position = towards(course[boat.goal - 1], course[boat.goal], random_.between(0, 500));
  boat.course = std::move(course);
  boats_.push_back(std::move(boat));
}

void Boats::begin_intrusion() {
  FICUS_CHECK(is_intrusion_over());
  intruder_ = next_intruder_;
  next_intruder_ = (next_intruder_ + 1) % std::min(kFishers, static_cast<int>(boats_.size()));
  Boat& boat = boats_[static_cast<std::size_t>(intruder_)];
  boat.task = Task::inbound;
  boat.outside = boat.position;
  // 300 m beyond the edge that the boat keeps to.
  boat.inside = boat.position;
  if (boat.position.longitude < 119.42) {
    boat.inside.longitude = 119.423;
  } else {
    boat.inside.latitude = 26.1173;
  }
}

void Boats::step(Timestamp now, std::int64_t second, CityStep& out) {
  for (std::size_t i = 0; i < boats_.size(); ++i) {
    Boat& boat = boats_[i];
    sail(boat);
    watch_zone(boat, now, out);
    const std::int64_t turn = second + static_cast<std::int64_t>(i);
    if (turn % kPositionPeriod == 0) report(boat, now, false, out);
    // Also soon after the start, so that names are there.
    if (turn % kStaticPeriod == 0 || second == 1) report(boat, now, true, out);
  }
}

void Boats::sail(Boat& boat) {
  const double knots =
      boat.task == Task::inbound || boat.task == Task::outbound ? kIntruderKnots : boat.knots;
  const double metres = knots * kMetresPerSecondPerKnot;
  switch (boat.task) {
    case Task::course:
      sail_course(boat, metres);
      return;
    case Task::inbound:
      boat.heading = course_degrees(boat.position, boat.inside);
      boat.position = towards(boat.position, boat.inside, metres);
      if (boat.position == boat.inside) {
        boat.task = Task::fishing;
        boat.fishing_s = kFishingSeconds;
      }
      return;
    case Task::fishing:
      if (--boat.fishing_s <= 0) boat.task = Task::outbound;
      return;
    case Task::outbound:
      boat.heading = course_degrees(boat.position, boat.outside);
      boat.position = towards(boat.position, boat.outside, metres);
      if (boat.position == boat.outside) {
        boat.task = Task::course;
        intruder_ = -1;
      }
      return;
  }
}

void Boats::sail_course(Boat& boat, double metres) {
  if (boat.position == boat.course[boat.goal]) {
    if (boat.goal + 1 == boat.course.size()) boat.is_returning = true;
    if (boat.goal == 0) boat.is_returning = false;
    boat.goal = boat.is_returning ? boat.goal - 1 : boat.goal + 1;
  }
  boat.heading = course_degrees(boat.position, boat.course[boat.goal]);
  boat.position = towards(boat.position, boat.course[boat.goal], metres);
}

void Boats::watch_zone(Boat& boat, Timestamp now, CityStep& out) const {
  const bool was_in_zone = boat.is_in_zone;
  boat.is_in_zone = map_.is_in_kind(boat.position, "protected");
  if (!boat.is_in_zone || was_in_zone) return;
  out.incidents.push_back({now, IncidentKind::vessel_in_protected_zone,
                           "urn:ngsi-ld:Vessel:" + ais::mmsi_text(boat.mmsi)});
}

void Boats::report(const Boat& boat, Timestamp now, bool is_static, CityStep& out) const {
  ais::Message message;
  message.mmsi = boat.mmsi;
  if (is_static) {
    message.type = 5;
    ais::StaticVoyageData data;
    data.call_sign = fmt::format("B{:05}", boat.mmsi % 100'000);
    data.name = boat.name;
    data.ship_type = boat.ship_type;
    data.dimensions = {.to_bow = 30, .to_stern = 12, .to_port = 5, .to_starboard = 5};
    data.draught.raw = 32;
    data.destination = "FUZHOU SIMULATED";
    message.body = data;
  } else {
    message.type = 1;
    const bool is_stopped = boat.task == Task::fishing;
    const double knots = boat.task == Task::course ? boat.knots : kIntruderKnots;
    ais::PositionReport data;
    data.status = is_stopped ? kFishing : 0;
    data.speed.raw = static_cast<std::uint16_t>(is_stopped ? 8 : std::lround(knots * 10));
    data.position.longitude_raw =
        static_cast<std::int32_t>(std::lround(boat.position.longitude * 600'000));
    data.position.latitude_raw =
        static_cast<std::int32_t>(std::lround(boat.position.latitude * 600'000));
    data.course.raw = static_cast<std::uint16_t>(std::lround(boat.heading * 10) % 3600);
    data.heading.raw = static_cast<std::uint16_t>(std::lround(boat.heading) % 360);
    data.fix_second.raw = static_cast<std::uint8_t>(now.micros / 1'000'000 % 60);
    message.body = data;
  }
  ais::SentenceOptions options;
  options.sequence_id = static_cast<std::uint8_t>(boat.mmsi % 10);
  const auto sentences = ais::encode_sentences(message, options);
  FICUS_CHECK(sentences.has_value());
  const std::string tag = tag_block(now);
  for (const std::string& sentence : *sentences) {
    out.messages.push_back({Channel::nmea, {}, tag + sentence});
  }
}

}  // namespace ficus::simulate
