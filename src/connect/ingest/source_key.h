#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/mapping/sources_file.h"

namespace ficus::connect {

// Under what key an item of POST /ingest/{source} is known: with the parameters that are
// placeholders, so that it can be mapped again from the key and its bytes.
std::string http_key(const SourceDeclaration& source, const std::vector<std::string>& values);

// The values of the source's placeholders, as the key of a message (MappingInput::key) tells them.
// Nothing if the key does not fit the source.
std::optional<std::vector<std::string>> placeholders_of(const SourceDeclaration& source,
                                                        std::string_view key);

}  // namespace ficus::connect
