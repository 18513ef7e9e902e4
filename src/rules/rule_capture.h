#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

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
// go, and any one thread may encode() it. It holds a copy of the state and no more.
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
  // Copies the state of about so many entities more.
  void work(std::size_t entities_max);
  bool is_complete() const { return next_type_ == types_.size(); }
  // Of how many entities the state was copied since it was made.
  std::uint64_t entities_done() const { return entities_done_; }

  // Appends the bytes of RuleBook::encode. REQUIRES: is_complete().
  void encode(std::string& out) const;

 private:
  // Slots that are copied together: as many as a word of met bits has.
  static constexpr std::uint32_t kSlotsPerPage = 64;

  // What is copied of the slots of one page: `entities` and `newest` of the type; of each rule the
  // met bits and, of each held(...), since when; of each absence the last arrivals, their order,
  // and a bit for those that are known. Words of 64 bits, in this order.
  using Page = std::unique_ptr<std::uint64_t[]>;
  struct Rule {
    const LiveRule* live = nullptr;
    std::string name;
    std::uint64_t token_hash = 0;
    std::uint64_t entities_met = 0;
    std::size_t type = 0;  // place in types_; kNone if nothing was seen of it
    std::size_t held_count = 0;
    std::size_t first_word = 0;  // of a page
  };
  struct Absence {
    const Watch* watch = nullptr;
    std::string type_name;
    std::int64_t interval = 0;
    std::size_t type = 0;
    std::size_t first_word = 0;
  };
  struct Type {
    TypeId id;
    std::string name;
    const TypeState* state = nullptr;
    std::uint32_t slot_count = 0;
    std::size_t page_words = 0;
    std::vector<std::size_t> rules, absences;  // places in rules_, absences_
    std::vector<Page> pages;                   // null: not copied yet
  };
  static constexpr std::size_t kNone = SIZE_MAX;

  void copy(Type& type, std::size_t page);
  void encode_types(std::string& out) const;
  void encode(const Rule& rule, std::string& out) const;
  void encode(const Absence& absence, std::string& out) const;
  // Calls visit(slot, page, slot in page) for every slot.
  template <typename Visit>
  static void visit_slots(const Type& type, Visit&& visit);

  const RuleBook::Impl& book_;
  const Timestamp last_arrival_;
  std::vector<Type> types_;            // with entities, by TypeId
  std::vector<std::size_t> place_of_;  // by TypeId: place in types_, or kNone
  std::vector<Rule> rules_;
  std::vector<Absence> absences_;
  std::size_t next_type_ = 0;
  std::size_t next_page_ = 0;
  std::uint64_t entities_done_ = 0;
};

}  // namespace ficus::rules
