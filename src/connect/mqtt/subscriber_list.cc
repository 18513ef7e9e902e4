#include "connect/mqtt/subscriber_list.h"

namespace ficus::connect {

const void* SubscriberList::key_of(const Subscriber& subscriber) {
  if (subscriber.session != nullptr) return subscriber.session;
  return subscriber.group;
}

std::size_t SubscriberList::find(const Subscriber& subscriber) const {
  const void* const key = key_of(subscriber);
  if (places_ != nullptr) {
    const auto found = places_->find(key);
    return found == places_->end() ? items_.size() : found->second;
  }
  std::size_t place = 0;
  while (place < items_.size() && key_of(items_[place]) != key) ++place;
  return place;
}

bool SubscriberList::put(const Subscriber& subscriber) {
  const std::size_t place = find(subscriber);
  if (place < items_.size()) {
    items_[place].options = subscriber.options;
    return false;
  }
  items_.push_back(subscriber);
  if (places_ != nullptr) {
    places_->emplace(key_of(subscriber), static_cast<std::uint32_t>(place));
  } else if (items_.size() > kShort) {
    places_ = std::make_unique<std::unordered_map<const void*, std::uint32_t>>();
    for (std::size_t i = 0; i < items_.size(); ++i) {
      places_->emplace(key_of(items_[i]), static_cast<std::uint32_t>(i));
    }
  }
  return true;
}

bool SubscriberList::remove(const Subscriber& subscriber) {
  const std::size_t place = find(subscriber);
  if (place == items_.size()) return false;
  if (places_ != nullptr) {
    places_->erase(key_of(items_[place]));
    if (place + 1 < items_.size()) {
      (*places_)[key_of(items_.back())] = static_cast<std::uint32_t>(place);
    }
  }
  items_[place] = items_.back();
  items_.pop_back();
  if (items_.size() <= kShort / 2) places_.reset();
  return true;
}

}  // namespace ficus::connect
