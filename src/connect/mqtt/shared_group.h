#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "connect/mqtt/topic_tree.h"

namespace ficus::connect {

// The sessions that share one subscription: each message goes to one of them (MQTT 5.0, 4.8.2).
// Sessions are borrowed: remove them before they go. One thread.
class SharedGroup {
 public:
  struct Member {
    Session* session = nullptr;
    SubscriptionOptions options;
  };

  // `name` is the filter as clients send it: "$share/workers/city/#".
  explicit SharedGroup(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  void add(Session& session, SubscriptionOptions options);  // or replaces its options
  void remove(const Session& session);
  bool empty() const { return members_.empty(); }
  std::size_t size() const { return members_.size(); }
  const std::vector<Member>& members() const { return members_; }

  // Who is next to get a message, in turn: first those online who wait for nothing, then those
  // online, then those away. Null if `may_get` takes nobody.
  template <typename MayGet>
  const Member* choose(MayGet&& may_get) {
    const Member* best = nullptr;
    std::size_t best_index = 0;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const std::size_t index = (next_ + i) % members_.size();
      const Member& member = members_[index];
      if (best != nullptr && delay_rank(member) >= delay_rank(*best)) continue;
      if (!may_get(member)) continue;
      best = &member;
      best_index = index;
      if (delay_rank(member) == 0) break;
    }
    if (best != nullptr) next_ = best_index + 1;
    return best;
  }

 private:
  static int delay_rank(const Member& member);  // the less, the sooner it takes the message

  const std::string name_;
  std::vector<Member> members_;
  std::size_t next_ = 0;  // where the search for the next begins
};

}  // namespace ficus::connect
