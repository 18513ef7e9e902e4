#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ficus {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4): polynomial 0x1EDC6F41 reflected, initial and final
// inversion. `crc` continues an earlier value. Uses the processor's instruction where it has one.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0);

}  // namespace ficus
