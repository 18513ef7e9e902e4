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
// Both; what touches becomes one.
LogSpans joined(const LogSpans& spans, const LogSpans& more);
// What the one has and the other has not; what both have.
LogSpans without(const LogSpans& spans, const LogSpans& what);
LogSpans common(const LogSpans& spans, const LogSpans& what);
// A stretch of one shard.
LogSpans span_of(std::size_t shard, std::uint64_t after, std::uint64_t until);

struct LogStretch {
  std::uint64_t after = 0;
  std::uint64_t until = 0;
};
// Those of one shard, in order, apart from each other, none of them empty.
std::vector<LogStretch> stretches_of(const LogSpans& spans, std::size_t shard);

// "0-120,0-80;120-300,80-90": a stretch each, a shard each.
std::string spans_text(const LogSpans& spans);
Result<LogSpans> spans_of(std::string_view text);

}  // namespace ficus::history
