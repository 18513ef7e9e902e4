#pragma once

#include "base/strong_id.h"

namespace ficus::rules {

using RuleId = StrongId<struct RuleTag>;  // a rule of one RuleBook: its position there

}  // namespace ficus::rules
