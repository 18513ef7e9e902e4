#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "connect/mapping/source_batch_builder.h"

namespace ficus::connect {

struct ItemRule;  // one compiled `map:`; item_rule.h

// One message as a connector hands it over.
struct MappingInput {
  // Where it came in, as an operator wants to read it: topic, URL, sender.
  std::string_view key;
  // The values of the source's placeholders, in the order of their names (TopicPattern::names() or
  // HttpSource::parameters).
  std::span<const std::string_view> placeholders;
  std::string_view payload;
  Timestamp received_at;
};

// Buffers that mapping reuses from message to message. One a thread.
class MappingScratch {
 public:
  MappingScratch();
  ~MappingScratch();
  MappingScratch(const MappingScratch&) = delete;
  MappingScratch& operator=(const MappingScratch&) = delete;

  struct Buffers;

 private:
  friend class Mapping;
  const std::unique_ptr<Buffers> buffers_;
};

enum class PayloadFormat : std::uint8_t {
  json,
  text,  // the whole payload is one text, as if it were a JSON string: `ON`, `21.5`
};

// Turns payloads of one source into observations, as declared in sources.yaml (sources_file.h). All
// names, paths, units and zones are resolved when it is loaded; mapping a message looks nothing up.
// Immutable, thread-safe, shared.
class Mapping {
 public:
  Mapping(PayloadFormat format, std::vector<ItemRule> rules);
  ~Mapping();
  Mapping(Mapping&&) noexcept;
  Mapping& operator=(Mapping&&) noexcept;

  // Puts every item of the payload into `out`: as a row if all of it could be mapped, else whole
  // into quarantine with a reason that names the declaration's file and line, the path, what was
  // expected and what was found. A payload that is no JSON is one quarantined item.
  void map(const MappingInput& input, MappingScratch& scratch, SourceBatchBuilder& out) const;

  std::vector<TypeId> types() const;  // that its items may have

 private:
  PayloadFormat format_;
  std::vector<ItemRule> rules_;
};

}  // namespace ficus::connect
