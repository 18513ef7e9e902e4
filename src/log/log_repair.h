#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/time.h"
#include "log/position.h"
#include "log/record.h"

namespace ficus::log {

struct RepairOptions {
  bool dry_run = false;
  // Gives up every record behind the newest sound snapshot, for a log whose records can be read but
  // not understood.
  bool from_snapshot = false;
  // As in RecoverOptions: up to where the history has applied the log. Positions up to there are
  // not used again.
  Position known_durable = {};
};

// Records from `begin` to `end` that are gone.
struct LostRange {
  std::string file;
  Position begin;
  Position end;
  std::string reason = {};    // what is wrong at `begin`
  std::uint64_t records = 0;  // of those, how many could be told apart; shown to the visitor
  std::optional<Timestamp> before =
      {};  // time of the last sound record in front of it, if there is one
  std::optional<Timestamp> after = {};  // of the first behind it
  bool is_covered = false;              // a snapshot holds what they did: the present lacks nothing
};

struct RepairReport {
  Position snapshot;  // the newest sound one; 0: none
  bool has_snapshot = false;
  Position begin;
  Position end;
  std::vector<LostRange> lost;
  std::vector<std::string> set_aside;  // "FILE, kept as NAME": never deleted
  std::uint64_t torn_bytes = 0;  // of a tail that was never acknowledged: cut at the next start
  std::string torn_reason;

  bool changes_anything() const { return !set_aside.empty() || !lost.empty(); }
};

// Makes a log that recover() refuses one that it accepts, and says exactly what is lost by it.
// Every record that can be read is kept, in front of the damage and behind it. In place of what
// cannot, a record of kind kLost takes the same positions, so that all others stay where they were
// and what history and snapshots remember stays true. A damaged file is not changed: it is set
// aside as
// "<name>.damaged" and a copy takes its place. Damaged snapshots are set aside, too.
//
// `lost` is shown what can still be made out of the records that are gone: the header is sound, the
// payload may not be.
//
// A repair that was interrupted is finished by the next; until then recover() refuses the log.
// REQUIRES: nobody else uses the log.
Result<RepairReport> repair(Disk& disk, const std::string& directory, const RepairOptions& options,
                            RecordVisitor& lost);

// Name of a copy that has not yet taken its place.
constexpr std::string_view kRepairedSuffix = ".repaired";

}  // namespace ficus::log
