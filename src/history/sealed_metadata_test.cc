#include <duckdb.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>

#include "history/history_test_support.h"
#include "history/names.h"

namespace ficus::history {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;
using Metadata = std::map<std::string, std::string>;

constexpr Timestamp kLater = Timestamp::from_seconds(1'000'000);

// A DuckDB of the test's own, for what somebody else might write into the history's folder.
class OtherDuck {
 public:
  explicit OtherDuck(const std::string& path = "") {
    EXPECT_EQ(duckdb_open(path.empty() ? nullptr : path.c_str(), &database_), DuckDBSuccess);
    EXPECT_EQ(duckdb_connect(database_, &connection_), DuckDBSuccess);
  }
  OtherDuck(const OtherDuck&) = delete;
  OtherDuck& operator=(const OtherDuck&) = delete;
  ~OtherDuck() {
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }
  void run(const std::string& sql) {
    duckdb_result result{};
    EXPECT_EQ(duckdb_query(connection_, sql.c_str(), &result), DuckDBSuccess)
        << sql << ": " << duckdb_result_error(&result);
    duckdb_destroy_result(&result);
  }
  // Pairs of texts.
  Metadata pairs(const std::string& sql) {
    Metadata out;
    duckdb_result result{};
    EXPECT_EQ(duckdb_query(connection_, sql.c_str(), &result), DuckDBSuccess) << sql;
    for (idx_t row = 0; row < duckdb_row_count(&result); ++row) {
      char* key = duckdb_value_varchar(&result, 0, row);
      char* value = duckdb_value_varchar(&result, 1, row);
      out[key] = value;
      duckdb_free(key);
      duckdb_free(value);
    }
    duckdb_destroy_result(&result);
    return out;
  }

 private:
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

// Two sealed files, from which the database is made anew; the first says something else of itself.
class SealedMetadata : public testing::Test {
 protected:
  SealedMetadata() : city(small_tails()) {
    for (int record = 1; record <= 2; ++record) {
      city.append(city.vehicles(record * 100, 100));
      city.commit(static_cast<std::uint64_t>(record));
      files.push_back(city.maintain(kLater).sealed.at(0));
    }
    city.close();
    fs::remove(city.options.directory + "/history.duckdb");
    fs::copy(city.options.directory, city.folder.path() + "/copy", fs::copy_options::recursive);
  }
  static DuckHistoryOptions small_tails() {
    DuckHistoryOptions options;
    options.tail_rows_max = 10;
    return options;
  }

  // Opens it with a first file of the same rows, that says something else.
  void open_after(const std::function<void(Metadata&)>& change) {
    city.close();
    fs::remove_all(city.options.directory);
    fs::copy(city.folder.path() + "/copy", city.options.directory, fs::copy_options::recursive);
    const std::string path = city.options.directory + "/" + files[0];
    OtherDuck duck;
    Metadata metadata = duck.pairs("SELECT decode(key), decode(value) FROM parquet_kv_metadata('" +
                                   path + "') WHERE starts_with(decode(key), 'ficus_')");
    EXPECT_GT(metadata.size(), 10U);
    change(metadata);
    std::string list;
    for (const auto& [key, value] : metadata) {
      list += fmt::format("{}'{}': {}", list.empty() ? "" : ", ", key, quoted_literal(value));
    }
    duck.run(fmt::format("COPY (FROM read_parquet('{0}')) TO '{0}.new' (FORMAT parquet{1})", path,
                         list.empty() ? "" : ", KV_METADATA {" + list + "}"));
    fs::rename(path + ".new", path);
    city.open();
  }
  // The only complaint, about the first file.
  std::string complaint() {
    const Lines& aside = city.open_report.set_aside;
    EXPECT_EQ(aside.size(), 1U);
    if (aside.empty() || !aside[0].starts_with(files[0] + ": ")) return "none";
    EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "100");
    const std::string rest = aside[0].substr(files[0].size() + 2);
    return rest.substr(0, rest.rfind(", kept as damaged/"));
  }

  TestCity city;
  Lines files;
};

TEST_F(SealedMetadata, IsEnoughToFindTheFilesAgain) {
  open_after([](Metadata&) {});
  EXPECT_TRUE(city.open_report.is_empty());
  EXPECT_EQ(city.one("SELECT count(*), count(DISTINCT \"observedAt\"), min(speed) FROM Vehicle"),
            "200|200|10");
  EXPECT_EQ(city.history->known_positions(), std::vector<std::uint64_t>{2});
}

TEST_F(SealedMetadata, EveryPartThatIsMissingIsNamed) {
  for (const char* const key :
       {"ficus_type", "ficus_view", "ficus_number", "ficus_first_observed", "ficus_last_observed",
        "ficus_last_received", "ficus_rows", "ficus_layout", "ficus_spans", "ficus_merged",
        "ficus_kind_2", "ficus_attribute_0"}) {
    open_after([key](Metadata& metadata) { EXPECT_EQ(metadata.erase(key), 1U) << key; });
    EXPECT_EQ(complaint(), fmt::format("it does not say what it holds: {} is missing in it", key));
  }
  open_after([](Metadata& metadata) { metadata.clear(); });
  EXPECT_TRUE(complaint().starts_with("it does not say what it holds: "));
}

TEST_F(SealedMetadata, WhatMakesNoSenseIsNamed) {
  const auto says = [this](const char* key, const char* value) {
    open_after([&](Metadata& metadata) { metadata[key] = value; });
    return complaint();
  };
  for (const char* const number : {"", "x", "1x", " 1", "99999999999999999999"}) {
    EXPECT_EQ(says("ficus_rows", number), "it does not say what it holds: ficus_rows is no number");
  }
  EXPECT_EQ(says("ficus_kind_0", "99"), "it has a column of an unknown kind");
  EXPECT_EQ(says("ficus_kind_0", "-1"), "it has a column of an unknown kind");
  EXPECT_EQ(says("ficus_view", "Boat"), "it belongs into the folder Boat");
  EXPECT_EQ(says("ficus_rows", "99"), "it has 100 rows instead of 99");
  EXPECT_NE(says("ficus_spans", "5-1"), "none");
}

// The newer of two files whose columns mean different things goes.
TEST_F(SealedMetadata, ColumnsThatContradictOlderFilesAreNotMixed) {
  for (const auto& [key, value] :
       {std::pair{"ficus_attribute_0", "velocity"}, std::pair{"ficus_kind_0", "1"},
        std::pair{"ficus_type", "Boat"}}) {
    open_after([&](Metadata& metadata) {
      metadata[key] = value;
      metadata["ficus_number"] = "1000";
    });
    EXPECT_EQ(complaint(), "its columns contradict those of older files") << key;
  }
}

// The tables of the history's own catalog, changed by somebody else.
class TamperedCatalog : public testing::Test {
 protected:
  TamperedCatalog() {
    city.append(city.vehicles(0, 100));
    city.commit(1);
    city.close();
  }
  void tamper(const std::string& sql) {
    city.close();
    OtherDuck(city.options.directory + "/history.duckdb").run(sql);
  }
  TestCity city;
};

TEST_F(TamperedCatalog, ThatContradictsItselfIsDamage) {
  for (const char* const sql :
       {"DELETE FROM ficus.tails", "UPDATE ficus.types SET view = ''",
        "UPDATE ficus.tails SET span = ''", "UPDATE ficus.tails SET span = 'x'",
        "INSERT INTO ficus_sealed VALUES ('Vehicle', 'f', 1, NULL, NULL, NULL, 1, 1, 1, '', '1-')",
        "INSERT INTO ficus_damaged VALUES ('Vehicle', 'f', NULL, NULL, 1, '9-1', '')",
        "INSERT INTO ficus_damaged VALUES ('Vehicle', 'f', NULL, NULL, 1, '', '-')",
        "INSERT INTO ficus.columns VALUES ('Boat', 1, 'speed', 2, 'speed')"}) {
    SCOPED_TRACE(sql);
    tamper(sql);
    city.options.set_damaged_aside = false;
    const auto opened = city.try_open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::corrupt) << opened.error().message;
    city.options.set_damaged_aside = true;
    city.open();
    ASSERT_EQ(city.open_report.set_aside.size(), 1U);
    EXPECT_TRUE(city.open_report.set_aside[0].starts_with("history.duckdb: "));
    EXPECT_EQ(city.history->positions().value(), std::vector<std::uint64_t>{0});
    city.append(city.vehicles(0, 100));
    city.commit(1);
    EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "100");
  }
}

// One that was set aside within the same second keeps its name.
TEST_F(TamperedCatalog, NothingThatWasKeptIsOverwritten) {
  for (int i = 0; i < 3; ++i) {
    tamper("DELETE FROM ficus.tails");
    city.open();
    city.append(city.vehicles(0, 10));
    city.commit(1);
  }
  EXPECT_EQ(city.disk.list(city.options.directory + "/damaged").value().size(), 3U);
}

}  // namespace
}  // namespace ficus::history
