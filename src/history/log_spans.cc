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

}  // namespace

bool covers(const LogSpans& spans, std::size_t shard, std::uint64_t position) {
  return position > 0 && covers(spans, shard, position - 1, position);
}

bool covers(const LogSpans& spans, std::size_t shard, std::uint64_t after, std::uint64_t until) {
  return std::any_of(spans.begin(), spans.end(), [&](const LogSpan& span) {
    return shard < span.until.size() && span.after[shard] <= after && until <= span.until[shard];
  });
}

LogSpans joined(LogSpans spans, const LogSpans& more) {
  spans.insert(spans.end(), more.begin(), more.end());
  std::sort(spans.begin(), spans.end(),
            [](const LogSpan& a, const LogSpan& b) { return a.until < b.until; });
  LogSpans out;
  for (LogSpan& span : spans) {
    if (!out.empty() && out.back().until == span.after) {
      out.back().until = std::move(span.until);
    } else {
      out.push_back(std::move(span));
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
