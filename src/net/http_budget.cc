#include "net/http_budget.h"

#include <algorithm>
#include <vector>

namespace ficus::net {

void HttpBudget::note(Holder& holder) {
  const std::size_t bytes = holder.bytes_held();
  if (bytes == holder.noted_bytes_) return;
  bytes_held_ += bytes - holder.noted_bytes_;
  holder.noted_bytes_ = bytes;
  if (bytes > 0) {
    holders_.insert(&holder);
  } else {
    holders_.erase(&holder);
  }
}

void HttpBudget::forget(Holder& holder) {
  bytes_held_ -= holder.noted_bytes_;
  holder.noted_bytes_ = 0;
  holders_.erase(&holder);
}

void HttpBudget::note_all() {
  const std::vector<Holder*> holders(holders_.begin(), holders_.end());
  for (Holder* const holder : holders) note(*holder);
}

bool HttpBudget::make_room(Holder& holder, std::size_t bytes) {
  note(holder);
  if (has_room(bytes)) return true;
  // What clients took since they were noted last makes room without anybody's loss.
  note_all();
  const std::size_t wanted = holder.noted_bytes_ + bytes;
  while (!has_room(bytes)) {
    const auto most = std::max_element(
        holders_.begin(), holders_.end(),
        [](const Holder* a, const Holder* b) { return a->noted_bytes_ < b->noted_bytes_; });
    if (most == holders_.end() || *most == &holder || (*most)->noted_bytes_ <= wanted) {
      ++refused_count_;
      return false;
    }
    Holder& dropped = **most;
    dropped.give_up();
    forget(dropped);
    ++dropped_count_;
  }
  return true;
}

}  // namespace ficus::net
