#include "engine/gathered.h"

#include <gtest/gtest.h>

#include <optional>

namespace ficus {
namespace {

Status gathered(const Status& first, const Status& second) {
  std::optional<Status> all;
  Gathered parts(2, [&](const Status& status) { all = status; });
  parts.arrive(first);
  EXPECT_FALSE(all.has_value());
  parts.arrive(second);
  return all.value_or(Status());
}

TEST(Gathered, WhatIsNotDurableOutweighsWhatWasRefused) {
  const Status refused = fail(ErrorCode::overloaded, "the twin is full");
  const Status lost = fail(ErrorCode::unavailable, "cannot sync");
  EXPECT_TRUE(gathered({}, {}));
  EXPECT_EQ(gathered({}, refused).error().code, ErrorCode::overloaded);
  EXPECT_EQ(gathered(refused, {}).error().code, ErrorCode::overloaded);
  EXPECT_EQ(gathered(refused, lost).error().code, ErrorCode::unavailable);
  EXPECT_EQ(gathered(lost, refused).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace ficus
