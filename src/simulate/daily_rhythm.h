#pragma once

#include "base/time.h"

namespace ficus::simulate {

// The hour of the day in China (UTC+8, no summer time), 0 <= hour < 24.
double local_hour(Timestamp now);
// How much traffic there is: 0.1 deep in the night, 1 in both rush hours.
double traffic_share(Timestamp now);
// How warm the day is, from -1 before sunrise to 1 in the afternoon.
double warmth(Timestamp now);
// How much water is drawn: peaks at breakfast and dinner.
double water_share(Timestamp now);

}  // namespace ficus::simulate
