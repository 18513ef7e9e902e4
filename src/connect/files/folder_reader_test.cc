#include "connect/files/folder_reader.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/memory_disk.h"
#include "connect/files/file_marks.h"

namespace ficus::connect {
namespace {

constexpr Micros kQuiet = Micros::from_seconds(10);

class FolderReaderTest : public testing::Test {
 protected:
  FolderReaderTest() {
    (void)disk_.make_directories("in");
    declared_.folder = "in";
    declared_.quiet = kQuiet;
  }

  void put(const std::string& name, std::string_view text) {
    ASSERT_TRUE(write_file_atomically(disk_, "in/" + name, std::as_bytes(std::span(text))));
  }
  void append(const std::string& name, std::string_view text) {
    auto file = disk_.open("in/" + name, OpenMode::append);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->append(std::as_bytes(std::span(text))));
  }

  // Everything that is there to be read, as "file: item" a line; damaged ones with "!". What was
  // taken is kept in marks_, as the log would.
  std::string read(FolderReader& reader, std::size_t chunks_max = 1000) {
    std::string out;
    while (chunks_max-- > 0) {
      auto chunk = reader.next(now_);
      if (!chunk) return out + chunk.error().message;
      if (!*chunk) break;
      if ((*chunk)->wants_progress) {
        const auto mark = marks_.find((*chunk)->file);
        reader.know((*chunk)->file,
                    mark == marks_.end() ? std::nullopt : std::optional(mark->second));
        continue;
      }
      for (const FileChunk::Item& item : (*chunk)->items) {
        out += (*chunk)->file + ": ";
        if (!item.problem.empty()) out += "! " + item.problem + " ";
        out += item.bytes.substr(0, 60) + "\n";
      }
      reader.taken(**chunk);
      marks_[(*chunk)->file] = (*chunk)->after;
    }
    for (const std::string& problem : reader.take_problems()) out += "? " + problem + "\n";
    return out;
  }
  std::string read() {
    FolderReader reader(disk_, declared_, {});
    return read(reader);
  }

  MemoryDisk disk_;
  FilesSource declared_;
  Micros now_ = Micros::from_seconds(100);
  std::map<std::string, FileProgress> marks_;
};

TEST_F(FolderReaderTest, FilesInNameOrderOnceOnly) {
  put("b.csv", "id,v\n1,2\n");
  put("a.csv", "id,v\n\"x\",3\n4,5,6\n");
  put(".hidden.csv", "id\n1\n");
  put("c.csv.tmp", "id\n1\n");
  put("d.ndjson", "{\"id\":7}\n\n{\"id\":8}\n");
  FolderReader reader(disk_, declared_, {});
  EXPECT_EQ(read(reader),
            "a.csv: {\"id\":\"x\",\"v\":3}\n"
            "a.csv: ! line 3: 3 cells, but 2 columns 4,5,6\n"
            "b.csv: {\"id\":1,\"v\":2}\n"
            "d.ndjson: {\"id\":7}\n"
            "d.ndjson: {\"id\":8}\n");
  EXPECT_EQ(read(reader), "");
  EXPECT_EQ(read(), "");  // another life, with the same marks
}

TEST_F(FolderReaderTest, GrowingFilesLineByLine) {
  FolderReader reader(disk_, declared_, {});
  put("a.csv", "id,v\n1,");
  EXPECT_EQ(read(reader), "");
  append("a.csv", "2\n3,4\n\"5");
  EXPECT_EQ(read(reader), "a.csv: {\"id\":1,\"v\":2}\na.csv: {\"id\":3,\"v\":4}\n");
  append("a.csv", "\",6\n7,8");
  EXPECT_EQ(read(), "a.csv: {\"id\":5,\"v\":6}\n");
  EXPECT_EQ(read(reader), "a.csv: {\"id\":5,\"v\":6}\n");  // it did not know of the other's
  // Without a line end, but quiet for long enough.
  EXPECT_EQ(read(reader), "");
  now_ = now_ + kQuiet;
  EXPECT_EQ(read(reader), "a.csv: {\"id\":7,\"v\":8}\n");
  EXPECT_EQ(read(reader), "");
}

TEST_F(FolderReaderTest, AReplacedFileIsANewOne) {
  put("a.csv", "id\n1\n2\n");
  FolderReader reader(disk_, declared_, {});
  EXPECT_EQ(read(reader), "a.csv: {\"id\":1}\na.csv: {\"id\":2}\n");
  put("a.csv", "id\n1\n3\n4\n");
  EXPECT_EQ(read(reader), "a.csv: {\"id\":1}\na.csv: {\"id\":3}\na.csv: {\"id\":4}\n");
  put("a.csv", "id\n9\n");  // shorter
  EXPECT_EQ(read(), "a.csv: {\"id\":9}\n");
}

TEST_F(FolderReaderTest, EveryPlaceToBeKilledAtLosesNothing) {
  std::string text = "id,v\n";
  for (int i = 0; i < 10'000; ++i) {
    text += std::to_string(i) + ",\"" + std::string(1 + i % 7, 'x') + "\n\"\n";
  }
  put("a.csv", text);
  std::string all;
  for (int life = 0; life < 20; ++life) {
    FolderReader reader(disk_, declared_, {});
    all += read(reader, 2);  // the mark and one chunk
  }
  std::string whole;
  {
    marks_.clear();
    whole = read();
  }
  EXPECT_EQ(all, whole);
  EXPECT_EQ(std::ranges::count(whole, '\n'), 10'000);
}

TEST_F(FolderReaderTest, ADroppedChunkComesAgain) {
  put("a.csv", "id\n1\n2\n");
  FolderReader reader(disk_, declared_, {});
  ASSERT_TRUE((*reader.next(now_))->wants_progress);
  reader.know("a.csv", std::nullopt);
  const auto first = *reader.next(now_);
  reader.drop();
  const auto again = *reader.next(now_);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->items.size(), 2U);
  EXPECT_EQ(again->items.size(), 2U);
  EXPECT_EQ(again->after, first->after);
}

TEST_F(FolderReaderTest, LongLinesAreCutAndPassedOver) {
  declared_.format = BodyFormat::lines;
  put("a",
      "{\"id\":1}\n" + std::string(3 << 20, 'x') + "\n{\"id\":2}\n" + std::string(3 << 20, 'y'));
  FolderReader reader(disk_, declared_, {});
  const std::string x(60, 'x');
  const std::string y(60, 'y');
  EXPECT_EQ(read(reader), "a: {\"id\":1}\na: ! a line is longer than 1 MiB " + x +
                              "\na: {\"id\":2}\n" + "a: ! a line is longer than 1 MiB " + y + "\n");
}

TEST_F(FolderReaderTest, ALongLineInFrontHidesNothingBehindIt) {
  declared_.format = BodyFormat::lines;
  put("a", std::string(3 << 20, 'x') + "\n{\"id\":2}\n");
  FolderReader reader(disk_, declared_, {});
  EXPECT_EQ(read(reader),
            "a: ! a line is longer than 1 MiB " + std::string(60, 'x') + "\na: {\"id\":2}\n");
}

TEST_F(FolderReaderTest, DeclaredColumnsDelimiterAndEncoding) {
  declared_.csv = {
      .delimiter = ';', .encoding = csv::TextEncoding::gb18030, .columns = {"name", "value"}};
  put("a.csv", "\xb8\xa3\xd6\xdd;1\n\xff;2\n");
  FolderReader reader(disk_, declared_, {});
  EXPECT_EQ(read(reader, 3),
            "a.csv: {\"name\":\"福州\",\"value\":1}\na.csv: ! line 2: not in the declared encoding "
            "\xff;2\n");
}

TEST_F(FolderReaderTest, WhatCannotBeReadIsSaidOnceAndStopsNothing) {
  put("a.parquet", "PAR1");
  put("b.csv", "id\n1\n");
  FolderReader reader(disk_, declared_, {});
  EXPECT_EQ(read(reader), "b.csv: {\"id\":1}\n? a.parquet: Parquet cannot be read here\n");
  EXPECT_EQ(read(reader), "");
}

class CountedRows final : public RowFile {
 public:
  CountedRows(std::uint64_t at, std::uint64_t end) : at_(at), end_(end) {}
  Result<bool> next(std::string& json) override {
    if (at_ >= end_) return false;
    json = std::to_string(at_++);
    return true;
  }

 private:
  std::uint64_t at_;
  const std::uint64_t end_;
};

TEST_F(FolderReaderTest, RowFilesGoOnAtTheirRow) {
  put("a.parquet", "whatever it is");
  std::vector<std::uint64_t> opened;
  const RowFileOpener open = [&](const std::string&, std::uint64_t first) {
    opened.push_back(first);
    return Result<std::unique_ptr<RowFile>>(std::make_unique<CountedRows>(first, 5000));
  };
  std::string all;
  for (int life = 0; life < 5; ++life) {
    FolderReader reader(disk_, declared_, open);
    all += read(reader, 2);
  }
  EXPECT_EQ(std::ranges::count(all, '\n'), 5000);
  EXPECT_EQ(opened, (std::vector<std::uint64_t>{0, 2048, 4096, 5000, 5000}));
  FolderReader reader(disk_, declared_, open);
  EXPECT_EQ(read(reader), "");
  EXPECT_EQ(read(reader), "");  // the same size: not even opened
  EXPECT_EQ(opened.size(), 6U);
  put("a.parquet", "another");
  EXPECT_EQ(std::ranges::count(read(reader), '\n'), 5000);
}

TEST(Names, FitPatterns) {
  EXPECT_TRUE(fits_names("*", "a.csv"));
  EXPECT_TRUE(fits_names("a*b?.csv", "axxbbb1.csv"));
  EXPECT_TRUE(fits_names("*.csv", ".csv"));
  EXPECT_FALSE(fits_names("*.csv", "a.csv.tmp"));
  EXPECT_FALSE(fits_names("a?", "a"));
  EXPECT_FALSE(fits_names("", "a"));
  // Linear, not exponential, in what does not fit.
  EXPECT_FALSE(fits_names(std::string(50, '*') + "b", std::string(200, 'a')));
}

TEST(FileMarks, RoundTripThroughAnEntity) {
  Schema schema;
  const auto marks = FileMarks::declare(schema);
  ASSERT_TRUE(marks);
  const FileProgress progress{123'456'789'012, 42, "0123"};
  const ObservationBatch row = marks->row("s", "路.csv", progress, Timestamp{5});
  twin::EntityView entity;
  for (const Column& column : row.columns()) {
    entity.attributes.push_back({column.attribute, column.value(0), row.observed_at()[0]});
  }
  std::ranges::sort(entity.attributes, {}, &twin::AttributeView::attribute);
  EXPECT_EQ(marks->read(entity), progress);
  EXPECT_FALSE(marks->read({}));
  EXPECT_NE(FileMarks::id("s", "a"), FileMarks::id("s", "b"));
}

}  // namespace
}  // namespace ficus::connect
