#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connect/mapping/value_path.h"

namespace ficus::connect {

// A name that may stand between the braces of a topic or template.
bool is_placeholder_name(std::string_view name);

// A text with values filled in: `urn:ngsi-ld:Vehicle:{line}-{$.vehicle.id}`. Between braces stands
// the name of a placeholder or a path; `{{` and `}}` are braces themselves. A value.
class TextTemplate {
 public:
  TextTemplate() = default;
  // `names` are the placeholders the source has. The error says what was expected.
  static Result<TextTemplate> compile(std::string_view text, std::span<const std::string> names);

  // Of one value alone.
  static TextTemplate of_path(ValuePath path);
  static TextTemplate of_placeholder(std::string_view name, std::size_t index);

  const std::string& text() const { return text_; }
  bool has_values() const;
  // The text before the first value.
  std::string_view leading_text() const;
  std::size_t outwards() const;
  bool begins_with_element() const;

  enum class Filling : std::uint8_t {
    as_is,
    // Characters that no URI may hold (RFC 3986, 2: white space, controls, "<>\^`{|} and '%'
    // itself) are written as %XX, so that two different values never give the same URI. Letters
    // beyond ASCII stay (RFC 3987).
    as_uri,
  };
  // Appends the text to `out`. If a value is absent or no scalar, `out` is left with a part of the
  // text and the piece is named in `missing` as the template spells it, with what it found.
  bool fill(const ItemContext& context, Filling filling, std::string& out,
            std::string& missing) const;

 private:
  struct Piece {
    enum class Kind : std::uint8_t { literal, placeholder, path };
    Kind kind = Kind::literal;
    std::string literal;  // of a placeholder: as the template spells it
    std::size_t placeholder = 0;
    ValuePath path;
  };
  static Result<Piece> compile_value(std::string_view text, std::span<const std::string> names);

  std::string text_;
  std::vector<Piece> pieces_;
};

}  // namespace ficus::connect
