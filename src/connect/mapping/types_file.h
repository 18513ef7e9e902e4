#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/label.h"
#include "model/schema.h"

namespace ficus::connect {

struct TypeDeclaration {
  std::string name;
  TypeId id;
  Label label;
};

// A pack's types.yaml: which entity types there are, how they are called, and each attribute's
// kind, unit, decimals and labels. The attributes are declared in the schema; what the schema
// cannot hold stays here.
struct TypesFile {
  std::vector<TypeDeclaration> types;

  // Declares everything in `schema`. All mistakes of the file are reported in one error, one a
  // line: "types.yaml:4:9: expected ...". `file` is the name to use in messages.
  static Result<TypesFile> load(std::string_view text, std::string_view file, Schema& schema);
};

}  // namespace ficus::connect
