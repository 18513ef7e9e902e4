#include "history/syntax_tree.h"

#include <cstddef>
#include <cstdint>

namespace ficus::history {
namespace {

// DuckDB limits expressions to a depth of 1000; one level of SQL is two or three of JSON.
constexpr int kDepthMax = 4000;

class Reader {
 public:
  explicit Reader(std::string_view json) : json_(json) {}

  Result<SyntaxNode> document() {
    SyntaxNode root;
    FICUS_TRY_VOID(value(root, 0));
    skip_space();
    if (at_ != json_.size()) return broken();
    return root;
  }

 private:
  std::unexpected<Error> broken() const {
    return fail(ErrorCode::internal,
                "the syntax tree is not readable at byte " + std::to_string(at_));
  }

  void skip_space() {
    while (at_ < json_.size() &&
           (json_[at_] == ' ' || json_[at_] == '\n' || json_[at_] == '\t' || json_[at_] == '\r')) {
      ++at_;
    }
  }

  char peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }
  bool eat(char c) {
    skip_space();
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  Status value(SyntaxNode& out, int depth) {
    if (depth > kDepthMax) return invalid("the statement is nested too deeply");
    skip_space();
    switch (peek()) {
      case '{':
        return container(out, SyntaxNode::Kind::object, '}', depth);
      case '[':
        return container(out, SyntaxNode::Kind::array, ']', depth);
      case '"':
        out.kind = SyntaxNode::Kind::text;
        return string(out.text);
      default:
        return scalar(out);
    }
  }

  Status container(SyntaxNode& out, SyntaxNode::Kind kind, char close, int depth) {
    out.kind = kind;
    ++at_;
    if (eat(close)) return {};
    do {
      if (kind == SyntaxNode::Kind::object) {
        skip_space();
        if (peek() != '"') return broken();
        FICUS_TRY_VOID(string(out.names.emplace_back()));
        if (!eat(':')) return broken();
      }
      FICUS_TRY_VOID(value(out.children.emplace_back(), depth + 1));
    } while (eat(','));
    if (!eat(close)) return broken();
    return {};
  }

  Status scalar(SyntaxNode& out) {
    const std::size_t begin = at_;
    while (at_ < json_.size() && json_[at_] != ',' && json_[at_] != '}' && json_[at_] != ']') ++at_;
    const std::string_view word = json_.substr(begin, at_ - begin);
    if (word.empty()) return broken();
    out.kind = word == "null" ? SyntaxNode::Kind::null : SyntaxNode::Kind::scalar;
    return {};
  }

  Status string(std::string& out) {
    ++at_;
    while (at_ < json_.size()) {
      const char c = json_[at_++];
      if (c == '"') return {};
      if (c != '\\') {
        out += c;
        continue;
      }
      FICUS_TRY_VOID(escape(out));
    }
    return broken();
  }

  Status escape(std::string& out) {
    const char c = peek();
    ++at_;
    switch (c) {
      case 'b':
        out += '\b';
        return {};
      case 'f':
        out += '\f';
        return {};
      case 'n':
        out += '\n';
        return {};
      case 'r':
        out += '\r';
        return {};
      case 't':
        out += '\t';
        return {};
      case 'u':
        return unicode(out);
      case '"':
      case '\\':
      case '/':
        out += c;
        return {};
      default:
        return broken();
    }
  }

  // Names are compared as bytes. yyjson escapes only control characters, so that anything else
  // here is unexpected.
  Status unicode(std::string& out) {
    if (at_ + 4 > json_.size()) return broken();
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = json_[at_++];
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return broken();
      code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    if (code >= 0x80) return broken();
    out += static_cast<char>(code);
    return {};
  }

  std::string_view json_;
  std::size_t at_ = 0;
};

}  // namespace

const SyntaxNode* SyntaxNode::find(std::string_view name) const {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return &children[i];
  }
  return nullptr;
}

std::string_view SyntaxNode::text_of(std::string_view name) const {
  const SyntaxNode* node = find(name);
  return node != nullptr && node->kind == Kind::text ? std::string_view(node->text)
                                                     : std::string_view();
}

Result<SyntaxNode> read_syntax_tree(std::string_view json) { return Reader(json).document(); }

}  // namespace ficus::history
