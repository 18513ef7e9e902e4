#include <gtest/gtest.h>
#include <zstd.h>

#include "base/memory_disk.h"
#include "codec/csv/csv_json.h"
#include "simulate/csv_reader.h"
#include "simulate/record_reader.h"
#include "simulate/topic_template.h"

namespace ficus::simulate {
namespace {

void put(Disk& disk, const std::string& path, std::string_view text) {
  (void)disk.make_directories(parent_directory(path));
  ASSERT_TRUE(write_file_atomically(disk, path, std::as_bytes(std::span(text))));
}

std::string packed(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

// Hands out what it has in pieces, so that every boundary falls between two reads.
class PieceSource final : public ByteSource {
 public:
  PieceSource(std::string_view text, std::size_t piece) : text_(text), piece_(piece) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    const std::size_t count = std::min({piece_, text_.size(), out.size()});
    std::copy_n(std::as_bytes(std::span(text_)).begin(), count, out.begin());
    text_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view text_;
  std::size_t piece_;
};

// All records, or the message of the first error.
std::string csv_to_json(std::string_view text, std::size_t piece) {
  PieceSource source(text, piece);
  CsvReader reader(source);
  if (const Status header = reader.read_header(); !header) return header.error().message;
  std::string out;
  std::vector<std::string> cells;
  while (true) {
    const auto got = reader.next(cells);
    if (!got) return got.error().message;
    if (!*got) return out;
    csv::append_json(reader.columns(), cells, out);
    out += '\n';
  }
}

constexpr std::string_view kCsv =
    "\xef\xbb\xbfname,value,\"a \"\"quoted\"\" name\"\r\n"
    "x,1.5,\"two\nlines, one cell\"\r\n"
    "\r\n"
    "y,,\"\"\n"
    "z,-3e2\n"
    "7 km,007,NA";
constexpr std::string_view kJson =
    R"({"name":"x","value":1.5,"a \"quoted\" name":"two\nlines, one cell"})"
    "\n"
    R"({"name":"y","value":null,"a \"quoted\" name":null})"
    "\n"
    R"({"name":"z","value":-3e2,"a \"quoted\" name":null})"
    "\n"
    R"({"name":"7 km","value":"007","a \"quoted\" name":"NA"})"
    "\n";

TEST(CsvReader, QuotesLineEndsAndKinds) {
  for (const std::size_t piece : {1uz, 2uz, 7uz, 1000uz})
    EXPECT_EQ(csv_to_json(kCsv, piece), kJson);
}

TEST(CsvReader, EveryPrefixEndsInRecordsOrAnError) {
  for (std::size_t size = 0; size < kCsv.size(); ++size) {
    EXPECT_FALSE(csv_to_json(kCsv.substr(0, size), 3).size() > kJson.size() + 40) << size;
  }
}

TEST(CsvReader, Mistakes) {
  EXPECT_EQ(csv_to_json("", 9), "line 1: expected a line with the names of the columns");
  EXPECT_EQ(csv_to_json("a,b\n1,2,3\n", 9), "line 2: 3 cells, but 2 columns");
  EXPECT_EQ(csv_to_json("a\n\"x", 9), "line 2: the file ends within quotes");
  EXPECT_EQ(csv_to_json("a\n\"x\"y\n", 9),
            "line 2: expected the delimiter or the end of the line after the closing quote");
  EXPECT_EQ(csv_to_json("a\n" + std::string((1 << 20) + 10, 'x'), 5000),
            "line 2: the record is longer than 1048576 bytes: is a quote not closed?");
}

TEST(ByteSource, UnpacksSeveralFramesAndNoticesDamage) {
  MemoryDisk disk;
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "line " + std::to_string(i) + "\n";
  const std::string whole = packed(text) + packed("the end");
  put(disk, "d/a.txt.zst", whole);
  auto source = open_bytes(disk, "d/a.txt.zst");
  ASSERT_TRUE(source);
  LineReader lines(**source);
  std::string_view line;
  for (int i = 0; i < 50'000; ++i) {
    ASSERT_TRUE(*lines.next(line));
    ASSERT_EQ(line, "line " + std::to_string(i));
  }
  ASSERT_TRUE(*lines.next(line));
  EXPECT_EQ(line, "the end");
  EXPECT_FALSE(*lines.next(line));

  for (const std::string& damaged : {whole.substr(0, whole.size() - 4), "no zstd" + whole}) {
    put(disk, "d/b.zst", damaged);
    source = open_bytes(disk, "d/b.zst");
    ASSERT_TRUE(source);
    std::vector<std::byte> room(1 << 20);
    Result<std::size_t> got = 1;
    while (got && *got > 0) got = (*source)->read(room);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ErrorCode::corrupt);
  }
}

TEST(LineReader, LineEndsOfEitherKindAndTheLimit) {
  PieceSource source("a\r\n\nb", 1);
  LineReader lines(source);
  std::string_view line;
  std::vector<std::string> all;
  while (*lines.next(line)) all.emplace_back(line);
  EXPECT_EQ(all, (std::vector<std::string>{"a", "", "b"}));
  const std::string endless(3 << 20, 'x');
  PieceSource long_source(endless, 60'000);
  LineReader long_lines(long_source);
  EXPECT_FALSE(long_lines.next(line));
}

TEST(TopicTemplate, FillsAndBinds) {
  auto topic = TopicTemplate::parse("air/{station}/x-{no}");
  ASSERT_TRUE(topic);
  ASSERT_TRUE(topic->bind({"no", "station"}));
  EXPECT_EQ(topic->fill({"7", "东四"}), "air/东四/x-7");
  EXPECT_EQ(topic->fill({"", "a/b+c#"}), "air/a_b_c_/x-_");
  EXPECT_EQ(topic->bind({"a", "b"}).error().message, "there is no column 'station' among a, b");
  for (const char* const wrong : {"", "a/{x", "a/+", "#", "{}", "a}"}) {
    EXPECT_FALSE(TopicTemplate::parse(wrong)) << wrong;
  }
}

TEST(RecordReader, FolderInNameOrderOtherFilesPassedOver) {
  MemoryDisk disk;
  put(disk, "d/2.csv", "t,v\n2026-01-01T00:00:01Z,2\n");
  put(disk, "d/1.csv.zst", packed("t,v\n1767225600,1\n"));
  put(disk, "d/SOURCE.txt", "about the data\n");
  auto reader = RecordReader::open(disk, "d", "t");
  ASSERT_TRUE(reader) << reader.error().message;
  Record record;
  ASSERT_TRUE(*reader->next(record));
  EXPECT_TRUE(reader->is_new_file());
  EXPECT_EQ(record.cells[1], "1");
  EXPECT_EQ(record.time, Timestamp::from_seconds(1'767'225'600));
  ASSERT_TRUE(*reader->next(record));
  EXPECT_EQ(record.time, Timestamp::from_seconds(1'767'225'601));
  EXPECT_FALSE(*reader->next(record));
  EXPECT_EQ(reader->passed_over(), (std::vector<std::string>{"d/SOURCE.txt"}));
}

TEST(RecordReader, NmeaWithAndWithoutTimes) {
  MemoryDisk disk;
  put(disk, "d/a.log", "\n\\s:x,c:1428621738*5A\\!AIVDM,1,1,,A,15,0*2E\r\n!AIVDM,1,1,,B,15,0*2D\n");
  auto reader = RecordReader::open(disk, "d/a.log", "");
  ASSERT_TRUE(reader);
  Record record;
  ASSERT_TRUE(*reader->next(record));
  EXPECT_EQ(reader->kind(), RecordKind::nmea);
  EXPECT_TRUE(record.line.starts_with("\\s:x"));
  ASSERT_TRUE(*reader->next(record));
  EXPECT_EQ(record.line, "!AIVDM,1,1,,B,15,0*2D");
  EXPECT_FALSE(record.time);
  EXPECT_FALSE(*reader->next(record));
}

TEST(RecordReader, SaysWhatIsWrong) {
  MemoryDisk disk;
  put(disk, "d/a.dat", "x\n");
  put(disk, "d/b.csv", "x,y\n1,2\n");
  EXPECT_EQ(RecordReader::open(disk, "none.csv", "").error().code, ErrorCode::not_found);
  Record record;
  EXPECT_FALSE(RecordReader::open(disk, "d/a.dat", "")->next(record));
  EXPECT_EQ(RecordReader::open(disk, "d/b.csv", "t")->next(record).error().message,
            "d/b.csv: --time: there is no column 't'");
}

TEST(RecordTime, SecondsToNanosecondsAndText) {
  const Timestamp t = Timestamp::from_seconds(1'767'225'600);
  for (const char* const text : {"1767225600", "1767225600000", "1767225600000000",
                                 "1767225600000000000", "2026-01-01 00:00:00"}) {
    EXPECT_EQ(parse_record_time(text), t) << text;
  }
  EXPECT_FALSE(parse_record_time("yesterday"));
  EXPECT_FALSE(parse_record_time("nan"));
  EXPECT_FALSE(parse_record_time("1e300"));
}

}  // namespace
}  // namespace ficus::simulate
