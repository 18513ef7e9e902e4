#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ficus::csv {

// Splits comma-separated values (RFC 4180) into records while the bytes arrive in pieces: quotes,
// doubled quotes and line ends within them; LF, CR LF or CR LF mixed. Knows where in the stream
// each record ends, so that a reader can go on there later. Bytes are not interpreted beyond the
// delimiter, quotes and line ends, so any encoding works whose other characters do not use these
// bytes (UTF-8, GB18030). A damaged record is reported and skipped; the next is read again.
//
//   splitter.feed(piece);
//   for (;;) switch (splitter.next()) ...   // until Step::needs_more
//   ... at the end of the stream: splitter.finish(), then next() until Step::end
class CsvSplitter {
 public:
  static constexpr std::size_t kRecordBytesMax = std::size_t{1} << 20;
  static constexpr std::size_t kColumnsMax = 10'000;

  enum class Step : std::uint8_t {
    record,      // cells() holds it; empty lines are passed over
    damaged,     // problem() and raw() tell
    needs_more,  // feed() or finish()
    end,
  };

  explicit CsvSplitter(char delimiter = ',') : delimiter_(delimiter) {}

  // Borrows `piece` until next() asks for more. REQUIRES: the previous piece is used up.
  void feed(std::string_view piece) { piece_ = piece; }
  // No more bytes follow: a last record without line end is one.
  void finish() { is_finished_ = true; }
  // Goes on at a place where a record begins. REQUIRES: nothing was fed yet.
  void start_at(std::uint64_t position, std::uint64_t line) {
    position_ = position;
    line_ = line;
  }

  Step next();

  // Valid until the next call.
  const std::vector<std::string>& cells() const { return cells_; }
  std::string_view raw() const { return raw_; }  // the record's bytes, without line end
  const std::string& problem() const { return problem_; }

  // Behind the last record (or empty line): where to go on.
  std::uint64_t position() const { return position_; }
  // The line that the next record begins in, from 1.
  std::uint64_t line() const { return line_; }
  // The line that the last record began in.
  std::uint64_t record_line() const { return record_line_; }

 private:
  enum class State : std::uint8_t {
    cell_start,
    unquoted,
    quoted,
    quote_in_quoted,  // a quote was seen: doubled, or the end of the cell
    after_quoted,     // a carriage return after the closing quote: of a line end, or out of place
    skipping,         // to the end of a damaged record's line
  };

  void begin_record();
  // Whether the byte ends the record.
  bool take(char c);
  void end_cell();
  Step end_record();
  void damage(std::string problem);
  std::size_t take_run();

  char delimiter_;
  std::string_view piece_;
  bool is_finished_ = false;
  bool has_ended_ = false;

  State state_ = State::cell_start;
  bool is_new_ = true;  // the next byte begins a record
  std::vector<std::string> cells_;
  std::string cell_;
  std::string raw_;
  std::string problem_;
  std::uint64_t record_bytes_ = 0;
  std::uint64_t record_newlines_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t line_ = 1;
  std::uint64_t record_line_ = 1;
};

}  // namespace ficus::csv
