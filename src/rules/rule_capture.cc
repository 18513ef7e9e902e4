#include "rules/rule_capture.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>

#include "base/check.h"
#include "rules/rule_book_impl.h"
#include "rules/snapshot_format.h"

namespace ficus::rules {
namespace {

// Words of a page: two entities a word, then a time each.
constexpr std::size_t kEntityWords = 32;
constexpr std::size_t kTimeWords = 64;
constexpr std::size_t kNewestAt = kEntityWords;
constexpr std::size_t kFirstRuleAt = kNewestAt + kTimeWords;
// Of an absence, behind its first word.
constexpr std::size_t kOrderAt = kTimeWords;
constexpr std::size_t kKnownAt = kOrderAt + kEntityWords;
constexpr std::size_t kAbsenceWords = kKnownAt + 1;

std::uint32_t entity_in(const std::uint64_t* page, std::size_t at) {
  return static_cast<std::uint32_t>(page[at / 2] >> (at % 2 * 32));
}
void put_half(std::uint64_t* words, std::size_t at, std::uint32_t value) {
  if (at % 2 == 0) {
    words[at / 2] = value;
  } else {
    words[at / 2] |= std::uint64_t{value} << 32;
  }
}

std::uint64_t mask_of(std::uint32_t slots) {
  return slots >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << slots) - 1;
}

}  // namespace

RuleCapture::RuleCapture(const RuleBook& book) : RuleCapture(*book.impl_) {}

RuleCapture::RuleCapture(const RuleBook::Impl& book)
    : book_(book), last_arrival_(book.last_arrival_) {
  place_of_.resize(book.types_.size(), kNone);
  for (std::uint32_t i = 0; i < book.types_.size(); ++i) {
    const std::span<const EntityId> entities = book.slots_of_.entities(TypeId(i));
    if (entities.empty()) continue;
    place_of_[i] = types_.size();
    Type& type = types_.emplace_back();
    type.id = TypeId(i);
    type.name = book.schema_.type_name(TypeId(i));
    type.state = &book.types_[i];
    type.slot_count = static_cast<std::uint32_t>(entities.size());
    type.page_words = kFirstRuleAt;
    type.pages.resize((entities.size() + kSlotsPerPage - 1) / kSlotsPerPage);
  }
  for (const auto& live : book.rules_) {
    const std::size_t place = place_of_[live->compiled.info.from.index()];
    Rule& rule =
        rules_.emplace_back(Rule{live.get(), live->compiled.info.name, live->compiled.token_hash,
                                 live->figures.entities_met, place, live->held.size(), 0});
    if (place == kNone) continue;
    rule.first_word = types_[place].page_words;
    types_[place].page_words += 1 + live->held.size() * kTimeWords;
    types_[place].rules.push_back(rules_.size() - 1);
  }
  for (const auto& watch : book.watches_) {
    const std::size_t place = place_of_[watch->type.index()];
    Absence& absence =
        absences_.emplace_back(Absence{watch.get(), book.schema_.type_name(watch->type),
                                       watch->tracker.interval().count, place, 0});
    if (place == kNone) continue;
    absence.first_word = types_[place].page_words;
    types_[place].page_words += kAbsenceWords;
    types_[place].absences.push_back(absences_.size() - 1);
  }
}

RuleCapture::~RuleCapture() = default;

void RuleCapture::keep(TypeId type, std::uint32_t slot) {
  if (is_complete() || type.index() >= place_of_.size()) return;
  const std::size_t place = place_of_[type.index()];
  if (place == kNone || slot >= types_[place].slot_count) return;
  copy(types_[place], slot / kSlotsPerPage);
}

void RuleCapture::work(std::size_t entities_max) {
  const std::uint64_t begin = entities_done_;
  while (!is_complete() && entities_done_ - begin < entities_max) {
    Type& type = types_[next_type_];
    copy(type, next_page_);
    if (++next_page_ < type.pages.size()) continue;
    ++next_type_;
    next_page_ = 0;
  }
}

void RuleCapture::copy(Type& type, std::size_t number) {
  if (type.pages[number] != nullptr) return;
  type.pages[number] = std::make_unique_for_overwrite<std::uint64_t[]>(type.page_words);
  std::uint64_t* const page = type.pages[number].get();
  const auto first = static_cast<std::uint32_t>(number * kSlotsPerPage);
  const std::uint32_t count = std::min(kSlotsPerPage, type.slot_count - first);
  entities_done_ += count;
  const std::span<const EntityId> entities = book_.slots_of_.entities(type.id);
  for (std::uint32_t i = 0; i < count; ++i) put_half(page, i, entities[first + i].index());
  std::memcpy(page + kNewestAt, &type.state->newest[first], count * sizeof(Timestamp));
  for (const std::size_t place : type.rules) {
    const Rule& rule = rules_[place];
    std::uint64_t* words = page + rule.first_word;
    *words++ = rule.live->met.word(number) & mask_of(count);
    for (const HeldState& held : rule.live->held) {
      for (std::uint32_t i = 0; i < count; ++i) {
        words[i] = static_cast<std::uint64_t>(held.since_of(first + i));
      }
      words += kTimeWords;
    }
  }
  for (const std::size_t place : type.absences) {
    const AbsenceTracker& tracker = absences_[place].watch->tracker;
    std::uint64_t* const words = page + absences_[place].first_word;
    std::uint64_t known = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const AbsenceTracker::Arrival arrival = tracker.arrival(first + i);
      words[i] = static_cast<std::uint64_t>(arrival.at.micros);
      put_half(words + kOrderAt, i, arrival.order);
      known |= std::uint64_t{arrival.is_known} << i;
    }
    words[kKnownAt] = known;
  }
}

template <typename Visit>
void RuleCapture::visit_slots(const Type& type, Visit&& visit) {
  for (std::uint32_t slot = 0; slot < type.slot_count; ++slot) {
    visit(type.pages[slot / kSlotsPerPage].get(), slot % kSlotsPerPage);
  }
}

void RuleCapture::encode(std::string& out) const {
  FICUS_CHECK(is_complete());
  out.append(kMagic);
  put_i64(out, last_arrival_.micros);
  encode_types(out);
  put_u32(out, absences_.size());
  for (const Absence& absence : absences_) encode(absence, out);
  put_u32(out, rules_.size());
  for (const Rule& rule : rules_) encode(rule, out);
}

void RuleCapture::encode_types(std::string& out) const {
  put_u32(out, types_.size());
  for (const Type& type : types_) {
    put_text(out, type.name);
    put_u32(out, type.slot_count);
    visit_slots(type, [&](const std::uint64_t* page, std::size_t at) {
      put_u32(out, entity_in(page, at));
      put_u64(out, page[kNewestAt + at]);
    });
  }
}

void RuleCapture::encode(const Absence& absence, std::string& out) const {
  struct Arrival {
    std::int64_t at;
    std::uint32_t order, entity;
  };
  std::vector<Arrival> arrivals;
  if (absence.type != kNone) {
    visit_slots(types_[absence.type], [&](const std::uint64_t* page, std::size_t at) {
      const std::uint64_t* const words = page + absence.first_word;
      if ((words[kKnownAt] >> at & 1) == 0) return;
      arrivals.push_back({static_cast<std::int64_t>(words[at]), entity_in(words + kOrderAt, at),
                          entity_in(page, at)});
    });
  }
  std::ranges::sort(arrivals, {}, [](const Arrival& a) { return std::tuple(a.at, a.order); });
  put_text(out, absence.type_name);
  put_i64(out, absence.interval);
  put_u32(out, arrivals.size());
  for (const Arrival& arrival : arrivals) {
    put_u32(out, arrival.entity);
    put_i64(out, arrival.at);
  }
}

void RuleCapture::encode(const Rule& rule, std::string& out) const {
  put_text(out, rule.name);
  put_u64(out, rule.token_hash);
  put_u32(out, rule.entities_met);
  if (rule.type != kNone) {
    for (const Page& page : types_[rule.type].pages) {
      for (std::uint64_t met = page[rule.first_word]; met != 0; met &= met - 1) {
        put_u32(out, entity_in(page.get(), static_cast<std::size_t>(std::countr_zero(met))));
      }
    }
  }
  put_u32(out, rule.held_count);
  for (std::size_t held = 0; held < rule.held_count; ++held) {
    const std::size_t count_at = out.size();
    put_u32(out, 0);
    std::uint32_t count = 0;
    if (rule.type != kNone) {
      visit_slots(types_[rule.type], [&](const std::uint64_t* page, std::size_t at) {
        const std::uint64_t since = page[rule.first_word + 1 + held * kTimeWords + at];
        if (static_cast<std::int64_t>(since) == HeldState::kNotTrue) return;
        ++count;
        put_u32(out, entity_in(page, at));
        put_u64(out, since);
      });
    }
    std::memcpy(out.data() + count_at, &count, sizeof count);
  }
}

}  // namespace ficus::rules
