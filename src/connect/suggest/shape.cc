#include "connect/suggest/shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "connect/mapping/value_path.h"
#include "connect/suggest/words.h"

namespace ficus::connect::suggest {
namespace {

constexpr int kNestingMax = 5;  // of objects within an item
constexpr int kFanOutMax = 3;   // of lists within lists
constexpr std::size_t kLeavesMax = 200;

bool is_mostly(std::uint64_t part, std::uint64_t whole) {
  return whole > 0 && part * 5 >= whole * 4;
}

// Members such as "s01", "s02" that are objects of one kind: a list by another name.
bool is_dictionary(const Profile& p) {
  if (p.members.size() < 3 || p.objects == 0) return false;
  const Profile* first = nullptr;
  for (const auto& [name, member] : p.members) {
    if (member->objects != member->seen || member->members.empty()) return false;
    if (first == nullptr) first = member.get();
    std::size_t shared = 0;
    for (const auto& [key, value] : member->members) shared += first->member(key) != nullptr;
    if (shared * 5 < std::max(member->members.size(), first->members.size()) * 4) return false;
  }
  return true;
}

struct List {
  std::string path;  // with [*] or .*
  std::string name;
  const Profile* element = nullptr;
  std::uint64_t count = 0;
};

// Lists of objects in `p`, also within its objects.
void find_lists(const Profile& p, const std::string& path, int depth, std::vector<List>& out) {
  for (const std::string& name : p.names) {
    const Profile& member = *p.members.at(name);
    const std::string at = member_path(path, name);
    if (at.empty() || !is_mostly(member.seen, p.objects)) continue;
    if (member.arrays > 0 && member.elements != nullptr && member.element_count >= p.objects &&
        is_mostly(member.elements->objects, member.element_count)) {
      out.push_back({at + "[*]", name, member.elements.get(), member.element_count});
    } else if (is_mostly(member.objects, member.seen) && depth < 2) {
      if (is_dictionary(member)) {
        // Any member stands for all: they are alike.
        out.push_back({at + ".*", name, member.members.begin()->second.get(),
                       member.objects * member.members.size()});
      } else {
        find_lists(member, at, depth + 1, out);
      }
    }
  }
}

// Readings that an object has itself: then a list in it is a detail, not the items.
std::size_t own_readings(const Profile& p) {
  std::size_t count = 0;
  for (const auto& [name, member] : p.members) {
    const auto words = words_of(name);
    const bool is_book_keeping =
        has_word(words, "id") || has_word(words, "code") || has_word(words, "time") ||
        has_word(words, "ts") || has_word(words, "timestamp") || has_word(words, "total") ||
        has_word(words, "count") || has_word(words, "page") || has_word(words, "size") ||
        has_word(words, "status") || has_word(words, "version");
    if (!is_book_keeping && member->numbers > 0 && is_mostly(member->numbers, p.objects)) ++count;
  }
  return count;
}

bool is_geojson(const Profile& p) {
  const Profile* type = p.member("type");
  const Profile* coordinates = p.member("coordinates");
  return type != nullptr && coordinates != nullptr && coordinates->arrays > 0;
}

class Collector {
 public:
  explicit Collector(Shape& shape) : shape_(shape) {}

  void collect(const Profile& p, const std::string& parent, const std::string& path,
               const std::string& name, int depth, bool is_outer) {
    if (p.objects > 0 && p.objects >= p.scalars() + p.arrays && !is_geojson(p) &&
        depth < kNestingMax && !p.members.empty()) {
      if (is_outer && depth > 0) return;  // what surrounds the item: its scalars only
      for (const std::string& key : p.names) {
        const Profile& member = *p.members.at(key);
        const std::string at = member_path(path, key);
        if (at.empty()) {
          shape_.left_out.push_back(fmt::format("{}: no path can name the member", path));
          continue;
        }
        // {"type": "Property", "value": 3}: the value is called as the whole.
        const bool is_generic = key == "value" || key == "@value" || key == "object";
        collect(member, path, at, is_generic && depth > 0 ? name : key, depth + 1, is_outer);
      }
      return;
    }
    if (is_outer && p.scalars() == 0) return;
    if (shape_.leaves.size() >= kLeavesMax) {
      shape_.left_out.push_back(fmt::format("{}: more than {} values", path, kLeavesMax));
      return;
    }
    Leaf leaf;
    leaf.path = path;
    leaf.name = name;
    leaf.parent = parent;
    leaf.profile = &p;
    leaf.words = words_of(name);
    leaf.is_outer = is_outer;
    shape_.leaves.push_back(std::move(leaf));
  }

 private:
  Shape& shape_;
};

}  // namespace

std::string member_path(std::string_view parent, std::string_view name) {
  const bool has_control = std::ranges::any_of(
      name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (has_control || name.empty() || name.size() > 200) return "";
  const bool in_template = name.find_first_of("{}") != std::string_view::npos;
  if (in_template) return "";
  for (const std::string& path :
       {fmt::format("{}.{}", parent, name), fmt::format("{}['{}']", parent, name),
        fmt::format("{}[\"{}\"]", parent, name)}) {
    // It must be read as one member of that name: "a.b" would be two.
    const auto compiled = json::JsonPath::compile(
        parent.starts_with('^') ? "$" + path.substr(path.find_first_not_of('^')) : path);
    // The way to items fans out, which the path of a value may not.
    const bool fans_out = compiled && compiled->fans_out();
    if (!compiled || compiled->steps().empty()) continue;
    if (!fans_out && !ValuePath::compile(path)) continue;
    const json::JsonStep& last = compiled->steps().back();
    if (last.kind == json::JsonStep::Kind::member && last.name == name) return path;
  }
  return "";
}

Shape find_shape(const Profile& root) {
  Shape shape;
  std::vector<const Profile*> levels{&root};
  std::string path = "$";
  while (levels.size() <= kFanOutMax) {
    std::vector<List> lists;
    find_lists(*levels.back(), path, 0, lists);
    const auto best = std::ranges::max_element(lists, {}, &List::count);
    if (best == lists.end()) break;
    if (own_readings(*levels.back()) >= 2) {
      shape.remark =
          fmt::format("{} is a list within an item that has readings of its own", best->path);
      break;
    }
    path = best->path;
    shape.item_name = best->name;
    shape.item_count = best->count;
    levels.push_back(best->element);
  }
  if (levels.size() > 1) {
    shape.items = path;
    shape.remark = fmt::format("{} items in {} payloads", shape.item_count, root.objects);
  } else {
    shape.item_count = root.objects;
  }
  shape.item = levels.back();
  Collector collector(shape);
  collector.collect(*shape.item, "", "$", "", 0, false);
  for (std::size_t out = 1; out < levels.size(); ++out) {
    collector.collect(*levels[levels.size() - 1 - out], "", std::string(out, '^'), "", 0, true);
  }
  return shape;
}

}  // namespace ficus::connect::suggest
