#include "base/nearest_name.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace ficus {
namespace {

TEST(NearestName, FindsASlipAndNothingElse) {
  constexpr std::array<std::string_view, 4> kNames{"speed", "attributes", "id", "observed_at"};
  EXPECT_EQ(nearest_name("sped", kNames), "speed");
  EXPECT_EQ(nearest_name("SPEED", kNames), "speed");
  EXPECT_EQ(nearest_name("atributes", kNames), "attributes");
  EXPECT_EQ(nearest_name("observde_at", kNames), "observed_at");
  EXPECT_EQ(nearest_name("di", kNames), "id");
  EXPECT_EQ(nearest_name("temperature", kNames), "");
  EXPECT_EQ(nearest_name("", kNames), "");
  EXPECT_EQ(nearest_name("x", kNames), "");
  EXPECT_EQ(nearest_name(std::string(1000, 's'), kNames), "");
}

}  // namespace
}  // namespace ficus
