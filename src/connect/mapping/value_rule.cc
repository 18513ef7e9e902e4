#include "connect/mapping/value_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include "base/time_text.h"
#include "connect/mapping/uri.h"

namespace ficus::connect {
namespace {

using json::JsonKind;

// One evaluation; its members save every step from passing the same five arguments on.
class Evaluation {
 public:
  Evaluation(const ValueRule& rule, const ItemContext& item, MappedValue& out, std::string& arena,
             std::string& reason)
      : rule_(rule), item_(item), out_(out), arena_(arena), reason_(reason) {}

  Mapped run() {
    out_ = MappedValue();
    out_.kind = rule_.kind;
    switch (rule_.source) {
      case ValueRule::Source::path:
        return scalar(rule_.path.find(item_));
      case ValueRule::Source::placeholder:
        return scalar(RawValue::of_text(item_.placeholders[rule_.placeholder]));
      case ValueRule::Source::text_template:
        return filled_template();
      case ValueRule::Source::constant:
        return put(rule_.constant);
      case ValueRule::Source::coordinates:
        return coordinates();
      case ValueRule::Source::time_fields:
        return time_fields();
    }
    std::unreachable();
  }

 private:
  // What the value is called in a reason.
  std::string subject() const {
    switch (rule_.source) {
      case ValueRule::Source::placeholder:
        return fmt::format("{{{}}}", rule_.placeholder_name);
      case ValueRule::Source::text_template:
        return rule_.text_template.text();
      case ValueRule::Source::path:
      case ValueRule::Source::constant:
      case ValueRule::Source::coordinates:
      case ValueRule::Source::time_fields:
        return rule_.path.text();
    }
    std::unreachable();
  }

  Mapped fail(std::string_view subject, std::string_view expected, const RawValue& found) {
    reason_ =
        fmt::format("{}{}: expected {}, got {}", rule_.where, subject, expected, shown(found));
    return Mapped::failed;
  }
  Mapped fail(std::string_view expected, const RawValue& found) {
    return fail(subject(), expected, found);
  }

  Mapped absent(const RawValue& found) {
    if (!rule_.is_required) return Mapped::absent;
    return fail(fmt::format("a value for {}, which is required", rule_.name), found);
  }

  bool is_missing_value(const RawValue& value) const {
    if (rule_.missing_values.empty()) return false;
    std::array<char, 32> buffer;
    const auto text = canonical_text(value, buffer);
    return text && std::ranges::find(rule_.missing_values, *text) != rule_.missing_values.end();
  }

  Mapped scalar(const RawValue& value) {
    if (value.is_absent() || is_missing_value(value)) return absent(value);
    if (rule_.has_choices) return choice(value);
    switch (rule_.kind) {
      case ValueKind::number:
        return number(value);
      case ValueKind::text:
      case ValueKind::relationship:
        return text(value);
      case ValueKind::boolean:
        if (value.kind != JsonKind::boolean) return fail("true or false", value);
        out_.number = value.boolean ? 1 : 0;
        return Mapped::value;
      case ValueKind::time:
        return time(value);
      case ValueKind::point:
        return point(value);
      case ValueKind::geometry:
        return geometry(value);
      case ValueKind::json:
        return structure(value);
      case ValueKind::none:
        break;
    }
    std::unreachable();
  }

  Mapped choice(const RawValue& value) {
    std::array<char, 32> buffer;
    const auto text = canonical_text(value, buffer);
    if (text) {
      const auto found =
          std::ranges::lower_bound(rule_.choices, *text, {}, &ValueRule::Choice::from);
      if (found != rule_.choices.end() && found->from == *text) return put(found->to);
    }
    if (rule_.otherwise) {
      return rule_.otherwise->is_none() ? absent(value) : put(*rule_.otherwise);
    }
    std::string known;
    for (const ValueRule::Choice& c : rule_.choices) {
      if (known.size() > 100) break;
      known += (known.empty() ? "" : ", ") + c.from;
    }
    return fail(fmt::format("one of {}", known), value);
  }

  // REQUIRES: the value is of the rule's kind.
  Mapped put(const Value& value) {
    switch (value.kind()) {
      case ValueKind::boolean:
        out_.number = value.as_boolean() ? 1 : 0;
        return Mapped::value;
      case ValueKind::number:
        out_.number = value.as_number();
        return Mapped::value;
      case ValueKind::time:
        out_.time = value.as_time();
        return Mapped::value;
      case ValueKind::point:
        out_.point = value.as_point();
        return Mapped::value;
      case ValueKind::text:
      case ValueKind::geometry:
      case ValueKind::relationship:
      case ValueKind::json:
        out_.text = value.as_text();
        return Mapped::value;
      case ValueKind::none:
        break;
    }
    std::unreachable();
  }

  // A JSON number, or a text that is one as a whole: many gateways send every value as text.
  static bool read_number(const RawValue& value, double& out) {
    if (value.kind == JsonKind::number) {
      out = value.number;
      return true;
    }
    if (value.kind != JsonKind::text) return false;
    std::string_view text = value.text;
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() && std::isfinite(out);
  }

  Mapped number(const RawValue& value) {
    double x = 0;
    if (!read_number(value, x)) return fail("a number", value);
    x = rule_.conversion(x);
    if (x < rule_.min || x > rule_.max || !std::isfinite(x)) return out_of_range(x, value);
    if (rule_.round_digits >= 0) {
      const double power = std::pow(10.0, rule_.round_digits);
      const double rounded = std::round(x * power) / power;
      if (std::isfinite(rounded)) x = rounded;
    }
    out_.number = x;
    return Mapped::value;
  }

  Mapped out_of_range(double x, const RawValue& value) {
    const std::string range = std::isinf(rule_.min) ? fmt::format("at most {}", rule_.max)
                              : std::isinf(rule_.max)
                                  ? fmt::format("at least {}", rule_.min)
                                  : fmt::format("{} to {}", rule_.min, rule_.max);
    reason_ = fmt::format("{}{}: expected a number of {}, got {}", rule_.where, subject(), range,
                          shown(value));
    if (!rule_.conversion.is_identity()) reason_ += fmt::format(" which is {:.6g}", x);
    return Mapped::failed;
  }

  Mapped text(const RawValue& value) {
    if (value.kind != JsonKind::text) return fail("a text", value);
    if (value.text.size() > kTextBytesMax) {
      return fail(fmt::format("a text of at most {} bytes", kTextBytesMax), value);
    }
    if (rule_.kind == ValueKind::relationship && !has_scheme(value.text)) {
      return fail("the id (URI) of an entity", value);
    }
    out_.text = value.text;
    return Mapped::value;
  }

  Mapped filled_template() {
    out_.is_in_arena = true;
    out_.arena_begin = arena_.size();
    const auto filling = rule_.kind == ValueKind::relationship ? TextTemplate::Filling::as_uri
                                                               : TextTemplate::Filling::as_is;
    std::string missing;
    if (!rule_.text_template.fill(item_, filling, arena_, missing)) {
      if (!rule_.is_required) return Mapped::absent;
      reason_ = fmt::format("{}{}: {}", rule_.where, subject(), missing);
      return Mapped::failed;
    }
    out_.arena_size = arena_.size() - out_.arena_begin;
    if (out_.arena_size > kTextBytesMax) {
      reason_ = fmt::format("{}{}: expected a text of at most {} bytes, got {}", rule_.where,
                            subject(), kTextBytesMax, out_.arena_size);
      return Mapped::failed;
    }
    if (rule_.kind == ValueKind::relationship && !has_scheme(out_.text_in(arena_))) {
      return fail("the id (URI) of an entity", RawValue::of_text(out_.text_in(arena_)));
    }
    return Mapped::value;
  }

  Mapped time(const RawValue& value) {
    const auto t = rule_.time_format.parse(value);
    if (!t) return fail(rule_.time_format.expectation(), value);
    out_.time = *t;
    return Mapped::value;
  }

  // The parts of a local date and time in fields of their own.
  Mapped time_fields() {
    constexpr std::array<std::string_view, ValueRule::kTimeFields> kNames{
        "year", "month", "day", "hour", "minute", "second"};
    std::array<double, ValueRule::kTimeFields> parts{1970, 1, 1, 0, 0, 0};
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!rule_.time_fields[i]) continue;
      const ValuePath& path = *rule_.time_fields[i];
      const RawValue value = path.find(item_);
      if (value.is_absent() || is_missing_value(value)) return absent(value);
      const bool is_whole = i + 1 < parts.size();
      if (!read_number(value, parts[i]) || (is_whole && std::trunc(parts[i]) != parts[i]) ||
          parts[i] < 0 || parts[i] > 9999) {
        return fail(path.text(), fmt::format("the {} of a time", kNames[i]), value);
      }
    }
    CivilTime civil;
    civil.year = static_cast<int>(parts[0]);
    civil.month = static_cast<int>(parts[1]);
    civil.day = static_cast<int>(parts[2]);
    civil.hour = static_cast<int>(parts[3]);
    civil.minute = static_cast<int>(parts[4]);
    civil.second = static_cast<int>(parts[5]);
    civil.micros = static_cast<int>((parts[5] - std::trunc(parts[5])) * 1e6);
    // Written as text, so that one function knows about zones and ranges.
    const auto local = from_civil(civil);
    const auto t = local ? rule_.time_format.parse(RawValue::of_text(fmt::format(
                               "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}", civil.year, civil.month,
                               civil.day, civil.hour, civil.minute, civil.second, civil.micros)))
                         : std::nullopt;
    if (!t) {
      reason_ = fmt::format("{}{}: expected a date and time, got {}-{}-{} {}:{}:{}", rule_.where,
                            rule_.time_fields[0]->text(), parts[0], parts[1], parts[2], parts[3],
                            parts[4], parts[5]);
      return Mapped::failed;
    }
    out_.time = *t;
    return Mapped::value;
  }

  Mapped put_point(GeoPoint point, std::string_view subject) {
    point = {point.longitude * rule_.conversion.factor, point.latitude * rule_.conversion.factor};
    const bool is_on_earth = point.longitude >= -180 && point.longitude <= 180 &&
                             point.latitude >= -90 && point.latitude <= 90;
    if (!is_on_earth) {
      reason_ = fmt::format(
          "{}{}: expected a longitude within 180 and a latitude within 90 degrees, got {}, {}",
          rule_.where, subject, point.longitude, point.latitude);
      return Mapped::failed;
    }
    out_.point = to_wgs84(point, rule_.coordinates);
    return Mapped::value;
  }

  Mapped coordinates() {
    const RawValue longitude = rule_.path.find(item_);
    const RawValue latitude = rule_.second_path.find(item_);
    const bool no_longitude = longitude.is_absent() || is_missing_value(longitude);
    const bool no_latitude = latitude.is_absent() || is_missing_value(latitude);
    if (no_longitude && no_latitude) return absent(longitude);
    GeoPoint point;
    if (!read_number(longitude, point.longitude)) {
      return fail(rule_.path.text(), "a longitude", longitude);
    }
    if (!read_number(latitude, point.latitude)) {
      return fail(rule_.second_path.text(), "a latitude", latitude);
    }
    return put_point(point, rule_.path.text());
  }

  // A GeoJSON Point, [longitude, latitude], or "longitude,latitude".
  Mapped point(const RawValue& value) {
    constexpr std::string_view kExpected =
        "a GeoJSON Point, [longitude, latitude] or \"longitude,latitude\"";
    GeoPoint point;
    bool is_read = false;
    if (value.kind == JsonKind::text) {
      is_read = read_pair(value.text, point);
    } else {
      json::JsonValue pair = value.json;
      if (value.kind == JsonKind::object) {
        const RawValue type = RawValue::of(pair.member("type"));
        if (type.kind != JsonKind::text || type.text != "Point") return fail(kExpected, value);
        pair = pair.member("coordinates");
      }
      is_read = pair.kind() == JsonKind::array &&
                read_number(RawValue::of(pair.element(0)), point.longitude) &&
                read_number(RawValue::of(pair.element(1)), point.latitude);
    }
    if (!is_read) return fail(kExpected, value);
    if (rule_.is_latitude_first) std::swap(point.longitude, point.latitude);
    return put_point(point, subject());
  }

  static bool read_pair(std::string_view text, GeoPoint& out) {
    const std::size_t comma = text.find_first_of(",; ");
    return comma != std::string_view::npos &&
           read_number(RawValue::of_text(text.substr(0, comma)), out.longitude) &&
           read_number(RawValue::of_text(text.substr(comma + 1)), out.latitude);
  }

  Mapped geometry(const RawValue& value) {
    constexpr std::array<std::string_view, 6> kTypes{
        "Point", "LineString", "Polygon", "MultiLineString", "MultiPoint", "MultiPolygon"};
    const RawValue type = RawValue::of(value.json.member("type"));
    const bool is_geometry = type.kind == JsonKind::text &&
                             std::ranges::find(kTypes, type.text) != kTypes.end() &&
                             value.json.member("coordinates").kind() == JsonKind::array;
    if (!is_geometry) return fail("a GeoJSON geometry", value);
    return structure(value);
  }

  Mapped structure(const RawValue& value) {
    out_.is_in_arena = true;
    out_.arena_begin = arena_.size();
    if (value.kind == JsonKind::array || value.kind == JsonKind::object) {
      value.json.append_json(arena_);
    } else {
      rule_.path.find_json(item_).append_json(arena_);
    }
    out_.arena_size = arena_.size() - out_.arena_begin;
    if (out_.arena_size > kTextBytesMax) {
      return fail(fmt::format("at most {} bytes of JSON", kTextBytesMax), value);
    }
    return Mapped::value;
  }

  const ValueRule& rule_;
  const ItemContext& item_;
  MappedValue& out_;
  std::string& arena_;
  std::string& reason_;
};

}  // namespace

Mapped evaluate(const ValueRule& rule, const ItemContext& item, MappedValue& out,
                std::string& arena, std::string& reason) {
  return Evaluation(rule, item, out, arena, reason).run();
}

}  // namespace ficus::connect
