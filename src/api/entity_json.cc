#include "api/entity_json.h"

#include <algorithm>

#include "codec/json/value_json.h"

namespace ficus::api {
namespace {

void write_normalized(const twin::AttributeView& attribute, const AttributeInfo& info,
                      json::JsonWriter& out) {
  out.key(info.name).begin_object();
  switch (attribute.value.kind()) {
    case ValueKind::relationship:
      out.key("type").text("Relationship").key("object");
      break;
    case ValueKind::point:
    case ValueKind::geometry:
      out.key("type").text("GeoProperty").key("value");
      break;
    case ValueKind::none:
    case ValueKind::boolean:
    case ValueKind::number:
    case ValueKind::time:
    case ValueKind::text:
    case ValueKind::json:
      out.key("type").text("Property").key("value");
      break;
  }
  if (attribute.value.kind() == ValueKind::time) {
    // A DateTime value says that it is one (ETSI GS CIM 009, 4.6.3).
    out.begin_object().key("@type").text("DateTime").key("@value");
    json::write_value(attribute.value, out);
    out.end_object();
  } else {
    json::write_value(attribute.value, out);
  }
  out.key("observedAt").time(attribute.observed_at);
  if (!info.unit_code.empty()) out.key("unitCode").text(info.unit_code);
  out.end_object();
}

}  // namespace

void write_entity(const twin::EntityView& entity, const Schema& schema, EntityForm form,
                  json::JsonWriter& out) {
  out.begin_object();
  out.key("id").text(entity.id).key("type").text(schema.type_name(entity.type));
  Timestamp newest = Timestamp::min();
  for (const twin::AttributeView& attribute : entity.attributes) {
    newest = std::max(newest, attribute.observed_at);
    if (form == EntityForm::normalized) {
      write_normalized(attribute, schema.attribute(entity.type, attribute.attribute), out);
    } else {
      out.key(schema.attribute_name(entity.type, attribute.attribute));
      json::write_value(attribute.value, out);
    }
  }
  if (form == EntityForm::key_values && newest != Timestamp::min()) {
    out.key("observedAt").time(newest);
  }
  out.end_object();
}

}  // namespace ficus::api
