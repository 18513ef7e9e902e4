#include "connect/mapping/source_batch_builder.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace ficus::connect {
namespace {

const TypeId kBus(0);
const TypeId kTram(1);
const AttributeId kSpeed(0);

TEST(SourceBatchBuilder, GathersByType) {
  SourceBatchBuilder builder(SourceId(3));
  EXPECT_TRUE(builder.empty());
  builder.begin_row(kBus, "urn:1", {10}).set_number(kSpeed, 1);
  builder.begin_row(kTram, "urn:2", {20});
  builder.quarantine("key", "why", "bytes");
  builder.begin_row(kBus, "urn:3", {30});
  builder.refuse("filtered");
  builder.refuse("filtered", 2);
  builder.refuse("other", 0);
  EXPECT_EQ(builder.item_count(), 7U);
  EXPECT_GT(builder.bytes(), 0U);
  ASSERT_EQ(builder.quarantined_places().size(), 1U);
  EXPECT_EQ(builder.quarantined_places()[0], 2U);
  const SourceBatch batch = builder.take({99});
  EXPECT_EQ(batch.source, SourceId(3));
  EXPECT_EQ(batch.received_at, Timestamp{99});
  EXPECT_EQ(batch.item_count(), 7U);
  ASSERT_EQ(batch.observations.size(), 2U);
  EXPECT_EQ(batch.observations[0].row_count(), 2U);
  EXPECT_EQ(batch.observations[0].columns()[0].size(), 2U);  // finished
  EXPECT_EQ(batch.refused, (std::vector<RefusedCount>{{"filtered", 3}}));
  EXPECT_TRUE(builder.empty());
  EXPECT_EQ(builder.take({1}).item_count(), 0U);
}

TEST(SourceBatchBuilder, BeginsANewBatchWhenOneIsFull) {
  SourceBatchBuilder builder(SourceId(0));
  Random random(1);
  std::size_t buses = 0;
  for (int i = 0; i < 10'000; ++i) {
    const bool is_bus = random.chance(0.7);
    buses += is_bus ? 1 : 0;
    builder.begin_row(is_bus ? kBus : kTram, "urn:x", {i});
  }
  const SourceBatch batch = builder.take({0});
  EXPECT_EQ(batch.item_count(), 10'000U);
  std::size_t seen = 0;
  for (const ObservationBatch& rows : batch.observations) {
    EXPECT_LE(rows.row_count(), ObservationBatch::kRowsMax);
    EXPECT_GT(rows.row_count(), 0U);
    if (rows.type() == kBus) seen += rows.row_count();
  }
  EXPECT_EQ(seen, buses);
}

TEST(SourceBatchBuilder, CutsWhatIsTooLong) {
  SourceBatchBuilder builder(SourceId(0),
                             {.item_bytes_max = 4, .reason_bytes_max = 4, .key_bytes_max = 2});
  builder.quarantine("key", "ab福州", "12345");
  const SourceBatch batch = builder.take({0});
  EXPECT_EQ(batch.quarantined[0], (QuarantinedItem{"ke", "ab", "1234"}));
}

}  // namespace
}  // namespace ficus::connect
