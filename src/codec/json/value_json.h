#pragma once

#include "codec/json/json_writer.h"
#include "model/observation_batch.h"
#include "model/schema.h"
#include "model/value.h"

namespace ficus::json {

// A value as NGSI-LD writes it (ETSI GS CIM 009, 4.5): a time as ISO 8601 text, a point as a
// GeoJSON Point, a relationship as its URI, structured values as they are, no value as null.
void write_value(const Value& value, JsonWriter& out);

// One row in the simplified representation (ETSI GS CIM 009, 4.5.4, "keyValues"):
// {"id":...,"type":...,"speed":3.5,...,"observedAt":...}; attributes the row does not carry are
// left out.
void write_row(const ObservationBatch& rows, std::size_t row, const Schema& schema,
               JsonWriter& out);

}  // namespace ficus::json
