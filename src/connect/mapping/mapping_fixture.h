#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/memory_disk.h"
#include "connect/mapping/sources_file.h"

// What the tests of this room share: a pack's files in, a payload through them, rows out.

namespace ficus::connect::test {

// 2026-11-23T08:00:00Z: when every test message arrives.
inline constexpr Timestamp kReceived{1'795'420'800'000'000};

// A compiled zone file of Shanghai as it is today: no transitions, the rule "CST-8".
std::string shanghai_zone_file();

// A mapping loaded from the text under `map:` of one source, with everything it needs.
class Mapper {
 public:
  // `map` is the YAML of the map, each line without indentation; `types` a whole types.yaml.
  explicit Mapper(std::string_view map, std::string_view types = {},
                  std::string_view topic = "city/{line}/{vehicle}");

  bool ok() const { return error_.empty(); }
  const std::string& error() const { return error_; }
  Schema& schema() { return schema_; }

  SourceBatch map(std::string_view payload,
                  std::vector<std::string_view> placeholders = {"K2", "7"});
  // The rows and reasons of a payload, one a line: "Vehicle urn:x:7 @2026-.. speed=3.5 name=a" and
  // "! reason | bytes" and "- reason n".
  std::string text(std::string_view payload,
                   std::vector<std::string_view> placeholders = {"K2", "7"});

 private:
  Schema schema_;
  MemoryDisk disk_;
  SourcesFile file_;
  std::string error_;
  MappingScratch scratch_;
};

// The mistakes of a sources.yaml, or "" if it has none.
std::string source_mistakes(std::string_view text, std::string_view types = {});
// The mistakes of a `map:`, with the lines counted from that of its first key, which is 1.
std::string map_mistakes(std::string_view map, std::string_view types = {});

}  // namespace ficus::connect::test
