#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "log/position.h"

// The segment files of a log, for those who copy them.
namespace ficus::log {

std::string segment_path(std::string_view directory, Position first);
// Where the segments begin, ascending.
Result<std::vector<Position>> list_segments(Disk& disk, const std::string& directory);
// How long the segment that begins at `first` is when its last record ends at `end`.
std::uint64_t segment_file_bytes(Position first, Position end);

}  // namespace ficus::log
