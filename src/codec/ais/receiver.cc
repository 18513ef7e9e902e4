#include "codec/ais/receiver.h"

#include <utility>

#include "codec/ais/decoder.h"

namespace ficus::ais {
namespace {

Reception without_message(AisError error) {
  Reception out;
  out.outcome = is_ignorable(error) ? LineOutcome::ignored : LineOutcome::refused;
  out.error = error;
  return out;
}

}  // namespace

Receiver::Receiver(AssemblerOptions options) : assembler_(options) {}

Reception Receiver::accept(std::uint64_t source, std::string_view line, Timestamp now) {
  auto sentence = parse_sentence(line);
  if (!sentence) {
    if (sentence.error() == AisError::not_ais) remember_stamp(source, line);
    return without_message(sentence.error());
  }
  const std::optional<Stamp> stamp = std::exchange(stamp_, std::nullopt);
  if (stamp && stamp->source == source &&
      stamp->gatehouse.sentence_checksum == claimed_checksum(line)) {
    if (!sentence->trailer_time) sentence->trailer_time = stamp->gatehouse.time;
    if (sentence->trailer_station.empty()) sentence->trailer_station = stamp->station;
  }
  auto added = assembler_.add(source, *sentence, line, now);
  if (!added) return without_message(added.error());
  std::optional<Assembled> whole_or_none = *std::move(added);
  Reception out;
  if (!whole_or_none.has_value()) {
    out.outcome = LineOutcome::held;
    return out;
  }
  Assembled& whole = *whole_or_none;
  out.line_count = whole.line_count;
  out.earlier_lines = std::move(whole.earlier_lines);
  auto message = decode(whole.payload);
  if (!message) {
    out.outcome = LineOutcome::refused;
    out.error = message.error();
    return out;
  }
  out.outcome = LineOutcome::message;
  out.message = *std::move(message);
  out.is_own_ship = sentence->is_own_ship;
  out.channel = sentence->channel;
  out.time = whole.time.value_or(now);
  out.is_time_from_line = whole.time.has_value();
  out.station = std::move(whole.station);
  return out;
}

void Receiver::discard(std::uint64_t source) {
  assembler_.discard(source);
  if (stamp_ && stamp_->source == source) stamp_.reset();
}

void Receiver::discard_all() {
  assembler_.discard_all();
  stamp_.reset();
}

void Receiver::remember_stamp(std::uint64_t source, std::string_view line) {
  stamp_.reset();
  const std::optional<GatehouseStamp> gatehouse = parse_gatehouse(line);
  if (!gatehouse) return;
  stamp_ = Stamp{.source = source, .gatehouse = *gatehouse, .station = {}};
  if (gatehouse->station_mmsi != 0) stamp_->station = mmsi_text(gatehouse->station_mmsi);
}

}  // namespace ficus::ais
