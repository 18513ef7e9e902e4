#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/large_pages.h"
#include "base/time.h"
#include "model/ids.h"
#include "rules/rule_book.h"

namespace ficus::rules {

struct LiveRule;
struct TypeState;
struct Watch;

// The state of a rule book as it was when the capture was made, gathered in shares while the book
// goes on: before an entity's state changes keep() copies it, with that of its neighbours, as it
// still is. What does not change is copied by work(), a share at a time.
//
// Used by the book's thread until it is complete; then it shares nothing with the book, which may
// go, and any one thread may encode() it. It holds a copy of what is known and no more: a rule that
// is met for nobody, a condition that is true for few, cost next to nothing.
class RuleCapture {
 public:
  explicit RuleCapture(const RuleBook& book);
  explicit RuleCapture(const RuleBook::Impl& book);
  ~RuleCapture();
  RuleCapture(const RuleCapture&) = delete;
  RuleCapture& operator=(const RuleCapture&) = delete;

  // What rules know of the entity in this slot of its type is about to change.
  void keep(TypeId type, std::uint32_t slot);
  void keep_all() { work(SIZE_MAX); }
  // Copies about so many values more.
  void work(std::size_t values_max);
  bool is_complete() const { return next_type_ == types_.size(); }
  // How many values were looked at since it was made, by work() and keep().
  std::uint64_t values_done() const { return values_done_; }
  std::size_t memory_bytes() const { return memory_.memory_bytes(); }  // of what is copied so far

  // Appends the bytes of RuleBook::encode. REQUIRES: is_complete().
  void encode(std::string& out) const;

 private:
  // Slots that are copied together: as many as a word of met bits has.
  static constexpr std::uint32_t kSlotsPerPage = 64;

  // What is copied of the slots of one page, in words of 64 bits: two entities a word, `newest` of
  // the type; of each absence a bit for those that are known, their last arrivals, the order of
  // those, two a word; of each rule that is met for anybody the met bits; of each held(...) that
  // was ever true a bit for those for which it is, and since when.
  using Page = const std::uint64_t*;
  struct Rule {
    const LiveRule* live = nullptr;
    std::string name;
    std::uint64_t token_hash = 0;
    std::uint64_t entities_met = 0;
    std::size_t type = 0;            // place in types_; kNone if nothing was seen of it
    std::vector<std::uint8_t> held;  // of each held(...): whether there is anything to copy
  };
  struct Absence {
    const Watch* watch = nullptr;
    std::string type_name;
    std::int64_t interval = 0;
    std::size_t type = 0;
  };
  struct Type {
    TypeId id;
    std::string name;
    const TypeState* state = nullptr;
    std::uint32_t slot_count = 0;
    std::size_t page_values = 0;               // that are looked at for one page
    std::vector<std::size_t> absences, rules;  // places in absences_, rules_
    std::vector<Page> pages;                   // null: not copied yet
  };
  // How far each page of each type was read: its parts are read in the order they were written in.
  using Cursors = std::vector<std::vector<Page>>;
  static constexpr std::size_t kNone = SIZE_MAX;

  std::size_t place_of(TypeId type) const;
  void copy(Type& type, std::size_t page);
  void copy(const Absence& absence, std::uint32_t first, std::uint32_t count);
  void copy(const Rule& rule, std::uint32_t first, std::uint32_t count);
  void encode_types(std::string& out) const;
  void encode(const Absence& absence, Cursors& cursors, std::string& out) const;
  void encode(const Rule& rule, Cursors& cursors, std::string& out) const;

  const RuleBook::Impl& book_;
  const Timestamp last_arrival_;
  BlockArena memory_;                  // of the pages
  std::vector<std::uint64_t> words_;   // of the page at work; kept for its memory
  std::vector<Type> types_;            // with entities, by TypeId
  std::vector<std::size_t> place_of_;  // by TypeId: place in types_, or kNone
  std::vector<Rule> rules_;
  std::vector<Absence> absences_;
  std::size_t next_type_ = 0;
  std::size_t next_page_ = 0;
  std::uint64_t values_done_ = 0;
};

}  // namespace ficus::rules
