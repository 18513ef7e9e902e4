#pragma once

#include "codec/json/json_writer.h"
#include "model/schema.h"
#include "twin/query.h"

namespace ficus::api {

enum class EntityForm : std::uint8_t {
  normalized,  // ETSI GS CIM 009, 4.5.2: {"speed":{"type":"Property","value":3,"observedAt":...}}
  key_values,  // 4.5.4: {"speed":3}, and "observedAt" of the newest attribute
};

void write_entity(const twin::EntityView& entity, const Schema& schema, EntityForm form,
                  json::JsonWriter& out);

}  // namespace ficus::api
