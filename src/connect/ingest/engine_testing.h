#pragma once

// A small real engine in memory for the tests of connectors: what they send arrives, is answered
// when it is durable, and stands in the books. Its history takes everything and keeps nothing.

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string_view>

#include "base/memory_disk.h"
#include "connect/ais/vessel_mapping.h"
#include "connect/ingest/ingest.h"
#include "connect/ingest/source_set.h"
#include "connect/mapping/sources_file.h"
#include "connect/mapping/types_file.h"
#include "engine/engine.h"
#include "engine/no_history_testing.h"
#include "model/zone_set.h"

namespace ficus::connect {

class EngineHouse {
 public:
  // A pack's sources.yaml and types.yaml.
  EngineHouse(std::string_view sources_yaml, std::string_view types_yaml) {
    EXPECT_TRUE(declare_vessel_type(schema));
    const auto types = TypesFile::load(types_yaml, "types.yaml", schema);
    EXPECT_TRUE(types) << types.error().message;
    constexpr std::uint64_t kPositions[] = {0};
    feed = std::make_unique<history::HistoryFeed>(no_history, clock, history::FeedOptions{},
                                                  history::FeedEvents{}, kPositions);
    auto loaded = SourcesFile::load(sources_yaml, "sources.yaml", {.schema = schema, .disk = disk});
    EXPECT_TRUE(loaded) << loaded.error().message;
    EXPECT_TRUE(AlertAttributes::declare(schema));
    EngineOptions options;
    options.data_directory = "data";
    auto rules = rules::RuleSet::compile({}, schema, std::make_shared<const ZoneSet>());
    EXPECT_TRUE(rules);
    options.rules = *rules;
    auto opened = Engine::open({.disk = disk,
                                .clock = clock,
                                .logger = logger,
                                .schema = schema,
                                .history = *feed,
                                .history_positions = kPositions},
                               std::move(options));
    EXPECT_TRUE(opened) << opened.error().message;
    engine = *std::move(opened);
    ingest = std::make_unique<Ingest>(*engine, loop, clock);
    for (SourceDeclaration& declaration : loaded->sources) {
      const SourceId id = engine->intern_source(declaration.name);
      EXPECT_TRUE(sources.add(id, std::move(declaration)));
    }
    engine->start(*ingest);
  }
  ~EngineHouse() { EXPECT_TRUE(engine->stop()); }
  EngineHouse(const EngineHouse&) = delete;
  EngineHouse& operator=(const EngineHouse&) = delete;

  SourceBooks books(std::string_view source) {
    std::promise<SourceBooks> answer;
    engine->books([&](const auto& all) {
      const auto found = all.find(source);
      answer.set_value(found == all.end() ? SourceBooks{} : found->second);
    });
    return answer.get_future().get();
  }

  MemoryDisk disk;
  SystemClock clock;
  Logger logger{clock, stderr, static_cast<LogLevel>(static_cast<int>(LogLevel::error) + 1)};
  Schema schema;
  NoHistory no_history;
  std::unique_ptr<history::HistoryFeed> feed;
  std::unique_ptr<Engine> engine;
  net::EventLoop loop;
  std::unique_ptr<Ingest> ingest;
  SourceSet sources;
};

}  // namespace ficus::connect
