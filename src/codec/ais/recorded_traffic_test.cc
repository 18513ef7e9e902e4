#include <gtest/gtest.h>

#include <cctype>
#include <map>

#include "codec/ais/receiver.h"
#include "codec/ais/test_data.h"

// Recorded traffic of several countries: every line is accounted for, once. The expected numbers
// are printed by count_recorded.py, which takes lines apart in another way.

namespace ficus::ais {
namespace {

struct Expected {
  std::string file;
  int lines = 0;
  std::map<std::string, int> without_message;  // lines by error
  std::map<int, int> types;                    // messages by type
  int in_messages = 0;                         // lines of which messages were made
  int lost = 0;                                // lines of sets that stayed incomplete
};

// clang-format off
const Expected kExpected[] = {
    {.file = "opencpn/Hakefjord.log.zst", .lines = 102935, .without_message = {{"not_ais", 87023}}, .types = {{1, 2728}, {3, 928}, {4, 956}, {5, 88}, {8, 4284}, {18, 5984}, {20, 648}, {24, 208}}, .in_messages = 15912, .lost = 0},
    {.file = "opencpn/stupan.se-10112-tcp.log.zst", .lines = 2238, .without_message = {{"comment", 397}, {"not_ais", 546}}, .types = {{1, 829}, {3, 194}, {4, 67}, {5, 31}, {8, 16}, {18, 61}, {20, 15}, {21, 4}, {24, 47}}, .in_messages = 1295, .lost = 0},
    {.file = "aislib/ais-lib-communication/src/test/resources/stream_example.txt.zst", .lines = 8551, .without_message = {{"not_ais", 4051}}, .types = {{1, 2511}, {2, 7}, {3, 369}, {4, 129}, {5, 424}, {6, 37}, {7, 9}, {8, 63}, {9, 1}, {15, 66}, {16, 23}, {17, 5}, {18, 101}, {20, 191}, {21, 37}, {23, 4}, {24, 74}}, .in_messages = 4500, .lost = 0},
    {.file = "aislib/ais-lib-communication/src/test/resources/decode_encode_messages.txt", .lines = 646, .without_message = {}, .types = {{1, 282}, {3, 35}, {4, 71}, {5, 15}, {8, 30}, {18, 103}, {20, 37}, {24, 28}}, .in_messages = 646, .lost = 0},
    {.file = "aislib/ais-lib-json/src/test/resources/ais250.txt", .lines = 243, .without_message = {}, .types = {{1, 162}, {3, 13}, {4, 19}, {8, 1}, {18, 23}, {21, 3}, {24, 14}}, .in_messages = 235, .lost = 8},
    {.file = "pyais/nmea_data_sample.txt", .lines = 898, .without_message = {{"empty_payload", 100}}, .types = {{1, 667}, {3, 76}, {4, 6}, {15, 7}, {18, 19}, {20, 1}, {24, 2}}, .in_messages = 778, .lost = 20},
    {.file = "pyais/mixed.txt", .lines = 35, .without_message = {{"bad_checksum", 1}, {"blank_line", 7}, {"comment", 5}, {"missing_checksum", 1}, {"not_ais", 5}, {"not_sentence", 2}}, .types = {{1, 10}, {5, 2}}, .in_messages = 14, .lost = 0},
    {.file = "pyais/timestamped.ais", .lines = 11, .without_message = {{"bad_checksum", 1}, {"blank_line", 2}, {"comment", 1}, {"not_ais", 3}}, .types = {{1, 4}}, .in_messages = 4, .lost = 0},
    {.file = "pyais/messages.ais", .lines = 11, .without_message = {{"blank_line", 3}, {"comment", 2}}, .types = {{1, 6}}, .in_messages = 6, .lost = 0},
    {.file = "pyais/examples/gatehouse.nmea", .lines = 11, .without_message = {{"bad_checksum", 1}, {"blank_line", 2}, {"comment", 1}, {"not_ais", 3}}, .types = {{1, 4}}, .in_messages = 4, .lost = 0},
    {.file = "pyais/examples/sample.ais", .lines = 22, .without_message = {{"bad_checksum", 1}, {"blank_line", 1}, {"comment", 5}, {"malformed", 1}, {"missing_checksum", 1}, {"not_sentence", 1}}, .types = {{1, 10}, {5, 1}}, .in_messages = 12, .lost = 0},
    {.file = "libais/test.aivdm", .lines = 345, .without_message = {{"bad_length", 28}, {"blank_line", 35}, {"comment", 47}, {"unknown_type", 17}}, .types = {{1, 4}, {2, 1}, {3, 3}, {4, 3}, {5, 2}, {6, 10}, {7, 6}, {8, 13}, {9, 6}, {10, 7}, {11, 7}, {12, 10}, {13, 6}, {14, 12}, {15, 18}, {16, 9}, {17, 7}, {18, 11}, {19, 3}, {20, 13}, {21, 9}, {22, 9}, {23, 5}, {24, 10}, {25, 16}, {26, 10}, {27, 6}}, .in_messages = 218, .lost = 0},
    {.file = "signalk/nais300-merrimac.log", .lines = 579, .without_message = {{"not_ais", 30}}, .types = {{1, 339}, {3, 37}, {5, 13}, {8, 13}, {18, 133}, {20, 1}}, .in_messages = 549, .lost = 0},
    {.file = "signalk/nais400-merrimac.log", .lines = 765, .without_message = {{"not_ais", 62}}, .types = {{1, 492}, {3, 50}, {4, 12}, {5, 35}, {8, 21}, {15, 9}, {18, 13}, {20, 5}, {21, 26}, {24, 5}}, .in_messages = 703, .lost = 0},
    {.file = "gpsd/sample.aivdm", .lines = 1121, .without_message = {{"blank_line", 1}, {"comment", 1001}, {"not_sentence", 1}}, .types = {{1, 4}, {2, 1}, {3, 1}, {4, 4}, {5, 3}, {6, 13}, {7, 3}, {8, 18}, {9, 2}, {10, 2}, {11, 1}, {12, 7}, {13, 1}, {14, 3}, {15, 3}, {16, 2}, {17, 2}, {18, 3}, {19, 1}, {20, 5}, {21, 2}, {22, 3}, {23, 1}, {24, 7}, {25, 3}, {26, 5}, {27, 2}}, .in_messages = 118, .lost = 0},
};
// clang-format on

class AisRecorded : public testing::TestWithParam<Expected> {};

TEST_P(AisRecorded, EveryLineIsAccountedFor) {
  const Expected& expected = GetParam();
  const auto lines = test_data_lines(expected.file);
  FICUS_AIS_NEED_DATA(lines, expected.file);
  Receiver receiver;
  std::map<std::string, int> without_message;
  std::map<int, int> types;
  int in_messages = 0;
  int waiting = 0;
  const Timestamp now = Timestamp::from_seconds(1'700'000'000);
  for (const std::string& line : lines) {
    const Reception got = receiver.accept(1, line, now);
    waiting -= got.line_count - 1;
    switch (got.outcome) {
      case LineOutcome::message:
        ++types[got.message.type];
        in_messages += got.line_count;
        break;
      case LineOutcome::held:
        ++waiting;
        break;
      case LineOutcome::ignored:
      case LineOutcome::refused:
        without_message[std::string(name(got.error.value()))] += got.line_count;
        EXPECT_EQ(got.outcome == LineOutcome::ignored, is_ignorable(*got.error));
        break;
    }
  }
  receiver.expire(now + Micros::from_hours(1));
  EXPECT_EQ(receiver.pending_sets(), 0U);
  int lost = 0;
  for (const IncompleteSet& set : receiver.take_lost()) lost += set.fragments_held;
  EXPECT_EQ(waiting, lost);
  EXPECT_EQ(lines.size(), static_cast<std::size_t>(expected.lines));
  EXPECT_EQ(without_message, expected.without_message);
  EXPECT_EQ(types, expected.types);
  EXPECT_EQ(in_messages, expected.in_messages);
  EXPECT_EQ(lost, expected.lost);
}

std::string test_name(const testing::TestParamInfo<Expected>& info) {
  std::string out;
  for (const char c : info.param.file.substr(info.param.file.rfind('/') + 1)) {
    out.push_back(std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_');
  }
  return out;
}

void PrintTo(const Expected& expected, std::ostream* out) { *out << expected.file; }

INSTANTIATE_TEST_SUITE_P(, AisRecorded, testing::ValuesIn(kExpected), test_name);

}  // namespace
}  // namespace ficus::ais
