#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "base/time.h"
#include "connect/mapping/connector.h"

namespace ficus::connect {

struct SuggestOptions {
  std::string topic;  // MQTT topic pattern, places in braces; or
  std::string url;    // to be polled; neither: POST /ingest
  std::string type;   // of the entities; empty: guessed
  std::string name;   // of the source; empty: from the type
  std::string zone;   // of times without an offset; empty: guessed
  Timestamp now;      // for trying the proposal
  std::size_t samples_max = 10'000;
};

// What is proposed for samples of a source, and how it did on these very samples.
struct Suggestion {
  std::string types_yaml;
  std::string sources_yaml;
  std::uint64_t samples = 0;
  std::uint64_t items = 0;           // that the samples yielded
  std::uint64_t mapped = 0;          // of these, with the proposal as it stands
  std::vector<std::string> reasons;  // why the others were not, the most frequent first
};

// The payloads of a sample file: a JSON document, several lines of one each, or CSV (which gives
// one object a record). Nothing else; the error says what was tried.
struct Samples {
  std::vector<std::string> payloads;
  BodyFormat format = BodyFormat::json;
  CsvFormat csv;
  std::uint64_t damaged = 0;
};
Result<Samples> read_samples(std::string text, std::size_t samples_max);

// Proposes how to map the samples. Each guess is explained in a comment: how many samples speak for
// it, what did not fit, what to check. What is proposed is loaded with the real loader and tried on
// the samples. Deterministic.
Result<Suggestion> suggest_mapping(const Samples& samples, const SuggestOptions& options,
                                   Disk& disk);

}  // namespace ficus::connect
