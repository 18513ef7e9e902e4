#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace ficus::access {

struct BearerToken {
  std::string_view token;
};
struct BasicCredentials {
  std::string user;
  std::string password;
};

// What an Authorization field says: "Bearer TOKEN" (RFC 6750, 2.1) or "Basic BASE64" (RFC 7617, 2;
// the scheme in any case). Nothing for anything else, and for what is longer than any credential of
// ours. The token is a view into `field`.
std::optional<std::variant<BearerToken, BasicCredentials>> parse_authorization(
    std::string_view field);

// The value of the first cookie of that name in a Cookie field (RFC 6265, 4.2.1), without the
// quotes it may have; empty if there is none.
std::string_view find_cookie(std::string_view field, std::string_view name);

// Base64 (RFC 4648, 4) with or without padding; nothing for anything else, also when the bits left
// over are not zero.
std::optional<std::string> base64_decode(std::string_view text);

// The members of an application/x-www-form-urlencoded body; nothing if it has a broken escape.
std::optional<std::string> form_value(std::string_view body, std::string_view name);

}  // namespace ficus::access
