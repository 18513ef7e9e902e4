#include "connect/mqtt/reply_queue.h"

#include <span>

#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"

namespace ficus::connect {

std::vector<mqtt::PacketId> refuse_failed(ReplyGroup& group, const Refusing& how) {
  std::vector<mqtt::PacketId> refused;
  auto run = group.runs.begin();
  const auto is_refused = [&] {  // the next answer to a PUBLISH
    if (run == group.runs.end()) return false;
    const bool has_failed = group.has_failed(run->batch);
    if (--run->answers == 0) ++run;
    return has_failed;
  };
  mqtt::AckProperties properties;
  properties.reason_string = how.reason_string;
  constexpr auto kReason = mqtt::ReasonCode::quota_exceeded;
  std::vector<std::byte> bytes;
  std::span<const std::byte> rest(group.bytes);
  while (!rest.empty()) {
    const auto decoded = mqtt::decode(rest, how.version, SIZE_MAX);
    if (!decoded) break;  // our own packets are whole
    const auto packet = rest.first(decoded->bytes);
    rest = rest.subspan(decoded->bytes);
    const auto* const puback = std::get_if<mqtt::Puback>(&decoded->packet);
    const auto* const pubrec = std::get_if<mqtt::Pubrec>(&decoded->packet);
    if ((puback == nullptr && pubrec == nullptr) || !is_refused()) {
      bytes.insert(bytes.end(), packet.begin(), packet.end());
    } else if (puback != nullptr) {
      (void)mqtt::encode(mqtt::Puback{puback->packet_id, kReason, properties}, how.version,
                         how.packet_bytes_max, bytes);
    } else {
      refused.push_back(pubrec->packet_id);
      ++group.publishes_answered;  // no PUBREL follows
      (void)mqtt::encode(mqtt::Pubrec{pubrec->packet_id, kReason, properties}, how.version,
                         how.packet_bytes_max, bytes);
    }
  }
  group.bytes = std::move(bytes);
  return refused;
}

const std::shared_ptr<ReplyGroup>& ReplyQueue::open() {
  if (!has_open()) groups_.push_back(std::make_shared<ReplyGroup>());
  return groups_.back();
}

void ReplyQueue::complete_open() {
  if (has_open()) groups_.back()->is_complete = true;
}

std::shared_ptr<ReplyGroup> ReplyQueue::take(log::Position durable) {
  if (groups_.empty() || !groups_.front()->is_releasable(durable)) return nullptr;
  std::shared_ptr<ReplyGroup> group = std::move(groups_.front());
  groups_.pop_front();
  return group;
}

}  // namespace ficus::connect
