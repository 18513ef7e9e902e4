#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace ficus::csv {

enum class TextEncoding : std::uint8_t {
  utf8,
  gb18030,  // GB 18030-2005; GBK and GB 2312 are subsets
};

// Bytes of an encoding to UTF-8, text by text. Not thread-safe.
class TextDecoder {
 public:
  // `unavailable` if the system has no table for the encoding.
  static Result<TextDecoder> open(TextEncoding encoding);
  TextDecoder(TextDecoder&&) noexcept;
  TextDecoder& operator=(TextDecoder&&) noexcept;
  ~TextDecoder();

  // Replaces `text` by the same in UTF-8. False, and `text` untouched, if it is not in the
  // encoding.
  bool decode(std::string& text);

 private:
  struct Converter;
  explicit TextDecoder(std::unique_ptr<Converter> converter);
  std::unique_ptr<Converter> converter_;  // null: UTF-8 is only checked
  std::string buffer_;
};

}  // namespace ficus::csv
