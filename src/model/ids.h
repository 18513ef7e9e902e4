#pragma once

#include "base/strong_id.h"

namespace ficus {

using TypeId = StrongId<struct TypeTag>;  // an entity type; process-wide (schema.h)
using AttributeId =
    StrongId<struct AttributeTag>;            // an attribute of one type: its column number there
using EntityId = StrongId<struct EntityTag>;  // an entity of one shard: its row in the shard's twin
using SourceId = StrongId<struct SourceTag>;  // where data comes from; process-wide
using ZoneId = StrongId<struct ZoneTag>;      // a named polygon; process-wide (zone_set.h)

}  // namespace ficus
