#include "codec/csv/text_encoding.h"

#include <iconv.h>

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/utf8.h"

namespace ficus::csv {

struct TextDecoder::Converter {
  iconv_t handle;

  explicit Converter(const char* encoding) : handle(iconv_open("UTF-8", encoding)) {}
  ~Converter() {
    if (is_open()) iconv_close(handle);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  // iconv_open answers (iconv_t)-1 when it fails.
  bool is_open() const { return std::bit_cast<std::intptr_t>(handle) != -1; }
};

TextDecoder::TextDecoder(std::unique_ptr<Converter> converter) : converter_(std::move(converter)) {}
TextDecoder::TextDecoder(TextDecoder&&) noexcept = default;
TextDecoder& TextDecoder::operator=(TextDecoder&&) noexcept = default;
TextDecoder::~TextDecoder() = default;

Result<TextDecoder> TextDecoder::open(TextEncoding encoding) {
  if (encoding == TextEncoding::utf8) return TextDecoder(nullptr);
  auto converter = std::make_unique<Converter>("GB18030");
  if (!converter->is_open()) {
    return fail(ErrorCode::unavailable,
                "the system has no table for GB18030: install its gconv modules (libc-bin)");
  }
  return TextDecoder(std::move(converter));
}

bool TextDecoder::decode(std::string& text) {
  if (converter_ == nullptr) return is_valid_utf8(text);
  const bool is_ascii = std::all_of(text.begin(), text.end(),
                                    [](char c) { return static_cast<signed char>(c) >= 0; });
  if (is_ascii) return true;
  // No character of GB18030 needs more bytes in UTF-8 than one and a half times its own.
  buffer_.resize(text.size() * 2);
  iconv(converter_->handle, nullptr, nullptr, nullptr, nullptr);
  char* in = text.data();
  std::size_t in_left = text.size();
  char* out = buffer_.data();
  std::size_t out_left = buffer_.size();
  const std::size_t failed = static_cast<std::size_t>(-1);
  if (iconv(converter_->handle, &in, &in_left, &out, &out_left) == failed || in_left != 0) {
    return false;
  }
  buffer_.resize(buffer_.size() - out_left);
  text.swap(buffer_);
  return true;
}

}  // namespace ficus::csv
