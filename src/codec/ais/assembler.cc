#include "codec/ais/assembler.h"

#include <utility>

#include "base/check.h"
#include "base/planted.h"

namespace ficus::ais {

std::string_view name(Loss loss) {
  switch (loss) {
    case Loss::aged:
      return "aged";
    case Loss::replaced:
      return "replaced";
    case Loss::crowded:
      return "crowded";
    case Loss::discarded:
      return "discarded";
  }
  std::unreachable();
}

Assembler::Assembler(AssemblerOptions options) : options_(options) {
  FICUS_CHECK(options_.pending_sets_max >= 1);
}

std::expected<std::optional<Assembled>, AisError> Assembler::add(std::uint64_t source,
                                                                 const Sentence& sentence,
                                                                 std::string_view line,
                                                                 Timestamp now) {
  expire(now);
  if (sentence.fragment_count == 1) return single(sentence);
  const Key key = key_of(source, sentence);
  Iterator set = find(key);
  if (set != pending_.end()) {
    const Part& part = set->parts[sentence.fragment_number - 1U];
    if (set->fragment_count == sentence.fragment_count && part.payload == sentence.payload &&
        part.fill_bits == sentence.fill_bits) {
      return std::unexpected(AisError::duplicate_fragment);
    }
    if (!fits(*set, sentence)) {
      give_up(set, Loss::replaced);
      set = pending_.end();
    }
  }
  if (set == pending_.end()) {
    if (sentence.fragment_number != 1 && !key.is_group) {
      return std::unexpected(AisError::orphan_fragment);
    }
    if (pending_.size() >= options_.pending_sets_max) give_up(pending_.begin(), Loss::crowded);
    Pending& created = pending_.emplace_back();
    created.key = key;
    created.since = now;
    created.fragment_count = sentence.fragment_count;
    set = std::prev(pending_.end());
  }
  put(*set, sentence);
  if (set->held < set->fragment_count) {
    set->lines.append(line).push_back('\n');
    return std::nullopt;
  }
  auto whole = finish(*set);
  if (!whole) {
    give_up_part(*set, sentence);
    give_up(set, Loss::replaced);
    return std::unexpected(whole.error());
  }
  pending_.erase(set);
  return std::optional<Assembled>(*std::move(whole));
}

void Assembler::expire(Timestamp now) {
  // A clock that jumps back makes a set young again, not old: nothing is lost by it.
  while (!pending_.empty() && now - pending_.front().since > options_.pending_age_max) {
    give_up(pending_.begin(), Loss::aged);
  }
}

void Assembler::discard(std::uint64_t source) {
  for (Iterator set = pending_.begin(); set != pending_.end();) {
    const Iterator at = set++;
    if (at->key.source == source) give_up(at, Loss::discarded);
  }
}

void Assembler::discard_all() {
  while (!pending_.empty()) give_up(pending_.begin(), Loss::discarded);
}

std::vector<IncompleteSet> Assembler::take_lost() { return std::exchange(lost_, {}); }

std::expected<std::optional<Assembled>, AisError> Assembler::single(const Sentence& sentence) {
  std::optional<Assembled> whole(std::in_place);
  const auto added = whole->payload.append_armored(sentence.payload, sentence.fill_bits);
  if (!added) return std::unexpected(added.error());
  whole->station = sentence.station();
  whole->time = sentence.time();
  return whole;
}

Assembler::Key Assembler::key_of(std::uint64_t source, const Sentence& sentence) {
  const TagBlock& tag = sentence.tag;
  Key key{.source = FICUS_PLANTED(join_across_receivers) ? 0 : source};
  key.stream[0] = sentence.talker[0];
  key.stream[1] = sentence.talker[1];
  key.stream[2] = sentence.channel;
  key.stream[3] =
      static_cast<char>(sentence.sequence_id.value_or(10) * 2 + (sentence.is_own_ship ? 1 : 0));
  key.is_group = tag.is_usable() && tag.group && tag.group->sentence_count > 1;
  if (key.is_group) key.group = tag.group->id;
  return key;
}

Assembler::Iterator Assembler::find(const Key& key) {
  Iterator set = pending_.begin();
  while (set != pending_.end() && set->key != key) ++set;
  return set;
}

bool Assembler::fits(const Pending& set, const Sentence& sentence) {
  if (set.fragment_count != sentence.fragment_count) return false;
  if (set.key.is_group) return set.parts[sentence.fragment_number - 1U].payload.empty();
  return sentence.fragment_number == set.held + 1;
}

void Assembler::put(Pending& set, const Sentence& sentence) {
  Part& part = set.parts[sentence.fragment_number - 1U];
  part.payload = sentence.payload;
  part.fill_bits = sentence.fill_bits;
  ++set.held;
  if (set.station.empty()) set.station = sentence.station();
  if (!set.time) set.time = sentence.time();
}

void Assembler::give_up_part(Pending& set, const Sentence& sentence) {
  set.parts[sentence.fragment_number - 1U] = {};
  --set.held;
}

void Assembler::give_up(Iterator set, Loss loss) {
  if (set->held > 0) {
    if (lost_.size() >= options_.pending_sets_max) {
      lines_untold_ += lost_.front().fragments_held;
      lost_.erase(lost_.begin());
    }
    lost_.push_back({.loss = loss,
                     .source = set->key.source,
                     .fragment_count = set->fragment_count,
                     .fragments_held = set->held,
                     .lines = std::move(set->lines)});
  }
  pending_.erase(set);
}

std::expected<Assembled, AisError> Assembler::finish(Pending& set) {
  Assembled whole;
  for (std::size_t i = 0; i < set.fragment_count; ++i) {
    const Part& part = set.parts[i];
    const auto added = whole.payload.append_armored(part.payload, part.fill_bits);
    if (!added) return std::unexpected(added.error());
  }
  whole.line_count = set.held;
  whole.station = std::move(set.station);
  whole.time = set.time;
  whole.earlier_lines = std::move(set.lines);
  return whole;
}

}  // namespace ficus::ais
