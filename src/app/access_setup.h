#pragma once

#include <memory>
#include <string>
#include <vector>

#include "access/access_control.h"
#include "app/brain.h"
#include "net/event_loop.h"

namespace ficus::app {

// What the packs know and users.yaml may name.
struct AccessNames {
  std::vector<std::string> departments;
  std::vector<std::string> types;
  std::vector<std::string> sources;

  static AccessNames of(const LoadedPacks& packs, const Schema& schema);
};

// Access control on the loop, with the users of the configuration; open if it names no file. An
// error names file, line and column of every mistake. `audit` may be null.
Result<std::unique_ptr<access::AccessControl>> open_access(const Config& config,
                                                           const Machine& machine,
                                                           net::EventLoop& loop,
                                                           const AccessNames& names,
                                                           access::AuditSink* audit);

// Reads the users file again; does nothing without one.
Status reload_users(access::AccessControl& access, const Config& config, const Machine& machine,
                    const AccessNames& names);

}  // namespace ficus::app
