#include "connect/suggest/attributes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "connect/suggest/words.h"
#include "model/schema.h"

namespace ficus::connect::suggest {
namespace {

constexpr std::size_t kMissingMax = 6;
constexpr std::size_t kValuesShown = 8;

bool is_most(std::uint64_t part, std::uint64_t whole) {
  return whole > 0 && part * 10 >= whole * 9;
}

// Numbers that devices send for "no value".
bool is_sentinel(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kNumbers{
      "-9999", "-999", "-99999", "-32768", "-999.9", "-9999.9", "-99.9", "9999", "65535"};
  return std::ranges::find(kNumbers, text) != kNumbers.end();
}

struct Numbers {
  double min = 0;
  double max = 0;
  std::uint64_t count = 0;
  std::vector<std::string> missing;  // words and sentinels
  std::uint64_t missing_count = 0;
  std::uint64_t misfits = 0;  // texts that are neither
  std::string misfit;
};

Numbers numbers_of(const Profile& p) {
  Numbers out;
  out.count = p.numeric();
  out.min = p.min;
  out.max = p.max;
  bool has_sentinel = false;
  for (const auto& [text, count] : p.distinct) {
    double value = 0;
    int decimals = 0;
    const bool is_number = read_decimal(text, value, decimals);
    if (is_missing_word(text) || (is_number && is_sentinel(text))) {
      if (out.missing.size() < kMissingMax) out.missing.push_back(text);
      out.missing_count += count;
      if (is_number) {
        has_sentinel = true;
        out.count -= count;
      }
    } else if (!is_number) {
      out.misfits += count;
      out.misfit = text;
    }
  }
  if (!has_sentinel) return out;
  bool is_first = true;
  for (const auto& [text, count] : p.distinct) {
    double value = 0;
    int decimals = 0;
    if (!read_decimal(text, value, decimals) || is_sentinel(text)) continue;
    out.min = is_first ? value : std::min(out.min, value);
    out.max = is_first ? value : std::max(out.max, value);
    is_first = false;
  }
  return out;
}

std::string missing_yaml(const std::vector<std::string>& missing) {
  std::string list;
  for (const std::string& text : missing) {
    double value = 0;
    int decimals = 0;
    // A number is one however it is written.
    list += (list.empty() ? "" : ", ") +
            (read_decimal(text, value, decimals) ? text : quoted_yaml(text));
  }
  return list.empty() ? "" : ", missing_values: [" + list + "]";
}

std::string values_shown(const Profile& p) {
  std::vector<std::pair<std::uint64_t, std::string>> sorted;
  sorted.reserve(p.distinct.size());
  for (const auto& [text, count] : p.distinct) sorted.emplace_back(count, text);
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  std::string out;
  for (std::size_t i = 0; i < sorted.size() && i < kValuesShown; ++i) {
    std::string text = sorted[i].second.substr(0, 24);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0 &&
           text.size() == 24) {
      text.pop_back();
    }
    out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", text, sorted[i].first);
  }
  return out;
}

// ON and OFF and their like; nothing if the texts are no such pair.
std::string switch_yaml(const Profile& p) {
  static constexpr std::pair<std::string_view, std::string_view> kPairs[] = {
      {"ON", "OFF"},     {"on", "off"},     {"On", "Off"}, {"true", "false"},
      {"True", "False"}, {"TRUE", "FALSE"}, {"yes", "no"}, {"Yes", "No"},
      {"Y", "N"},        {"是", "否"},      {"开", "关"},  {"open", "closed"}};
  if (p.distinct.empty() || p.distinct.size() > 2 || p.has_more_distinct) return "";
  for (const auto& [yes, no] : kPairs) {
    const bool fits = std::ranges::all_of(
        p.distinct, [&](const auto& entry) { return entry.first == yes || entry.first == no; });
    if (fits) return fmt::format("enum: {{\"{}\": true, \"{}\": false}}", yes, no);
  }
  return "";
}

class Finder {
 public:
  Finder(Shape& shape, const std::vector<PointRole>& points, const std::string& zone)
      : shape_(shape), zone_(zone) {
    for (const PointRole& point : points) taken_.insert(point.name);
  }

  std::vector<AttributeRole> run() {
    for (Leaf& leaf : shape_.leaves) {
      if (leaf.is_used || is_bookkeeping(leaf)) continue;
      AttributeRole role;
      role.comments.push_back(share(leaf.profile->seen - leaf.profile->nulls, whole(leaf)));
      if (!describe(leaf, role)) continue;
      name(leaf, role);
      found_.push_back(std::move(role));
    }
    return std::move(found_);
  }

 private:
  std::uint64_t whole(const Leaf& leaf) const {
    return leaf.is_outer ? leaf.profile->seen : shape_.item_count;
  }

  // {"type": "Property"} of NGSI-LD, and the type of the entity itself.
  bool is_bookkeeping(const Leaf& leaf) {
    const Profile& p = *leaf.profile;
    if (p.nulls == p.seen || (p.objects > 0 && p.members.empty() && p.scalars() == 0)) {
      shape_.left_out.push_back(fmt::format("{}: never holds a value", leaf.path));
      return true;
    }
    const bool counts = p.seen > 10 && p.rising + 2 >= p.seen && !leaf.is_outer;
    if (counts && (has_word(leaf.words, "no") || has_word(leaf.words, "index") ||
                   has_word(leaf.words, "row") || has_word(leaf.words, "seq"))) {
      shape_.left_out.push_back(fmt::format("{}: numbers the items", leaf.path));
      return true;
    }
    if (leaf.name == "@context") return true;
    return leaf.name == "type" && p.distinct.size() == 1 && p.texts == p.seen;
  }

  void name(const Leaf& leaf, AttributeRole& role) {
    std::string name = attribute_name(leaf.name);
    if (!is_valid_name(name) || name == "id" || name == "type" || name == "observedAt") {
      name = name.empty() ? "value" : "source" + type_name(name);
      if (!is_valid_name(name)) name = "value";
    }
    const std::string base = name;
    for (int number = 2; !taken_.insert(name).second; ++number) {
      name = fmt::format("{}{}", base, number);
    }
    role.name = name;
    const bool is_foreign = std::ranges::any_of(
        leaf.name, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    if (is_foreign) role.label = leaf.name;
  }

  bool describe(const Leaf& leaf, AttributeRole& role) {
    const Profile& p = *leaf.profile;
    if (p.objects + p.arrays > 0) return structure(leaf, role);
    if (p.booleans > 0) return boolean(leaf, role);
    if (const auto guess = guess_time(leaf.words, p)) {
      role.kind = "time";
      role.yaml = time_yaml(leaf, *guess, zone_) + "}";
      role.comments.push_back(guess->why);
      return true;
    }
    const Numbers numbers = numbers_of(p);
    if (numbers.count > 0 && is_most(numbers.count, numbers.count + numbers.misfits)) {
      return number(leaf, numbers, role);
    }
    return text(leaf, role);
  }

  bool structure(const Leaf& leaf, AttributeRole& role) {
    const Profile& p = *leaf.profile;
    role.kind = "json";
    role.yaml = quoted_yaml(leaf.path);
    role.comments.push_back(p.arrays > 0 ? "a list: kept as it is" : "a structure: kept as it is");
    const Profile* type = p.member("type");
    if (p.objects + p.nulls == p.seen && p.member("coordinates") != nullptr && type != nullptr &&
        type->texts == p.objects) {
      role.kind = "geometry";
      role.comments.back() = "GeoJSON";
    }
    return true;
  }

  bool boolean(const Leaf& leaf, AttributeRole& role) {
    const Profile& p = *leaf.profile;
    role.kind = p.booleans + p.nulls == p.seen ? "boolean" : "json";
    role.yaml = quoted_yaml(leaf.path);
    if (role.kind == "json") role.comments.push_back("CHECK: booleans and other values mixed");
    return true;
  }

  bool number(const Leaf& leaf, const Numbers& numbers, AttributeRole& role) {
    role.kind = "number";
    std::string options = missing_yaml(numbers.missing);
    if (numbers.missing_count > 0) {
      role.comments.push_back(fmt::format("{} without a value: {}", numbers.missing_count,
                                          fmt::join(numbers.missing, ", ")));
    }
    if (numbers.misfits > 0) {
      role.comments.push_back(
          fmt::format("CHECK: {} are no numbers and go to quarantine, such as {}", numbers.misfits,
                      numbers.misfit));
    }
    if (const auto unit = guess_unit(leaf.words, numbers.min, numbers.max)) {
      role.unit = unit->code;
      role.comments.push_back(fmt::format("CHECK the unit: {} {}", unit->code, unit->why));
    } else {
      role.comments.push_back(fmt::format("{:g} to {:g}", numbers.min, numbers.max));
    }
    const Profile& p = *leaf.profile;
    if (p.decimals == 0 && p.distinct.size() <= kValuesShown && !p.has_more_distinct &&
        p.distinct.size() > 1 && shape_.item_count >= 20) {
      role.comments.push_back(fmt::format(
          "perhaps a code, for which enum: {{0: ...}} gives names: {}", values_shown(p)));
    }
    role.yaml = options.empty() ? quoted_yaml(leaf.path)
                                : fmt::format("{{path: {}{}}}", quoted_yaml(leaf.path), options);
    return true;
  }

  bool text(const Leaf& leaf, AttributeRole& role) {
    const Profile& p = *leaf.profile;
    if (p.numbers == 0) {
      if (const std::string yaml = switch_yaml(p); !yaml.empty()) {
        role.kind = "boolean";
        role.yaml = fmt::format("{{path: {}, {}}}", quoted_yaml(leaf.path), yaml);
        role.comments.push_back(values_shown(p));
        return true;
      }
      if (compass(leaf, role)) return true;
    }
    const bool are_ids = p.texts + p.nulls == p.seen && !p.distinct.empty() &&
                         std::ranges::all_of(p.distinct, [](const auto& entry) {
                           return entry.first.starts_with("urn:");
                         });
    role.kind = are_ids ? "relationship" : "text";
    role.yaml = quoted_yaml(leaf.path);
    if (p.numbers > 0) {
      // A text attribute takes no number: a template takes both.
      role.yaml = fmt::format("{{template: {}}}", quoted_yaml("{" + leaf.path + "}"));
      role.comments.push_back(
          fmt::format("numbers ({}) and texts ({}) mixed: taken as texts", p.numbers, p.texts));
    }
    const bool is_enumeration =
        !p.has_more_distinct && p.distinct.size() <= 20 && p.texts >= 3 * p.distinct.size();
    role.comments.push_back(
        is_enumeration ? fmt::format("one of {}: {}", p.distinct.size(), values_shown(p))
                       : fmt::format("free text, {}{} different",
                                     p.has_more_distinct ? "more than " : "", p.distinct.size()));
    return true;
  }

  bool compass(const Leaf& leaf, AttributeRole& role) {
    std::string choices;
    std::uint64_t others = 0;
    for (const auto& [text, count] : leaf.profile->distinct) {
      if (const auto degrees = compass_degrees(text)) {
        choices +=
            fmt::format("{}{}: {}", choices.empty() ? "" : ", ", quoted_yaml(text), *degrees);
      } else if (!is_missing_word(text)) {
        return false;
      } else {
        others += count;
      }
    }
    if (choices.empty() || leaf.profile->distinct.size() < 3) return false;
    role.kind = "number";
    role.unit = "DD";
    role.yaml =
        fmt::format("{{path: {}, enum: {{{}}}, otherwise: null}}", quoted_yaml(leaf.path), choices);
    role.comments.push_back(fmt::format("compass directions as degrees; {} without one", others));
    return true;
  }

  Shape& shape_;
  const std::string zone_;
  std::set<std::string> taken_;
  std::vector<AttributeRole> found_;
};

}  // namespace

std::vector<AttributeRole> find_attributes(Shape& shape, const std::vector<PointRole>& points,
                                           const std::string& zone) {
  return Finder(shape, points, zone).run();
}

}  // namespace ficus::connect::suggest
