#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "history/database_care.h"
#include "history/history_test_support.h"
#include "history/log_spans.h"

namespace ficus::history {
namespace {

namespace fs = std::filesystem;

constexpr Timestamp kLater = Timestamp::from_seconds(1'000'000);
using Lines = std::vector<std::string>;
constexpr int kRecords = 5;
constexpr int kRowsOfRecord = 100;
const char* const kEverything =
    "SELECT id, \"observedAt\", date_trunc('milliseconds', \"receivedAt\"), source, speed, "
    "heading, "
    "location, line, \"doorsOpen\", due, fuel FROM Vehicle ORDER BY \"observedAt\"";

void flip(const std::string& path, std::uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 0x55));
}

// Five records of 100 rows, at positions 10, 20 ... The first three are in a sealed file each, the
// others in the tail.
class Damaged : public testing::Test {
 protected:
  Damaged() : city(small_tails()) {
    for (int record = 1; record <= 3; ++record) {
      give(record);
      files.push_back(city.maintain(kLater).sealed.at(0));
    }
    city.close();
    city.options.tail_rows_max = 1'000'000;
    city.open();
    give(4);
    give(5);
    before = city.rows(kEverything);
    EXPECT_EQ(before.size(), static_cast<std::size_t>(kRecords * kRowsOfRecord));
    city.close();
  }
  static DuckHistoryOptions small_tails() {
    DuckHistoryOptions options;
    options.tail_rows_max = 10;
    return options;
  }

  // As the feed does.
  void give(int record) {
    Rows rows;
    rows.batch = city.vehicles(record * kRowsOfRecord, kRowsOfRecord);
    rows.received_at = Timestamp::from_seconds(record);
    rows.source = "log";
    rows.position = static_cast<std::uint64_t>(record) * 10;
    ASSERT_TRUE(city.history->append(std::move(rows)));
    city.commit(static_cast<std::uint64_t>(record) * 10);
  }
  void replay(int first = 1) {
    for (int record = first; record <= kRecords; ++record) give(record);
  }
  std::string database() const { return city.options.directory + "/history.duckdb"; }
  std::string path(std::size_t i) const { return city.options.directory + "/" + files[i]; }

  TestCity city;
  std::vector<std::string> files;
  std::vector<std::string> before;
};

TEST_F(Damaged, DatabaseIsSetAsideAndMadeAnewFromFilesAndLog) {
  std::ofstream(database()) << std::string(20'000, 'x');
  city.open();
  ASSERT_EQ(city.open_report.set_aside.size(), 1U);
  EXPECT_TRUE(city.open_report.set_aside[0].starts_with("history.duckdb: "));
  EXPECT_EQ(city.history->damage(), city.open_report.set_aside);
  bool is_kept = false;
  const auto kept = city.disk.list(city.options.directory + "/damaged");
  for (const std::string& name : kept.value()) {
    is_kept = is_kept || (name.starts_with("history-20") && name.ends_with("Z.duckdb"));
  }
  EXPECT_TRUE(is_kept);
  // What is sealed answers before anything is replayed.
  EXPECT_EQ(city.one("SELECT count(*), min(speed) >= 0 FROM Vehicle"), "300|true");
  EXPECT_EQ(city.history->positions().value(), std::vector<std::uint64_t>{0});
  EXPECT_EQ(city.history->known_positions(), std::vector<std::uint64_t>{30});
  replay();
  EXPECT_EQ(city.rows(kEverything), before);
  city.close();
  city.open();
  EXPECT_TRUE(city.open_report.is_empty());
  EXPECT_TRUE(city.history->damage().empty());
  EXPECT_EQ(city.rows(kEverything), before);
  EXPECT_EQ(city.history->positions().value(), std::vector<std::uint64_t>{50});
}

TEST_F(Damaged, AReplayThatIsBrokenOffGoesOn) {
  fs::remove(database());
  city.open();
  give(1);
  give(2);
  city.close();
  city.open();
  EXPECT_EQ(city.history->positions().value(), std::vector<std::uint64_t>{20});
  replay(3);
  EXPECT_EQ(city.rows(kEverything), before);
}

// What is sealed during and after a replay is found again, too.
// What a power loss leaves behind the last sync of DuckDB's log: nothing, zeroes, other bytes.
class TornLog : public testing::Test {
 protected:
  TornLog() {
    for (int commit = 1; commit <= 3; ++commit) {
      if (commit == 3) last = fs::file_size(log_of(city));
      give(city, commit);
    }
  }
  static std::string log_of(const TestCity& of) {
    return of.options.directory + "/history.duckdb.wal";
  }
  static void give(TestCity& to, int commit) {
    to.append(to.vehicles(commit * 50, 50));
    to.commit(static_cast<std::uint64_t>(commit) * 10);
  }
  // Opens a copy of what is on the disk now, its log like this.
  const MaintenanceReport& open_after(const std::function<void(std::string&)>& spoil) {
    later.close();
    fs::remove_all(later.options.directory);
    fs::copy(city.options.directory, later.options.directory, fs::copy_options::recursive);
    std::string bytes = read_file(city.disk, log_of(later), std::uint64_t{1} << 30).value();
    spoil(bytes);
    std::ofstream(log_of(later), std::ios::binary | std::ios::trunc) << bytes;
    later.open();
    return later.open_report;
  }
  std::string rows() { return later.one("SELECT count(*) FROM Vehicle"); }

  TestCity city;
  TestCity later;
  std::size_t last = 0;  // where the last commit begins in the log
};

TEST_F(TornLog, IsCutBehindTheLastWholeCommit) {
  const std::vector<std::function<void(std::string&)>> ways = {
      [&](std::string& bytes) {
        bytes.replace(last, std::string::npos, bytes.size() - last, '\0');
      },
      [&](std::string& bytes) { bytes.append(100'000, '\0').replace(last, 512, 512, '\0'); },
      [&](std::string& bytes) { bytes[last + 40] ^= 1; },
      [&](std::string& bytes) { bytes[bytes.size() - 3] ^= 1; },
  };
  for (const auto& way : ways) {
    const MaintenanceReport& report = open_after(way);
    EXPECT_EQ(report.set_aside, Lines{});
    ASSERT_EQ(report.cut.size(), 1U);
    EXPECT_TRUE(report.cut[0].contains("kept as damaged/history-")) << report.cut[0];
    EXPECT_EQ(later.history->positions().value().at(0), 20U);
    EXPECT_EQ(rows(), "100");
    give(later, 3);
    later.close();
    later.open();
    EXPECT_TRUE(later.open_report.cut.empty());
    EXPECT_EQ(rows(), "150");
  }
}

TEST_F(TornLog, ThatOnlyEndsEarlyNeedsNoCare) {
  const MaintenanceReport& report =
      open_after([](std::string& bytes) { bytes.resize(bytes.size() - 5); });
  EXPECT_TRUE(report.is_empty());
  EXPECT_EQ(rows(), "100");
}

TEST_F(Damaged, TwiceInARow) {
  fs::remove(database());
  city.options.tail_rows_max = 10;
  city.open();
  for (int record = 1; record <= kRecords; ++record) {
    give(record);
    for (int i = 0; i < 100 && record > 3 && city.maintain(kLater).sealed.empty(); ++i) {
    }
  }
  EXPECT_EQ(city.rows(kEverything), before);
  EXPECT_EQ(city.history->figures().files_sealed, 5U);
  city.close();
  fs::remove(database());
  city.options.tail_rows_max = 1'000'000;
  city.open();
  EXPECT_EQ(city.rows(kEverything), before);
  replay();
  EXPECT_EQ(city.rows(kEverything), before);
}

// Wherever a byte is changed: it opens, and after a replay from where it says, nothing is missing
// and nothing is there twice.
TEST_F(Damaged, AnyByteOfTheDatabase) {
  const std::string copy = city.folder.path() + "/copy";
  fs::copy(city.options.directory, copy, fs::copy_options::recursive);
  const std::uint64_t bytes = fs::file_size(database());
  int set_aside = 0;
  for (std::uint64_t i = 0; i < 18; ++i) {
    SCOPED_TRACE(i);
    fs::remove_all(city.options.directory);
    fs::copy(copy, city.options.directory, fs::copy_options::recursive);
    const std::uint64_t at = i < 10 ? 8 + i * 1200 : i * 7919 * 131 % bytes;
    flip(database(), at);
    city.open();
    ASSERT_NE(city.history, nullptr);
    set_aside += city.open_report.set_aside.empty() ? 0 : 1;
    const auto position = static_cast<int>(city.history->positions().value().at(0));
    replay(position / 10 + 1);
    EXPECT_EQ(city.rows(kEverything), before);
    city.close();
  }
  EXPECT_GT(set_aside, 3);
}

TEST_F(Damaged, ASealedFileTogetherWithTheDatabase) {
  fs::remove(database());
  for (std::uint64_t at = 4; at < 1500; ++at) flip(path(1), at);
  city.open();
  ASSERT_EQ(city.open_report.set_aside.size(), 1U);
  EXPECT_TRUE(city.open_report.set_aside[0].starts_with(files[1] + ": "));
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "200");
  replay();
  EXPECT_EQ(city.rows(kEverything), before);
}

TEST_F(Damaged, AFileThatSaysNothingOfItselfIsSetAside) {
  fs::remove(database());
  std::ofstream(city.options.directory + "/Vehicle/other.parquet") << "PAR1 no";
  city.open();
  ASSERT_EQ(city.open_report.set_aside.size(), 1U);
  EXPECT_TRUE(city.open_report.set_aside[0].starts_with("Vehicle/other.parquet: "));
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "300");
}

// A crash came after the merge and before the small files were deleted.
TEST_F(Damaged, OfAMergedFileAndItsPartsOnlyOneCounts) {
  const std::string copy = city.folder.path() + "/copy";
  fs::copy(city.options.directory + "/Vehicle", copy, fs::copy_options::recursive);
  city.options.compact_files_min = 3;
  city.options.seal_in_background = false;
  city.open();
  EXPECT_EQ(city.maintain(kLater).merged.size(), 3U);
  city.close();
  fs::copy(copy, city.options.directory + "/Vehicle",
           fs::copy_options::recursive | fs::copy_options::skip_existing);
  fs::remove(database());
  city.options.compact_files_min = 100;
  city.open();
  EXPECT_EQ(city.open_report.orphans_removed.size(), 3U);
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "300");
  replay();
  EXPECT_EQ(city.rows(kEverything), before);
  EXPECT_EQ(city.history->figures().files_sealed, 1U);
}

TEST_F(Damaged, LossIsNamed) {
  fs::remove(database());
  city.open();
  const std::string loss = city.history->name_loss({0, 0, 40});
  EXPECT_TRUE(loss.contains("log positions 0 to 40")) << loss;
  EXPECT_TRUE(loss.contains("Vehicle (newest sealed row received 1970-01-01T00:00:03Z)")) << loss;
  EXPECT_TRUE(city.history->name_loss({0, 0, 30}).contains("the rows of: no type"));
  EXPECT_EQ(city.history->damage().size(), 2U);
}

// A lone sealed file: the database is sound.
class DamagedAlone : public Damaged {
 protected:
  // The second file holds record 2: positions behind 10, up to 20.
  void damage_second() {
    flip_all(path(1));
    city.open();
    ASSERT_EQ(city.open_report.set_aside.size(), 1U);
    EXPECT_TRUE(city.open_report.set_aside[0].starts_with(files[1] + ": "));
  }
  static void flip_all(const std::string& file) {
    for (std::uint64_t at = 4; at < fs::file_size(file); ++at) flip(file, at);
  }
  // As the feed does with what the engine folds once more.
  void give_again(int record) {
    Rows rows;
    rows.batch = city.vehicles(record * kRowsOfRecord, kRowsOfRecord);
    rows.received_at = Timestamp::from_seconds(record);
    rows.source = "log";
    rows.position = static_cast<std::uint64_t>(record) * 10;
    rows.is_again = true;
    ASSERT_TRUE(city.history->append(std::move(rows)));
    const auto end = static_cast<std::uint64_t>(record) * 10;
    city.history->note_given({0, end - 10, end, true});
  }
  Lines maintained() {
    Lines restored;
    for (int i = 0; i < 4; ++i) {
      const MaintenanceReport report = city.maintain(kLater);
      restored.insert(restored.end(), report.restored.begin(), report.restored.end());
    }
    return restored;
  }
};

TEST_F(DamagedAlone, RowsAreWantedAndGivenAgainOnce) {
  damage_second();
  EXPECT_EQ(city.open_report.wanted.size(), 1U);
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "400");
  EXPECT_EQ(city.one("SELECT file, waiting, lost FROM ficus_damaged"), files[1] + "|10-20|");
  const std::vector<HistoryGap> wanted = city.history->wanted();
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_EQ(wanted[0].after, 10U);
  EXPECT_EQ(wanted[0].until, 20U);
  for (int record = 1; record <= 3; ++record) give_again(record);  // only the second is taken
  city.commit(50);
  EXPECT_EQ(city.rows(kEverything), before);
  EXPECT_EQ(maintained(), Lines{files[1]});
  give_again(2);  // once more: not wanted any more
  city.commit(50);
  EXPECT_EQ(city.rows(kEverything), before);
  city.close();
  city.open();
  EXPECT_TRUE(city.open_report.is_empty());
  EXPECT_TRUE(city.history->wanted().empty());
  EXPECT_EQ(city.rows(kEverything), before);
  EXPECT_EQ(city.one("SELECT count(*) FROM ficus_damaged"), "0");
}

// A crash before the commit: wanted as before. Behind it: not any more.
TEST_F(DamagedAlone, ACrashBetweenGivesNothingTwice) {
  damage_second();
  give_again(2);
  city.close();
  city.open();
  EXPECT_EQ(city.history->wanted().size(), 1U);
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "400");
  give_again(2);
  city.commit(50);
  city.close();
  city.open();
  EXPECT_TRUE(city.history->wanted().empty());
  EXPECT_EQ(city.rows(kEverything), before);
}

// The file that the rows come into says so: when it is damaged in turn, they are wanted again, and
// when the database is made anew, they are not taken twice.
TEST_F(DamagedAlone, TheNewFileKnowsWhereItsRowsAreFrom) {
  damage_second();
  give_again(2);
  city.commit(50);
  maintained();  // rotates the tail with the rows, and seals it
  EXPECT_EQ(city.history->figures().rows_tail, 0U);
  const std::string file = city.one("SELECT file FROM ficus_sealed WHERE spans = '10-20'");
  city.close();
  const std::string copy = city.folder.path() + "/copy";
  fs::copy(city.options.directory, copy, fs::copy_options::recursive);
  fs::remove(database());
  city.open();
  replay();
  EXPECT_EQ(city.rows(kEverything), before);
  city.close();
  fs::remove_all(city.options.directory);
  fs::copy(copy, city.options.directory, fs::copy_options::recursive);
  flip_all(city.options.directory + "/" + file);
  city.open();
  ASSERT_EQ(city.history->wanted().size(), 1U);
  EXPECT_EQ(city.history->wanted()[0].after, 10U);
  give_again(2);
  city.commit(50);
  EXPECT_EQ(city.rows(kEverything), before);
}

// Files that a tail made anew has left out are not claimed by it.
TEST_F(DamagedAlone, AfterTheDatabaseWasMadeAnew) {
  fs::remove(database());
  city.open();
  replay();
  city.close();
  city.options.tail_rows_max = 10;
  city.open();
  for (int i = 0; i < 3; ++i) city.maintain(kLater);
  EXPECT_EQ(city.one("SELECT spans FROM ficus_sealed WHERE \"rows\" = 200"), "30-50");
  city.close();
  damage_second();
  ASSERT_EQ(city.history->wanted().size(), 1U);
  give_again(2);
  city.commit(50);
  EXPECT_EQ(city.rows(kEverything), before);
}

TEST_F(DamagedAlone, WhatTheLogHasNoMoreIsNamedAndNotWantedForEver) {
  damage_second();
  EXPECT_EQ(city.history->name_loss({0, 0, 10, true}), "");
  const std::string loss = city.history->name_loss({0, 0, 15, true});
  EXPECT_TRUE(loss.contains("shard 0: log positions 0 to 15")) << loss;
  EXPECT_TRUE(loss.contains(files[1] + " (100 rows of Vehicle, observed from "
                                       "1970-01-01T00:03:20Z to 1970-01-01T00:04:59Z)"))
      << loss;
  EXPECT_EQ(city.history->damage().back(), loss);
  EXPECT_EQ(maintained(), Lines{});
  EXPECT_EQ(city.one("SELECT waiting, lost FROM ficus_damaged"), "15-20|10-15");
  city.close();
  city.open();
  ASSERT_EQ(city.history->wanted().size(), 1U);
  EXPECT_EQ(city.history->wanted()[0].after, 15U);
  EXPECT_FALSE(city.history->name_loss({0, 15, 20, true}).empty());
  maintained();
  city.close();
  city.open();
  EXPECT_TRUE(city.history->wanted().empty());
  EXPECT_TRUE(city.open_report.is_empty());
  EXPECT_EQ(city.one("SELECT waiting, lost FROM ficus_damaged"), "|10-20");
  // Until its time is over.
  city.close();
  city.options.retention_days = 1;
  city.open();
  city.maintain(kLater);
  EXPECT_EQ(city.one("SELECT count(*) FROM ficus_damaged"), "0");
}

TEST(DatabaseCare, WhatIsNotDamageIsAnError) {
  for (const char* const message : {
           "IO Error: Could not set lock on file \"/d/history.duckdb\": Conflicting lock is held",
           "IO Error: Cannot open file \"/d/history.duckdb\": Permission denied",
           "IO Error: Trying to read a database file with version number 99",
           "Out of Memory Error: failed to allocate data",
           "IO Error: Could not write file: No space left on device",
       }) {
    EXPECT_FALSE(is_damage({ErrorCode::unavailable, message})) << message;
  }
  EXPECT_TRUE(is_damage({ErrorCode::unavailable,
                         "IO Error: Corrupt database file: computed checksum 1 does not match"}));
}

TEST(LogSpans, AreWrittenReadAndJoined) {
  const std::string text = "0-120,5-80;120-300,80-90;400-500,90-90";
  const LogSpans spans = spans_of(text).value();
  EXPECT_EQ(spans_text(spans), text);
  EXPECT_EQ(spans_text(joined({}, spans)), "0-300,5-90;400-500,90-90");
  EXPECT_FALSE(covers(spans, 0, 0));
  EXPECT_TRUE(covers(spans, 0, 1));
  EXPECT_TRUE(covers(spans, 0, 300));
  EXPECT_FALSE(covers(spans, 0, 301));
  EXPECT_FALSE(covers(spans, 1, 5));
  EXPECT_FALSE(covers(spans, 2, 1));
  EXPECT_TRUE(covers(joined({}, spans), 0, 0, 300));
  EXPECT_FALSE(covers(spans, 0, 0, 300));
  EXPECT_EQ(spans_text(without(spans, spans_of("100-130,0-200").value())),
            "0-100,0-0;130-300,0-0;400-500,0-0");
  EXPECT_EQ(spans_text(without(spans, spans)), "");
  EXPECT_EQ(spans_text(without(spans, {})), "0-300,5-90;400-500,90-90");
  EXPECT_EQ(spans_text(common(spans, span_of(0, 290, 450))), "290-300,0-0;400-450,0-0");
  EXPECT_EQ(spans_text(span_of(1, 3, 4)), "0-0,3-4");
  EXPECT_EQ(stretches_of(spans, 0).size(), 2U);
  EXPECT_TRUE(stretches_of(spans, 7).empty());
  EXPECT_TRUE(spans_of("").value().empty());
  for (const char* const bad : {"x", "1", "1-", "5-4", "1-2;", "1-2,", "1-2x", ";1-2", "-1-2",
                                "1-99999999999999999999999"}) {
    EXPECT_FALSE(spans_of(bad)) << bad;
  }
}

}  // namespace
}  // namespace ficus::history
