#include "base/disk.h"

#include <fmt/format.h>

namespace ficus {

Status Disk::link(const std::string& from, const std::string&) {
  return fail(ErrorCode::unavailable, "this disk has no second names for files such as " + from);
}

std::string parent_directory(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(slash == 0 ? "/" : path.substr(0, slash));
}

Result<std::string> read_file(Disk& disk, const std::string& path, std::uint64_t bytes_max) {
  FICUS_TRY(const auto file, disk.open(path, OpenMode::read));
  FICUS_TRY(const std::uint64_t size, file->size());
  if (size > bytes_max) {
    return invalid(fmt::format("{} has {} bytes, the limit is {}", path, size, bytes_max));
  }
  std::string content(size, '\0');
  FICUS_TRY(const std::size_t got, file->read_at(0, std::as_writable_bytes(std::span(content))));
  content.resize(got);
  return content;
}

Status write_file_atomically(Disk& disk, const std::string& path,
                             std::span<const std::byte> bytes) {
  const std::string temporary = path + ".tmp";
  {
    FICUS_TRY(const auto file, disk.open(temporary, OpenMode::create));
    FICUS_TRY_VOID(file->append(bytes));
    FICUS_TRY_VOID(file->sync());
  }
  FICUS_TRY_VOID(disk.rename(temporary, path));
  return disk.sync_directory(parent_directory(path));
}

}  // namespace ficus
