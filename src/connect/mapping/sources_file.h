#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "connect/mapping/connector.h"
#include "connect/mapping/mapping.h"
#include "model/label.h"
#include "model/schema.h"

namespace ficus::connect {

struct SourceDeclaration {
  std::string name;
  Label label;
  bool is_simulated = false;
  Connector connector;
  // The names of the placeholders that the connector gives values for, in order.
  std::vector<std::string> placeholders;
  // Null for AIS, whose mapping to Vessel is fixed.
  std::shared_ptr<const Mapping> mapping;
  std::string file;  // where it is declared
  int line = 0;

  const char* protocol() const;  // one of kConnectorNames
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
