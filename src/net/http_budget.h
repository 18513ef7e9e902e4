#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>

namespace ficus::net {

// What all connections of the HTTP servers that share it may hold together: request bodies that are
// being collected, and answers that their clients have not taken yet. When it is full, whoever
// holds the most goes before whoever wants less. On the loop's thread; outlives its holders.
class HttpBudget {
 public:
  // A connection, for this module only.
  class Holder {
   public:
    virtual ~Holder() = default;
    virtual std::size_t bytes_held() const = 0;
    // Lets go of everything at once, without a callback from inside.
    virtual void give_up() = 0;

   private:
    friend class HttpBudget;
    std::size_t noted_bytes_ = 0;
  };

  explicit HttpBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  HttpBudget(const HttpBudget&) = delete;
  HttpBudget& operator=(const HttpBudget&) = delete;

  std::size_t bytes_max() const { return bytes_max_; }
  // As of when each holder was last noted.
  std::size_t bytes_held() const { return bytes_held_; }
  std::uint64_t dropped_count() const { return dropped_count_; }  // who had to make room
  std::uint64_t refused_count() const { return refused_count_; }  // what was not let in

  // Takes down what the holder holds now.
  void note(Holder& holder);
  void forget(Holder& holder);
  // Whether `bytes` more may be held by `holder`. Others that hold more than it would are dropped
  // for it. Counts its own refusals.
  bool make_room(Holder& holder, std::size_t bytes);

 private:
  bool has_room(std::size_t bytes) const {
    return bytes <= bytes_max_ && bytes_held_ <= bytes_max_ - bytes;
  }
  void note_all();

  const std::size_t bytes_max_;
  std::size_t bytes_held_ = 0;
  std::uint64_t dropped_count_ = 0;
  std::uint64_t refused_count_ = 0;
  std::unordered_set<Holder*> holders_;  // that held anything when they were noted
};

}  // namespace ficus::net
