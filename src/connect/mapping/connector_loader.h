#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/yaml/yaml_tree.h"
#include "connect/mapping/connector.h"

namespace ficus::connect {

struct LoadedConnector {
  Connector connector;
  std::vector<std::string> placeholders;  // that its mapping may use, in order
};

// Reads what stands under `mqtt:`, `http_poll:` and so on; `kind` is one of kConnectorNames. Paths
// of files are taken from the folder of the file. Nothing after reported mistakes.
std::optional<LoadedConnector> load_connector(std::string_view kind, const YamlNode& node,
                                              std::string_view source_name, Mistakes& mistakes);

}  // namespace ficus::connect
