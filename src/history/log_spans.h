#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ficus::history {

// A stretch of every shard's log: the records that end behind `after` and at `until` or before.
struct LogSpan {
  std::vector<std::uint64_t> after;  // index: shard
  std::vector<std::uint64_t> until;
};

// Where the rows of a sealed file come from: it has all rows of its type of these stretches. So a
// row that the log gives again is in the file exactly if its record lies in one of them.
using LogSpans = std::vector<LogSpan>;

bool covers(const LogSpans& spans, std::size_t shard, std::uint64_t position);
// Does one of them hold everything between the two positions?
bool covers(const LogSpans& spans, std::size_t shard, std::uint64_t after, std::uint64_t until);
// Both; neighbours become one.
LogSpans joined(LogSpans spans, const LogSpans& more);

// "0-120,0-80;120-300,80-90": a stretch each, a shard each.
std::string spans_text(const LogSpans& spans);
Result<LogSpans> spans_of(std::string_view text);

}  // namespace ficus::history
