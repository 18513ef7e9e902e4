#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/time.h"

namespace ficus::sim {

// What happened in a run, in order: the newest events to read, and a hash over all of them, and
// over every byte that travelled and was stored, by which two runs of one seed are compared.
class Report {
 public:
  void event(Micros at, std::string text) {
    hash_ = hash_mix(hash_, hash64(text, static_cast<std::uint64_t>(at.count)));
    ++events_;
    tail_.emplace_back(at, std::move(text));
    if (tail_.size() > kTailMax) tail_.pop_front();
  }
  // What is too much to be read.
  void mix(std::uint64_t hash) { hash_ = hash_mix(hash_, hash); }
  // The first is the one that counts; others follow from it.
  void violation(Micros at, const std::string& text) {
    event(at, "VIOLATION: " + text);
    if (violations_.size() < kViolationsMax) violations_.push_back(text);
  }

  bool is_sound() const { return violations_.empty(); }
  const std::vector<std::string>& violations() const { return violations_; }
  const std::deque<std::pair<Micros, std::string>>& tail() const { return tail_; }
  std::uint64_t hash() const { return hash_; }
  std::uint64_t events() const { return events_; }

 private:
  static constexpr std::size_t kTailMax = 60;
  static constexpr std::size_t kViolationsMax = 5;
  std::deque<std::pair<Micros, std::string>> tail_;
  std::vector<std::string> violations_;
  std::uint64_t hash_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace ficus::sim
