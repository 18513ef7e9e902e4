#include "rules/rule_capture.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <tuple>

#include "base/check.h"
#include "rules/rule_book_impl.h"
#include "rules/snapshot_format.h"

namespace ficus::rules {
namespace {

// Words of a page: two entities a word, then a time each.
constexpr std::size_t kNewestAt = 32;
constexpr std::size_t kHeadWords = kNewestAt + 64;

std::uint32_t half_of(const std::uint64_t* words, std::size_t at) {
  return static_cast<std::uint32_t>(words[at / 2] >> (at % 2 * 32));
}
// Halves are put in ascending order.
void put_half(std::uint64_t* words, std::size_t at, std::uint32_t value) {
  if (at % 2 == 0) {
    words[at / 2] = value;
  } else {
    words[at / 2] |= std::uint64_t{value} << 32;
  }
}

// Calls visit(place) for each bit that is set, ascending.
template <typename Visit>
void visit_bits(std::uint64_t bits, Visit&& visit) {
  for (; bits != 0; bits &= bits - 1) visit(static_cast<std::uint32_t>(std::countr_zero(bits)));
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
    type.page_values = kHeadWords;
    type.pages.resize((entities.size() + kSlotsPerPage - 1) / kSlotsPerPage);
  }
  for (const auto& watch : book.watches_) {
    const std::size_t place = place_of(watch->type);
    absences_.push_back(
        {watch.get(), book.schema_.type_name(watch->type), watch->tracker.interval().count, place});
    if (place == kNone) continue;
    types_[place].page_values += kSlotsPerPage;
    types_[place].absences.push_back(absences_.size() - 1);
  }
  for (const auto& live : book.rules_) {
    const std::size_t place = place_of(live->compiled.info.from);
    Rule& rule =
        rules_.emplace_back(Rule{live.get(), live->compiled.info.name, live->compiled.token_hash,
                                 live->figures.entities_met, place, std::vector<std::uint8_t>()});
    for (const HeldState& held : live->held) rule.held.push_back(held.is_empty() ? 0 : 1);
    const auto held_count = static_cast<std::size_t>(std::ranges::count(rule.held, 1));
    if (place == kNone || (rule.entities_met == 0 && held_count == 0)) continue;
    types_[place].page_values += 1 + held_count * kSlotsPerPage;
    types_[place].rules.push_back(rules_.size() - 1);
  }
}

RuleCapture::~RuleCapture() = default;

std::size_t RuleCapture::place_of(TypeId type) const {
  return type.index() < place_of_.size() ? place_of_[type.index()] : kNone;
}

void RuleCapture::keep(TypeId type, std::uint32_t slot) {
  if (is_complete()) return;
  const std::size_t place = place_of(type);
  if (place == kNone || slot >= types_[place].slot_count) return;
  copy(types_[place], slot / kSlotsPerPage);
}

void RuleCapture::work(std::size_t values_max) {
  const std::uint64_t begin = values_done_;
  while (!is_complete() && values_done_ - begin < values_max) {
    Type& type = types_[next_type_];
    copy(type, next_page_);
    if (++next_page_ < type.pages.size()) continue;
    ++next_type_;
    next_page_ = 0;
  }
}

void RuleCapture::copy(Type& type, std::size_t number) {
  if (type.pages[number] != nullptr) return;
  values_done_ += type.page_values;
  const auto first = static_cast<std::uint32_t>(number * kSlotsPerPage);
  const std::uint32_t count = std::min(kSlotsPerPage, type.slot_count - first);
  words_.assign(kHeadWords, 0);
  const std::span<const EntityId> entities = book_.slots_of_.entities(type.id);
  for (std::uint32_t i = 0; i < count; ++i) put_half(words_.data(), i, entities[first + i].index());
  std::memcpy(&words_[kNewestAt], &type.state->newest[first], count * sizeof(Timestamp));
  for (const std::size_t place : type.absences) copy(absences_[place], first, count);
  for (const std::size_t place : type.rules) copy(rules_[place], first, count);
  const std::size_t bytes = words_.size() * sizeof(words_[0]);
  void* const page = memory_.take(bytes, alignof(std::uint64_t));
  std::memcpy(page, words_.data(), bytes);
  type.pages[number] = static_cast<const std::uint64_t*>(page);
}

void RuleCapture::copy(const Absence& absence, std::uint32_t first, std::uint32_t count) {
  const AbsenceTracker& tracker = absence.watch->tracker;
  std::array<std::uint64_t, kSlotsPerPage / 2> orders;
  const std::size_t known_at = words_.size();
  words_.push_back(0);
  std::size_t known_count = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const AbsenceTracker::Arrival arrival = tracker.arrival(first + i);
    if (!arrival.is_known) continue;
    words_[known_at] |= std::uint64_t{1} << i;
    words_.push_back(static_cast<std::uint64_t>(arrival.at.micros));
    put_half(orders.data(), known_count++, arrival.order);
  }
  words_.insert(words_.end(), orders.data(), orders.data() + (known_count + 1) / 2);
}

void RuleCapture::copy(const Rule& rule, std::uint32_t first, std::uint32_t count) {
  if (rule.entities_met > 0) {
    words_.push_back(rule.live->met.word(first / kSlotsPerPage) & mask_of(count));
  }
  for (std::size_t h = 0; h < rule.held.size(); ++h) {
    if (rule.held[h] == 0) continue;
    const HeldState& held = rule.live->held[h];
    const std::size_t true_at = words_.size();
    words_.push_back(0);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::int64_t since = held.since(first + i);
      if (since == HeldState::kNotTrue) continue;
      words_[true_at] |= std::uint64_t{1} << i;
      words_.push_back(static_cast<std::uint64_t>(since));
    }
  }
}

void RuleCapture::encode(std::string& out) const {
  FICUS_CHECK(is_complete());
  Cursors cursors;
  for (const Type& type : types_) {
    std::vector<Page> pages = type.pages;
    for (Page& page : pages) page += kHeadWords;
    cursors.push_back(std::move(pages));
  }
  out.append(kMagic);
  put_i64(out, last_arrival_.micros);
  encode_types(out);
  put_u32(out, absences_.size());
  for (const Absence& absence : absences_) encode(absence, cursors, out);
  put_u32(out, rules_.size());
  for (const Rule& rule : rules_) encode(rule, cursors, out);
}

void RuleCapture::encode_types(std::string& out) const {
  put_u32(out, types_.size());
  for (const Type& type : types_) {
    put_text(out, type.name);
    put_u32(out, type.slot_count);
    for (std::uint32_t slot = 0; slot < type.slot_count; ++slot) {
      const Page page = type.pages[slot / kSlotsPerPage];
      put_u32(out, half_of(page, slot % kSlotsPerPage));
      put_u64(out, page[kNewestAt + slot % kSlotsPerPage]);
    }
  }
}

void RuleCapture::encode(const Absence& absence, Cursors& cursors, std::string& out) const {
  struct Arrival {
    std::int64_t at;
    std::uint32_t order, entity;
  };
  std::vector<Arrival> arrivals;
  const std::size_t page_count = absence.type == kNone ? 0 : types_[absence.type].pages.size();
  for (std::size_t number = 0; number < page_count; ++number) {
    const Page page = types_[absence.type].pages[number];
    Page& words = cursors[absence.type][number];
    const std::uint64_t known = *words++;
    const auto known_count = static_cast<std::size_t>(std::popcount(known));
    std::size_t i = 0;
    visit_bits(known, [&](std::uint32_t at) {
      arrivals.push_back({static_cast<std::int64_t>(words[i]), half_of(words + known_count, i),
                          half_of(page, at)});
      ++i;
    });
    words += known_count + (known_count + 1) / 2;
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

void RuleCapture::encode(const Rule& rule, Cursors& cursors, std::string& out) const {
  const std::size_t page_count = rule.type == kNone ? 0 : types_[rule.type].pages.size();
  put_text(out, rule.name);
  put_u64(out, rule.token_hash);
  put_u32(out, rule.entities_met);
  for (std::size_t number = 0; number < page_count && rule.entities_met > 0; ++number) {
    const Page page = types_[rule.type].pages[number];
    visit_bits(*cursors[rule.type][number]++,
               [&](std::uint32_t at) { put_u32(out, half_of(page, at)); });
  }
  put_u32(out, rule.held.size());
  for (const std::uint8_t has_any : rule.held) {
    const std::size_t count_at = out.size();
    put_u32(out, 0);
    std::uint32_t count = 0;
    for (std::size_t number = 0; number < page_count && has_any != 0; ++number) {
      const Page page = types_[rule.type].pages[number];
      Page& words = cursors[rule.type][number];
      visit_bits(*words++, [&](std::uint32_t at) {
        ++count;
        put_u32(out, half_of(page, at));
        put_u64(out, *words++);
      });
    }
    std::memcpy(out.data() + count_at, &count, sizeof count);
  }
}

}  // namespace ficus::rules
