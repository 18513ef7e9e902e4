#include "app/held_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/errno_text.h"

namespace ficus::app {
namespace {

class Descriptor final : public connect::HeldFile {
 public:
  explicit Descriptor(int number)
      : number_(number), path_(fmt::format("/proc/self/fd/{}", number)) {}
  ~Descriptor() override { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const std::string& path() const override { return path_; }

 private:
  const int number_;
  const std::string path_;
};

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

Result<std::unique_ptr<connect::HeldFile>> hold_file(const std::string& path) {
  // Not waiting: a pipe without a writer would hold the opening up.
  const int number = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (number < 0) {
    const int error = errno;
    if (error == ELOOP) {
      return invalid("it is a symbolic link, which is not followed: put the file itself there");
    }
    const ErrorCode code = error == ENOENT   ? ErrorCode::not_found
                           : error == EACCES ? ErrorCode::denied
                                             : ErrorCode::unavailable;
    return fail(code, fmt::format("cannot open it: {}", errno_text(error)));
  }
  auto held = std::make_unique<Descriptor>(number);
  struct stat about{};
  if (::fstat(number, &about) != 0) {
    return fail(ErrorCode::unavailable, fmt::format("cannot look at it: {}", errno_text(errno)));
  }
  if (!S_ISREG(about.st_mode)) {
    return invalid(fmt::format("it is {}: expected a regular file", kind_of(about.st_mode)));
  }
  return held;
}

}  // namespace ficus::app
