// The containers inside the twin, each against a standard one.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "base/random.h"
#include "twin/duplicate_filter.h"
#include "twin/entity_index.h"
#include "twin/location_grid.h"

namespace ficus::twin {
namespace {

TEST(FingerprintSet, ActsAsASet) {
  Random random(1);
  FingerprintSet set;
  std::set<std::uint64_t> expected;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20'000; ++i) {
      // Some share their upper bits, at the very end of the table too.
      std::uint64_t fingerprint = random.next();
      if (random.chance(0.01)) fingerprint |= 0xffff'ffff'ffff'0000U;
      if (random.chance(0.01)) fingerprint &= 0xff;
      const std::uint64_t stored = fingerprint == 0 ? 1 : fingerprint;
      ASSERT_EQ(set.insert(fingerprint), expected.insert(stored).second);
      ASSERT_TRUE(set.contains(fingerprint));
      ASSERT_EQ(set.contains(fingerprint + 7), expected.contains(fingerprint + 7));
    }
    ASSERT_EQ(set.size(), expected.size());
    ASSERT_EQ(set.sorted(), std::vector(expected.begin(), expected.end()));
    set.clear();
    expected.clear();
    ASSERT_FALSE(set.contains(0));
  }
}

TEST(DuplicateFilter, RemembersAtLeastTheWindowAndAtMostTwice) {
  constexpr std::size_t kWindow = 100;
  Random random(2);
  DuplicateFilter filter(kWindow);
  std::deque<std::uint64_t> last;  // newest first
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t fingerprint = (random.below(300) + 1) << 48;
    const auto found = std::ranges::find(last, fingerprint);
    const auto age = static_cast<std::size_t>(found - last.begin());
    const bool is_repeated = filter.is_repeated(fingerprint);
    if (age < kWindow && found != last.end()) {
      ASSERT_TRUE(is_repeated) << age;
    }
    if (age >= 2 * kWindow) {
      ASSERT_FALSE(is_repeated) << age;
    }
    last.push_front(fingerprint);
    if (last.size() > 3 * kWindow) last.pop_back();
  }
}

TEST(EntityIndex, FindsWhatWasInserted) {
  EntityIndex index;
  Random random(3);
  std::map<std::pair<std::uint32_t, std::string>, EntityId> expected;
  for (int i = 0; i < 50'000; ++i) {
    const TypeId type(static_cast<std::uint32_t>(random.below(3)));
    std::string id = "urn:" + std::to_string(random.below(20'000));
    if (random.chance(0.01)) id += std::string(random.below(3000), 'x');
    const std::uint64_t hash = EntityIndex::hash(id);
    const auto known = expected.find({type.index(), id});
    const EntityId found = index.find(type, hash, id);
    if (known != expected.end()) {
      ASSERT_EQ(found, known->second);
      continue;
    }
    ASSERT_TRUE(found.is_none());
    const EntityId added = index.insert(type, hash, id, static_cast<std::uint32_t>(i));
    ASSERT_EQ(added.index(), expected.size());
    ASSERT_EQ(index.row(added), static_cast<std::uint32_t>(i));
    expected[{type.index(), id}] = added;
  }
  ASSERT_EQ(index.size(), expected.size());
  for (const auto& [key, entity] : expected) {
    ASSERT_EQ(index.id(entity), key.second);
    ASSERT_EQ(index.type(entity).index(), key.first);
    std::vector<EntityId> all;
    index.find_all(EntityIndex::hash(key.second), key.second, all);
    std::vector<EntityId> wanted;
    for (std::uint32_t type = 0; type < 3; ++type) {
      const auto known = expected.find({type, key.second});
      if (known != expected.end()) wanted.push_back(known->second);
    }
    std::ranges::sort(all);
    std::ranges::sort(wanted);
    ASSERT_EQ(all, wanted);
  }
}

TEST(LocationGrid, FindsEveryRowOfABox) {
  LocationGrid grid;
  Random random(4);
  std::vector<GeoPoint> at;
  const auto anywhere = [&]() -> GeoPoint {
    switch (random.below(10)) {
      case 0:
        return {random.between(-180, 180), random.between(-90, 90)};
      case 1:
        return {random.chance(0.5) ? 180.0 : -180.0, random.chance(0.5) ? 90.0 : -90.0};
      default:
        return {random.between(119, 119.3), random.between(26, 26.3)};
    }
  };
  std::vector<std::uint32_t> rows;
  for (int step = 0; step < 30'000; ++step) {
    if (at.size() < 800) {
      at.push_back(anywhere());
      grid.insert(static_cast<std::uint32_t>(at.size() - 1), at.back());
    } else {
      const auto row = static_cast<std::uint32_t>(random.below(at.size()));
      const GeoPoint to = anywhere();
      grid.move(row, at[row], to);
      at[row] = to;
    }
    if (step % 50 != 0) continue;
    BoundingBox box{random.between(118.9, 119.3), random.between(25.9, 26.3), 0, 0};
    if (random.chance(0.1)) box = {-180, -90, 0, 0};
    box.east = box.west + (random.chance(0.1) ? 360 : random.between(0, 0.1));
    box.north = box.south + (random.chance(0.1) ? 180 : random.between(0, 0.1));
    rows.clear();
    grid.collect(box, rows);
    const std::set<std::uint32_t> found(rows.begin(), rows.end());
    ASSERT_EQ(found.size(), rows.size());
    const double reach = 1.0 / 128;  // whole cells come
    const BoundingBox wider{box.west - reach, box.south - reach, box.east + reach,
                            box.north + reach};
    for (std::uint32_t row = 0; row < at.size(); ++row) {
      if (box.contains(at[row])) {
        ASSERT_TRUE(found.contains(row));
      }
      if (found.contains(row)) {
        ASSERT_TRUE(wider.contains(at[row]));
      }
    }
  }
  EXPECT_LE(grid.cell_count(), at.size());
  // All in one place: the cells left behind are gone.
  for (std::uint32_t row = 0; row < at.size(); ++row) grid.move(row, at[row], {1, 1});
  EXPECT_EQ(grid.cell_count(), 1U);
  EXPECT_LT(grid.memory_bytes(), 100'000U);
}

}  // namespace
}  // namespace ficus::twin
