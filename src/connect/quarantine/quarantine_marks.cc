#include "connect/quarantine/quarantine_marks.h"

namespace ficus::connect {

Result<QuarantineMarks> QuarantineMarks::declare(Schema& schema) {
  QuarantineMarks marks;
  FICUS_TRY(marks.type, schema.intern_type("QuarantineMark"));
  FICUS_TRY(marks.item, schema.intern_attribute(marks.type, "item", ValueKind::text));
  FICUS_TRY(marks.outcome, schema.intern_attribute(marks.type, "outcome", ValueKind::text));
  FICUS_TRY(marks.by, schema.intern_attribute(marks.type, "by", ValueKind::text));
  return marks;
}

std::string QuarantineMarks::id(std::string_view item_id) {
  return "urn:ngsi-ld:QuarantineMark:" + std::string(item_id);
}

ObservationBatch QuarantineMarks::row(std::string_view item_id, std::string_view outcome_name,
                                      std::string_view by_whom, Timestamp now) const {
  ObservationBatch batch(type);
  batch.begin_row(id(item_id), now);
  batch.set_text(item, ValueKind::text, item_id);
  batch.set_text(outcome, ValueKind::text, outcome_name);
  batch.set_text(by, ValueKind::text, by_whom);
  batch.finish();
  return batch;
}

std::string QuarantineMarks::outcome_of(const twin::EntityView& entity) const {
  const twin::AttributeView* const found = entity.find(outcome);
  return found == nullptr ? std::string() : std::string(found->value.as_text());
}

}  // namespace ficus::connect
