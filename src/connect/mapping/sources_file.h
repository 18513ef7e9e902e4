#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "connect/mapping/mapping.h"
#include "connect/mapping/topic_pattern.h"
#include "model/label.h"
#include "model/schema.h"

namespace ficus::connect {

// Messages published to the broker under these topics.
struct MqttSource {
  TopicPattern topic;
};

// POST /ingest/{name of the source}.
struct HttpSource {
  std::vector<std::string> parameters;  // of the URL's query, usable as placeholders
};

// An AIS receiver or a coast station's stream.
struct AisSource {
  enum class Transport : std::uint8_t { udp, tcp };
  Transport transport = Transport::udp;
  bool is_listening = true;  // else we connect (tcp only)
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const AisSource&, const AisSource&) = default;
};

struct SourceDeclaration {
  std::string name;
  Label label;
  bool is_simulated = false;
  std::variant<MqttSource, HttpSource, AisSource> connector;
  // Null for AIS, whose mapping to Vessel is fixed.
  std::shared_ptr<const Mapping> mapping;
  std::string file;  // where it is declared
  int line = 0;

  const char* protocol() const;  // "mqtt", "http", "ais"
};

// A pack's sources.yaml. docs/SOURCES.md describes it for those who write one.
struct SourcesFile {
  std::vector<SourceDeclaration> sources;

  struct Environment {
    Schema& schema;  // the types.yaml files must have been loaded into it before
    Disk& disk;      // to read time zones from
    std::string zone_directory = "/usr/share/zoneinfo";
  };

  // All mistakes of the file are reported in one error, one a line:
  // "sources.yaml:12:7: unknown key 'atributes' in map: did you mean 'attributes'?". Attributes
  // that the mappings yield are interned in the schema. `file` is the name to use in messages.
  static Result<SourcesFile> load(std::string_view text, std::string_view file,
                                  const Environment& environment);
};

}  // namespace ficus::connect
