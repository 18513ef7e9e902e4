#include "connect/mapping/text_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/nearest_name.h"

namespace ficus::connect {
namespace {

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_forbidden_in_uri(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F ||
         std::string_view("\"%<>\\^`{|}").contains(c);
}

void append_uri_part(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (!is_forbidden_in_uri(c)) {
      out.push_back(c);
      continue;
    }
    out.push_back('%');
    out.push_back(kHex[static_cast<unsigned char>(c) >> 4U]);
    out.push_back(kHex[static_cast<unsigned char>(c) & 0xFU]);
  }
}

}  // namespace

bool is_placeholder_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, is_name_byte);
}

Result<TextTemplate> TextTemplate::compile(std::string_view text,
                                           std::span<const std::string> names) {
  TextTemplate result;
  result.text_ = text;
  std::string literal;
  const auto end_literal = [&] {
    if (literal.empty()) return;
    Piece piece;
    piece.literal = std::exchange(literal, {});
    result.pieces_.push_back(std::move(piece));
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '{' && c != '}') {
      literal.push_back(c);
    } else if (i + 1 < text.size() && text[i + 1] == c) {
      literal.push_back(c);
      ++i;
    } else if (c == '}') {
      return invalid("'}' without '{' before it");
    } else {
      const std::size_t close = text.find('}', i);
      if (close == std::string_view::npos) return invalid("'{' without '}' after it");
      FICUS_TRY(Piece piece, compile_value(text.substr(i + 1, close - i - 1), names));
      end_literal();
      result.pieces_.push_back(std::move(piece));
      i = close;
    }
  }
  end_literal();
  return result;
}

Result<TextTemplate::Piece> TextTemplate::compile_value(std::string_view text,
                                                        std::span<const std::string> names) {
  Piece piece;
  if (text.starts_with('$') || text.starts_with('^') || text == "#") {
    piece.kind = Piece::Kind::path;
    auto path = ValuePath::compile(text);
    if (!path) return in_context(fmt::format("{{{}}}: ", text), std::move(path).error());
    piece.path = *std::move(path);
    return piece;
  }
  piece.kind = Piece::Kind::placeholder;
  piece.literal = fmt::format("{{{}}}", text);
  const auto found = std::ranges::find(names, text);
  if (found != names.end()) {
    piece.placeholder = static_cast<std::size_t>(found - names.begin());
    return piece;
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string_view nearest = nearest_name(text, known);
  if (!nearest.empty()) {
    return invalid(fmt::format("unknown placeholder {{{}}}: did you mean {{{}}}?", text, nearest));
  }
  return invalid(
      fmt::format("unknown placeholder {{{}}}: expected a name of the source's topic, or a path "
                  "such as {{$.id}}",
                  text));
}

TextTemplate TextTemplate::of_path(ValuePath path) {
  TextTemplate result;
  result.text_ = fmt::format("{{{}}}", path.text());
  Piece piece;
  piece.kind = Piece::Kind::path;
  piece.path = std::move(path);
  result.pieces_.push_back(std::move(piece));
  return result;
}

TextTemplate TextTemplate::of_placeholder(std::string_view name, std::size_t index) {
  TextTemplate result;
  result.text_ = fmt::format("{{{}}}", name);
  Piece piece;
  piece.kind = Piece::Kind::placeholder;
  piece.literal = result.text_;
  piece.placeholder = index;
  result.pieces_.push_back(std::move(piece));
  return result;
}

bool TextTemplate::has_values() const {
  return std::ranges::any_of(pieces_,
                             [](const Piece& p) { return p.kind != Piece::Kind::literal; });
}

std::string_view TextTemplate::leading_text() const {
  if (pieces_.empty() || pieces_.front().kind != Piece::Kind::literal) return {};
  return pieces_.front().literal;
}

std::size_t TextTemplate::outwards() const {
  std::size_t most = 0;
  for (const Piece& piece : pieces_) most = std::max(most, piece.path.outwards());
  return most;
}

bool TextTemplate::begins_with_element() const {
  return std::ranges::any_of(pieces_, [](const Piece& p) { return p.path.begins_with_element(); });
}

bool TextTemplate::fill(const ItemContext& context, Filling filling, std::string& out,
                        std::string& missing) const {
  for (const Piece& piece : pieces_) {
    if (piece.kind == Piece::Kind::literal) {
      out += piece.literal;
      continue;
    }
    const bool is_path = piece.kind == Piece::Kind::path;
    const RawValue value = is_path ? piece.path.find(context)
                                   : RawValue::of_text(context.placeholders[piece.placeholder]);
    std::array<char, 32> buffer;
    const std::optional<std::string_view> text = canonical_text(value, buffer);
    if (!text || text->empty()) {
      missing = fmt::format("{}: expected a text or a number, got {}",
                            is_path ? piece.path.text() : piece.literal, shown(value));
      return false;
    }
    if (filling == Filling::as_uri) {
      append_uri_part(*text, out);
    } else {
      out += *text;
    }
  }
  return true;
}

}  // namespace ficus::connect
