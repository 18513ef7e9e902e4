#include "connect/suggest/roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "codec/json/json_writer.h"
#include "connect/suggest/words.h"

namespace ficus::connect::suggest {
namespace {

bool is_mostly(std::uint64_t part, std::uint64_t whole) {
  return whole > 0 && part * 5 >= whole * 4;
}

int id_score(const Leaf& leaf, std::uint64_t items) {
  const Profile& p = *leaf.profile;
  if (p.texts + p.integers == 0 || p.texts + p.integers < p.seen - p.nulls) return 0;
  if (!leaf.is_outer && !is_mostly(p.seen - p.nulls, items)) return 0;
  static constexpr std::pair<std::string_view, int> kWords[] = {
      {"id", 100},     {"deviceid", 100}, {"imei", 95},   {"mmsi", 95},   {"vin", 95},
      {"sn", 90},      {"uid", 90},       {"plate", 90},  {"serial", 85}, {"mac", 80},
      {"station", 75}, {"stationid", 90}, {"sensor", 72}, {"device", 75}, {"vehicle", 72},
      {"code", 70},    {"park", 65},      {"site", 65},   {"number", 60}, {"terminal", 70},
      {"phone", 55},   {"name", 50},      {"no", 40},     {"key", 40},    {"line", 20}};
  int score = 0;
  for (const auto& [word, points] : kWords) {
    if (has_word(leaf.words, word)) score = std::max(score, points);
  }
  // "no" alone is a row's number as often as not; a row number is no id at all.
  if (items > 3 && p.rising + 2 >= items) return 0;
  if (score > 0 && p.texts > 0) score += 3;
  if (leaf.is_outer) score -= 15;
  // Of things that repeat, an id does too; a text that never repeats in many items is none.
  if (score > 0 && score < 100 && items > 50 && p.has_more_distinct) score -= 20;
  if (leaf.words.size() > 2) score -= 5;
  return std::max(score, 0);
}

int time_score(const Leaf& leaf, const TimeGuess& guess, std::uint64_t items) {
  int score = static_cast<int>(guess.fits * 50 / std::max<std::uint64_t>(items, 1));
  for (const auto& [word, points] : {std::pair<std::string_view, int>{"observed", 60},
                                     {"ts", 50},
                                     {"timestamp", 50},
                                     {"time", 45},
                                     {"t", 40},
                                     {"datetime", 45},
                                     {"date", 30},
                                     {"gps", 10},
                                     {"recorded", 40},
                                     {"updated", 20},
                                     {"received", -40},
                                     {"created", -40},
                                     {"start", -30},
                                     {"end", -30},
                                     {"expires", -60},
                                     {"installed", -60},
                                     {"birth", -60}}) {
    if (has_word(leaf.words, word)) score += points;
  }
  return leaf.is_outer ? score - 10 : score;
}

std::string zone_of(const std::string& given, bool is_in_china) {
  if (!given.empty()) return given;
  return is_in_china ? "Asia/Shanghai" : "UTC";
}

Leaf* part_named(Shape& shape, std::string_view word, double min, double max) {
  for (Leaf& leaf : shape.leaves) {
    const Profile& p = *leaf.profile;
    if (leaf.is_used || leaf.is_outer || leaf.words.size() != 1 || leaf.words[0] != word) continue;
    if (p.numeric() == p.seen - p.nulls && p.numeric() > 0 && p.min >= min && p.max <= max) {
      return &leaf;
    }
  }
  return nullptr;
}

std::optional<TimeRole> time_of_parts(Shape& shape, const std::string& zone, bool is_in_china) {
  std::array<Leaf*, 6> parts{
      part_named(shape, "year", 1900, 2200), part_named(shape, "month", 1, 12),
      part_named(shape, "day", 1, 31),       part_named(shape, "hour", 0, 24),
      part_named(shape, "minute", 0, 59),    part_named(shape, "second", 0, 60)};
  if (parts[0] == nullptr || parts[1] == nullptr || parts[2] == nullptr) return std::nullopt;
  static constexpr std::array<const char*, 6> kNames{"year", "month",  "day",
                                                     "hour", "minute", "second"};
  TimeRole role;
  std::string fields;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == nullptr) continue;
    parts[i]->is_used = true;
    fields +=
        fmt::format("{}{}: {}", fields.empty() ? "" : ", ", kNames[i], quoted_yaml(parts[i]->path));
  }
  const std::string chosen = zone_of(zone, is_in_china);
  role.yaml = fmt::format("{{fields: {{{}}}, zone: {}}}", fields, quoted_yaml(chosen));
  role.comments.push_back("the time stands in parts");
  if (zone.empty()) {
    role.comments.push_back(
        fmt::format("CHECK the zone: the samples do not tell, {} is a guess", chosen));
  }
  return role;
}

}  // namespace

std::string quoted_yaml(std::string_view text) {
  std::string out;
  json::append_quoted(text, out);
  return out;
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  return fmt::format("{} of {} items", part, whole);
}

IdRole find_id(Shape& shape, const std::vector<std::string>& places) {
  IdRole role;
  Leaf* best = nullptr;
  int best_score = 0;
  std::string others;
  for (Leaf& leaf : shape.leaves) {
    const int score = leaf.is_used ? 0 : id_score(leaf, shape.item_count);
    if (score == 0) continue;
    if (score > best_score) {
      if (best != nullptr) others += (others.empty() ? "" : ", ") + best->path;
      best = &leaf;
      best_score = score;
    } else if (others.size() < 80) {
      others += (others.empty() ? "" : ", ") + leaf.path;
    }
  }
  std::string from_topic;
  for (const std::string& place : places) {
    from_topic += (from_topic.empty() ? "{" : ":{") + place + "}";
  }
  if (best == nullptr || (best_score < 60 && !from_topic.empty())) {
    role.text = from_topic;
    role.comments.push_back(from_topic.empty()
                                ? "CHECK: no value looks like an id, so all items are one entity"
                                : "the topic names the thing");
    return role;
  }
  const Profile& p = *best->profile;
  best->is_used = true;
  role.is_whole_uri = p.texts == p.seen && !p.distinct.empty() &&
                      std::ranges::all_of(p.distinct, [](const auto& entry) {
                        return entry.first.starts_with("urn:") || entry.first.starts_with("http");
                      });
  role.text = "{" + best->path + "}";
  role.comments.push_back(fmt::format("{}: {} different in {}", best->path,
                                      p.has_more_distinct
                                          ? fmt::format("more than {}", p.distinct.size())
                                          : std::to_string(p.distinct.size()),
                                      share(p.seen - p.nulls, shape.item_count)));
  // What encloses a list of numbered parts names the thing, its part the rest.
  if (!best->is_outer && !shape.items.empty()) {
    for (Leaf& outer : shape.leaves) {
      if (!outer.is_outer || outer.is_used || id_score(outer, shape.item_count) < 45) continue;
      role.text = "{" + outer.path + "}:" + role.text;
      role.is_whole_uri = false;
      outer.is_used = true;
      role.comments.push_back(
          fmt::format("within {}, so that equal parts of different wholes are "
                      "different",
                      outer.path));
      break;
    }
  }
  if (!others.empty()) role.comments.push_back(fmt::format("other candidates: {}", others));
  return role;
}

std::string time_yaml(const Leaf& leaf, const TimeGuess& guess, const std::string& zone) {
  std::string out = "{path: " + quoted_yaml(leaf.path);
  if (!guess.pattern.empty()) {
    out += ", pattern: " + quoted_yaml(guess.pattern);
  } else {
    out += ", format: " + guess.format;
  }
  if (guess.needs_zone) out += ", zone: " + quoted_yaml(zone);
  std::string missing;
  for (const auto& [text, count] : leaf.profile->distinct) {
    if (is_missing_word(text)) missing += (missing.empty() ? "" : ", ") + quoted_yaml(text);
  }
  if (!missing.empty()) out += ", missing_values: [" + missing + "]";
  return out;
}

TimeRole find_time(Shape& shape, const std::string& zone, bool is_in_china) {
  if (auto parts = time_of_parts(shape, zone, is_in_china)) return *std::move(parts);
  Leaf* best = nullptr;
  TimeGuess best_guess;
  int best_score = 20;
  for (Leaf& leaf : shape.leaves) {
    if (leaf.is_used) continue;
    const auto guess = guess_time(leaf.words, *leaf.profile);
    if (!guess) continue;
    const int score =
        time_score(leaf, *guess, leaf.is_outer ? leaf.profile->seen : shape.item_count);
    if (score > best_score) {
      best = &leaf;
      best_guess = *guess;
      best_score = score;
    }
  }
  TimeRole role;
  if (best == nullptr) {
    role.yaml = "received";
    role.comments.push_back(
        "CHECK: no value looks like the time of the observation, so the time of arrival is taken");
    return role;
  }
  best->is_used = true;
  const std::string chosen = zone_of(zone, is_in_china);
  role.yaml = time_yaml(*best, best_guess, chosen);
  const std::uint64_t whole = best->is_outer ? best->profile->seen : shape.item_count;
  role.comments.push_back(
      fmt::format("{}: {}, {}", best->path, best_guess.why, share(best_guess.fits, whole)));
  if (best_guess.fits < whole) {
    role.yaml += ", otherwise: received";
    role.comments.push_back("the others count as observed when received");
  }
  role.yaml += "}";
  if (best_guess.needs_zone && zone.empty()) {
    role.comments.push_back(
        fmt::format("CHECK the zone: the samples do not tell, {} is a guess", chosen));
  }
  return role;
}

}  // namespace ficus::connect::suggest
