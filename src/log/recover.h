#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "log/position.h"

namespace ficus::log {

struct RecoverOptions {
  // Everything before this is known from elsewhere to have been synced: the position of the newest
  // snapshot, or the one the history has applied. A log that ends or is damaged before it is
  // corrupt, not torn.
  Position known_durable = {};
  // Segments that end at or before this are only checked for their header and length, not record by
  // record: whoever replays from a snapshot need not read what the snapshot covers. `check` reads
  // all.
  Position verify_from = {};
};

// What recover() found and did; LogWriter::open goes on from here.
struct Recovered {
  Position begin;                  // of the oldest record still there
  Position end;                    // of the newest; all before it is synced
  std::vector<Position> segments;  // where each begins; empty for a new log
  std::uint32_t salt = 0;          // of the newest segment
  std::uint64_t records_verified = 0;
  std::uint64_t bytes_cut = 0;  // of a torn tail, over all files
  std::uint64_t segments_removed = 0;
  std::string cut_reason;  // file, offset, expected and found; empty if nothing was cut
};

// Makes the log in `directory` (created if missing) ready to be appended to. REQUIRES: nobody else
// uses it.
//
// The rule. A record that does not check out, a gap or surplus between segments is *damage* at its
// position. Damage is a torn tail if no valid record (nor segment header) behind it says, in its
// `durable` field, that the damaged place had been synced, and `known_durable` is not behind it
// either. A crash can leave this: zeros, a cut record, later pages written while earlier ones are
// missing. The tail is then cut off at the damage and reported. Otherwise something acknowledged
// was destroyed: ErrorCode::corrupt, naming file, offset, what was expected and found, and the
// witness; nothing is changed. Never is a record dropped silently from the middle, and never is one
// accepted that was not written there.
//
// A device that cannot be read is an error too, not a torn tail.
Result<Recovered> recover(Disk& disk, const std::string& directory,
                          const RecoverOptions& options = {});

}  // namespace ficus::log
