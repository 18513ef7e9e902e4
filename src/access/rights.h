#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "access/topic_right.h"

namespace ficus::access {

// The entity type of what was done by whom (audit.h). "*" does not include it: who may watch the
// watchers is said by name.
inline constexpr std::string_view kAuditType = "AuditEvent";

// A set of names, or all of them. A value.
struct NameSet {
  bool is_all = false;
  std::set<std::string, std::less<>> names;

  bool contains(std::string_view name) const { return is_all || names.contains(name); }
  bool empty() const { return !is_all && names.empty(); }
  void add(const NameSet& other) {
    is_all = is_all || other.is_all;
    names.insert(other.names.begin(), other.names.end());
  }
};

// Which alerts may be acknowledged, assigned, commented and cleared.
enum class AlertRight : std::uint8_t { none, own_department, all };

// What somebody may do. Rights only ever add up. A value.
struct Rights {
  std::vector<TopicRight> publish;
  std::vector<TopicRight> subscribe;
  NameSet ingest;  // sources
  NameSet read;    // entity types; all: every one but kAuditType
  bool sql = false;
  AlertRight alerts = AlertRight::none;
  bool administer = false;

  void add(const Rights& other);
};

struct Role {
  std::string name;
  Rights rights;
};

// The roles that are always there (docs/SECURITY.md has the table): administrator, auditor,
// operator, analyst, viewer, device, integrator.
std::vector<Role> built_in_roles();

}  // namespace ficus::access
