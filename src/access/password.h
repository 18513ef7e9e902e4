#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ficus::access {

// What hashing one password costs. RFC 9106, 4 recommends (second option) three passes over 64 MiB
// with four lanes; scaled here to one lane and 19 MiB: about 45 ms of one core, so that a machine
// that is also running a city can check twenty a second. OWASP's minimum is two passes over 19 MiB.
struct PasswordCost {
  std::uint32_t memory_kib = 19 * 1024;
  std::uint32_t passes = 3;
  std::uint32_t lanes = 1;

  friend bool operator==(const PasswordCost&, const PasswordCost&) = default;
};

inline constexpr std::size_t kPasswordBytesMax = 1024;
using Salt = std::array<std::uint8_t, 16>;

// Argon2id (RFC 9106), version 1.3, as a PHC string: "$argon2id$v=19$m=19456,t=3,p=1$SALT$HASH".
// Slow on purpose: not on a loop's thread. REQUIRES: password.size() <= kPasswordBytesMax, a cost
// within password_cost()'s limits.
std::string hash_password(std::string_view password, const Salt& salt, const PasswordCost& cost);

// The cost of a well-formed PHC string of argon2id; nothing for anything else, or if checking it
// would take more than 256 MiB, 16 passes or 4 lanes.
std::optional<PasswordCost> password_cost(std::string_view phc);

// As slow as hashing. False also for a malformed string.
bool verify_password(const std::string& phc, std::string_view password);

// A PHC string that no password fits and that takes as long to check as one of that cost: checked
// for users who do not exist, so that a stranger cannot tell by the clock who does.
std::string decoy_hash(const PasswordCost& cost, const Salt& salt);

}  // namespace ficus::access
