#include "connect/mqtt/reply_queue.h"

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"

namespace ficus::connect {
namespace {

TEST(ReplyQueue, ReleasesInOrderAndOnlyWhatIsDurable) {
  ReplyQueue queue;
  EXPECT_EQ(queue.take(log::Position::max()), nullptr);
  EXPECT_FALSE(queue.has_open());

  const std::shared_ptr<ReplyGroup> first = queue.open();
  EXPECT_EQ(queue.open(), first);  // one group a turn
  first->batches_left = 1;
  EXPECT_EQ(queue.take(log::Position::max()), nullptr);  // still open
  queue.complete_open();
  EXPECT_FALSE(queue.has_open());
  queue.complete_open();  // nothing to complete

  const std::shared_ptr<ReplyGroup> second = queue.open();
  EXPECT_NE(second, first);
  second->broker_end = {100};
  queue.complete_open();

  EXPECT_EQ(queue.take({100}), nullptr);  // the first holds the second
  first->batches_left = 0;
  EXPECT_EQ(queue.take({0}), first);
  EXPECT_EQ(queue.take({99}), nullptr);
  second->waits_for_flush = true;
  EXPECT_EQ(queue.take({100}), nullptr);  // not even appended
  second->waits_for_flush = false;
  EXPECT_EQ(queue.take({100}), second);
  EXPECT_EQ(queue.size(), 0U);
}

// Which answers were refused, as "A1 R2": PUBACK #1, PUBREC #2; those that stand have a '+'.
std::string answers_of(const ReplyGroup& group) {
  std::string text;
  std::span<const std::byte> rest(group.bytes);
  while (!rest.empty()) {
    const auto decoded = mqtt::decode(rest, mqtt::ProtocolVersion::v5, SIZE_MAX);
    EXPECT_TRUE(decoded);
    if (!decoded) break;
    rest = rest.subspan(decoded->bytes);
    const auto add = [&](char letter, mqtt::PacketId id, mqtt::ReasonCode reason) {
      text += letter;
      text += std::to_string(static_cast<int>(id));
      text += mqtt::is_failure(reason) ? "- " : "+ ";
    };
    if (const auto* const a = std::get_if<mqtt::Puback>(&decoded->packet)) {
      add('A', a->packet_id, a->reason);
    } else if (const auto* const r = std::get_if<mqtt::Pubrec>(&decoded->packet)) {
      add('R', r->packet_id, r->reason);
    } else {
      text += "? ";
    }
  }
  return text;
}

TEST(ReplyQueue, RefusesExactlyWhatWasInTheBatchesThatFailed) {
  ReplyGroup group;
  const auto puback = [&](std::uint16_t id, std::uint64_t batch) {
    mqtt::encode_puback(mqtt::PacketId{id}, group.bytes);
    group.add_answer(batch);
  };
  const auto pubrec = [&](std::uint16_t id, std::uint64_t batch) {
    ASSERT_TRUE(mqtt::encode(mqtt::Pubrec{.packet_id = mqtt::PacketId{id}, .properties = {}},
                             mqtt::ProtocolVersion::v5, SIZE_MAX, group.bytes));
    group.add_answer(batch);
  };
  puback(1, 7);
  puback(2, 7);
  pubrec(3, 0);  // our own log has it
  ASSERT_TRUE(mqtt::encode(mqtt::Pingresp{}, mqtt::ProtocolVersion::v5, SIZE_MAX, group.bytes));
  pubrec(4, 8);
  puback(5, 9);
  pubrec(6, 8);
  puback(7, 0);  // for no source
  group.failed = {8, 7};
  const auto refused = refuse_failed(group, {.reason_string = "full"});
  EXPECT_EQ(answers_of(group), "A1- A2- R3+ ? R4- A5+ R6- A7+ ");
  EXPECT_EQ(refused, (std::vector<mqtt::PacketId>{mqtt::PacketId{4}, mqtt::PacketId{6}}));
  EXPECT_EQ(group.publishes_answered, 2U);  // those that no PUBREL follows
}

}  // namespace
}  // namespace ficus::connect
