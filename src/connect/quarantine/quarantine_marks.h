#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/observation_batch.h"
#include "model/schema.h"
#include "twin/query.h"

namespace ficus::connect {

// What was decided about a quarantined item, as an entity of the type QuarantineMark: a fact in the
// log like all else, so that nothing is replayed twice. The item itself stays in history until its
// retention ends.
struct QuarantineMarks {
  TypeId type;
  AttributeId item, outcome, by;

  static constexpr std::string_view kReplayed = "replayed";
  static constexpr std::string_view kDropped = "dropped";

  static Result<QuarantineMarks> declare(Schema& schema);

  static std::string id(std::string_view item_id);
  ObservationBatch row(std::string_view item_id, std::string_view outcome_name,
                       std::string_view by_whom, Timestamp now) const;
  // "" if the entity carries none.
  std::string outcome_of(const twin::EntityView& entity) const;
};

}  // namespace ficus::connect
