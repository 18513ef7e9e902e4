#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "log/format.h"

// One pass over all segments, shared by recover() and check(). Internal to this module.
namespace ficus::log {

// The first place where the log is not as it should be.
struct Damage {
  Position position;
  std::size_t segment = 0;  // index into Scan::segments
  std::string file;
  std::uint64_t file_offset = 0;
  Fault fault;
};

// A valid record or segment header behind the damage that speaks for the damaged place.
struct Witness {
  std::string file;
  Position position;
  Position durable;
};

struct Scan {
  std::vector<Position> segments;
  Position end;  // of the last sound record before any damage
  std::optional<std::uint32_t> salt;
  Position durable;  // the furthest that a sound record or header says was synced
  std::uint64_t records = 0;
  std::optional<Damage> damage;
};

// Shows every sound record before the first damage to `visitor`, marks included. Segments that end
// at or before `verify_from` are only checked for header and length, if these are right.
Result<Scan> scan(Disk& disk, const std::string& directory, Position verify_from,
                  RecordVisitor& visitor);

// REQUIRES: scan.damage.
Result<std::optional<Witness>> find_witness(Disk& disk, const std::string& directory,
                                            const Scan& scan);

// Refuses damage that no crash can explain (the rule is in recover.h). REQUIRES: scan.damage.
Status require_torn(Disk& disk, const std::string& directory, const Scan& scan,
                    Position known_durable);

// From the damage to the end of the last file. REQUIRES: scan.damage.
Result<std::uint64_t> bytes_behind(Disk& disk, const std::string& directory, const Scan& scan);

// "FILE at offset 40 (position 0): checksum: expected 1, found 2".
std::string describe(const Damage& damage);
// The error of damage that is not a torn tail.
std::unexpected<Error> corrupt(const Damage& damage, const std::string& proof);
std::string describe(const Witness& witness);

}  // namespace ficus::log
