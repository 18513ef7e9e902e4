#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connect/suggest/profile.h"

namespace ficus::connect::suggest {

// A value that an item has, and where.
struct Leaf {
  std::string path;    // as sources.yaml writes it: $.a.b, ^.name
  std::string name;    // what it is called: the last member that says something
  std::string parent;  // path of the object it is in
  const Profile* profile = nullptr;
  std::vector<std::string> words;  // of the name
  bool is_outer = false;           // of what encloses the item
  bool is_used = false;
};

// What one item is, and what it can be asked for.
struct Shape {
  std::string items;      // "$.stations[*]", or "" if the payload is the item
  std::string item_name;  // of what holds the items: "stations"
  std::string remark;     // why so
  const Profile* item = nullptr;
  std::uint64_t item_count = 0;
  std::vector<Leaf> leaves;
  std::vector<std::string> left_out;  // places that no path can name, and the like
};

// REQUIRES: root.objects > 0. Borrows from it.
Shape find_shape(const Profile& root);

// "$.a" and "b c" -> "$.a['b c']"; "" if no path can name it.
std::string member_path(std::string_view parent, std::string_view name);

}  // namespace ficus::connect::suggest
