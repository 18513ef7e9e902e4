#include "access/users_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "codec/yaml/yaml_tree.h"

namespace ficus::access {
namespace {

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text.append(line).push_back('\n');
  return text;
}

bool says_nothing(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  return first == std::string_view::npos || line[first] == '#';
}

// Where a list stands: lines counted from 0, ends behind the last line that says something.
struct Section {
  struct Entry {
    std::string name;
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::vector<Entry> entries;
  std::size_t key_line = 0;
  std::size_t indent = 2;
  std::size_t end = 0;
};

class Finder {
 public:
  Finder(const std::vector<std::string>& lines, std::string_view name)
      : lines_(lines), name_(name) {}

  // Nothing if there is no such section.
  Result<std::optional<Section>> find(const YamlNode& root) const {
    for (std::size_t i = 0; i < root.keys.size(); ++i) {
      if (root.keys[i].text != name_) continue;
      std::size_t end = lines_.size();
      for (const YamlNode::Key& other : root.keys) {
        const std::size_t line = line_of(other.place);
        if (line > line_of(root.keys[i].place)) end = std::min(end, line);
      }
      FICUS_TRY(Section section, read(root.keys[i], root.children[i], end));
      return section;
    }
    return std::optional<Section>();
  }

 private:
  static std::size_t line_of(YamlPlace place) { return static_cast<std::size_t>(place.line) - 1; }

  // Comments and empty lines before the next entry belong to that one.
  std::size_t end_before(std::size_t begin, std::size_t limit) const {
    while (limit > begin + 1 && says_nothing(lines_[limit - 1])) --limit;
    return limit;
  }

  std::unexpected<Error> not_ours() const {
    return invalid(
        fmt::format("'{}' is not written as a list with one '- name: ...' an entry: "
                    "change it by hand",
                    name_));
  }

  Result<Section> read(const YamlNode::Key& key, const YamlNode& list, std::size_t limit) const {
    Section section;
    section.key_line = line_of(key.place);
    section.end = end_before(section.key_line, limit);
    const bool is_list = list.kind == YamlNode::Kind::sequence || list.kind == YamlNode::Kind::null;
    const std::string& head = lines_[section.key_line];
    if (!is_list || head.find_first_of("[{&*") != std::string::npos) return not_ours();
    for (std::size_t i = 0; i < list.children.size(); ++i) {
      const YamlNode& child = list.children[i];
      const std::size_t line = line_of(child.place);
      const std::size_t dash = lines_[line].find_first_not_of(' ');
      if (dash == std::string::npos || lines_[line][dash] != '-') return not_ours();
      section.indent = dash;
      Section::Entry entry;
      if (const YamlNode* name = child.find("name")) entry.name = name->text;
      entry.begin = line;
      const bool is_last = i + 1 == list.children.size();
      entry.end = end_before(line, is_last ? section.end : line_of(list.children[i + 1].place));
      section.entries.push_back(std::move(entry));
    }
    return section;
  }

  const std::vector<std::string>& lines_;
  const std::string_view name_;
};

Result<std::optional<Section>> find_section(std::string_view text,
                                            const std::vector<std::string>& lines,
                                            std::string_view name) {
  Mistakes mistakes("users.yaml");
  YamlNode root;
  const bool is_sound = parse_yaml(text, root, mistakes);
  if (!mistakes.empty()) return std::unexpected(mistakes.to_error());
  if (!is_sound) return std::optional<Section>();
  return Finder(lines, name).find(root);
}

}  // namespace

Result<std::string> add_entry(std::string_view text, std::string_view section_name,
                              const std::vector<std::string>& lines) {
  std::vector<std::string> all = split_lines(text);
  FICUS_TRY(std::optional<Section> section, find_section(text, all, section_name));
  if (!section) {
    all.push_back(fmt::format("{}:", section_name));
    section.emplace();
    section->end = all.size();
  }
  std::vector<std::string> added;
  added.reserve(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    added.push_back(std::string(section->indent, ' ') + (i == 0 ? "- " : "  ") + lines[i]);
  }
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(section->end), added.begin(), added.end());
  return join_lines(all);
}

Result<std::string> remove_entry(std::string_view text, std::string_view section_name,
                                 std::string_view name) {
  std::vector<std::string> all = split_lines(text);
  FICUS_TRY(const std::optional<Section> section, find_section(text, all, section_name));
  const auto not_there = [&] {
    return fail(ErrorCode::not_found,
                fmt::format("there is no '{}' under '{}'", name, section_name));
  };
  if (!section) return not_there();
  const auto entry = std::ranges::find(section->entries, name, &Section::Entry::name);
  if (entry == section->entries.end()) return not_there();
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(entry->begin),
            all.begin() + static_cast<std::ptrdiff_t>(entry->end));
  return join_lines(all);
}

std::string yaml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

}  // namespace ficus::access
