#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "connect/suggest/roles.h"
#include "connect/suggest/words.h"

// Positions: pairs of numbers by their names and ranges, GeoJSON, pairs in arrays and texts.

namespace ficus::connect::suggest {
namespace {

struct Range {
  double min = 0;
  double max = 0;
  bool within(double low, double high) const { return min >= low && max <= high; }
  Range times(double f) const { return {min * f, max * f}; }
};

// The bounds of China, roughly: where GCJ-02 and BD-09 occur.
bool is_chinese(Range longitude, Range latitude) {
  return longitude.within(72, 138) && latitude.within(0.8, 56);
}

struct Scale {
  double factor;
  const char* text;
  const char* what;
};
constexpr Scale kScales[] = {
    {1, "", "degrees"},
    {1e-6, "1e-6", "millionths of a degree"},
    {1e-7, "1e-7", "ten-millionths of a degree"},
    {1.0 / 600'000, "1.6666666667e-6", "1/600000 degrees (1/10000 minutes)"},
    {1e-5, "1e-5", "hundred-thousandths of a degree"}};

// Degrees if they can be; else the scale that puts them into China; else the first that fits.
const Scale* scale_of(Range longitude, Range latitude) {
  if (longitude.within(-180, 180) && latitude.within(-90, 90)) return &kScales[0];
  const Scale* fits = nullptr;
  for (const Scale& scale : kScales) {
    const Range lon = longitude.times(scale.factor);
    const Range lat = latitude.times(scale.factor);
    if (!lon.within(-180, 180) || !lat.within(-90, 90)) continue;
    if (is_chinese(lon, lat)) return &scale;
    if (fits == nullptr) fits = &scale;
  }
  return fits;
}

bool is_longitude(const Leaf& leaf) {
  static constexpr std::array<std::string_view, 8> kWords{
      "longitude", "lon", "lng", "long", "lgt", "jd", "longtitude", "gpslng"};
  return std::ranges::any_of(kWords, [&](auto w) { return has_word(leaf.words, w); });
}
bool is_latitude(const Leaf& leaf) {
  static constexpr std::array<std::string_view, 5> kWords{"latitude", "lat", "wd", "lattitude",
                                                          "gpslat"};
  return std::ranges::any_of(kWords, [&](auto w) { return has_word(leaf.words, w); });
}

bool is_numeric(const Leaf& leaf) {
  const Profile& p = *leaf.profile;
  return !leaf.is_used && p.numeric() > 0 && p.numeric() + p.nulls == p.seen;
}

// The words that are not about longitude or latitude must be the same: "gcjLon" goes with "gcjLat".
bool are_partners(const Leaf& longitude, const Leaf& latitude) {
  if (longitude.parent != latitude.parent || longitude.words.size() != latitude.words.size()) {
    return false;
  }
  std::size_t different = 0;
  for (std::size_t i = 0; i < longitude.words.size(); ++i) {
    different += longitude.words[i] != latitude.words[i];
  }
  return different == 1;
}

class Finder {
 public:
  explicit Finder(Shape& shape) : shape_(shape) {}

  std::vector<PointRole> run() {
    find_pairs();
    for (Leaf& leaf : shape_.leaves) {
      if (!leaf.is_used) find_single(leaf);
    }
    return std::move(found_);
  }

 private:
  std::string next_name(std::string_view wanted) const {
    std::string name = found_.empty() ? "location" : std::string(wanted);
    for (int number = 2; std::ranges::find(found_, name, &PointRole::name) != found_.end();
         ++number) {
      name = fmt::format("{}{}", wanted.empty() ? "location" : wanted, number);
    }
    return name;
  }

  void find_pairs() {
    for (Leaf& longitude : shape_.leaves) {
      if (!is_numeric(longitude) || !is_longitude(longitude) || is_latitude(longitude)) continue;
      for (Leaf& latitude : shape_.leaves) {
        if (&latitude == &longitude || !is_numeric(latitude) || !is_latitude(latitude)) continue;
        if (!are_partners(longitude, latitude)) continue;
        add_pair(longitude, latitude);
        break;
      }
    }
  }

  void add_pair(Leaf& longitude, Leaf& latitude) {
    Range lon{longitude.profile->min, longitude.profile->max};
    Range lat{latitude.profile->min, latitude.profile->max};
    const Leaf* first = &longitude;
    const Leaf* second = &latitude;
    PointRole role;
    const Scale* scale = scale_of(lon, lat);
    if (scale == nullptr || (!lat.within(-90, 90) && scale_of(lat, lon) == &kScales[0])) {
      const Scale* swapped = scale_of(lat, lon);
      if (swapped != nullptr) {
        std::swap(first, second);
        std::swap(lon, lat);
        scale = swapped;
        role.comments.push_back(
            "CHECK: the names are the wrong way round, by the ranges of the values");
      }
    }
    if (scale == nullptr) return;  // not on this planet in any unit: numbers
    longitude.is_used = latitude.is_used = true;
    role.name = next_name("location");
    role.yaml =
        fmt::format("{{point: [{}, {}]", quoted_yaml(first->path), quoted_yaml(second->path));
    role.comments.push_back(fmt::format("longitude {:g} to {:g}, latitude {:g} to {:g}, {}",
                                        lon.min, lon.max, lat.min, lat.max,
                                        share(longitude.profile->numeric(), shape_.item_count)));
    finish(role, lon, lat, *scale, first->path + " " + second->path);
  }

  // GeoJSON, [longitude, latitude], "longitude,latitude"
  void find_single(Leaf& leaf) {
    const Profile& p = *leaf.profile;
    if (p.objects > 0 && p.objects + p.nulls == p.seen) {
      const Profile* type = p.member("type");
      if (type == nullptr || type->distinct.size() != 1) return;
      const Profile& coordinates = *p.member("coordinates");
      if (type->distinct.begin()->first != "Point" || coordinates.pairs == 0) return;
      return add_single(leaf, {coordinates.first_min, coordinates.first_max},
                        {coordinates.second_min, coordinates.second_max}, true, coordinates.pairs,
                        "GeoJSON points");
    }
    static constexpr std::array<std::string_view, 9> kWords{"location",   "position", "coordinates",
                                                            "coordinate", "coord",    "lnglat",
                                                            "latlng",     "point",    "coords"};
    const bool is_named =
        std::ranges::any_of(kWords, [&](auto w) { return has_word(leaf.words, w); }) ||
        is_longitude(leaf) || is_latitude(leaf);
    if (!is_named) return;
    if (p.arrays > 0 && p.arrays + p.nulls == p.seen && p.pairs == p.arrays) {
      return add_single(leaf, {p.first_min, p.first_max}, {p.second_min, p.second_max}, false,
                        p.pairs, "pairs of numbers");
    }
    if (p.texts > 0 && p.texts + p.nulls == p.seen) find_text(leaf);
  }

  void find_text(Leaf& leaf) {
    Range first;
    Range second;
    std::uint64_t count = 0;
    for (const auto& [text, times] : leaf.profile->distinct) {
      const std::size_t comma = text.find_first_of(",; ");
      double a = 0;
      double b = 0;
      int places = 0;
      if (comma == std::string::npos || !read_decimal(text.substr(0, comma), a, places) ||
          !read_decimal(text.substr(comma + 1), b, places)) {
        return;
      }
      if (count == 0) {
        first = {a, a};
        second = {b, b};
      }
      first = {std::min(first.min, a), std::max(first.max, a)};
      second = {std::min(second.min, b), std::max(second.max, b)};
      count += times;
    }
    if (count > 0) add_single(leaf, first, second, false, count, "texts of two numbers");
  }

  void add_single(Leaf& leaf, Range first, Range second, bool is_geojson, std::uint64_t count,
                  std::string_view what) {
    const bool second_is_latitude = second.within(-90, 90) && first.within(-180, 180);
    const bool first_is_latitude = first.within(-90, 90) && second.within(-180, 180);
    if (!second_is_latitude && !first_is_latitude) return;
    const bool says_latitude_first =
        has_word(leaf.words, "latlng") || has_word(leaf.words, "latlon");
    const bool is_latitude_first =
        !is_geojson && (!second_is_latitude || says_latitude_first ||
                        (is_chinese(second, first) && !is_chinese(first, second)));
    leaf.is_used = true;
    PointRole role;
    role.name = next_name(attribute_name(leaf.name));
    role.yaml = "{point: " + quoted_yaml(leaf.path);
    if (is_latitude_first) {
      role.yaml += ", latitude_first: true";
      std::swap(first, second);
      role.comments.push_back("latitude comes first, by the ranges or the name");
    } else if (!is_geojson && first_is_latitude && !is_chinese(first, second)) {
      role.comments.push_back("CHECK the order: both numbers could be either");
    }
    role.comments.push_back(fmt::format("{}, {}", what, share(count, shape_.item_count)));
    finish(role, first, second, kScales[0], leaf.path);
  }

  void finish(PointRole& role, Range lon, Range lat, const Scale& scale, std::string_view names) {
    if (scale.factor != 1) {
      role.yaml += fmt::format(", scale: {}", scale.text);
      role.comments.push_back(fmt::format(
          "{}: in this unit it lies{} in China", scale.what,
          is_chinese(lon.times(scale.factor), lat.times(scale.factor)) ? "" : " (CHECK) not"));
    }
    role.is_in_china = is_chinese(lon.times(scale.factor), lat.times(scale.factor));
    switch (crs_hint(names)) {
      case CrsHint::bd09:
        role.yaml += ", crs: BD-09";
        role.comments.push_back("BD-09 by its name");
        break;
      case CrsHint::gcj02:
        role.yaml += ", crs: GCJ-02";
        role.comments.push_back("GCJ-02 by its name");
        break;
      case CrsHint::wgs84:
        role.comments.push_back("WGS-84 by its name");
        break;
      case CrsHint::none:
        if (role.is_in_china) {
          role.comments.push_back(
              "CHECK: taken as WGS-84. Values cannot tell it from GCJ-02 (Amap, Tencent) or BD-09 "
              "(Baidu), which lie 100 to 1000 m away: compare a known place, else add crs: GCJ-02");
        }
        break;
    }
    role.yaml += "}";
    found_.push_back(std::move(role));
  }

  Shape& shape_;
  std::vector<PointRole> found_;
};

}  // namespace

std::vector<PointRole> find_points(Shape& shape) { return Finder(shape).run(); }

}  // namespace ficus::connect::suggest
