#include "engine/books.h"

#include <gtest/gtest.h>

namespace ficus {
namespace {

TEST(Books, AddUpAndSurviveASnapshot) {
  Books books;
  SourceBooks& vehicles = books.of("vehicles");
  vehicles = {.received = 20,
              .applied = 10,
              .late = 3,
              .duplicate = 2,
              .quarantined = 1,
              .refused_by = {{"overloaded", 4}},
              .last_received_at = {9}};
  EXPECT_TRUE(vehicles.balanced());
  SourceBooks sum = vehicles;
  sum.add(vehicles);
  EXPECT_EQ(sum.received, 40U);
  EXPECT_EQ(sum.refused(), 8U);
  EXPECT_TRUE(sum.balanced());
  sum.applied += 1;
  EXPECT_FALSE(sum.balanced());
  std::string bytes;
  books.encode(bytes);
  Books again;
  ASSERT_TRUE(again.decode(bytes));
  EXPECT_EQ(again.all(), books.all());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(again.decode(std::string_view(bytes).substr(0, length)));
  }
}

}  // namespace
}  // namespace ficus
