#include "ais_sender.h"

#include <fmt/format.h>

#include "codec/ais/encoder.h"

namespace ficus::sim {
namespace {

constexpr std::uint32_t kFirstMmsi = 412'000'001;
constexpr std::uint64_t kVessels = 5;
// So few that those of two receivers meet often; a real one has ten.
constexpr std::uint32_t kSequenceIds = 3;
constexpr std::size_t kTimedKept = 8;

// "\c:1790000000123*hh\" in front of it: what is known of it (NMEA 0183 4.0, 7.9).
std::string with_tag(const std::string& content, const std::string& sentence) {
  return "\\" + ais::with_checksum("$" + content).substr(1) + "\\" + sentence;
}

std::string time_tag(Timestamp at) { return fmt::format("c:{}", at.micros / 1000); }

}  // namespace

bool AisSender::is_idle() const {
  if (!lines_.empty()) return false;
  return address_ || (wire_ != nullptr && !wire_->is_ended && wire_->to_broker.empty());
}

std::uint64_t AisSender::new_sighting(bool must_arrive) {
  const std::uint64_t number = model_.next_number++;
  model_.sightings[number] = {.mmsi = mmsi_, .source = source_, .must_arrive = must_arrive};
  return number;
}

// Its number is the longitude, in units of 1/10000 minute.
void AisSender::hear_position(Timestamp now, bool has_time, bool must_arrive) {
  ais::PositionReport report;
  report.position = {.longitude_raw = static_cast<std::int32_t>(new_sighting(must_arrive)),
                     .latitude_raw = 30 * 600'000};
  std::string line = ais::encode_sentences({.type = 1, .mmsi = mmsi_, .body = report}, {})->front();
  if (has_time) {
    line = with_tag(time_tag(now), line);
    std::deque<std::string>& timed = model_.timed_lines[source_];
    timed.push_back(line);
    if (timed.size() > kTimedKept) timed.pop_front();
  }
  lines_.push_back(std::move(line));
}

// Of two sentences, which both have its number: as IMO number and as destination. A connection
// keeps them in order, and their sequence id tells whose they are. Datagrams come in any order or
// not at all: only the id of a group tells then.
void AisSender::hear_voyage(Timestamp now, bool has_first, bool has_second, bool must_arrive) {
  const std::uint64_t number = new_sighting(must_arrive);
  ais::StaticVoyageData voyage;
  voyage.imo_number = static_cast<std::uint32_t>(number);
  voyage.destination = destination_of(number);
  const std::uint32_t id = ++voyages_ % kSequenceIds;
  ais::SentenceOptions options;
  options.sequence_id = static_cast<std::uint8_t>(id);
  auto sentences = *ais::encode_sentences({.type = 5, .mmsi = mmsi_, .body = voyage}, options);
  std::string first = time_tag(now);
  if (address_) {
    first += fmt::format(",g:1-2-{}", voyages_);
    sentences[1] = with_tag(fmt::format("g:2-2-{}", voyages_), sentences[1]);
  }
  sentences[0] = with_tag(first, sentences[0]);
  // The second sentence would be taken for that of an earlier message whose own is missing.
  if (half_said_[id]) has_first = true;
  half_said_[id] = has_first && !has_second;
  if (has_first) lines_.push_back(sentences[0]);
  if (has_second) lines_.push_back(sentences[1]);
}

std::string AisSender::hear_damaged() {
  const ais::Message message{.type = 1, .mmsi = mmsi_, .body = ais::PositionReport{}};
  std::string line = ais::encode_sentences(message, {})->front();
  line[16] = line[16] == '0' ? '1' : '0';  // its checksum tells
  lines_.push_back(line);
  return line;
}

void AisSender::hear(Timestamp now, Random& random) {
  mmsi_ = static_cast<std::uint32_t>(kFirstMmsi + random.below(kVessels));
  const double drawn = random.unit();
  const std::deque<std::string>& timed = model_.timed_lines[source_];
  // A datagram may come twice: only its time tells that nothing new was said.
  const bool has_time = address_ || random.chance(0.3);
  if (drawn < 0.55) return hear_position(now, has_time, false);
  if (drawn < 0.7 && !timed.empty()) {
    return lines_.push_back(timed[random.below(timed.size())]);
  }
  if (drawn < 0.9) {
    const bool has_first = random.chance(0.85);
    const bool has_second = random.chance(0.85);
    return hear_voyage(now, has_first, has_second, false);
  }
  if (drawn < 0.95) return (void)hear_damaged();
  lines_.push_back(ais::with_checksum("$GPGGA,120000,3000.0,N,12000.0,E,1,08,0.9,5.0,M,,M,,"));
}

void AisSender::hear_last(Timestamp now) {
  for (std::uint32_t i = 0; i < kVessels; ++i) {
    mmsi_ = kFirstMmsi + i;
    hear_position(now, i % 2 == 0, true);
  }
  hear_voyage(now, true, true, true);
  model_.nonsense[hear_damaged()] = true;
}

std::string AisSender::take_line(std::size_t index) {
  const auto place = lines_.begin() + static_cast<std::ptrdiff_t>(index);
  std::string line = *place;
  lines_.erase(place);
  return line;
}

void AisSender::act(Random& random) {
  if (lines_.empty() || wire_->is_ended || !random.chance(0.7)) return;
  const std::string line = take_line(0) + "\r\n";
  note_sent(line);
  wire_->to_broker += line;
}

std::string AisSender::next_datagram(Random& random) {
  std::string text;
  do {
    const bool overtakes = lines_.size() > 1 && random.chance(0.1);
    text += take_line(overtakes ? 1 : 0) + "\r\n";
  } while (!lines_.empty() && random.chance(0.3));
  return text;
}

void AisSender::note_sent(const std::string& lines) {
  for (const std::string& line : lines_of(lines)) {
    ++model_.lines[source_][line];
    ++model_.copies[source_];
  }
}

}  // namespace ficus::sim
