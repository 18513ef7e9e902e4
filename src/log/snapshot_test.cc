#include "log/snapshot.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "log/crash_disk.h"
#include "log/log_check.h"
#include "log/log_test_support.h"

namespace ficus::log {
namespace {

Status write_snapshot(Disk& disk, Position position,
                      const std::vector<std::pair<std::string, std::string>>& sections) {
  FICUS_TRY(const auto writer, SnapshotWriter::create(disk, kTestDirectory, position));
  for (const auto& [name, content] : sections) {
    FICUS_TRY_VOID(writer->begin_section(name));
    FICUS_TRY_VOID(writer->append(bytes_of(content).first(content.size() / 2)));
    FICUS_TRY_VOID(writer->append(bytes_of(content).subspan(content.size() / 2)));
  }
  return writer->finish();
}

Result<std::string> section_text(SnapshotReader& reader, std::string_view name) {
  const SnapshotSection* const section = reader.find(name);
  if (section == nullptr) return fail(ErrorCode::not_found, "no section");
  std::string text(section->bytes, '\0');
  FICUS_TRY(const std::size_t got,
            reader.read(*section, 0, std::as_writable_bytes(std::span(text))));
  text.resize(got);
  return text;
}

TEST(Snapshot, ComesBackSectionBySection) {
  CrashDisk disk;
  const std::string large(1'000'003, 'z');
  ASSERT_TRUE(
      write_snapshot(disk, {77}, {{"twin", "the present"}, {"empty", ""}, {"rules", large}}));
  EXPECT_EQ(disk.list(kTestDirectory).value(),
            std::vector<std::string>{"00000000000000000077.snap"});
  const auto search = find_newest_snapshot(disk, kTestDirectory);
  ASSERT_TRUE(search && search->newest);
  SnapshotReader& reader = *search->newest;
  EXPECT_EQ(reader.position(), Position{77});
  ASSERT_EQ(reader.sections().size(), 3U);
  EXPECT_EQ(section_text(reader, "twin"), "the present");
  EXPECT_EQ(section_text(reader, "empty"), "");
  EXPECT_EQ(section_text(reader, "rules"), large);
  EXPECT_EQ(reader.find("other"), nullptr);
  std::array<std::byte, 8> some{};
  const SnapshotSection& twin = reader.sections()[0];
  EXPECT_EQ(reader.read(twin, 4, some), 7U);
  EXPECT_EQ(text_of(some).substr(0, 7), "present");
  EXPECT_EQ(reader.read(twin, 11, some), 0U);
}

TEST(Snapshot, EveryBitAndEveryPrefixIsChecked) {
  CrashDisk disk;
  ASSERT_TRUE(write_snapshot(disk, {5}, {{"a", "first"}, {"b", "second"}}));
  const std::string path = snapshot_path(kTestDirectory, {5});
  const std::string sound = disk.content(path);
  const auto usable = [&](std::string bytes) {
    disk.set_content(path, std::move(bytes));
    auto search = find_newest_snapshot(disk, kTestDirectory);
    EXPECT_TRUE(search);
    EXPECT_EQ(search->newest == nullptr, search->skipped.size() == 1);
    return search->newest != nullptr;
  };
  EXPECT_TRUE(usable(sound));
  for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
    std::string flipped = sound;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(usable(flipped)) << bit;
  }
  for (std::size_t length = 0; length < sound.size(); ++length) {
    EXPECT_FALSE(usable(sound.substr(0, length))) << length;
  }
  EXPECT_FALSE(usable(sound + "x"));
  disk.set_content(path, sound);
  ASSERT_TRUE(disk.rename(path, snapshot_path(kTestDirectory, {6})));
  EXPECT_EQ(find_newest_snapshot(disk, kTestDirectory)->newest, nullptr);  // the name lies
}

TEST(Snapshot, ADamagedOneIsPassedOverAndDoesNotCountAsKept) {
  CrashDisk disk;
  for (std::uint64_t at : {10U, 20U, 30U, 40U}) {
    ASSERT_TRUE(write_snapshot(disk, {at}, {{"at", std::to_string(at)}}));
  }
  disk.set_content(snapshot_path(kTestDirectory, {40}), "rubbish");
  const auto search = find_newest_snapshot(disk, kTestDirectory);
  ASSERT_TRUE(search && search->newest);
  EXPECT_EQ(search->newest->position(), Position{30});
  ASSERT_EQ(search->skipped.size(), 1U);
  EXPECT_TRUE(search->skipped[0].contains("00000000000000000040.snap"));
  disk.set_content(std::string(kTestDirectory) + "/00000000000000000050.snap.tmp", "left over");
  const auto kept = remove_old_snapshots(disk, kTestDirectory);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->positions, (std::vector<Position>{{20}, {30}}));
  EXPECT_EQ(kept->removed, 2U);
  EXPECT_EQ(disk.list(kTestDirectory)->size(), 3U);
  disk.fail_remove(true);
  EXPECT_FALSE(remove_old_snapshots(disk, kTestDirectory, 1));
}

TEST(Snapshot, IsThereWholeOrNotAtAllAfterAPowerLoss) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CrashDisk disk;
    Random random(seed);
    ASSERT_TRUE(write_snapshot(disk, {10}, {{"s", "old"}}));
    const std::string content(random.below(3000), 'n');
    const bool fails = random.chance(0.5);
    disk.fail_sync_directory(fails);
    EXPECT_EQ(write_snapshot(disk, {20}, {{"s", content}}).has_value(), !fails);
    disk.fail_sync_directory(false);
    disk.lose_power(random);
    const auto search = find_newest_snapshot(disk, kTestDirectory);
    ASSERT_TRUE(search && search->newest);
    EXPECT_TRUE(search->skipped.empty());
    if (!fails) {
      EXPECT_EQ(search->newest->position(), Position{20});
    }
  }
}

TEST(Snapshot, AFullOrFailingDiskLeavesNothingBehind) {
  CrashDisk disk;
  const std::string content(400'000, 'n');
  for (const std::uint64_t room : {0U, 10U, 300'000U, 400'040U}) {
    disk.set_capacity(room);
    EXPECT_EQ(write_snapshot(disk, {1}, {{"s", content}}).error().code, ErrorCode::disk_full);
    EXPECT_TRUE(disk.list(kTestDirectory)->empty());
  }
  disk.set_capacity(UINT64_MAX);
  disk.fail_sync(true);
  EXPECT_EQ(write_snapshot(disk, {1}, {{"s", content}}).error().code, ErrorCode::unavailable);
  EXPECT_TRUE(disk.list(kTestDirectory)->empty());
}

TEST(Snapshot, SectionNamesAreLimited) {
  CrashDisk disk;
  const auto writer = SnapshotWriter::create(disk, kTestDirectory, {1});
  ASSERT_TRUE(writer);
  EXPECT_EQ((*writer)->begin_section("").error().code, ErrorCode::invalid_input);
  EXPECT_EQ((*writer)->begin_section(std::string(256, 'x')).error().code, ErrorCode::invalid_input);
  ASSERT_TRUE((*writer)->begin_section(std::string(255, 'x')));
  EXPECT_EQ((*writer)->begin_section(std::string(255, 'x')).error().code, ErrorCode::conflict);
  ASSERT_TRUE((*writer)->finish());
}

TEST(Snapshot, AMissingDirectoryHasNone) {
  CrashDisk disk;
  const auto search = find_newest_snapshot(disk, "/nowhere");
  ASSERT_TRUE(search);
  EXPECT_EQ(search->newest, nullptr);
}

TEST(LogCheck, CountsAndReportsWithoutTouchingAnything) {
  CrashDisk disk;
  {
    const auto log = open_log(disk, {.segment_bytes_max = 100}).value();
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(log->append(RecordKind{static_cast<std::uint8_t>(1 + i % 2)},
                              Timestamp::from_seconds(100 + i), bytes_of("0123456789")));
      ASSERT_TRUE(log->write());
    }
    ASSERT_TRUE(log->close(Timestamp::from_seconds(200)));
  }
  ASSERT_TRUE(write_snapshot(disk, {150}, {{"s", "x"}}));
  CheckReport report = check(disk, kTestDirectory);
  EXPECT_TRUE(report.sound());
  EXPECT_EQ(report.segments, 3U);
  EXPECT_EQ(report.records, 6U);
  EXPECT_EQ(report.records_by_kind[0], 1U);
  EXPECT_EQ(report.records_by_kind[1], 3U);
  EXPECT_EQ(report.records_by_kind[2], 2U);
  EXPECT_EQ(report.payload_bytes, 50U);
  EXPECT_EQ(report.record_bytes, 290U);
  EXPECT_EQ(report.begin, Position{0});
  EXPECT_EQ(report.last_record, Position{250});
  EXPECT_EQ(report.end, Position{290});
  EXPECT_EQ(report.first_time, Timestamp::from_seconds(100));
  EXPECT_EQ(report.last_time, Timestamp::from_seconds(200));
  ASSERT_EQ(report.snapshots.size(), 1U);
  EXPECT_EQ(report.snapshots[0].sections, 1U);
  EXPECT_GT(report.snapshots[0].bytes, 64U);

  ASSERT_TRUE(write_snapshot(disk, {291}, {{"s", "ahead of the log"}}));
  report = check(disk, kTestDirectory);
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_TRUE(report.problems[0].contains("before the snapshot at 291"));
  disk.set_content(snapshot_path(kTestDirectory, {291}), "rubbish");
  report = check(disk, kTestDirectory);
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_TRUE(report.problems[0].contains("cut short"));
}

}  // namespace
}  // namespace ficus::log
