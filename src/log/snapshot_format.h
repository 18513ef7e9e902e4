#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// The bytes of a snapshot file. All numbers are little endian. Internal to this module.
//
//   header, 32 bytes                      sections: their bytes, one behind the other
//   offset size
//    0     8  magic "FICUSNAP"            table: for each section
//    8     4  crc32c of all that follows    1  length of the name
//   12     4  format version, 1             n  name
//   16     8  position in the log           8  offset in the file
//   24     8  zero                          8  bytes
//                                           4  crc32c of the section
//   trailer, 32 bytes
//    0     8  offset of the table        16     4  crc32c of the table
//    8     4  bytes of the table         20     4  crc32c of the 20 bytes before
//   12     4  count of sections          24     8  magic "SNAPEND."
//
// The table stands behind the sections so that they can be streamed with unknown length. Sections
// and table fill the file without a gap: every byte is under a checksum or a magic.
namespace ficus::log {

constexpr std::uint64_t kSnapshotMagic = 0x50414e5355434946;     // "FICUSNAP"
constexpr std::uint64_t kSnapshotEndMagic = 0x2e444e4550414e53;  // "SNAPEND."
constexpr std::uint32_t kSnapshotVersion = 1;
constexpr std::size_t kSnapshotHeaderBytes = 32;
constexpr std::size_t kSnapshotTrailerBytes = 32;
constexpr std::size_t kSectionNameBytesMax = 255;
constexpr std::size_t kSectionsMax = 65535;
constexpr std::size_t kTableEntryBytes = 1 + 8 + 8 + 4;  // and the name
constexpr std::size_t kTableBytesMax = kSectionsMax * (kTableEntryBytes + kSectionNameBytesMax);
constexpr std::string_view kSnapshotSuffix = ".snap";
constexpr std::string_view kUnfinishedSuffix = ".snap.tmp";

}  // namespace ficus::log
