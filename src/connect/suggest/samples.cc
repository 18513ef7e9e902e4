#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "codec/json/json_reader.h"
#include "connect/client/body_items.h"
#include "connect/suggest/suggest.h"

namespace ficus::connect {
namespace {

constexpr std::size_t kTextBytesMax = std::size_t{64} << 20;

bool is_json(std::string_view text) {
  json::JsonDocument document;
  const auto root = document.parse(text);
  return root && (root->kind() == json::JsonKind::object || root->kind() == json::JsonKind::array);
}

void read_lines(const std::string& text, std::size_t samples_max, Samples& out) {
  json::JsonDocument document;
  for (std::size_t at = 0; at < text.size() && out.payloads.size() < samples_max;) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (document.parse(line)) {
      out.payloads.emplace_back(line);
    } else {
      ++out.damaged;
    }
  }
}

// The delimiter that the first line has most of.
char delimiter_of(std::string_view line) {
  char best = ',';
  std::ptrdiff_t most = 0;
  for (const char candidate : {',', ';', '\t', '|'}) {
    const std::ptrdiff_t count = std::count(line.begin(), line.end(), candidate);
    if (count > most) {
      most = count;
      best = candidate;
    }
  }
  return best;
}

Result<Samples> read_csv(std::string text, std::size_t samples_max) {
  Samples out;
  out.format = BodyFormat::csv;
  const std::string_view first = std::string_view(text).substr(0, text.find('\n'));
  out.csv.delimiter = delimiter_of(first);
  if (!is_valid_utf8(text)) {
    out.csv.encoding = csv::TextEncoding::gb18030;
    if (out.csv.delimiter == '|') return invalid("neither UTF-8 nor CSV in GB18030");
  }
  FICUS_TRY(BodyItems items, BodyItems::open(std::move(text), BodyFormat::csv, out.csv));
  while (out.payloads.size() < samples_max) {
    const auto item = items.next();
    if (!item) break;
    if (item->problem.empty()) {
      out.payloads.emplace_back(item->payload);
    } else {
      ++out.damaged;
    }
  }
  return out;
}

}  // namespace

Result<Samples> read_samples(std::string text, std::size_t samples_max) {
  if (text.size() > kTextBytesMax) {
    return invalid(fmt::format("the samples are larger than {} bytes: some thousand are enough",
                               kTextBytesMax));
  }
  const std::size_t begin = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (begin == std::string::npos) return invalid("there are no samples: the input is empty");
  const bool looks_like_json = text[begin] == '{' || text[begin] == '[';
  if (looks_like_json) {
    Samples out;
    if (is_json(text)) {
      out.payloads.push_back(std::move(text));
      return out;
    }
    out.format = BodyFormat::lines;
    read_lines(text, samples_max, out);
    if (out.payloads.size() > out.damaged) return out;
    return invalid("the samples begin like JSON, but neither the whole nor its lines are JSON");
  }
  if (text.find('\n') == std::string::npos) {
    return invalid("expected JSON, JSON line by line, or CSV with a line of names");
  }
  auto out = read_csv(std::move(text), samples_max);
  if (!out) return out;
  if (out->payloads.empty() || out->damaged > out->payloads.size()) {
    return invalid("expected JSON, JSON line by line, or CSV with a line of names");
  }
  return out;
}

}  // namespace ficus::connect
