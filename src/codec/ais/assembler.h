#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "codec/ais/error.h"
#include "codec/ais/payload.h"
#include "codec/ais/sentence.h"

namespace ficus::ais {

struct AssemblerOptions {
  std::size_t pending_sets_max = 256;                 // the oldest goes when one more is needed
  Micros pending_age_max = Micros::from_seconds(10);  // sequence ids return after ten messages
};

enum class Loss : std::uint8_t {
  aged,       // its other fragments did not come in time
  replaced,   // another message began under the same sequence id, or a part did not fit
  crowded,    // too many sets were waiting
  discarded,  // discard_all: the source went away
};
std::string_view name(Loss loss);

// A set of fragments that will not become a message.
struct IncompleteSet {
  Loss loss = Loss::aged;
  std::uint64_t source = 0;
  std::uint8_t fragment_count = 0;  // how many there should be
  std::uint8_t fragments_held = 0;  // how many lines are lost with it
  std::string lines;                // these lines, each followed by a newline
};

// A whole message, of one or several lines.
struct Assembled {
  Payload payload;
  std::uint8_t line_count = 1;
  std::string station;            // of the first part that names one
  std::optional<Timestamp> time;  // of the first part that gives one
  std::string earlier_lines;      // of all parts but the last, each followed by a newline
};

// Puts messages together that came in several sentences. Parts are told apart by source (the
// caller's number for a connection or peer), talker, channel and sequence id; with a sound
// tag-block group by its id too. Without such a group, parts have to come in order:
// a sequence id has ten values and the whole has no checksum, so a late first part must not meet
// another message's second. One thread. Deterministic; time is an argument.
class Assembler {
 public:
  explicit Assembler(AssemblerOptions options = {});

  // The message, if `sentence` completes one; nothing yet, if it waits for others; or why it is
  // refused. `line` is kept with a waiting set for `take_lost`. Old sets are given up first.
  std::expected<std::optional<Assembled>, AisError> add(std::uint64_t source,
                                                        const Sentence& sentence,
                                                        std::string_view line, Timestamp now);
  // Gives up sets that are too old. Called by `add` too.
  void expire(Timestamp now);
  // Gives up everything of one source (its connection ended), or everything.
  void discard(std::uint64_t source);
  void discard_all();

  // The sets given up since the last call. Take them after every batch: no more than
  // pending_sets_max are kept, the lines of older ones are only counted in `lines_untold`.
  std::vector<IncompleteSet> take_lost();
  std::uint64_t lines_untold() const { return lines_untold_; }
  std::size_t pending_sets() const { return pending_.size(); }

 private:
  struct Key {
    std::uint64_t source = 0;
    std::array<char, 4> stream{};  // talker, channel, sequence id with VDM or VDO
    std::uint32_t group = 0;
    bool is_group = false;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Part {
    std::string payload;  // empty = not here yet
    std::uint8_t fill_bits = 0;
  };
  struct Pending {
    Key key;
    Timestamp since;
    std::uint8_t fragment_count = 0;
    std::uint8_t held = 0;
    std::array<Part, 9> parts;
    std::string lines;
    std::string station;
    std::optional<Timestamp> time;
  };
  using Iterator = std::list<Pending>::iterator;

  static std::expected<std::optional<Assembled>, AisError> single(const Sentence& sentence);
  static Key key_of(std::uint64_t source, const Sentence& sentence);
  static bool fits(const Pending& set, const Sentence& sentence);
  static void put(Pending& set, const Sentence& sentence);
  static void give_up_part(Pending& set, const Sentence& sentence);
  static std::expected<Assembled, AisError> finish(Pending& set);
  Iterator find(const Key& key);
  void give_up(Iterator set, Loss loss);

  const AssemblerOptions options_;
  std::list<Pending> pending_;  // oldest first
  std::vector<IncompleteSet> lost_;
  std::uint64_t lines_untold_ = 0;
};

}  // namespace ficus::ais
