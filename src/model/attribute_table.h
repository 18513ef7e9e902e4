#pragma once

#include <span>

#include "model/schema.h"

namespace ficus {

// One attribute of a type that the brain itself writes: `place` is where its id goes.
template <typename Attributes>
struct AttributeRow {
  AttributeId Attributes::* place;
  const char* name;
  ValueKind kind;
  const char* label_zh;
  const char* label_en;
};

// Declares the attributes of `type` and puts their ids into `out`.
template <typename Attributes>
Status declare_attributes(Schema& schema, TypeId type,
                          std::span<const AttributeRow<Attributes>> table, Attributes& out) {
  for (const AttributeRow<Attributes>& row : table) {
    AttributeInfo info;
    info.name = row.name;
    info.kind = row.kind;
    info.label_zh = row.label_zh;
    info.label_en = row.label_en;
    FICUS_TRY(out.*row.place, schema.declare_attribute(type, info));
  }
  return {};
}

}  // namespace ficus
