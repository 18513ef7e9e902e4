#include "connect/mqtt/shared_group.h"

#include "connect/mqtt/session.h"

namespace ficus::connect {
int SharedGroup::delay_rank(const Member& member) {
  if (member.session->connection == nullptr) return 2;
  return member.session->has_waiting() ? 1 : 0;
}

void SharedGroup::add(Session& session, SubscriptionOptions options) {
  for (Member& member : members_) {
    if (member.session == &session) {
      member.options = options;
      return;
    }
  }
  members_.push_back({&session, options});
}

void SharedGroup::remove(const Session& session) {
  std::erase_if(members_, [&](const Member& m) { return m.session == &session; });
}

}  // namespace ficus::connect
