#pragma once

#include "model.h"
#include "sim_brain.h"

namespace ficus::sim {

// What must hold when everything has come to rest; each breach is reported.

// Nothing acknowledged is lost, nothing is there twice, nothing that nobody sent.
void check_history(const Model& model, const HistoryStore& history, Micros now, Report& report);
// The same for what ships said, which nobody acknowledges: what was taken is there once.
void check_sightings(const Model& model, const HistoryStore& history, Micros now, Report& report);
// Alerts follow from the accepted rows, each step of each exactly once.
void check_alerts(const Model& model, const HistoryStore& history, Micros now, Report& report);
// received = applied + late + duplicate + quarantined + refused, and the parts are what they say.
void check_books(const std::map<std::string, SourceBooks, std::less<>>& books, const Model& model,
                 const HistoryStore& history, Micros now, Report& report);
// The present is the newest of what was accepted, by the time of observation.
void check_present(SimBrain& brain, const HistoryStore& history, Micros now, Report& report);
// Every message reached everyone it was owed to.
void check_messages(const Model& model, Micros now, Report& report);
// The views rebuilt from each snapshot and, if it is whole, from the log's begin are the same.
// REQUIRES: no process runs. Disks that hold damage are not looked at.
void check_views(const SimDisk& disk, const BrainOptions& options, const Clock& clock, Micros now,
                 Report& report);

}  // namespace ficus::sim
