#include "app/directory_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/errno_text.h"

namespace ficus::app {

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(const std::string& directory) {
  const std::string path = directory + "/lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) {
    return fail(ErrorCode::unavailable, fmt::format("cannot open {}: {}", path, errno_text(errno)));
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return fail(ErrorCode::conflict,
                fmt::format("{} is in use by another ficus process: stop that one first, or set "
                            "another data_directory",
                            directory));
  }
  return std::unique_ptr<DirectoryLock>(new DirectoryLock(descriptor));
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

}  // namespace ficus::app
