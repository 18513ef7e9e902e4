#include "connect/mqtt/session.h"

#include <algorithm>

namespace ficus::connect {

FrontQueue<QueuedMessage>::iterator Session::find_in_flight(mqtt::PacketId packet_id) {
  if (in_flight == 0) return queue.end();
  // Numbers grow along the queue and span less than one round of identifiers.
  const std::uint64_t first = queue.front().number;
  const std::uint64_t wanted = static_cast<std::uint64_t>(packet_id) - 1;
  const std::uint64_t number = first + (wanted + kNumberSpan - first % kNumberSpan) % kNumberSpan;
  const auto end = queue.begin() + static_cast<std::ptrdiff_t>(in_flight);
  const auto found =
      std::lower_bound(queue.begin(), end, number,
                       [](const QueuedMessage& m, std::uint64_t n) { return m.number < n; });
  return found != end && found->number == number ? found : queue.end();
}

FrontQueue<QueuedMessage>::iterator Session::find_number(std::uint64_t number) {
  const auto found =
      std::lower_bound(queue.begin(), queue.end(), number,
                       [](const QueuedMessage& m, std::uint64_t n) { return m.number < n; });
  return found != queue.end() && found->number == number ? found : queue.end();
}

const QueuedMessage* Session::find_recent(std::uint64_t number) const {
  for (auto at = queue.rbegin(); at != queue.rend() && at->number >= number; ++at) {
    if (at->number == number) return &*at;
  }
  return nullptr;
}

bool Session::has_received(mqtt::PacketId packet_id) const {
  return std::binary_search(received_.begin(), received_.end(), packet_id);
}

bool Session::add_received(mqtt::PacketId packet_id) {
  const auto at = std::lower_bound(received_.begin(), received_.end(), packet_id);
  if (at != received_.end() && *at == packet_id) return false;
  received_.insert(at, packet_id);
  return true;
}

bool Session::remove_received(mqtt::PacketId packet_id) {
  const auto at = std::lower_bound(received_.begin(), received_.end(), packet_id);
  if (at == received_.end() || *at != packet_id) return false;
  received_.erase(at);
  return true;
}

}  // namespace ficus::connect
