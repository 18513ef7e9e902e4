#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace ficus::app {

// Keeps a second process out of a data directory. Released when the process ends, however it ends.
class DirectoryLock {
 public:
  static Result<std::unique_ptr<DirectoryLock>> take(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  const int descriptor_;
};

}  // namespace ficus::app
