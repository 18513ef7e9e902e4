#include "connect/client/secret_reader.h"

#include <fmt/format.h>

namespace ficus::connect {
namespace {

constexpr std::uint64_t kSecretBytesMax = 64 << 10;

}  // namespace

Result<std::string> SecretReader::read(const SecretPlace& place) const {
  std::string text;
  if (!place.variable.empty()) {
    auto value = environment_(place.variable);
    if (!value) {
      return fail(ErrorCode::unavailable,
                  fmt::format("the environment variable {} is not set", place.variable));
    }
    text = *std::move(value);
  } else {
    auto content = read_file(disk_, place.file, kSecretBytesMax);
    if (!content) return in_context("the file of a secret: ", std::move(content).error());
    text = content->substr(0, content->find('\n'));
    if (text.ends_with('\r')) text.pop_back();
  }
  // What follows would become a header or field of its own.
  if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return invalid(fmt::format("the secret in {} has a control character in it",
                               place.variable.empty() ? place.file : place.variable));
  }
  return text;
}

}  // namespace ficus::connect
