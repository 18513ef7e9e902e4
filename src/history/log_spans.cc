#include "history/log_spans.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace ficus::history {
namespace {

std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

using Stretches = std::vector<LogStretch>;

std::size_t shard_count(const LogSpans& spans) {
  std::size_t count = 0;
  for (const LogSpan& span : spans) count = std::max(count, span.until.size());
  return count;
}

// The first stretch of every shard, then the second, and so on; a shard that has fewer gets empty
// ones.
LogSpans spans_from(const std::vector<Stretches>& shards) {
  std::size_t count = 0;
  for (const Stretches& stretches : shards) count = std::max(count, stretches.size());
  LogSpans spans(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (const Stretches& stretches : shards) {
      const std::uint64_t last = stretches.empty() ? 0 : stretches.back().until;
      const bool is_there = i < stretches.size();
      spans[i].after.push_back(is_there ? stretches[i].after : last);
      spans[i].until.push_back(is_there ? stretches[i].until : last);
    }
  }
  return spans;
}

}  // namespace

bool covers(const LogSpans& spans, std::size_t shard, std::uint64_t position) {
  return position > 0 && covers(spans, shard, position - 1, position);
}

bool covers(const LogSpans& spans, std::size_t shard, std::uint64_t after, std::uint64_t until) {
  return std::any_of(spans.begin(), spans.end(), [&](const LogSpan& span) {
    return shard < span.until.size() && span.after[shard] <= after && until <= span.until[shard];
  });
}

LogSpans joined(const LogSpans& spans, const LogSpans& more) {
  LogSpans all = spans;
  all.insert(all.end(), more.begin(), more.end());
  std::vector<Stretches> shards;
  for (std::size_t shard = 0; shard < shard_count(all); ++shard) {
    shards.push_back(stretches_of(all, shard));
  }
  return spans_from(shards);
}

LogSpans without(const LogSpans& spans, const LogSpans& what) {
  std::vector<Stretches> shards;
  for (std::size_t shard = 0; shard < shard_count(spans); ++shard) {
    Stretches& left = shards.emplace_back();
    const Stretches gone = stretches_of(what, shard);
    for (LogStretch stretch : stretches_of(spans, shard)) {
      for (const LogStretch& hole : gone) {
        if (hole.until <= stretch.after || hole.after >= stretch.until) continue;
        if (hole.after > stretch.after) left.push_back({stretch.after, hole.after});
        stretch.after = std::min(hole.until, stretch.until);
      }
      if (stretch.after < stretch.until) left.push_back(stretch);
    }
  }
  return spans_from(shards);
}

LogSpans common(const LogSpans& spans, const LogSpans& what) {
  return without(spans, without(spans, what));
}

LogSpans span_of(std::size_t shard, std::uint64_t after, std::uint64_t until) {
  LogSpan span{std::vector<std::uint64_t>(shard + 1), std::vector<std::uint64_t>(shard + 1)};
  span.after[shard] = after;
  span.until[shard] = until;
  return {std::move(span)};
}

std::vector<LogStretch> stretches_of(const LogSpans& spans, std::size_t shard) {
  Stretches all;
  for (const LogSpan& span : spans) {
    if (shard < span.until.size() && span.after[shard] < span.until[shard]) {
      all.push_back({span.after[shard], span.until[shard]});
    }
  }
  std::sort(all.begin(), all.end(),
            [](const LogStretch& a, const LogStretch& b) { return a.after < b.after; });
  Stretches out;
  for (const LogStretch& stretch : all) {
    if (!out.empty() && stretch.after <= out.back().until) {
      out.back().until = std::max(out.back().until, stretch.until);
    } else {
      out.push_back(stretch);
    }
  }
  return out;
}

std::string spans_text(const LogSpans& spans) {
  std::string text;
  for (const LogSpan& span : spans) {
    if (!text.empty()) text += ';';
    for (std::size_t shard = 0; shard < span.until.size(); ++shard) {
      text += fmt::format("{}{}-{}", shard > 0 ? "," : "", span.after[shard], span.until[shard]);
    }
  }
  return text;
}

Result<LogSpans> spans_of(std::string_view text) {
  LogSpans spans;
  const auto bad = [] {
    return fail(ErrorCode::corrupt, "the stretches of the log that its rows come from are unclear");
  };
  while (!text.empty()) {
    LogSpan& span = spans.emplace_back();
    do {
      const std::optional<std::uint64_t> after = take_number(text);
      if (!after || !take(text, '-')) return bad();
      const std::optional<std::uint64_t> until = take_number(text);
      if (!until || *until < *after) return bad();
      span.after.push_back(*after);
      span.until.push_back(*until);
    } while (take(text, ','));
    if (text.empty()) break;
    if (!take(text, ';') || text.empty()) return bad();
  }
  return spans;
}

}  // namespace ficus::history
