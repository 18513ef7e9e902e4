#include "history/duck_history.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "history/history_test_support.h"

namespace ficus::history {
namespace {

using Lines = std::vector<std::string>;

constexpr Timestamp kLater = Timestamp::from_seconds(1'000'000);

std::shared_ptr<const ObservationBatch> shared(ObservationBatch batch) {
  batch.finish();
  return std::make_shared<const ObservationBatch>(std::move(batch));
}

TEST(DuckHistory, RowsAreVisibleAfterCommitAndAfterRestart) {
  TestCity city;
  EXPECT_EQ(city.history->positions().value(), std::vector<std::uint64_t>{0});
  city.append(city.vehicles(0, 3), "buses");
  EXPECT_EQ(city.refusal("SELECT * FROM Vehicle"), ErrorCode::denied);
  city.commit(17);
  const Lines expected = {
      "urn:ngsi-ld:Vehicle:v0|1970-01-01T00:00:00Z|1970-01-01T00:00:00Z|buses|0|0.25|"
      "{\"lon\":119.3,\"lat\":26.08}|line 0|true|1970-01-01T00:10:00Z|1",
      "urn:ngsi-ld:Vehicle:v1|1970-01-01T00:00:01Z|1970-01-01T00:00:00Z|buses|0.1|1.25|"
      "{\"lon\":119.300001,\"lat\":26.080001}|line 1|false|NULL|0.5",
  };
  const std::string sql = "SELECT * FROM Vehicle WHERE speed < 0.2 ORDER BY id";
  EXPECT_EQ(city.rows(sql), expected);
  city.close();
  city.open();
  EXPECT_EQ(city.rows(sql), expected);
  EXPECT_EQ(city.history->positions().value(), std::vector<std::uint64_t>{17});
  EXPECT_EQ(city.one("SELECT shard, position FROM ficus_position"), "0|17");
}

TEST(DuckHistory, LeavesOutDuplicateRowsAndCommitsPositionsWithoutRows) {
  TestCity city;
  Rows rows;
  rows.batch = city.vehicles(0, 4);
  rows.keep = {1, 0, 0, 1};
  rows.source = "s";
  ASSERT_TRUE(city.history->append(std::move(rows)));
  city.commit(1);
  EXPECT_EQ(city.rows("SELECT id FROM Vehicle ORDER BY id"),
            (Lines{"urn:ngsi-ld:Vehicle:v0", "urn:ngsi-ld:Vehicle:v3"}));
  city.commit(9);
  EXPECT_EQ(city.history->positions().value(), std::vector<std::uint64_t>{9});
  EXPECT_EQ(city.history->figures().rows_committed, 2U);
  EXPECT_EQ(city.history->figures().rows_tail, 2U);
}

TEST(DuckHistory, NamesThatDifferByCaseAndKeywordsWork) {
  TestCity city;
  const TypeId type = city.schema.intern_type("select").value();
  const TypeId other = city.schema.intern_type("SELECT").value();
  const TypeId quarantine = city.schema.intern_type("Quarantine").value();
  ObservationBatch batch(type);
  batch.begin_row("urn:a", {1});
  const char* names[] = {"Speed",      "speed",   "order", "ID",
                         "observedat", "speed_2", "rowid", "SPEED"};
  double value = 1;
  for (const char* name : names) {
    batch.set_number(city.schema.intern_attribute(type, name, ValueKind::number).value(), value++);
  }
  city.append(shared(std::move(batch)));
  for (const TypeId t : {other, quarantine}) {
    ObservationBatch single(t);
    single.begin_row("urn:b", {2});
    city.append(shared(std::move(single)));
  }
  city.commit(1);
  EXPECT_EQ(city.one("SELECT \"Speed\", speed_2, \"order\", id, \"ID_2\", \"observedAt_2\", "
                     "speed_2_2, rowid_2, \"SPEED_3\" FROM \"select\""),
            "1|2|3|urn:a|4|5|6|7|8");
  EXPECT_EQ(city.one("SELECT id FROM select_2"), "urn:b");
  EXPECT_EQ(city.one("SELECT id FROM \"Quarantine_2\""), "urn:b");
}

TEST(DuckHistory, KeepsTextAsItIs) {
  TestCity city;
  const TypeId type = city.schema.intern_type("Camera").value();
  const AttributeId note = city.schema.intern_attribute(type, "note", ValueKind::text).value();
  const std::string texts[] = {"鼓楼区 \"五一路\" 'x' \\ ; --", std::string("nul\0byte", 8),
                               std::string(5000, 'x'), "", "bad \xff\xfe utf8"};
  ObservationBatch batch(type);
  std::int64_t at = 0;
  for (const std::string& text : texts) {
    batch.begin_row("urn:榕'\"" + std::to_string(at), {at});
    batch.set_text(note, ValueKind::text, text);
    ++at;
  }
  city.append(shared(std::move(batch)), "来源 'a\"");
  city.commit(1);
  const Lines rows = city.rows("SELECT note FROM Camera ORDER BY \"observedAt\"");
  ASSERT_EQ(rows.size(), 5U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(rows[i], texts[i]);
  EXPECT_EQ(rows[4], "bad \xEF\xBF\xBD\xEF\xBF\xBD utf8");
  EXPECT_EQ(city.one("SELECT DISTINCT source FROM Camera"), "来源 'a\"");
  EXPECT_EQ(city.one("SELECT count(*) FROM Camera WHERE id = 'urn:榕''\"3'"), "1");
}

TEST(DuckHistory, ExtremeTimesAndNumbersAreStored) {
  TestCity city;
  const TypeId type = city.schema.intern_type("T").value();
  const AttributeId x = city.schema.intern_attribute(type, "x", ValueKind::number).value();
  ObservationBatch batch(type);
  batch.begin_row("urn:min", Timestamp::min());
  batch.set_number(x, std::numeric_limits<double>::infinity());
  batch.begin_row("urn:max", {INT64_MAX});
  batch.set_number(x, std::numeric_limits<double>::quiet_NaN());
  city.append(shared(std::move(batch)));
  city.commit(1);
  EXPECT_EQ(city.rows("SELECT id, x FROM T ORDER BY \"observedAt\""),
            (Lines{"urn:min|inf", "urn:max|nan"}));
}

TEST(DuckHistory, ColumnsAppearWithAttributesAlsoBetweenPendingBatches) {
  TestCity city;
  const TypeId type = city.schema.intern_type("Pump").value();
  for (int i = 0; i < 40; ++i) {
    ObservationBatch batch(type);
    batch.begin_row("urn:p", {i});
    const auto attribute =
        city.schema.intern_attribute(type, "a" + std::to_string(i), ValueKind::number);
    batch.set_number(attribute.value(), i);
    city.append(shared(std::move(batch)));
    if (i % 7 == 0) city.commit(static_cast<std::uint64_t>(i + 1));
  }
  city.commit(100);
  EXPECT_EQ(city.one("SELECT count(*), sum(a0), sum(a39), count(a12) FROM Pump"), "40|0|39|1");
  city.close();
  city.open();
  EXPECT_EQ(city.one("SELECT count(*), sum(a0), sum(a39), count(a12) FROM Pump"), "40|0|39|1");
}

TEST(DuckHistory, AnAttributeOfAnotherKindAfterARestartGetsItsOwnColumn) {
  TestCity city;
  city.append(city.vehicles(0, 1));
  city.commit(1);
  city.close();
  Schema other;
  const TypeId type = other.intern_type("Vehicle").value();
  ObservationBatch batch(type);
  batch.begin_row("urn:x", {99});
  batch.set_text(other.intern_attribute(type, "speed", ValueKind::text).value(), ValueKind::text,
                 "fast");
  MaintenanceReport report;
  auto history = open_duck_history(city.options, other, city.disk, city.clock, report).value();
  Rows rows;
  rows.batch = shared(std::move(batch));
  ASSERT_TRUE(history->append(std::move(rows)));
  const std::uint64_t position = 2;
  ASSERT_TRUE(history->commit({&position, 1}));
  TextSink sink;
  ASSERT_TRUE(
      history->query("SELECT speed, speed_2 FROM Vehicle ORDER BY \"observedAt\"", {}, sink));
  EXPECT_EQ(sink.rows, (Lines{"0|NULL", "NULL|fast"}));
}

TEST(DuckHistory, QuarantineIsKeptWithinItsLimits) {
  DuckHistoryOptions options;
  options.quarantine_rows_max = 3;
  options.quarantine_age_max = Micros::from_seconds(100);
  TestCity city(options);
  std::vector<QuarantinedItem> items;
  for (int i = 0; i < 5; ++i) {
    items.push_back(
        {"topic/" + std::to_string(i), "not a number", std::string("{\"a\":\xff\0}", 8)});
  }
  ASSERT_TRUE(city.history->append_quarantine("buses", Timestamp::from_seconds(50), items));
  city.commit(1);
  EXPECT_EQ(city.one("SELECT count(*) FROM quarantine"), "5");
  EXPECT_EQ(city.rows("SELECT \"key\", reason, bytes, source FROM quarantine LIMIT 1"),
            Lines{"topic/0|not a number|{\"a\":\\xFF\\x00}|buses"});
  city.maintain(Timestamp::from_seconds(60));
  EXPECT_EQ(city.rows("SELECT \"key\" FROM quarantine ORDER BY \"key\""),
            (Lines{"topic/2", "topic/3", "topic/4"}));
  city.maintain(Timestamp::from_seconds(151));
  EXPECT_EQ(city.one("SELECT count(*) FROM quarantine"), "0");
}

const char* const kComparisons[] = {
    "SELECT * FROM Vehicle ORDER BY id, \"observedAt\"",
    "SELECT id, count(*), sum(speed), avg(heading), min(fuel), max(location.lon) FROM Vehicle "
    "GROUP BY id ORDER BY id",
    "SELECT speed, count(*) FROM Vehicle WHERE speed > 40 AND line = 'line 1' GROUP BY 1 ORDER BY "
    "1",
    "SELECT count(*) FROM Vehicle WHERE due IS NULL",
    "SELECT id, \"observedAt\" FROM Vehicle WHERE id = 'urn:ngsi-ld:Vehicle:v3' AND "
    "\"observedAt\" BETWEEN '1970-01-01 00:10:00' AND '1970-01-01 00:20:00' ORDER BY 2",
};

TEST(DuckHistory, SealedRowsAnswerAsBefore) {
  DuckHistoryOptions options;
  options.tail_rows_max = 5000;
  TestCity city(options);
  for (int i = 0; i < 6; ++i) city.append(city.vehicles(i * 1000, 1000));
  city.commit(1);
  std::vector<Lines> before;
  for (const char* sql : kComparisons) before.push_back(city.rows(sql));
  const MaintenanceReport report = city.maintain(kLater);
  ASSERT_EQ(report.sealed.size(), 1U) << (report.problems.empty() ? "" : report.problems[0]);
  EXPECT_EQ(report.sealed[0], "Vehicle/19700101T000000Z-19700101T013959Z-3.parquet");
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(city.rows(kComparisons[i]), before[i]);
  const std::string layout = city.one("SELECT layout FROM ficus_sealed");
  EXPECT_TRUE(layout.contains("speed DECIMAL(9,1)")) << layout;
  EXPECT_TRUE(layout.contains("location STRUCT(lon DECIMAL(9,6), lat DECIMAL(9,6))")) << layout;
  const HistoryFigures figures = city.history->figures();
  EXPECT_EQ(figures.rows_sealed, 6000U);
  EXPECT_EQ(figures.rows_tail, 0U);
  EXPECT_GT(figures.bytes_sealed, 1000U);

  // More rows, another attribute, another seal: files of two layouts and a tail.
  const TypeId type = city.schema.find_type("Vehicle").value();
  ObservationBatch batch(type);
  batch.begin_row("urn:new", Timestamp::from_seconds(9000));
  batch.set_number(city.schema.intern_attribute(type, "load", ValueKind::number).value(), 3);
  const AttributeId speed = city.schema.find_attribute(type, "speed").value();
  batch.set_number(speed, 12.34);  // does not fit one decimal: the file keeps doubles
  city.append(shared(std::move(batch)));
  city.append(city.vehicles(20'000, 6000));
  city.commit(2);
  ASSERT_EQ(city.maintain(kLater).sealed.size(), 1U);
  city.append(city.vehicles(30'000, 10));
  city.commit(3);
  EXPECT_EQ(city.one("SELECT count(*), count(load), sum(load) FROM Vehicle"), "12011|1|3");
  EXPECT_EQ(city.one("SELECT speed FROM Vehicle WHERE id = 'urn:new'"), "12.34");
  city.close();
  city.open();
  EXPECT_TRUE(city.open_report.is_empty());
  EXPECT_EQ(city.one("SELECT count(*), count(load), sum(load) FROM Vehicle"), "12011|1|3");
  EXPECT_EQ(city.rows("SELECT column_name FROM (DESCRIBE Vehicle)").size(), 12U);
}

TEST(DuckHistory, SealsInTheBackgroundWhileRowsArrive) {
  TestCity city;
  city.close();
  city.options.seal_in_background = true;
  city.options.tail_rows_max = 20'000;
  city.open();
  int sealed = 0;
  int next = 0;
  for (; sealed < 2 && next < 5000; ++next) {
    city.append(city.vehicles(next * 1000, 1000));
    city.commit(static_cast<std::uint64_t>(next + 1));
    sealed += static_cast<int>(city.maintain(Timestamp::from_seconds(next)).sealed.size());
    ASSERT_EQ(city.one("SELECT count(*) FROM Vehicle"), std::to_string((next + 1) * 1000));
  }
  EXPECT_EQ(sealed, 2);
  EXPECT_EQ(city.one("SELECT count(DISTINCT \"observedAt\") FROM Vehicle"),
            std::to_string(next * 1000));
}

TEST(DuckHistory, ATailThatWaitsToBeSealedMayLackNewColumns) {
  TestCity city;
  city.close();
  city.options.seal_in_background = true;
  city.options.tail_rows_max = 100;
  city.open();
  const TypeId boat = city.schema.intern_type("Boat").value();
  ObservationBatch batch(boat);
  for (int i = 0; i < 200; ++i) batch.begin_row("urn:boat", Timestamp::from_seconds(i));
  city.append(shared(std::move(batch)));
  city.append(city.vehicles(0, 200));
  city.commit(1);
  std::size_t sealed = city.maintain(kLater).sealed.size();  // both rotate, the boats begin
  const TypeId type = city.schema.find_type("Vehicle").value();
  ObservationBatch late(type);
  late.begin_row("urn:new", Timestamp::from_seconds(9000));
  late.set_number(city.schema.intern_attribute(type, "load", ValueKind::number).value(), 3);
  city.append(shared(std::move(late)));
  city.commit(2);
  while (sealed < 2) {
    const MaintenanceReport report = city.maintain(kLater);
    ASSERT_TRUE(report.problems.empty()) << report.problems[0];
    sealed += report.sealed.size();
    std::this_thread::yield();
  }
  EXPECT_EQ(city.one("SELECT count(*), sum(load) FROM Vehicle"), "201|3");
}

TEST(DuckHistory, RotatesByAgeAndExpiresWholeFiles) {
  DuckHistoryOptions options;
  options.tail_age_max = Micros::from_seconds(3600);
  options.retention_days = 2;
  TestCity city(options);
  city.append(city.vehicles(0, 100));
  city.commit(1);
  EXPECT_TRUE(city.maintain(Timestamp::from_seconds(60)).is_empty());
  const MaintenanceReport first = city.maintain(Timestamp::from_seconds(3700));
  ASSERT_EQ(first.sealed.size(), 1U);
  const std::string path = city.options.directory + "/" + first.sealed[0];
  EXPECT_TRUE(city.disk.exists(path));
  city.append(city.vehicles(4000, 10));
  city.commit(2);
  EXPECT_TRUE(city.maintain(Timestamp::from_seconds(172'800)).expired.empty());
  const MaintenanceReport second = city.maintain(Timestamp::from_seconds(172'800 + 3000));
  EXPECT_EQ(second.expired, first.sealed);
  EXPECT_FALSE(city.disk.exists(path));
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "10");
  EXPECT_TRUE(city.maintain(Timestamp::from_seconds(172'800 + 3001)).is_empty());
}

TEST(DuckHistory, OrphansAreRemovedAtStart) {
  DuckHistoryOptions options;
  options.tail_rows_max = 10;
  TestCity city(options);
  city.append(city.vehicles(0, 100));
  city.commit(1);
  const std::string file = city.maintain(kLater).sealed.at(0);
  city.close();
  const std::string folder = city.options.directory + "/Vehicle/";
  std::filesystem::copy_file(city.options.directory + "/" + file, folder + "a-b-9.parquet");
  std::ofstream(folder + "a-b-10.parquet.tmp") << "half";
  std::ofstream(folder + "notes.txt") << "not ours";
  city.open();
  EXPECT_EQ(city.open_report.orphans_removed,
            (Lines{"Vehicle/a-b-10.parquet.tmp", "Vehicle/a-b-9.parquet"}));
  EXPECT_TRUE(city.disk.exists(folder + "notes.txt"));
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "100");
}

class DamagedFile : public testing::Test {
 protected:
  DamagedFile() : city(small_tails()) {
    for (int i = 0; i < 3; ++i) {
      city.append(city.vehicles(i * 100, 100));
      city.commit(static_cast<std::uint64_t>(i + 1));
      files.push_back(city.maintain(kLater).sealed.at(0));
    }
  }
  static DuckHistoryOptions small_tails() {
    DuckHistoryOptions options;
    options.tail_rows_max = 10;
    return options;
  }
  std::string path(std::size_t i) const { return city.options.directory + "/" + files[i]; }

  TestCity city;
  Lines files;
};

TEST_F(DamagedFile, IsSetAsideAtStart) {
  city.close();
  std::filesystem::resize_file(path(0), std::filesystem::file_size(path(0)) - 7);
  std::filesystem::remove(path(2));
  city.open();
  ASSERT_EQ(city.open_report.set_aside.size(), 2U);
  EXPECT_TRUE(city.open_report.set_aside[0].starts_with(files[0] + ": it has "));
  EXPECT_EQ(city.open_report.set_aside[1], files[2] + ": it is missing");
  EXPECT_EQ(city.one("SELECT count(*), min(\"observedAt\") FROM Vehicle"),
            "100|1970-01-01T00:01:40Z");
  EXPECT_EQ(city.disk.list(city.options.directory + "/damaged").value().size(), 1U);
  city.close();
  city.open();
  EXPECT_TRUE(city.open_report.set_aside.empty());
}

TEST_F(DamagedFile, FooterOfTheSameSizeIsSetAsideAtStart) {
  city.close();
  {
    std::fstream file(path(1), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-40, std::ios::end);
    file << "0123456789012345678901234567890123456789";
  }
  city.open();
  ASSERT_EQ(city.open_report.set_aside.size(), 1U);
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "200");
}

TEST_F(DamagedFile, FoundByAQueryIsSetAsideByMaintenance) {
  {
    std::fstream file(path(0), std::ios::in | std::ios::out | std::ios::binary);
    for (int at = 4; at < 1500; ++at) file.seekp(at) << '\x5a';
  }
  const std::string answer = city.rows(
                                     "SELECT sum(hash(v)) FROM (SELECT speed::VARCHAR || id || "
                                     "line || heading AS v FROM Vehicle)")
                                 .at(0);
  EXPECT_TRUE(answer.starts_with("internal") || answer.contains(".parquet")) << answer;
  Lines aside;
  for (int i = 0; i < 5; ++i) {
    for (const std::string& line : city.maintain(kLater).set_aside) aside.push_back(line);
  }
  ASSERT_EQ(aside.size(), 1U);
  EXPECT_TRUE(aside[0].starts_with(files[0] + ": its checksum is wrong"));
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "200");
}

TEST_F(DamagedFile, DoesNotKeepNewAttributesOut) {
  std::filesystem::remove(path(0));
  const TypeId type = city.schema.find_type("Vehicle").value();
  ObservationBatch batch(type);
  batch.begin_row("urn:new", Timestamp::from_seconds(9000));
  batch.set_number(city.schema.intern_attribute(type, "load", ValueKind::number).value(), 3);
  city.append(shared(std::move(batch)));
  const std::uint64_t position = 9;
  EXPECT_FALSE(city.history->commit({&position, 1}));
  MaintenanceReport report;
  while (report.set_aside.empty()) report = city.maintain(kLater);
  ASSERT_TRUE(city.history->commit({&position, 1}));
  EXPECT_EQ(city.one("SELECT count(*), sum(load) FROM Vehicle"), "201|3");
}

TEST(DuckHistory, RefusesOptionsAndAShardThatIsGone) {
  TestCity city;
  city.close();
  city.options.shard_count = 2;
  city.open();
  city.commit(5);
  city.close();
  city.options.shard_count = 1;
  const auto fewer = city.try_open();
  ASSERT_FALSE(fewer);
  EXPECT_EQ(fewer.error().code, ErrorCode::conflict);
  city.options.threads = 0;
  EXPECT_EQ(city.try_open().error().code, ErrorCode::invalid_input);
  city.options.threads = 1;
  city.options.directory = "relative";
  EXPECT_EQ(city.try_open().error().code, ErrorCode::invalid_input);
}

TEST(DuckHistory, ADamagedDatabaseIsAnErrorForToolsThatOnlyLook) {
  TestCity city;
  city.close();
  city.options.set_damaged_aside = false;
  std::ofstream(city.options.directory + "/history.duckdb") << std::string(20'000, 'x');
  const auto opened = city.try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unavailable);
}

TEST(DuckHistory, DeclaredTypesHaveViewsBeforeTheirFirstRow) {
  TestCity city;
  const auto declare = [&](const char* type, const char* attribute) {
    const TypeId id = city.schema.intern_type(type).value();
    AttributeInfo info;
    info.name = attribute;
    info.kind = ValueKind::number;
    ASSERT_TRUE(city.schema.declare_attribute(id, info));
  };
  declare("Loom", "speed");
  city.maintain(Timestamp::from_seconds(1));
  EXPECT_EQ(city.rows("SELECT id, speed FROM Loom"), std::vector<std::string>{});
  EXPECT_EQ(city.one("SELECT count(*) FROM Loom"), "0");
  city.close();
  declare("Kiln", "temperature");
  city.open();
  EXPECT_TRUE(city.open_report.is_empty());
  EXPECT_EQ(city.one("SELECT count(temperature) FROM Kiln"), "0");
  EXPECT_EQ(city.one("SELECT count(speed) FROM Loom"), "0");
}

class SmallFiles : public testing::Test {
 protected:
  SmallFiles() : city(options()) {}
  static DuckHistoryOptions options() {
    DuckHistoryOptions options;
    options.tail_rows_max = 10'000;
    options.tail_age_max = Micros::from_seconds(1);
    options.compact_files_min = 4;
    return options;
  }
  // Seals `count` small files, one after the other; the last report.
  MaintenanceReport seal(int count) {
    MaintenanceReport report;
    for (int i = 0; i < count; ++i, ++made) {
      city.append(city.vehicles(made * 100, 100));
      city.commit(static_cast<std::uint64_t>(made + 1));
      report = city.maintain(kLater + Micros::from_seconds(10 * made));
      EXPECT_EQ(report.sealed.size(), 1U);
      EXPECT_EQ(report.problems, Lines{});
      files.push_back(report.sealed.at(0));
    }
    return report;
  }
  MaintenanceReport idle() { return city.maintain(kLater + Micros::from_seconds(10 * made)); }

  TestCity city;
  int made = 0;
  Lines files;
};

TEST_F(SmallFiles, BecomeOneWithTheSameRows) {
  const std::string all =
      "SELECT md5(string_agg(v::VARCHAR, '|' ORDER BY v::VARCHAR)) FROM "
      "(SELECT v FROM Vehicle v)";
  seal(3);
  EXPECT_TRUE(idle().is_empty());  // too few
  seal(1);
  const std::string before = city.one(all);
  const MaintenanceReport report = idle();
  EXPECT_EQ(report.merged, files);
  ASSERT_EQ(report.sealed.size(), 1U);
  EXPECT_EQ(report.problems, Lines{});
  EXPECT_EQ(city.one(all), before);
  EXPECT_EQ(city.one("SELECT count(*), sum(\"rows\"), min(file) FROM ficus_sealed"),
            "1|400|" + report.sealed[0]);
  EXPECT_EQ(city.one("SELECT typeof(\"receivedAt\") FROM Vehicle LIMIT 1"), "TIMESTAMP");
  for (const std::string& file : files) {
    EXPECT_FALSE(city.disk.exists(city.options.directory + "/" + file)) << file;
  }
  EXPECT_TRUE(idle().is_empty());
  city.close();
  city.open();
  EXPECT_TRUE(city.open_report.is_empty());
  EXPECT_EQ(city.one(all), before);
  // Numbers go on: a later tail does not take the merged file's.
  seal(1);
  EXPECT_EQ(city.one("SELECT count(DISTINCT number) FROM ficus_sealed"), "2");
}

TEST_F(SmallFiles, OfLongTimesAreLeftAlone) {
  city.close();
  city.options.retention_days =
      1;  // merged files may then span a tenth of a day: 86 files of 100 s
  city.options.compact_span_max = Micros::from_seconds(250);
  city.open();
  seal(6);
  EXPECT_TRUE(idle().merged.empty());
}

TEST_F(SmallFiles, ADamagedOneIsNotSealedAgain) {
  seal(4);
  {
    std::fstream file(city.options.directory + "/" + files[1],
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(40) << '\x5a';
    file.seekp(41) << '\x5a';
  }
  const MaintenanceReport report = idle();
  EXPECT_TRUE(report.merged.empty());
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_TRUE(report.problems[0].contains("its checksum is wrong")) << report.problems[0];
  Lines aside = report.set_aside;
  for (int i = 0; i < 6 && aside.empty(); ++i) {
    for (const std::string& line : idle().set_aside) aside.push_back(line);
  }
  ASSERT_EQ(aside.size(), 1U);
  EXPECT_TRUE(aside[0].starts_with(files[1])) << aside[0];
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "300");
}

}  // namespace
}  // namespace ficus::history
