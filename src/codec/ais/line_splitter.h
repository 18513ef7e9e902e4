#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "codec/ais/sentence.h"

namespace ficus::ais {

// Cuts a byte stream into lines (CR, LF or both; empty ones are not reported). A line above the
// limit is reported once, cut to the limit, and its rest skipped. One object a connection.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t line_bytes_max = kLineBytesMax);

  // Gives `bytes` to be cut. A view returned by `next` holds until the next call.
  // REQUIRES: `next` returned nothing since the last feed.
  void feed(std::string_view bytes);
  // The end of the stream or datagram ends the last line too.
  void finish();

  struct Line {
    std::string_view text;
    bool is_too_long = false;
  };
  std::optional<Line> next();

 private:
  Line take_held(bool is_too_long);

  const std::size_t line_bytes_max_;
  std::string_view input_;                  // of the present feed
  std::array<char, kLineBytesMax> held_{};  // an unfinished line
  std::size_t held_bytes_ = 0;
  bool is_finished_ = false;
  bool is_skipping_ = false;  // inside the rest of a line that is too long
};

// An IEC 61162-450 datagram begins with "UdPbC" and a zero byte: the datagram behind that.
std::string_view strip_datagram_header(std::string_view datagram);

}  // namespace ficus::ais
