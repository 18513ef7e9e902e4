#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "codec/ais/assembler.h"
#include "codec/ais/error.h"
#include "codec/ais/message.h"
#include "codec/ais/sentence.h"

namespace ficus::ais {

enum class LineOutcome : std::uint8_t {
  message,  // this line completed a message
  held,     // a part of a message whose other parts are awaited
  ignored,  // nothing for us: `error` is blank_line, comment or not_ais
  refused,  // `error` says why
};

// What became of one line.
struct Reception {
  LineOutcome outcome = LineOutcome::ignored;
  std::optional<AisError> error;  // of ignored and refused
  // Lines accounted for by this: 1, or all parts of a message (also when the whole is refused).
  std::uint8_t line_count = 1;
  std::string earlier_lines;  // the text of these but the present one, each followed by a newline
  // The rest is set if outcome is message.
  Message message;
  bool is_own_ship = false;
  char channel = 0;
  Timestamp time;                  // when it was heard: as the line says, else `now`
  bool is_time_from_line = false;  // tag block, trailer or $PGHP gave the time
  std::string station;             // who heard it, as the line says; may be empty
};

// From lines to messages: sentence, assembly, decoding, and the time and station that came with
// them. For every line exactly one Reception; lines that were `held` come back in the line_count of
// a later one or in take_lost. One object a source or shard; one thread.
class Receiver {
 public:
  explicit Receiver(AssemblerOptions options = {});

  // `source` tells connections or peers apart whose parts must not mix.
  Reception accept(std::uint64_t source, std::string_view line, Timestamp now);

  void expire(Timestamp now) { assembler_.expire(now); }
  void discard(std::uint64_t source);
  void discard_all();
  std::vector<IncompleteSet> take_lost() { return assembler_.take_lost(); }
  std::uint64_t lines_untold() const { return assembler_.lines_untold(); }
  std::size_t pending_sets() const { return assembler_.pending_sets(); }

 private:
  struct Stamp {
    std::uint64_t source = 0;
    GatehouseStamp gatehouse;
    std::string station;
  };

  void remember_stamp(std::uint64_t source, std::string_view line);

  Assembler assembler_;
  std::optional<Stamp> stamp_;  // of a $PGHP line, for the line that follows it
};

}  // namespace ficus::ais
