#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "connect/mapping/mapping_fixture.h"

// The examples of docs/SOURCES.md load as they stand there.

namespace ficus::connect {
namespace {

// The indented blocks that begin with this line, without their indentation.
std::vector<std::string> blocks(const std::string& first_line) {
  const auto path = std::filesystem::path(FICUS_SOURCE_DIR) / "docs/SOURCES.md";
  std::ifstream file(path);
  std::vector<std::string> found;
  bool is_inside = false;
  for (std::string line; std::getline(file, line);) {
    const bool is_code = line.starts_with("    ");
    if (is_code && line.substr(4) == first_line) {
      found.emplace_back();
      is_inside = true;
    }
    is_inside = is_inside && is_code;
    if (is_inside) found.back() += line.substr(4) + "\n";
  }
  return found;
}

TEST(Manual, ExamplesLoad) {
  const auto types = blocks("types:");
  const auto sources = blocks("sources:");
  const auto maps = blocks("map:");
  ASSERT_EQ(types.size(), 1U);
  ASSERT_EQ(sources.size(), 1U);
  ASSERT_EQ(maps.size(), 2U);
  EXPECT_EQ(test::source_mistakes(sources[0], types[0]), "");
  for (const std::string& map : maps) {
    std::string source = "sources:\n  - name: s\n    http: {}\n";
    for (std::size_t begin = 0; begin < map.size();) {
      const std::size_t end = map.find('\n', begin);
      source += "    " + map.substr(begin, end - begin) + "\n";
      begin = end + 1;
    }
    EXPECT_EQ(test::source_mistakes(source), "") << source;
  }
}

TEST(Manual, ExamplesOfConnectorsLoad) {
  for (const std::string name : {"air-stations", "car-parks", "archive"}) {
    const auto found = blocks("- name: " + name);
    ASSERT_EQ(found.size(), 1U) << name;
    EXPECT_EQ(test::source_mistakes("sources:\n" + found[0]), "") << found[0];
  }
}

TEST(Manual, BeijingExampleMapsARecordedHour) {
  const std::string map = blocks("map:").at(0);
  std::string body;  // without "map:" and one level of indentation
  for (std::size_t begin = map.find('\n') + 1; begin < map.size();) {
    const std::size_t end = map.find('\n', begin);
    body += map.substr(begin + 2, end - begin - 2) + "\n";
    begin = end + 1;
  }
  test::Mapper mapper(body);
  EXPECT_EQ(
      mapper.text(
          R"([{"station":"Dongsi","year":2013,"month":3,"day":1,"hour":0,"PM2.5":9,"wd":"NNW"},)"
          R"({"station":"Dongsi","year":2013,"month":3,"day":1,"hour":1,"PM2.5":"NA","wd":"NW"}])"),
      "AirQualityObserved urn:ngsi-ld:AirQualityObserved:Dongsi @2013-02-28T16:00:00Z pm25=9\n"
      "AirQualityObserved urn:ngsi-ld:AirQualityObserved:Dongsi @2013-02-28T17:00:00Z "
      "windDirection=315\n");
}

}  // namespace
}  // namespace ficus::connect
