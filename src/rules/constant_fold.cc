#include "rules/constant_fold.h"

#include <algorithm>
#include <string>

#include "rules/machine.h"
#include "rules/planner.h"

namespace ficus::rules {
namespace {

bool is_foldable(const Bound& bound) {
  switch (bound.op) {
    case Opcode::constant:
    case Opcode::column:
    case Opcode::held:
    case Opcode::absent:
      return false;
    default:
      return std::all_of(bound.args.begin(), bound.args.end(),
                         [](const BoundPtr& arg) { return arg == nullptr || arg->is_constant(); });
  }
}

Constant value_of(const Lane& lane, Kind kind) {
  Constant constant;
  constant.is_null = *lane.ok != kOkValue;
  if (constant.is_null) return constant;
  switch (kind) {
    case Kind::null:
    case Kind::zone:
      break;
    case Kind::boolean:
      constant.number = *lane.as<std::uint8_t>();
      break;
    case Kind::integer:
    case Kind::number:
      constant.number = *lane.as<double>();
      break;
    case Kind::text:
      constant.text = *lane.as<std::string_view>();
      break;
    case Kind::time:
    case Kind::interval:
      constant.micros = lane.as<Timestamp>()->micros;
      break;
    case Kind::point:
      constant.point = *lane.as<GeoPoint>();
      break;
  }
  return constant;
}

}  // namespace

Parsed<void> fold_constants(BoundPtr& bound) {
  // A zone is not a value, and a fold must not depend on the map.
  if (!is_foldable(*bound) || bound->op == Opcode::within) return {};
  const Bound* expression = bound.get();
  const Program program = plan({&expression, 1}, false);
  const ZoneSet no_zones;
  const RowsView no_rows;
  Machine machine(no_zones);
  machine.use(no_rows);
  machine.run(program, 0, 1);
  const Lane lane = machine.result(program, 0);
  if ((*lane.ok & kOkFailed) != 0) {
    return problem_at(machine.failure_at(), std::string(machine.failure()));
  }
  auto folded = std::make_unique<Bound>();
  folded->kind = bound->kind;
  folded->at = bound->at;
  folded->constant = value_of(lane, bound->kind);
  bound = std::move(folded);
  return {};
}

}  // namespace ficus::rules
