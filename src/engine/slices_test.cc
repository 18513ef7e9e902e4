#include "engine/slices.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ficus {
namespace {

class Slices : public ::testing::Test {
 protected:
  Slices() {
    vehicle_ = *schema_.intern_type("Vehicle");
    EXPECT_TRUE(schema_.intern_attribute(vehicle_, "speed", ValueKind::number));
    note_ = *schema_.intern_attribute(vehicle_, "note", ValueKind::text);
    EXPECT_TRUE(schema_.intern_type("Alert"));
  }
  rules::RuleBook rules(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += fmt::format(
          "CREATE RULE r{} AS INSERT INTO Alert (v) SELECT speed FROM Vehicle WHERE speed > {};", i,
          i);
    }
    auto book = rules::RuleBook::compile(text, "r.sql", schema_, zones_);
    EXPECT_TRUE(book) << book.error().message;
    return *std::move(book);
  }
  SourceBatch batch(int count, std::size_t note_bytes = 0) {
    SourceBatch batch;
    batch.received_at = {5};
    batch.refused.push_back({"overloaded", 2});
    for (int i = 0; i < count; ++i) {
      if (batch.observations.empty() || batch.observations.back().is_full()) {
        batch.observations.emplace_back(vehicle_);
      }
      batch.observations.back().begin_row(fmt::format("urn:{}", i), {i});
      batch.observations.back().set_text(note_, ValueKind::text, std::string(note_bytes, 'n'));
    }
    for (ObservationBatch& rows : batch.observations) rows.finish();
    return batch;
  }
  // The rows of all, in order, and the refused ones.
  static void expect_whole(const std::vector<SourceBatch>& slices, int count) {
    int next = 0;
    std::size_t refused = 0;
    for (const SourceBatch& slice : slices) {
      refused += slice.refused.size();
      EXPECT_EQ(slice.received_at, Timestamp{5});
      for (const ObservationBatch& rows : slice.observations) {
        for (const Timestamp at : rows.observed_at()) EXPECT_EQ(at.micros, next++);
      }
    }
    EXPECT_EQ(next, count);
    EXPECT_EQ(refused, 1U);
  }

  Schema schema_;
  ZoneSet zones_;
  TypeId vehicle_;
  AttributeId note_;
};

TEST_F(Slices, AnOrdinaryBatchIsOne) {
  EXPECT_TRUE(fits_one_step(batch(6000), rules(3)));
  expect_whole(slice(batch(6000), rules(3)), 6000);
}

TEST_F(Slices, ManyRowsUnderManyRules) {
  const rules::RuleBook book = rules(100);
  EXPECT_FALSE(fits_one_step(batch(2000), book));
  const std::vector<SourceBatch> slices = slice(batch(5000), book);
  EXPECT_GE(slices.size(), 15U);
  EXPECT_LT(slices.size(), 40U);
  for (const SourceBatch& one : slices) EXPECT_TRUE(fits_one_step(one, book));
  expect_whole(slices, 5000);
}

TEST_F(Slices, ManyBytes) {
  const rules::RuleBook book = rules(0);
  const std::vector<SourceBatch> slices = slice(batch(1000, 100'000), book);
  EXPECT_GE(slices.size(), 24U);
  expect_whole(slices, 1000);
  // A row that is too large alone is a slice of its own.
  expect_whole(slice(batch(3, std::size_t{5} << 20), book), 3);
}

}  // namespace
}  // namespace ficus
