#include "connect/suggest/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "codec/json/json_reader.h"
#include "connect/mapping/sources_file.h"
#include "connect/mapping/types_file.h"
#include "connect/suggest/attributes.h"
#include "connect/suggest/roles.h"
#include "connect/suggest/words.h"

namespace ficus::connect {
namespace {

using suggest::Profile;
using suggest::Shape;

constexpr std::size_t kReasonsMax = 8;
constexpr std::size_t kCommentBytesMax = 160;

// One line, whatever the samples hold.
std::string comment(std::string_view indent, std::string_view text) {
  std::string out = fmt::format("{}# ", indent);
  const std::size_t begin = out.size();
  for (const char c : text) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  if (out.size() - begin > kCommentBytesMax * 2) {
    std::size_t end = begin + kCommentBytesMax * 2;
    while (end > begin && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80U) --end;
    out.resize(end);
    out += "...";
  }
  return out + "\n";
}

std::string comments(std::string_view indent, const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += comment(indent, line);
  return out;
}

// A type that the attributes speak for.
std::string type_by_content(const Shape& shape) {
  std::set<std::string> words;
  for (const suggest::Leaf& leaf : shape.leaves) words.insert(leaf.words.begin(), leaf.words.end());
  const auto has = [&](const char* word) { return words.contains(word); };
  if (has("pm25") || has("pm10")) return "AirQualityObserved";
  if ((has("occupied") || has("occupancy") || has("free")) &&
      (has("capacity") || has("park") || has("lot"))) {
    return "OffStreetParking";
  }
  if (has("speed") && (has("heading") || has("plate") || has("vehicle") || has("lon"))) {
    return "Vehicle";
  }
  if (has("laeq") || has("noise")) return "NoiseLevelObserved";
  if (has("temperature") && has("humidity")) return "WeatherObserved";
  if (has("flow") || has("pump")) return "WaterPump";
  return "";
}

std::string constant_text(const Shape& shape, std::string_view name) {
  for (const suggest::Leaf& leaf : shape.leaves) {
    const Profile& p = *leaf.profile;
    const bool is_constant = !leaf.is_outer && leaf.path == fmt::format("$.{}", name) &&
                             p.texts == p.seen && p.distinct.size() == 1 && !p.has_more_distinct;
    if (is_constant) return p.distinct.begin()->first;
  }
  return "";
}

std::string last_fixed_level(const std::string& topic) {
  std::string found;
  for (std::size_t at = 0; at < topic.size();) {
    const std::size_t end = std::min(topic.find('/', at), topic.size());
    const std::string level = topic.substr(at, end - at);
    if (level.find_first_of("{+#") == std::string::npos && !level.empty()) found = level;
    at = end + 1;
  }
  return found;
}

std::string choose_type(const Shape& shape, const SuggestOptions& options) {
  for (const std::string& candidate :
       {options.type, suggest::type_name(constant_text(shape, "type")), type_by_content(shape),
        suggest::type_name(last_fixed_level(options.topic)), suggest::type_name(shape.item_name)}) {
    if (!is_valid_name(candidate)) continue;
    // The brain writes these itself, with attributes of its own.
    static constexpr std::array<std::string_view, 8> kOwn{
        "Alert",       "Vessel",       "AisBaseStation", "AidToNavigation",
        "SarAircraft", "FileProgress", "QuarantineMark", "AuditEvent"};
    const bool is_own = std::ranges::find(kOwn, candidate) != kOwn.end();
    return is_own && candidate != options.type ? candidate + "Received" : candidate;
  }
  return "Thing";
}

// A short name for the source: AirQualityObserved -> air-quality-observed.
std::string source_name(const SuggestOptions& options, const std::string& type) {
  if (!options.name.empty()) return options.name;
  std::string out;
  for (const std::string& word : suggest::words_of(type)) out += (out.empty() ? "" : "-") + word;
  return out.empty() ? "source" : out.substr(0, 60);
}

std::string csv_yaml(const CsvFormat& csv) {
  std::string out;
  if (csv.delimiter != ',') {
    out +=
        fmt::format("delimiter: {}", csv.delimiter == '\t' ? std::string("tab")
                                                           : fmt::format("\"{}\"", csv.delimiter));
  }
  if (csv.encoding == csv::TextEncoding::gb18030) {
    out += std::string(out.empty() ? "" : ", ") + "encoding: GB18030";
  }
  return out.empty() ? "" : ", csv: {" + out + "}";
}

std::string connector_yaml(const Samples& samples, const SuggestOptions& options) {
  if (!options.topic.empty()) {
    return fmt::format("    mqtt: {{topic: {}}}\n", suggest::quoted_yaml(options.topic));
  }
  const bool is_csv = samples.format == BodyFormat::csv;
  if (!options.url.empty()) {
    const char* body = is_csv                                ? ", body: csv"
                       : samples.format == BodyFormat::lines ? ", body: lines"
                                                             : "";
    return fmt::format("    http_poll: {{url: {}, every: 60s{}{}}}\n",
                       suggest::quoted_yaml(options.url), body,
                       is_csv ? csv_yaml(samples.csv) : "");
  }
  if (!is_csv) return "    http: {}\n";
  return comment("    ", fmt::format("for files: files: {{folder: FOLDER{}}} instead of http",
                                     csv_yaml(samples.csv))) +
         "    http: {}\n";
}

class Proposal {
 public:
  Proposal(const Samples& samples, const SuggestOptions& options, Shape shape,
           std::vector<std::string> places)
      : samples_(samples),
        options_(options),
        shape_(std::move(shape)),
        places_(std::move(places)),
        type_(choose_type(shape_, options)) {}

  void write(Suggestion& out) {
    // Positions first: their numbers could pass for ids.
    const std::vector<suggest::PointRole> points = suggest::find_points(shape_);
    const bool is_in_china = speaks_chinese() || std::ranges::any_of(points, [](const auto& p) {
                               return p.is_in_china;
                             });
    const suggest::TimeRole time = suggest::find_time(shape_, options_.zone, is_in_china);
    suggest::IdRole id = suggest::find_id(shape_, places_);
    const std::string zone = !options_.zone.empty() ? options_.zone
                             : is_in_china          ? "Asia/Shanghai"
                                                    : "UTC";
    const std::vector<suggest::AttributeRole> attributes =
        suggest::find_attributes(shape_, points, zone);
    write_types(points, attributes, out.types_yaml);
    write_source(points, time, id, attributes, out.sources_yaml);
  }

 private:
  bool speaks_chinese() const {
    for (const suggest::Leaf& leaf : shape_.leaves) {
      for (const char c : leaf.name) {
        // The lead bytes of U+4E00 to U+9FFF.
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0xe4 && byte <= 0xe9) return true;
      }
    }
    return false;
  }

  void write_types(const std::vector<suggest::PointRole>& points,
                   const std::vector<suggest::AttributeRole>& attributes, std::string& out) const {
    out = comment("", fmt::format("proposed from {} samples by 'ficus source suggest': look at "
                                  "every CHECK",
                                  samples_.payloads.size()));
    out += fmt::format("types:\n  {}:\n    label: {{zh: {}, en: {}}}\n", type_,
                       suggest::quoted_yaml(type_), suggest::quoted_yaml(type_));
    if (points.empty() && attributes.empty()) return;
    out += "    attributes:\n";
    for (const suggest::PointRole& point : points) {
      out += fmt::format("      {}: {{kind: point, decimals: 6}}\n", point.name);
    }
    for (const suggest::AttributeRole& attribute : attributes) {
      out += fmt::format(
          "      {}: {{kind: {}{}{}}}\n", attribute.name, attribute.kind,
          attribute.unit.empty() ? "" : ", unit: " + suggest::quoted_yaml(attribute.unit),
          attribute.label.empty() ? "" : ", label: " + suggest::quoted_yaml(attribute.label));
    }
  }

  void write_source(const std::vector<suggest::PointRole>& points, const suggest::TimeRole& time,
                    const suggest::IdRole& id,
                    const std::vector<suggest::AttributeRole>& attributes, std::string& out) const {
    out = comment("",
                  "proposed by 'ficus source suggest'; 'ficus check' and 'ficus source try' "
                  "tell whether it still fits after a change");
    out += fmt::format("sources:\n  - name: {}\n", source_name(options_, type_));
    out += connector_yaml(samples_, options_);
    out += "    map:\n";
    constexpr std::string_view kIndent = "      ";
    if (!shape_.remark.empty()) out += comment(kIndent, shape_.remark);
    if (!shape_.items.empty()) {
      out += fmt::format("{}items: {}\n", kIndent, suggest::quoted_yaml(shape_.items));
    }
    out += fmt::format("{}type: {}\n", kIndent, type_);
    out += comments(kIndent, id.comments);
    const std::string prefix = id.is_whole_uri ? "" : "urn:ngsi-ld:" + type_ + ":";
    out += fmt::format("{}id: {}\n", kIndent,
                       suggest::quoted_yaml(prefix + (id.text.empty() ? "one" : id.text)));
    out += comments(kIndent, time.comments);
    out += fmt::format("{}observed_at: {}\n", kIndent, time.yaml);
    for (const std::string& place : shape_.left_out) out += comment(kIndent, "left out: " + place);
    if (points.empty() && attributes.empty()) {
      out += fmt::format("{}attributes: {{}}\n", kIndent);
      return;
    }
    out += fmt::format("{}attributes:\n", kIndent);
    constexpr std::string_view kInner = "        ";
    for (const suggest::PointRole& point : points) {
      out += comments(kInner, point.comments);
      out += fmt::format("{}{}: {}\n", kInner, point.name, point.yaml);
    }
    for (const suggest::AttributeRole& attribute : attributes) {
      out += comments(kInner, attribute.comments);
      out += fmt::format("{}{}: {}\n", kInner, attribute.name, attribute.yaml);
    }
  }

  const Samples& samples_;
  const SuggestOptions& options_;
  Shape shape_;
  const std::vector<std::string> places_;
  const std::string type_;
};

// Loads the proposal as the brain would, and maps the samples with it.
Status try_out(const Samples& samples, const SuggestOptions& options, Disk& disk, Suggestion& out) {
  Schema schema;
  FICUS_TRY_VOID(TypesFile::load(out.types_yaml, "types.yaml", schema));
  FICUS_TRY(const SourcesFile file,
            SourcesFile::load(out.sources_yaml, "sources.yaml", {schema, disk}));
  const SourceDeclaration& source = file.sources.at(0);
  const std::vector<std::string_view> places(source.placeholders.size(), "sample");
  MappingScratch scratch;
  SourceBatchBuilder builder(SourceId(0));
  std::map<std::string, std::uint64_t> reasons;
  for (const std::string& payload : samples.payloads) {
    source.mapping->map(
        {.key = "sample", .placeholders = places, .payload = payload, .received_at = options.now},
        scratch, builder);
    const SourceBatch batch = builder.take(options.now);
    out.items += batch.item_count();
    for (const ObservationBatch& rows : batch.observations) out.mapped += rows.row_count();
    for (const QuarantinedItem& item : batch.quarantined) {
      if (reasons.size() < 1000 || reasons.contains(item.reason)) ++reasons[item.reason];
    }
  }
  std::vector<std::pair<std::uint64_t, std::string>> sorted;
  sorted.reserve(reasons.size());
  for (const auto& [reason, count] : reasons) sorted.emplace_back(count, reason);
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  for (const auto& [count, reason] : sorted) {
    if (out.reasons.size() == kReasonsMax) break;
    out.reasons.push_back(fmt::format("{} items: {}", count, reason));
  }
  return {};
}

}  // namespace

Result<Suggestion> suggest_mapping(const Samples& samples, const SuggestOptions& options,
                                   Disk& disk) {
  std::vector<std::string> places;
  if (!options.topic.empty()) {
    auto topic = TopicPattern::compile(options.topic);
    if (!topic) return in_context("--topic: ", std::move(topic).error());
    places = topic->names();
  }
  if (!options.type.empty() && !is_valid_name(options.type)) {
    return invalid(
        fmt::format("--type: '{}' is not a type: expected a letter, then letters, "
                    "digits, '_'",
                    options.type));
  }
  Profile root;
  json::JsonDocument document;
  for (const std::string& payload : samples.payloads) {
    const auto value = document.parse(payload);
    if (!value) continue;
    if (value->kind() == json::JsonKind::array) {
      for (json::JsonItems items(*value); items.next();) root.add(items.value());
    } else {
      root.add(*value);
    }
  }
  if (root.objects == 0) {
    return invalid(
        "the samples hold no objects: for plain values use format: text and "
        "attributes: {value: {path: $, kind: number}}");
  }
  Suggestion out;
  out.samples = samples.payloads.size();
  Proposal(samples, options, suggest::find_shape(root), std::move(places)).write(out);
  FICUS_TRY_VOID(try_out(samples, options, disk, out));
  out.sources_yaml.insert(
      0, comment("", fmt::format("maps {} of {} items of the samples", out.mapped, out.items)));
  return out;
}

}  // namespace ficus::connect
