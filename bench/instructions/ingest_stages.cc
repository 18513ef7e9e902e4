#include <array>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/memory_disk.h"
#include "bench/city/load/vehicle_messages.h"
#include "bench/instructions/stages.h"
#include "codec/fact/fact.h"
#include "codec/json/json_writer.h"
#include "codec/json/value_json.h"
#include "codec/mqtt/decoder.h"
#include "connect/ingest/source_set.h"
#include "connect/mapping/source_batch_builder.h"
#include "connect/mapping/sources_file.h"
#include "connect/mapping/types_file.h"
#include "connect/mqtt/route_cache.h"
#include "connect/mqtt/topic_tree.h"
#include "engine/shard_state.h"
#include "log/log_writer.h"
#include "log/recover.h"
#include "rules/rule_book.h"
#include "twin/twin.h"

namespace ficus::instructions {
namespace {

constexpr std::size_t kPacketBytesMax = std::size_t{1} << 20;
constexpr Timestamp kNow = Timestamp::from_seconds(1'790'000'000);

std::string text_of(const std::string& name) {
  std::ifstream file(FICUS_SOURCE_DIR "/bench/city/pack/" + name);
  FICUS_CHECK(file.good());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The pack of bench/city, and what its stages hand to each other, by round.
class Ingest {
 public:
  Ingest() {
    FICUS_CHECK(connect::TypesFile::load(text_of("types.yaml"), "types.yaml", schema_).has_value());
    auto file = connect::SourcesFile::load(text_of("sources.yaml"), "sources.yaml",
                                           {.schema = schema_, .disk = disk_});
    FICUS_CHECK(file.has_value());
    std::uint32_t id = 0;
    for (auto& source : file->sources) {
      FICUS_CHECK(sources_.add(SourceId(id++), std::move(source)).has_value());
    }
    alert_ = AlertAttributes::declare(schema_).value();
    rules_.emplace(compile_rules());
    load::VehicleMessages messages("city/vehicle/v", 1, 1);
    std::uint64_t time_us = static_cast<std::uint64_t>(kNow.micros);
    for (std::string& packets : packets_) {
      for (std::size_t i = 0; i < kMessages; ++i) {
        messages.append({.vehicle = i * 37 % kVehicles,
                         .time_us = ++time_us,
                         .packet_id = static_cast<std::uint16_t>(i + 1)},
                        packets);
      }
    }
  }

  void run() {
    measure("decode", [this](int round) { decode(at(round)); });
    measure("route", [this](int round) { route(at(round)); });
    measure("map", [this](int round) { map(at(round)); });
    measure("twin", [this](int round) { apply(at(round)); });
    measure("rules", [this](int round) { observe(at(round)); });
    measure("encode", [this](int round) { encode(at(round)); });
    measure("log", [this](int round) { append(at(round)); });
    measure("notify", [this](int round) { write_json(at(round)); });
    measure("step", [this](int round) { step(at(round)); });
  }

 private:
  static std::size_t at(int round) { return static_cast<std::size_t>(round); }
  rules::RuleBook compile_rules() {
    auto book = rules::RuleBook::compile(text_of("rules.sql"), "rules.sql", schema_, zones_);
    FICUS_CHECK(book.has_value());
    return *std::move(book);
  }
  const ObservationBatch& rows(std::size_t round) {
    FICUS_CHECK(batches_[round].observations.size() == 1);
    return batches_[round].observations[0];
  }

  void decode(std::size_t round) {
    std::vector<mqtt::Publish>& publishes = publishes_[round];
    publishes.reserve(kMessages);
    auto rest = std::as_bytes(std::span(packets_[round]));
    while (!rest.empty()) {
      const auto decoded = mqtt::decode(rest, mqtt::ProtocolVersion::v3_1_1, kPacketBytesMax);
      FICUS_CHECK(decoded.has_value());
      publishes.push_back(std::get<mqtt::Publish>(decoded->packet));
      rest = rest.subspan(decoded->bytes);
    }
    FICUS_CHECK(publishes.size() == kMessages);
  }

  void route(std::size_t round) {
    for (const mqtt::Publish& publish : publishes_[round]) {
      FICUS_CHECK(routes_.find(publish.topic).source != nullptr);
    }
  }

  void map(std::size_t round) {
    for (const mqtt::Publish& publish : publishes_[round]) {
      const connect::Route& route = routes_.find(publish.topic);
      route.source->declaration.mapping->map(
          {.key = publish.topic,
           .placeholders = route.placeholders,
           .payload = {reinterpret_cast<const char*>(publish.payload.data()),
                       publish.payload.size()},
           .received_at = kNow},
          scratch_, builder_);
    }
    FICUS_CHECK(builder_.item_count() == kMessages);
    batches_[round] = builder_.take(kNow);
  }

  void apply(std::size_t round) {
    const auto wanted = rules_->wanted(rows(round).type());
    FICUS_CHECK(twin_.apply(rows(round), wanted, applied_).has_value());
    FICUS_CHECK(applied_.applied_count == kMessages);
  }

  void observe(std::size_t round) {
    counted_.clear();
    for (std::uint32_t row = 0; row < kMessages; ++row) counted_.push_back(row);
    emissions_.clear();
    const ObservationBatch& batch = rows(round);
    rules_->observe({.type = batch.type(),
                     .ids = &batch.ids(),
                     .observed_at = batch.observed_at(),
                     .entity = applied_.entity,
                     .present = applied_.present,
                     .counted = counted_},
                    kNow, emissions_);
  }

  void encode(std::size_t round) {
    record_.clear();
    fact::StepWriter(schema_, record_).heard("vehicles", batches_[round]);
  }

  void append(std::size_t) {
    if (log_ == nullptr) {
      const auto recovered = log::recover(disk_, "log");
      FICUS_CHECK(recovered.has_value());
      log_ = log::LogWriter::open(disk_, "log", *recovered, {.salt = 1}).value();
    }
    FICUS_CHECK(log_->append(log::RecordKind{1}, kNow, std::as_bytes(std::span(record_))));
    FICUS_CHECK(log_->write().has_value());
    FICUS_CHECK(log_->sync().has_value());
  }

  void write_json(std::size_t round) {
    std::string text;
    for (std::size_t row = 0; row < kMessages; ++row) {
      text.clear();
      json::JsonWriter json(text);
      json::write_row(rows(round), row, schema_, json);
    }
  }

  // All that a shard does with a batch.
  void step(std::size_t round) {
    if (state_ == nullptr) {
      state_ = std::make_unique<ShardState>(schema_, compile_rules(), alert_, ShardStateOptions{});
    }
    const Step step = state_->hear("vehicles", std::move(batches_[round]), kNow);
    FICUS_CHECK(step.status.has_value() && step.settled.size() == 1);
  }

  Schema schema_;
  MemoryDisk disk_;
  ZoneSet zones_;
  connect::SourceSet sources_;
  AlertAttributes alert_;
  std::array<std::string, kRounds> packets_;
  std::array<std::vector<mqtt::Publish>, kRounds> publishes_;
  connect::TopicTree tree_;
  connect::RouteCache routes_{tree_, sources_};
  connect::MappingScratch scratch_;
  connect::SourceBatchBuilder builder_{SourceId(0)};
  std::array<SourceBatch, kRounds> batches_;
  twin::Twin twin_{schema_, {}};
  std::optional<rules::RuleBook> rules_;  // needs the types
  twin::AppliedRows applied_;
  std::vector<std::uint32_t> counted_;
  std::vector<rules::Emission> emissions_;
  std::string record_;
  std::unique_ptr<log::LogWriter> log_;
  std::unique_ptr<ShardState> state_;
};

}  // namespace

void run_ingest_stages() { std::make_unique<Ingest>()->run(); }

}  // namespace ficus::instructions
