#include "access/password.h"

#include <argon2.h>
#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "base/check.h"

namespace ficus::access {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::uint32_t kMemoryKibMax = 256 * 1024;
constexpr std::uint32_t kPassesMax = 16;
constexpr std::uint32_t kLanesMax = 4;
// Of the salt and the hash in base64 without padding: 8 to 64 bytes.
constexpr std::size_t kBase64CharsMin = 11;
constexpr std::size_t kBase64CharsMax = 86;

// Takes `prefix` and a decimal number from the front of `text`.
std::optional<std::uint32_t> take_number(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  std::uint32_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr == text.data()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return value;
}

bool is_base64(std::string_view text) {
  if (text.size() < kBase64CharsMin || text.size() > kBase64CharsMax) return false;
  for (const char c : text) {
    const bool fits = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                      c == '+' || c == '/';
    if (!fits) return false;
  }
  return true;
}

}  // namespace

std::string hash_password(std::string_view password, const Salt& salt, const PasswordCost& cost) {
  FICUS_CHECK(password.size() <= kPasswordBytesMax);
  std::vector<char> phc(argon2_encodedlen(cost.passes, cost.memory_kib, cost.lanes,
                                          static_cast<std::uint32_t>(salt.size()), kHashBytes,
                                          Argon2_id));
  const int failure = argon2id_hash_encoded(cost.passes, cost.memory_kib, cost.lanes,
                                            password.data(), password.size(), salt.data(),
                                            salt.size(), kHashBytes, phc.data(), phc.size());
  FICUS_CHECK(failure == ARGON2_OK);
  return phc.data();
}

std::optional<PasswordCost> password_cost(std::string_view phc) {
  PasswordCost cost;
  if (take_number(phc, "$argon2id$v=") != 19) return std::nullopt;
  const auto memory = take_number(phc, "$m=");
  const auto passes = take_number(phc, ",t=");
  const auto lanes = take_number(phc, ",p=");
  if (!memory || !passes || !lanes || !phc.starts_with('$')) return std::nullopt;
  phc.remove_prefix(1);
  const std::size_t dollar = phc.find('$');
  if (dollar == std::string_view::npos) return std::nullopt;
  if (!is_base64(phc.substr(0, dollar)) || !is_base64(phc.substr(dollar + 1))) return std::nullopt;
  cost = {.memory_kib = *memory, .passes = *passes, .lanes = *lanes};
  // RFC 9106, 3.1: at least 8 KiB a lane.
  const bool is_possible = cost.lanes >= 1 && cost.lanes <= kLanesMax && cost.passes >= 1 &&
                           cost.passes <= kPassesMax && cost.memory_kib >= 8 * cost.lanes &&
                           cost.memory_kib <= kMemoryKibMax;
  return is_possible ? std::optional(cost) : std::nullopt;
}

bool verify_password(const std::string& phc, std::string_view password) {
  if (password.size() > kPasswordBytesMax || !password_cost(phc)) return false;
  return argon2id_verify(phc.c_str(), password.data(), password.size()) == ARGON2_OK;
}

std::string decoy_hash(const PasswordCost& cost, const Salt& salt) {
  // 16 bytes are 22 characters of base64, 32 bytes are 43. Only the form matters.
  std::string salt_text;
  for (std::size_t i = 0; i < 21; ++i)
    salt_text.push_back(static_cast<char>('a' + salt[i % 16] % 26));
  return fmt::format("$argon2id$v=19$m={},t={},p={}${}A${}", cost.memory_kib, cost.passes,
                     cost.lanes, salt_text, std::string(43, 'A'));
}

}  // namespace ficus::access
