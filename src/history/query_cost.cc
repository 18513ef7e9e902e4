#include "history/query_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "history/names.h"

namespace ficus::history {
namespace {

constexpr std::size_t kLiteralBytesMax = 2000;
constexpr std::size_t kReplacementBytesMax = 20;
constexpr int kReplacesMax = 2;
constexpr int kGrowingMax = 4;
constexpr int kListDepthMax = 32;
constexpr std::uint64_t kExpandedNodesMax = 200'000;

// What can make a text two to six times as long.
constexpr auto kGrowing = std::to_array<std::string_view>(
    {"array_to_json", "base64", "hex", "json", "json_array", "json_merge_patch", "json_object",
     "json_pretty", "json_quote", "row_to_json", "to_base64", "to_hex", "to_json", "url_encode"});

constexpr auto kLists = std::to_array<std::string_view>(
    {"array_value", "list_pack", "list_value", "map", "row", "struct_pack", "union_value"});

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool has_class(const SyntaxNode& node, std::string_view name) {
  return node.kind == SyntaxNode::Kind::object && node.text_of("class") == name;
}

std::string_view literal_of(const SyntaxNode& node) {
  const SyntaxNode* value = has_class(node, "CONSTANT") ? node.find("value") : nullptr;
  return value == nullptr ? std::string_view() : value->text_of("value");
}

// The first part of a column's name, folded.
std::string column_of(const SyntaxNode& node) {
  const SyntaxNode* names = node.find("column_names");
  return names == nullptr || names->children.empty() ? "" : folded(names->children.front().text);
}

using Sizes = std::map<std::string, std::uint64_t>;

// How many expressions it is when every name of the SELECT list is replaced by what it stands for.
std::uint64_t expanded_size(const SyntaxNode& node, const Sizes& names) {
  std::uint64_t size = node.find("class") == nullptr ? 0 : 1;
  if (has_class(node, "COLUMN_REF")) {
    const auto name = names.find(column_of(node));
    if (name != names.end()) size += name->second;
  }
  for (const SyntaxNode& child : node.children) {
    size = std::min(kExpandedNodesMax + 1, size + expanded_size(child, names));
  }
  return size;
}

class CostWalk {
 public:
  Status check(const SyntaxNode& node) {
    if (has_class(node, "FUNCTION")) FICUS_TRY_VOID(check_function(node));
    if (has_class(node, "LAMBDA")) FICUS_TRY_VOID(check_lambda(node));
    if (node.text_of("type") == "SELECT_NODE") FICUS_TRY_VOID(check_names(node));
    if (literal_of(node).size() > kLiteralBytesMax) {
      return invalid(fmt::format("a text of {} bytes in a statement: at most {}",
                                 literal_of(node).size(), kLiteralBytesMax));
    }
    const bool is_list =
        has_class(node, "FUNCTION") && is_one_of(folded(node.text_of("function_name")), kLists);
    list_depth_ += is_list ? 1 : 0;
    if (list_depth_ > kListDepthMax) {
      return invalid(fmt::format("lists are nested deeper than {}", kListDepthMax));
    }
    for (const SyntaxNode& child : node.children) FICUS_TRY_VOID(check(child));
    list_depth_ -= is_list ? 1 : 0;
    return {};
  }

 private:
  Status check_function(const SyntaxNode& node) {
    const std::string name = folded(node.text_of("function_name"));
    if (is_one_of(name, kGrowing) && ++growing_ > kGrowingMax) {
      return invalid(
          fmt::format("more than {} functions that make texts longer ({})", kGrowingMax, name));
    }
    if (name != "regexp_replace") return {};
    const SyntaxNode* arguments = node.find("children");
    const bool is_short = arguments != nullptr && arguments->children.size() >= 3 &&
                          has_class(arguments->children[2], "CONSTANT") &&
                          literal_of(arguments->children[2]).size() <= kReplacementBytesMax;
    if (is_short && ++replaces_ <= kReplacesMax) return {};
    return invalid(fmt::format(
        "regexp_replace: at most {} in a statement, each with a replacement that is written out "
        "and has at most {} bytes",
        kReplacesMax, kReplacementBytesMax));
  }

  // `j -> '$.a'` looks like a lambda, too; it has no column on its right side.
  static Status check_lambda(const SyntaxNode& node) {
    std::vector<std::string> own;
    const SyntaxNode* left = node.find("lhs");
    const SyntaxNode* body = node.find("expr");
    if (left == nullptr || body == nullptr) return {};
    collect_columns(*left, own);
    std::vector<std::string> used;
    collect_columns(*body, used);
    for (const std::string& name : used) {
      if (std::find(own.begin(), own.end(), name) != own.end()) continue;
      return invalid(fmt::format(
          "a lambda can use its own parameters only, not {}: unnest the list instead", name));
    }
    return {};
  }

  // Not those of a lambda within: it is looked at by itself.
  static void collect_columns(const SyntaxNode& node, std::vector<std::string>& out) {
    if (has_class(node, "LAMBDA")) return;
    if (has_class(node, "COLUMN_REF")) out.push_back(column_of(node));
    for (const SyntaxNode& child : node.children) collect_columns(child, out);
  }

  static Status check_names(const SyntaxNode& select) {
    Sizes names;
    std::uint64_t all = 0;
    const SyntaxNode* list = select.find("select_list");
    if (list == nullptr) return {};
    for (const SyntaxNode& item : list->children) {
      const std::uint64_t size = expanded_size(item, names);
      all += size;
      if (all > kExpandedNodesMax) break;
      const std::string_view name = item.text_of("alias");
      if (!name.empty()) names[folded(name)] = size;
    }
    for (const SyntaxNode& part : select.children) {
      if (&part != list) all += expanded_size(part, names);
    }
    if (all <= kExpandedNodesMax) return {};
    return invalid(
        "names of the SELECT list are used in each other so often that the statement would become "
        "too large: use a subquery or WITH");
  }

  int growing_ = 0;
  int replaces_ = 0;
  int list_depth_ = 0;
};

}  // namespace

Status check_cost(const SyntaxNode& statement) { return CostWalk().check(statement); }

}  // namespace ficus::history
