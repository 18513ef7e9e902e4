#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/ais/decoder.h"
#include "codec/ais/encoder.h"
#include "codec/ais/line_splitter.h"
#include "codec/ais/receiver.h"

// Bytes of a connection: the first says how many come at a time, the others are the stream. Checks
// that no line is left out of the books, that fields keep to their widths, and that what can be
// encoded comes back the same.

namespace {

using namespace ficus;
using namespace ficus::ais;

constexpr Timestamp kStart = Timestamp::from_seconds(1'700'000'000);

void check_encoding(const Message& message) {
  const auto once = encode(message);
  if (!once) return;
  const auto back = decode(*once);
  FICUS_CHECK(back.has_value());
  FICUS_CHECK(back->type == message.type && back->mmsi == message.mmsi);
  const auto twice = encode(*back);
  FICUS_CHECK(twice.has_value());
  // The vendor's three characters lose the blanks at their end the first time.
  const auto settled = decode(*twice);
  FICUS_CHECK(settled.has_value());
  FICUS_CHECK(settled->body == back->body);
}

struct Books {
  std::uint64_t lines = 0;
  std::uint64_t done = 0;  // in messages, ignored or refused
  std::uint64_t lost = 0;
};

void check_line(Receiver& receiver, std::string_view line, Books& books) {
  ++books.lines;
  const Timestamp now = kStart + Micros::from_millis(static_cast<std::int64_t>(books.lines) * 300);
  const Reception got = receiver.accept(books.lines % 7 == 0 ? 2 : 1, line, now);
  FICUS_CHECK(got.line_count >= 1 && got.line_count <= 9);
  const bool is_failure =
      got.outcome == LineOutcome::ignored || got.outcome == LineOutcome::refused;
  FICUS_CHECK(got.error.has_value() == is_failure);
  if (got.outcome != LineOutcome::held) books.done += got.line_count;
  if (got.outcome == LineOutcome::message) {
    FICUS_CHECK(got.message.type >= 1 && got.message.type <= 27 && got.message.repeat <= 3);
    check_encoding(got.message);
  }
  for (const IncompleteSet& set : receiver.take_lost()) books.lost += set.fragments_held;
}

// The stream again as one bare payload, so that the decoder is reached without a checksum.
void check_payload(const std::uint8_t* data, std::size_t size) {
  Payload payload;
  for (std::size_t i = 0; i < size && payload.bit_count() < Payload::kBitsMax; ++i) {
    payload.append(data[i], 8);
  }
  if (const auto message = decode(payload)) check_encoding(*message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = std::size_t{data[0]} + 1;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  Receiver receiver({.pending_sets_max = 3, .pending_age_max = Micros::from_seconds(2)});
  LineSplitter splitter(200);
  Books books;
  while (!rest.empty()) {
    splitter.feed(strip_datagram_header(rest.substr(0, step)));
    rest.remove_prefix(std::min(step, rest.size()));
    if (rest.empty()) splitter.finish();
    while (const auto line = splitter.next()) check_line(receiver, line->text, books);
  }
  receiver.expire(kStart + Micros::from_hours(1000));
  for (const IncompleteSet& set : receiver.take_lost()) books.lost += set.fragments_held;
  FICUS_CHECK(receiver.pending_sets() == 0 && receiver.lines_untold() == 0);
  FICUS_CHECK(books.lines == books.done + books.lost);
  check_payload(data, size);
  return 0;
}
