#include "model/observation_batch.h"

#include <gtest/gtest.h>

namespace ficus {
namespace {

constexpr AttributeId kSpeed{0};
constexpr AttributeId kName{1};

TEST(ObservationBatch, PadsRowsThatLackAnAttribute) {
  ObservationBatch batch{TypeId(3)};
  batch.begin_row("urn:a", {1});
  batch.set_number(kSpeed, 5);
  batch.begin_row("urn:b", {2});
  batch.set_text(kName, ValueKind::text, "b");
  batch.begin_row("urn:c", {3});
  batch.finish();
  ASSERT_EQ(batch.row_count(), 3U);
  EXPECT_EQ(batch.ids()[1], "urn:b");
  EXPECT_EQ(batch.find(kSpeed)->value(0), Value::number(5));
  EXPECT_TRUE(batch.find(kSpeed)->value(1).is_none());
  EXPECT_EQ(batch.find(kName)->value(1), Value::text("b"));
  EXPECT_TRUE(batch.find(kName)->value(2).is_none());
  EXPECT_EQ(batch.find(AttributeId(9)), nullptr);
}

TEST(ObservationBatch, LastValueOfARowWinsAndARowCanBeDropped) {
  ObservationBatch batch{TypeId(0)};
  batch.begin_row("urn:a", {1});
  batch.set_number(kSpeed, 5);
  batch.set_number(kSpeed, 6);
  batch.begin_row("urn:b", {2});
  batch.set_number(kSpeed, 7);
  batch.drop_row();
  batch.finish();
  ASSERT_EQ(batch.row_count(), 1U);
  EXPECT_EQ(batch.find(kSpeed)->numbers, std::vector<double>{6});
}

TEST(ObservationBatch, SelectsRows) {
  ObservationBatch batch{TypeId(0)};
  for (int i = 0; i < 4; ++i) {
    batch.begin_row("urn:" + std::to_string(i), {i});
    if (i != 2) batch.set_number(kSpeed, i);
  }
  batch.finish();
  const std::uint32_t rows[] = {3, 2};
  const ObservationBatch chosen = batch.select(rows);
  EXPECT_EQ(chosen.ids()[0], "urn:3");
  EXPECT_EQ(chosen.find(kSpeed)->value(0), Value::number(3));
  EXPECT_TRUE(chosen.find(kSpeed)->value(1).is_none());
}

TEST(ObservationBatch, SelectsRowsOfEveryKind) {
  const Value values[] = {Value::number(2.5),
                          Value::boolean(true),
                          Value::time({7}),
                          Value::point({121.5, 31.2}),
                          Value::text("one"),
                          Value::of_text_kind(ValueKind::relationship, "urn:other"),
                          Value::of_text_kind(ValueKind::json, "[1]")};
  ObservationBatch batch{TypeId(0)};
  for (int i = 0; i < 3; ++i) {
    batch.begin_row("urn:" + std::to_string(i), {i});
    if (i == 1) continue;  // carries nothing
    std::uint32_t attribute = 0;
    for (const Value& value : values) batch.set(AttributeId(attribute++), value);
  }
  batch.finish();
  const std::uint32_t rows[] = {2, 1};
  const ObservationBatch chosen = batch.select(rows);
  ASSERT_EQ(chosen.row_count(), 2U);
  std::uint32_t attribute = 0;
  for (const Value& value : values) {
    const Column* column = chosen.find(AttributeId(attribute++));
    ASSERT_NE(column, nullptr);
    EXPECT_EQ(column->kind, value.kind());
    EXPECT_EQ(column->value(0), value);
    EXPECT_TRUE(column->value(1).is_none());
  }
}

}  // namespace
}  // namespace ficus
