#include "history/arrow_ipc.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>

#include "history/arrow_abi.h"
#include "history/arrow_stream_test_support.h"

namespace ficus::history {
namespace {

using Lines = std::vector<std::string>;
constexpr std::int64_t kNullable = 2;  // ARROW_FLAG_NULLABLE

// A column in the Arrow C data interface, with what its structures point at.
struct Column {
  ArrowSchema schema{};
  ArrowArray array{};
  std::string format;
  std::string name;
  std::vector<const void*> buffers;
  std::vector<std::unique_ptr<Column>> parts;
  std::vector<ArrowSchema*> schemas;
  std::vector<ArrowArray*> arrays;

  explicit Column(std::string type, std::string called = "c")
      : format(std::move(type)), name(std::move(called)) {
    schema.format = format.c_str();
    schema.name = name.c_str();
    schema.flags = kNullable;
  }
  Column& add(std::string type, std::string called = "c") {
    parts.push_back(std::make_unique<Column>(std::move(type), std::move(called)));
    schemas.push_back(&parts.back()->schema);
    arrays.push_back(&parts.back()->array);
    schema.n_children = array.n_children = static_cast<std::int64_t>(parts.size());
    schema.children = schemas.data();
    array.children = arrays.data();
    return *parts.back();
  }
  void hold(std::int64_t length, std::vector<const void*> with, std::int64_t nulls = 0) {
    buffers = std::move(with);
    array.length = length;
    array.null_count = nulls;
    array.n_buffers = static_cast<std::int64_t>(buffers.size());
    array.buffers = buffers.data();
  }
};

// All columns are parts of one structure.
Result<ArrowStream> stream_of(const Column& table) {
  FICUS_TRY(std::string bytes, arrow_schema_message(table.schema));
  FICUS_TRY_VOID(append_arrow_batch(table.schema, table.array, bytes));
  return read_arrow_stream(bytes + arrow_end());
}

std::string type_of(const std::string& format) {
  Column table("+s");
  table.add(format);
  const auto message = arrow_schema_message(table.schema);
  if (!message) return message.error().message;
  const auto stream = read_arrow_stream(*message);
  EXPECT_TRUE(stream) << format << ": " << stream.error().message;
  return stream ? stream->columns.at(0).type : "";
}

TEST(ArrowIpc, SaysEveryTypeAsTheFormatDoes) {
  const std::array<std::pair<const char*, const char*>, 37> types = {{
      {"n", "null"},
      {"b", "bool"},
      {"c", "int8"},
      {"C", "uint8"},
      {"s", "int16"},
      {"S", "uint16"},
      {"i", "int32"},
      {"I", "uint32"},
      {"l", "int64"},
      {"L", "uint64"},
      {"f", "float32"},
      {"g", "float64"},
      {"u", "utf8"},
      {"U", "large utf8"},
      {"z", "binary"},
      {"Z", "large binary"},
      {"w:16", "binary of 16"},
      {"d:9,2", "decimal 9,2 of 128 bits"},
      {"d:70,3,256", "decimal 70,3 of 256 bits"},
      {"tdD", "date day"},
      {"tdm", "date ms"},
      {"tts", "time s of 32 bits"},
      {"ttm", "time ms of 32 bits"},
      {"ttu", "time us of 64 bits"},
      {"ttn", "time ns of 64 bits"},
      {"tss:", "timestamp s UTC"},
      {"tsm:", "timestamp ms UTC"},
      {"tsu:", "timestamp us UTC"},
      {"tsn:", "timestamp ns UTC"},
      {"tsu:Asia/Shanghai", "timestamp us Asia/Shanghai"},
      {"tin", "interval 2"},  // MONTH_DAY_NANO
      {"+l", "list"},
      {"+L", "large list"},
      {"+s", "struct"},
      {"+m", "map"},
      {"+w:3", "list of 3"},
      {"+us:0,5,7", "sparse union 0,5,7"},
  }};
  for (const auto& [format, type] : types) EXPECT_EQ(type_of(format), type) << format;
}

TEST(ArrowIpc, RefusesWhatHasNoFormAndSaysWhatToDo) {
  for (const char* const format : {"",    "x",   "e",    "ll",  "vu",      "vz",  "t",   "td",
                                   "tdX", "ttX", "tsX:", "tiM", "tiD",     "tDu", "tx ", "+",
                                   "+x",  "+vl", "+r",   "+w",  "+ud:0,1", "+u"}) {
    EXPECT_EQ(type_of(format),
              "column 'c': cast it to VARCHAR: its type has no form in an Arrow answer")
        << format;
  }
  Column table("+s");
  ArrowSchema words{};
  table.add("i", "b").schema.dictionary = &words;
  const auto message = arrow_schema_message(table.schema);
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().code, ErrorCode::invalid_input);
  EXPECT_TRUE(message.error().message.starts_with("column 'b': "));
  // Within another one.
  Column outer("+s");
  outer.add("+l", "list").add("vu", "item");
  EXPECT_TRUE(
      arrow_schema_message(outer.schema).error().message.starts_with("column 'list': cast it"));
}

TEST(ArrowIpc, NamesAndWhatMayBeNullAreKept) {
  Column table("+s");
  table.add("i", "say \"hi\"\n榕\x01");
  table.add("i", "");
  table.add("i").schema.name = nullptr;
  Column& map = table.add("+m", "map");
  Column& entries = map.add("+s", "entries");
  entries.schema.flags = 0;
  entries.add("u", "key").schema.flags = 0;
  entries.add("i", "value");
  const auto stream = read_arrow_stream(arrow_schema_message(table.schema).value());
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_FALSE(stream->has_end);
  ASSERT_EQ(stream->columns.size(), 4U);
  EXPECT_EQ(stream->columns[0].name, "say \"hi\"\n榕\x01");
  EXPECT_EQ(stream->columns[1].name, "");
  EXPECT_EQ(stream->columns[2].name, "");
  // Schema.fbs on Map: neither the entries nor the key may be nullable.
  const ArrowColumn& read = stream->columns[3];
  EXPECT_TRUE(read.is_nullable);
  EXPECT_FALSE(read.children.at(0).is_nullable);
  EXPECT_FALSE(read.children[0].children.at(0).is_nullable);
  EXPECT_TRUE(read.children[0].children.at(1).is_nullable);
  EXPECT_EQ(read.children[0].children[1].name, "value");
}

TEST(ArrowIpc, ColumnsOfEveryLayoutComeBack) {
  const std::uint8_t first_missing = 0b110;
  const std::uint8_t bits = 0b010;
  const std::array<std::int32_t, 3> numbers = {9, -8, 7};
  const std::array<std::int32_t, 4> offsets = {0, 2, 2, 5};
  const std::array<std::int64_t, 4> large_offsets = {0, 1, 3, 5};
  const std::array<char, 6> texts = {'a', 'b', 'c', 'd', 'e', 'f'};
  const std::array<std::int8_t, 3> tags = {1, 0, 1};
  Column table("+s");
  table.array.length = 3;
  table.add("n").hold(3, {}, 3);
  table.add("b").hold(3, {nullptr, &bits});
  table.add("i").hold(3, {&first_missing, numbers.data()}, 1);
  table.add("u").hold(3, {&first_missing, offsets.data(), texts.data()}, -1);  // count them
  table.add("Z").hold(3, {nullptr, large_offsets.data(), texts.data()}, -1);
  table.add("w:2").hold(3, {nullptr, texts.data()});
  Column& list = table.add("+L");
  list.hold(3, {nullptr, large_offsets.data()});
  const std::array<std::int16_t, 5> items = {1, 2, 3, 4, 5};
  list.add("s").hold(5, {nullptr, items.data()});
  Column& pairs = table.add("+w:2");
  pairs.hold(3, {&first_missing}, 1);
  const std::array<float, 6> halves = {0.5F, 1, 1.5F, 2, 2.5F, 3};
  pairs.add("f").hold(6, {nullptr, halves.data()});
  Column& choice = table.add("+us:0,1");
  choice.hold(3, {tags.data()});
  choice.add("i", "number").hold(3, {nullptr, numbers.data()});
  choice.add("u", "word").hold(3, {nullptr, offsets.data(), texts.data()});
  const auto stream = stream_of(table);
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_TRUE(stream->has_end);
  const auto rows = arrow_rows(*stream);
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(*rows, (Lines{"NULL|false|NULL|NULL|a|ab|[1]|NULL|word=ab",
                          "NULL|true|-8||bc|cd|[2,3]|[1.5,2]|number=-8",
                          "NULL|false|7|cde|de|ef|[4,5]|[2.5,3]|word=cde"}));
}

// Columnar.html: what has no nulls need not have bits of validity.
TEST(ArrowIpc, ValidityIsLeftOutWhereNothingIsMissing) {
  const std::uint8_t all = 0xFF;
  const std::array<std::int64_t, 3> numbers = {1, 2, 3};
  Column table("+s");
  table.array.length = 3;
  table.add("l").hold(3, {&all, numbers.data()}, 0);
  table.add("l").hold(3, {&all, numbers.data()}, -1);
  const auto stream = stream_of(table);
  ASSERT_TRUE(stream) << stream.error().message;
  const ArrowRecords& batch = stream->batches.at(0);
  EXPECT_EQ(batch.buffers[0].second, 0);
  EXPECT_EQ(batch.buffers[2].second, 0);
  EXPECT_EQ(batch.body.size(), 48U);
  EXPECT_EQ(arrow_rows(*stream).value(), (Lines{"1|1", "2|2", "3|3"}));
}

TEST(ArrowIpc, EmptyBatchesAndColumnsWithoutBuffersAreWhole) {
  Column table("+s");
  table.add("u").hold(0, {nullptr, nullptr, nullptr});
  table.add("+l").hold(0, {nullptr, nullptr});
  table.parts[1]->add("i").hold(0, {nullptr, nullptr});
  const auto stream = stream_of(table);
  ASSERT_TRUE(stream) << stream.error().message;
  ASSERT_EQ(stream->batches.size(), 1U);
  EXPECT_EQ(stream->batches[0].length, 0);
  EXPECT_TRUE(arrow_rows(*stream).value().empty());
  const auto nothing = read_arrow_stream(arrow_end());
  EXPECT_TRUE(nothing && nothing->has_end && nothing->columns.empty());
}

TEST(ArrowIpc, AnArrayThatBeginsLaterIsAnErrorAndNotWrongValues) {
  const std::array<std::int64_t, 3> numbers = {1, 2, 3};
  Column table("+s");
  table.array.length = 2;
  Column& column = table.add("+s");
  column.hold(2, {nullptr});
  column.add("l").hold(2, {nullptr, numbers.data()});
  column.parts[0]->array.offset = 1;
  std::string out;
  const Status status = append_arrow_batch(table.schema, table.array, out);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::internal);
  EXPECT_TRUE(out.empty());
}

// The reader above finds what is cut off or changed: its word counts.
TEST(ArrowIpc, EveryPrefixIsNoWholeStream) {
  const std::array<std::int64_t, 3> numbers = {1, 2, 3};
  Column table("+s");
  table.array.length = 3;
  table.add("l").hold(3, {nullptr, numbers.data()});
  std::string bytes = arrow_schema_message(table.schema).value();
  ASSERT_TRUE(append_arrow_batch(table.schema, table.array, bytes));
  bytes += arrow_end();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto stream = read_arrow_stream(std::string_view(bytes).substr(0, size));
    EXPECT_FALSE(stream && stream->has_end) << size;
  }
  EXPECT_TRUE(read_arrow_stream(bytes).value().has_end);
}

}  // namespace
}  // namespace ficus::history
