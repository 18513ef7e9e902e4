#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <iostream>
#include <iterator>

#include "app/command_list.h"
#include "app/packs.h"
#include "connect/client/body_items.h"
#include "connect/ingest/source_key.h"
#include "connect/ingest/source_set.h"
#include "connect/mapping/describe.h"
#include "connect/suggest/suggest.h"

namespace ficus::app {
namespace {

// How a sample on standard input is to be read: as the source's own files or answers are.
connect::BodyFormat sample_format(const connect::SourceDeclaration& source) {
  if (const auto* poll = std::get_if<connect::HttpPollSource>(&source.connector)) {
    if (poll->body != connect::BodyFormat::by_type) return poll->body;
  }
  if (const auto* files = std::get_if<connect::FilesSource>(&source.connector)) {
    const bool is_lines = files->format == connect::BodyFormat::lines ||
                          files->format == connect::BodyFormat::parquet;
    return is_lines ? connect::BodyFormat::lines : connect::BodyFormat::csv;
  }
  return connect::BodyFormat::json;
}

connect::CsvFormat csv_format(const connect::SourceDeclaration& source) {
  if (const auto* poll = std::get_if<connect::HttpPollSource>(&source.connector)) return poll->csv;
  if (const auto* files = std::get_if<connect::FilesSource>(&source.connector)) return files->csv;
  return {};
}

int try_source(const connect::SourceDeclaration& source, const Arguments& arguments,
               const Machine& machine, const Schema& schema) {
  const std::string key = arguments.value("topic", "/ingest/" + source.name);
  const auto values = connect::placeholders_of(source, key);
  if (!values) {
    return report(
        {ErrorCode::invalid_input,
         fmt::format("--topic: '{}' does not fit the source's topic; it has {} places: {}", key,
                     source.placeholders.size(), fmt::join(source.placeholders, ", "))});
  }
  const std::vector<std::string_view> placeholders(values->begin(), values->end());
  connect::MappingScratch scratch;
  connect::SourceBatchBuilder builder(SourceId(0));
  const Timestamp now = machine.clock.now();
  std::string sample{std::istreambuf_iterator<char>(std::cin), {}};
  auto body =
      connect::BodyItems::open(std::move(sample), sample_format(source), csv_format(source));
  if (!body) return report(body.error());
  while (const auto item = body->next()) {
    if (!item->problem.empty()) {
      builder.quarantine(key, item->problem, item->payload);
      continue;
    }
    source.mapping->map(
        {.key = key, .placeholders = placeholders, .payload = item->payload, .received_at = now},
        scratch, builder);
  }
  fmt::print("{}", connect::describe(builder.take(now), schema));
  return 0;
}

}  // namespace

int run_source_try(const Arguments& arguments, const Machine& machine) {
  if (arguments.positional().size() != 1) {
    fmt::print(stderr, "ficus source try: expected the name of a source\n");
    return 2;
  }
  const auto config = load_config(arguments, machine);
  if (!config) return report(config.error());
  Schema schema;
  auto packs = LoadedPacks::load(config->packs, machine.disk, schema);
  if (!packs) return report(packs.error());
  connect::SourceSet sources;
  for (connect::SourceDeclaration& declaration : packs->sources) {
    if (auto added = sources.add(SourceId(0), std::move(declaration)); !added) {
      return report(added.error());
    }
  }
  const std::string& name = arguments.positional()[0];
  const connect::Source* const source = sources.find(name);
  if (source == nullptr) {
    return report({ErrorCode::not_found, fmt::format("there is no source '{}'", name)});
  }
  if (source->declaration.mapping == nullptr) {
    return report(
        {ErrorCode::invalid_input, fmt::format("source '{}' is AIS: its mapping is fixed", name)});
  }
  return try_source(source->declaration, arguments, machine, schema);
}

namespace {

constexpr std::uint64_t kSampleBytesMax = 64 << 20;

// All files together, or standard input.
Result<connect::Samples> read_all_samples(const Arguments& arguments, Disk& disk,
                                          std::size_t samples_max) {
  if (arguments.positional().empty()) {
    std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    return connect::read_samples(std::move(text), samples_max);
  }
  connect::Samples all;
  for (const std::string& path : arguments.positional()) {
    FICUS_TRY(std::string text, read_file(disk, path, kSampleBytesMax));
    auto samples = connect::read_samples(std::move(text), samples_max);
    if (!samples) return in_context(path + ": ", std::move(samples).error());
    if (all.payloads.empty()) {
      all = *std::move(samples);
      continue;
    }
    all.damaged += samples->damaged;
    for (std::string& payload : samples->payloads) {
      if (all.payloads.size() < samples_max) all.payloads.push_back(std::move(payload));
    }
  }
  return all;
}

Status write_proposal(const connect::Suggestion& found, const std::string& folder, Disk& disk) {
  FICUS_TRY_VOID(disk.make_directories(folder));
  for (const auto& [name, text] :
       {std::pair<const char*, const std::string&>{"types.yaml", found.types_yaml},
        {"sources.yaml", found.sources_yaml}}) {
    const std::string path = folder + "/" + name;
    if (disk.exists(path)) return fail(ErrorCode::conflict, path + " is there already");
    FICUS_TRY_VOID(write_file_atomically(disk, path, std::as_bytes(std::span(text))));
  }
  return {};
}

}  // namespace

int run_source_suggest(const Arguments& arguments, const Machine& machine) {
  connect::SuggestOptions options;
  options.topic = arguments.value("topic", "");
  options.url = arguments.value("url", "");
  options.type = arguments.value("type", "");
  options.name = arguments.value("name", "");
  options.zone = arguments.value("zone", "");
  options.now = machine.clock.now();
  if (!options.topic.empty() && !options.url.empty()) {
    fmt::print(stderr, "ficus source suggest: expected either --topic or --url\n");
    return 2;
  }
  const auto samples = read_all_samples(arguments, machine.disk, options.samples_max);
  if (!samples) return report(samples.error());
  const auto found = connect::suggest_mapping(*samples, options, machine.disk);
  if (!found) return report(found.error());
  const std::string folder = arguments.value("out", "");
  if (folder.empty()) {
    fmt::print("# ---- types.yaml ----\n{}\n# ---- sources.yaml ----\n{}", found->types_yaml,
               found->sources_yaml);
    std::fflush(stdout);
  } else if (const Status written = write_proposal(*found, folder, machine.disk); !written) {
    return report(written.error());
  }
  fmt::print(stderr, "{} samples, {} items, of which the proposal maps {}\n", found->samples,
             found->items, found->mapped);
  if (samples->damaged > 0) fmt::print(stderr, "{} lines could not be read\n", samples->damaged);
  for (const std::string& reason : found->reasons) fmt::print(stderr, "  {}\n", reason);
  return 0;
}

}  // namespace ficus::app
