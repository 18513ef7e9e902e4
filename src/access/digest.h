#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ficus::access {

// 32 bytes of SHA-256, or of a random secret.
using Digest = std::array<std::uint8_t, 32>;

// SHA-256 (FIPS 180-4, 6.2). Fast on purpose: for secrets of 256 random bits, never for passwords.
Digest sha256(std::string_view bytes);
// HMAC-SHA-256 (RFC 2104).
Digest hmac_sha256(const Digest& key, std::string_view bytes);

// Takes the same time wherever the two differ.
bool equal_in_constant_time(const Digest& a, const Digest& b);

std::string to_hex(const Digest& digest);  // 64 small letters and digits
// Nothing unless `text` is 64 hexadecimal digits.
std::optional<Digest> digest_from_hex(std::string_view text);

// Overwrites the bytes in a way the compiler may not leave out.
void wipe(std::string& secret);

}  // namespace ficus::access
