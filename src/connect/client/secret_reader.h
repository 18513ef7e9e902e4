#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/disk.h"
#include "base/result.h"
#include "connect/mapping/connector.h"

namespace ficus::connect {

// Reads secrets where sources.yaml says that they are, each time anew, so that a changed password
// is used at the next attempt. Errors name the place, never the secret.
class SecretReader {
 public:
  // `environment` gives a variable's value, or nothing.
  SecretReader(Disk& disk,
               std::function<std::optional<std::string>(const std::string&)> environment)
      : disk_(disk), environment_(std::move(environment)) {}

  // The first line of the file, or the variable. REQUIRES: !place.is_none().
  Result<std::string> read(const SecretPlace& place) const;

 private:
  Disk& disk_;
  const std::function<std::optional<std::string>(const std::string&)> environment_;
};

}  // namespace ficus::connect
