#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/disk.h"
#include "base/result.h"

namespace ficus::simulate {

// The bytes of a file from its beginning to its end.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `out` from the front; 0: the end. `corrupt` if what is packed is damaged or cut short.
  virtual Result<std::size_t> read(std::span<std::byte> out) = 0;
};

// Unpacks what has a name ending in ".zst" on the way.
Result<std::unique_ptr<ByteSource>> open_bytes(Disk& disk, const std::string& path);

// The lines of a source, without their line ends ("\n" or "\r\n"); the last need not have one.
class LineReader {
 public:
  static constexpr std::size_t kLineBytesMax = std::size_t{1} << 20;

  explicit LineReader(ByteSource& source) : source_(source) {}

  // False: the end. Valid until the next call. A line above the limit is `invalid_input`.
  Result<bool> next(std::string_view& line);

 private:
  ByteSource& source_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool is_at_end_ = false;
};

}  // namespace ficus::simulate
