#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "connect/files/folder_reader.h"

namespace ficus::app {

// Takes hold of a regular file in a folder that others write to. Not through a symbolic link, which
// could show us any file that only we may read; nor a pipe or a device, which could keep us
// waiting. Its path stands for the file itself (/proc/self/fd/N): neither a name with '*' in it nor
// one that is put in its place can lead elsewhere.
Result<std::unique_ptr<connect::HeldFile>> hold_file(const std::string& path);

}  // namespace ficus::app
