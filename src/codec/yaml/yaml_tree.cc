#include "codec/yaml/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"

namespace ficus {
namespace {

constexpr std::size_t kBytesMax = 4U << 20U;
constexpr std::size_t kNodesMax = 200'000;  // aliases count as often as they are used
constexpr std::size_t kDepthMax = 32;
constexpr std::size_t kMistakesShown = 100;

YamlPlace place_of(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

std::size_t node_count(const YamlNode& node) {
  std::size_t count = 1;
  for (const YamlNode& child : node.children) count += node_count(child);
  return count;
}

// Builds our tree from the parser's events. After the first mistake that leaves no sound tree the
// rest is ignored: the parser cannot be stopped without an exception.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Mistakes& mistakes) : mistakes_(mistakes) {}

  bool is_sound() const { return is_sound_; }
  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node;
    node.place = place_of(mark);
    finish(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return give_up(place_of(mark), "an alias to itself");
    node_count_ += node_count(found->second) - 1;
    finish(found->second, 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node;
    node.kind = YamlNode::Kind::scalar;
    node.place = place_of(mark);
    node.text = value;
    node.is_quoted = tag != "?";
    finish(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(YamlNode::Kind::sequence, mark, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(YamlNode::Kind::map, mark, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
  };

  void give_up(YamlPlace place, std::string message) {
    if (is_sound_) mistakes_.add(place, std::move(message));
    is_sound_ = false;
  }

  void begin(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (!is_sound_) return;
    if (open_.size() >= kDepthMax) {
      return give_up(place_of(mark), fmt::format("nested deeper than {} levels", kDepthMax));
    }
    if (expects_key()) return give_up(place_of(mark), "a key must be a text");
    Open open;
    open.node.kind = kind;
    open.node.place = place_of(mark);
    open.anchor = anchor;
    open_.push_back(std::move(open));
  }

  void end() {
    if (!is_sound_) return;
    Open open = std::move(open_.back());
    open_.pop_back();
    finish(std::move(open.node), open.anchor);
  }

  bool expects_key() const {
    if (open_.empty()) return false;
    const YamlNode& parent = open_.back().node;
    return parent.kind == YamlNode::Kind::map && parent.keys.size() == parent.children.size();
  }

  void finish(YamlNode node, YAML::anchor_t anchor) {
    if (!is_sound_) return;
    if (++node_count_ > kNodesMax) {
      return give_up(node.place, fmt::format("more than {} values", kNodesMax));
    }
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    if (expects_key()) return add_key(node);
    open_.back().node.children.push_back(std::move(node));
  }

  void add_key(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::scalar) return give_up(node.place, "a key must be a text");
    YamlNode& map = open_.back().node;
    for (const YamlNode::Key& key : map.keys) {
      if (key.text != node.text) continue;
      mistakes_.add(node.place, fmt::format("the key '{}' is given twice, first in line {}",
                                            node.text, key.place.line));
    }
    map.keys.push_back({node.text, node.is_quoted, node.place});
  }

  Mistakes& mistakes_;
  bool is_sound_ = true;
  std::size_t node_count_ = 0;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  YamlNode root_;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) return &children[i];
  }
  return nullptr;
}

const char* yaml_kind_name(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return "a single value";
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
  }
  std::unreachable();
}

void Mistakes::add(YamlPlace place, std::string message) {
  found_.push_back({place, std::move(message)});
}

Error Mistakes::to_error() const {
  FICUS_CHECK(!empty());
  std::vector<Mistake> sorted = found_;
  std::ranges::sort(sorted);
  std::string text;
  for (std::size_t i = 0; i < sorted.size() && i < kMistakesShown; ++i) {
    const Mistake& mistake = sorted[i];
    if (!text.empty()) text.push_back('\n');
    text += fmt::format("{}:{}:{}: {}", file_, mistake.place.line, mistake.place.column,
                        mistake.message);
  }
  if (sorted.size() > kMistakesShown) {
    text += fmt::format("\n{}: and {} more mistakes", file_, sorted.size() - kMistakesShown);
  }
  return {ErrorCode::invalid_input, std::move(text)};
}

bool parse_yaml(std::string_view text, YamlNode& root, Mistakes& mistakes) {
  if (text.size() > kBytesMax) {
    mistakes.add({}, fmt::format("{} bytes, at most {} are allowed", text.size(), kBytesMax));
    return false;
  }
  if (!is_valid_utf8(text)) {
    mistakes.add({}, "the file is not UTF-8");
    return false;
  }
  // YAML 1.2, 5.1: no control characters but these. The parser takes NUL for the end of the file,
  // and what stands behind it would be ignored without a word.
  const auto is_forbidden = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
  };
  if (const auto bad = std::ranges::find_if(text, is_forbidden); bad != text.end()) {
    const std::string_view before(text.begin(), bad);
    const std::size_t line_begin = before.rfind('\n') + 1;  // 0 if there is none
    mistakes.add({static_cast<int>(std::ranges::count(before, '\n')) + 1,
                  static_cast<int>(before.size() - line_begin) + 1},
                 "a control character: the file must be text");
    return false;
  }
  TreeBuilder builder(mistakes);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    if (builder.is_sound()) root = builder.take_root();
    TreeBuilder rest(mistakes);
    if (parser.HandleNextDocument(rest)) {
      mistakes.add(rest.take_root().place, "expected one YAML document, found a second");
    }
  } catch (const YAML::Exception& e) {
    mistakes.add(place_of(e.mark), fmt::format("not YAML: {}", e.msg));
    return false;
  }
  return builder.is_sound();
}

}  // namespace ficus
