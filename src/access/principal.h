#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "access/rights.h"

namespace ficus::access {

// Somebody who may do something: a user, by whatever proof, or everybody who gave none. Immutable
// and shared; asking allocates nothing. Rights are those of the users file it came from: see
// AccessControl::is_current.
class Principal {
 public:
  // `definition` tells two principals of one name apart whose rights or credentials differ.
  // `%u` of the topics becomes the name.
  Principal(std::string name, std::string department, Rights rights, std::uint64_t definition);

  const std::string& name() const { return name_; }              // empty: not logged in
  const std::string& department() const { return department_; }  // may be empty
  std::uint64_t definition() const { return definition_; }

  // Topics that begin with "ficus/" are refused by the broker before anyone is asked.
  bool may_publish(std::string_view topic, std::string_view client_id) const;
  // Whether the whole filter lies within what is allowed. `filter` as the client sends it, with
  // "$share/GROUP/". What it matches below ficus/entity and ficus/alert also needs may_read of the
  // types. REQUIRES: a valid filter.
  bool may_subscribe(std::string_view filter, std::string_view client_id) const;
  bool may_ingest(std::string_view source) const;
  bool may_read(std::string_view type) const;
  // Every type, that of audit events included.
  bool reads_everything() const;
  // Every type but that of audit events.
  bool reads_the_city() const { return rights_.read.is_all; }
  bool may_use_sql() const { return rights_.sql; }
  bool may_handle_alerts() const { return rights_.alerts != AlertRight::none; }
  // Whether alerts assigned to this department (empty: to none yet) may be handled.
  bool may_handle_alerts_of(std::string_view department) const;
  bool may_administer() const { return rights_.administer; }

  const Rights& rights() const { return rights_; }

 private:
  const std::string name_;
  const std::string department_;
  Rights rights_;
  const std::uint64_t definition_;
};

using PrincipalPtr = std::shared_ptr<const Principal>;

}  // namespace ficus::access
