#include <gtest/gtest.h>

#include <string>

#include "codec/csv/csv_json.h"
#include "codec/csv/csv_splitter.h"
#include "codec/csv/text_encoding.h"

namespace ficus::csv {
namespace {

using Step = CsvSplitter::Step;

// Each record as "a|b @position", each damaged one as "! problem : raw @position".
std::string split(std::string_view text, std::size_t piece, char delimiter = ',') {
  CsvSplitter splitter(delimiter);
  std::string out;
  while (true) {
    switch (splitter.next()) {
      case Step::needs_more:
        if (text.empty()) {
          splitter.finish();
        } else {
          splitter.feed(text.substr(0, piece));
          text.remove_prefix(std::min(piece, text.size()));
        }
        continue;
      case Step::end:
        return out;
      case Step::damaged:
        out += "! " + splitter.problem().substr(0, 20) + " : " +
               std::string(splitter.raw().substr(0, 20));
        break;
      case Step::record:
        for (std::size_t i = 0; i < splitter.cells().size(); ++i) {
          out += (i == 0 ? "" : "|") + splitter.cells()[i];
        }
        break;
    }
    out += " @" + std::to_string(splitter.position()) + " line " +
           std::to_string(splitter.record_line()) + "\n";
  }
}

TEST(CsvSplitter, RecordsAreTheSameHoweverTheBytesArrive) {
  constexpr std::string_view kText =
      "a,b\r\n\"x \"\"y\"\"\",\"two\nlines\"\r\n\n\"\"\n,\nlast,\"q\"";
  constexpr std::string_view kExpected =
      "a|b @5 line 1\n"
      "x \"y\"|two\nlines @28 line 2\n"
      " @32 line 5\n"
      "| @34 line 6\n"
      "last|q @42 line 7\n";
  for (const std::size_t piece : {1UL, 2UL, 3UL, 7UL, 1000UL})
    EXPECT_EQ(split(kText, piece), kExpected);
}

TEST(CsvSplitter, DamageEndsWithItsLine) {
  for (const std::size_t piece : {1UL, 5UL, 1000UL}) {
    EXPECT_EQ(split("\"a\"x,1\nb,2\n\"c\"\rd\ne", piece),
              "! expected the delimit : \"a\"x,1 @7 line 1\n"
              "b|2 @11 line 2\n"
              "! expected the delimit : \"c\"\rd @17 line 3\n"
              "e @18 line 4\n");
  }
  EXPECT_EQ(split("a\n\"open", 3), "a @2 line 1\n! the file ends within : \"open @7 line 2\n");
}

TEST(CsvSplitter, EndlessRecordsAndTooManyCellsAreBounded) {
  const std::string endless =
      "\"" + std::string(CsvSplitter::kRecordBytesMax + 5, 'x') + "\nok,1\n";
  EXPECT_TRUE(split(endless, 4096).ends_with("ok|1 @1048588 line 2\n")) << split(endless, 4096);
  EXPECT_TRUE(split(std::string(20'000, ',') + "\nok\n", 4096).ends_with("ok @20004 line 2\n"));
  EXPECT_TRUE(split(std::string(20'000, ','), 4096).starts_with("! more than 10000 cell"));
}

TEST(CsvSplitter, EveryPrefixEnds) {
  const std::string text = "a;b\r\n\"x\"\"\";2\n\"\"x;3\n4;\"5\r\n\"\n";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    for (const std::size_t piece : {1UL, 4UL, 100UL}) {
      EXPECT_EQ(split(text.substr(0, size), piece, ';'), split(text.substr(0, size), 3, ';'));
    }
  }
}

TEST(CsvSplitter, GoesOnWhereItWas) {
  const std::string text = "a,1\n\"b\nc\",2\nd,3\n";
  CsvSplitter splitter;
  splitter.feed(text);
  ASSERT_EQ(splitter.next(), Step::record);
  ASSERT_EQ(splitter.next(), Step::record);
  CsvSplitter later;
  later.start_at(splitter.position(), splitter.line());
  later.feed(std::string_view(text).substr(splitter.position()));
  ASSERT_EQ(later.next(), Step::record);
  EXPECT_EQ(later.cells()[0], "d");
  EXPECT_EQ(later.record_line(), 4U);
  EXPECT_EQ(later.position(), text.size());
}

TEST(CsvJson, NumbersThatAreNumbersTextsThatAreTexts) {
  const std::vector<std::string> columns{"a", "b", "c", "d", "e", "f", "g", "h", "i"};
  const std::vector<std::string> cells{"1.50",  "007", "",   "-0.5e3", "110101199003070010",
                                       "1e999", "+5",  ".5", "x\"y",   "beyond"};
  std::string out;
  append_json(columns, cells, out);
  EXPECT_EQ(out, R"({"a":1.50,"b":"007","c":null,"d":-0.5e3,"e":"110101199003070010",)"
                 R"("f":"1e999","g":"+5","h":".5","i":"x\"y"})");
}

TEST(TextDecoder, Gb18030AndUtf8) {
  auto decoder = TextDecoder::open(TextEncoding::gb18030);
  ASSERT_TRUE(decoder) << decoder.error().message;
  std::string text = "\xb8\xa3\xd6\xdd,1 \x81\x30\x81\x30";  // Fuzhou; a character of four bytes
  ASSERT_TRUE(decoder->decode(text));
  EXPECT_EQ(text, "福州,1 \xc2\x80");
  for (std::string wrong : {"\xff", "\xb8", "\x81\x30\x81", "a\x80z"}) {
    const std::string before = wrong;
    EXPECT_FALSE(decoder->decode(wrong)) << before;
    EXPECT_EQ(wrong, before);
  }
  text = "\xb8\xa3";  // a failure leaves nothing behind
  ASSERT_TRUE(decoder->decode(text));
  EXPECT_EQ(text, "福");
  auto plain = TextDecoder::open(TextEncoding::utf8);
  ASSERT_TRUE(plain);
  text = "福";
  EXPECT_TRUE(plain->decode(text));
  text = "\xff";
  EXPECT_FALSE(plain->decode(text));
}

}  // namespace
}  // namespace ficus::csv
