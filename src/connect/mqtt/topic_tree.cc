#include "connect/mqtt/topic_tree.h"

#include <functional>
#include <map>

#include "connect/mqtt/session.h"

namespace ficus::connect {

struct TopicTree::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> children;  // by literal level, or "+"
  SubscriberList here;                                                 // filters that end here
  SubscriberList rest;  // filters that end in "#" here

  bool is_empty() const { return children.empty() && here.empty() && rest.empty(); }
};

namespace {

void append(const SubscriberList& list, std::vector<Subscriber>& out) {
  out.insert(out.end(), list.items().begin(), list.items().end());
}

std::string_view take_level(std::string_view& rest, bool& is_last) {
  const std::size_t slash = rest.find('/');
  const std::string_view level = rest.substr(0, slash);
  is_last = slash == std::string_view::npos;
  rest = is_last ? std::string_view() : rest.substr(slash + 1);
  return level;
}

}  // namespace

TopicTree::TopicTree() : root_(std::make_unique<Node>()) {}
TopicTree::~TopicTree() = default;

void TopicTree::add(std::string_view filter, Session& session, SubscriptionOptions options) {
  put(filter,
      {.session = &session, .group = nullptr, .order = session.order(), .options = options});
}

void TopicTree::remove(std::string_view filter, Session& session) {
  take(filter, {.session = &session, .group = nullptr, .order = session.order(), .options = {}});
}

void TopicTree::add(std::string_view filter, SharedGroup& group) {
  put(filter, {.session = nullptr, .group = &group, .order = 0, .options = {}});
}

void TopicTree::remove(std::string_view filter, SharedGroup& group) {
  take(filter, {.session = nullptr, .group = &group, .order = 0, .options = {}});
}

void TopicTree::put(std::string_view filter, const Subscriber& subscriber) {
  ++generation_;
  Node* node = root_.get();
  bool is_last = false;
  while (!is_last) {
    const std::string_view level = take_level(filter, is_last);
    if (level == "#") {
      size_ += node->rest.put(subscriber) ? 1U : 0U;
      return;
    }
    auto found = node->children.find(level);
    if (found == node->children.end()) {
      found = node->children.emplace(std::string(level), std::make_unique<Node>()).first;
    }
    node = found->second.get();
  }
  size_ += node->here.put(subscriber) ? 1U : 0U;
}

void TopicTree::take(std::string_view filter, const Subscriber& subscriber) {
  ++generation_;
  // The path is kept, so that branches left empty can be cut from the tip down.
  std::vector<std::pair<Node*, std::string>> path;
  Node* node = root_.get();
  SubscriberList* list = nullptr;
  bool is_last = false;
  while (!is_last) {
    const std::string_view level = take_level(filter, is_last);
    if (level == "#") {
      list = &node->rest;
      break;
    }
    const auto found = node->children.find(level);
    if (found == node->children.end()) return;
    path.emplace_back(node, std::string(level));
    node = found->second.get();
  }
  if (list == nullptr) list = &node->here;
  size_ -= list->remove(subscriber) ? 1U : 0U;
  for (; !path.empty() && node->is_empty(); path.pop_back()) {
    node = path.back().first;
    node->children.erase(path.back().second);
  }
}

void TopicTree::match(const Node& node, std::string_view rest, bool is_first,
                      std::vector<Subscriber>& out) const {
  // A wildcard in the first level does not match names that begin with '$' (4.7.2).
  const bool wildcards = !is_first || !rest.starts_with('$');
  if (wildcards) append(node.rest, out);
  bool is_last = false;
  const std::string_view level = take_level(rest, is_last);
  const auto follow = [&](std::string_view name) {
    const auto found = node.children.find(name);
    if (found == node.children.end()) return;
    const Node& child = *found->second;
    if (!is_last) return match(child, rest, false, out);
    append(child.here, out);
    append(child.rest, out);  // "a/#" matches "a" too (4.7.1.2)
  };
  follow(level);
  if (wildcards) follow("+");
}

void TopicTree::match(std::string_view topic, std::vector<Subscriber>& out) const {
  if (size_ > 0) match(*root_, topic, true, out);
}

bool TopicTree::matches_any(std::string_view topic) const {
  std::vector<Subscriber> found;
  match(topic, found);
  return !found.empty();
}

std::vector<const TopicTree::Node*> TopicTree::nodes_at(std::string_view levels,
                                                        std::vector<Subscriber>& all) const {
  std::vector<const Node*> nodes{root_.get()};
  bool is_last = false;
  while (!is_last) {
    const std::string_view level = take_level(levels, is_last);
    std::vector<const Node*> next;
    for (const Node* const node : nodes) {
      append(node->rest, all);
      for (const std::string_view name : {level, std::string_view("+")}) {
        const auto found = node->children.find(name);
        if (found != node->children.end()) next.push_back(found->second.get());
      }
    }
    nodes = std::move(next);
  }
  return nodes;
}

bool TopicTree::has_any_under(std::string_view levels) const {
  std::vector<Subscriber> all;
  return !nodes_at(levels, all).empty() || !all.empty();
}

bool TopicTree::match_below(std::string_view levels, std::vector<Subscriber>& out) const {
  bool has_others = false;
  for (const Node* const node : nodes_at(levels, out)) {
    append(node->rest, out);
    for (const auto& [name, child] : node->children) {
      if (name == "+") {
        append(child->here, out);
        append(child->rest, out);
      } else {
        has_others |= !child->here.empty() || !child->rest.empty();
      }
    }
  }
  return has_others;
}

}  // namespace ficus::connect
