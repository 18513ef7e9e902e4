#include "access/rights.h"

#include <algorithm>
#include <initializer_list>

#include "base/check.h"

namespace ficus::access {
namespace {

std::vector<TopicRight> topics(std::initializer_list<std::string_view> patterns) {
  std::vector<TopicRight> rights;
  for (const std::string_view pattern : patterns) {
    auto right = TopicRight::parse(pattern);
    FICUS_CHECK(right.has_value());
    rights.push_back(*std::move(right));
  }
  return rights;
}

Role watching(std::string name) {
  Role role;
  role.name = std::move(name);
  role.rights.subscribe = topics({"ficus/#"});
  role.rights.read.is_all = true;
  return role;
}

}  // namespace

void Rights::add(const Rights& other) {
  publish.insert(publish.end(), other.publish.begin(), other.publish.end());
  subscribe.insert(subscribe.end(), other.subscribe.begin(), other.subscribe.end());
  ingest.add(other.ingest);
  read.add(other.read);
  sql = sql || other.sql;
  alerts = std::max(alerts, other.alerts);
  administer = administer || other.administer;
}

std::vector<Role> built_in_roles() {
  Role administrator = watching("administrator");
  administrator.rights.publish = topics({"#"});
  administrator.rights.subscribe = topics({"#", "$SYS/#"});
  administrator.rights.ingest.is_all = true;
  administrator.rights.read.names.emplace(kAuditType);
  administrator.rights.sql = true;
  administrator.rights.alerts = AlertRight::all;
  administrator.rights.administer = true;

  Role auditor;
  auditor.name = "auditor";
  auditor.rights.read.names.emplace(kAuditType);
  auditor.rights.sql = true;

  Role op = watching("operator");
  op.rights.alerts = AlertRight::own_department;

  Role analyst = watching("analyst");
  analyst.rights.sql = true;

  Role device;
  device.name = "device";
  device.rights.publish = topics({"devices/%u/#"});
  device.rights.subscribe = topics({"devices/%u/#"});

  Role integrator;
  integrator.name = "integrator";
  integrator.rights.publish = topics({"#"});
  integrator.rights.ingest.is_all = true;

  return {std::move(administrator), std::move(auditor), std::move(op),        std::move(analyst),
          watching("viewer"),       std::move(device),  std::move(integrator)};
}

}  // namespace ficus::access
