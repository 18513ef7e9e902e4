#pragma once

#include <string>
#include <vector>

#include "connect/mapping/types_file.h"

namespace ficus::api {

struct Department {
  std::string name;  // as alerts name it
  std::string name_en;
};

// What packs say about the city and what does not change while the brain runs.
struct Catalog {
  std::vector<connect::TypeDeclaration> types;
  std::vector<Department> departments;
  std::string zones_geojson = R"({"type":"FeatureCollection","features":[]})";
  std::string map_geojson = R"({"type":"FeatureCollection","features":[]})";
  std::string version;
};

}  // namespace ficus::api
