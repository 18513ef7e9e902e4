#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "access/audit.h"
#include "connect/ingest/ingest.h"
#include "connect/mapping/source_batch_builder.h"
#include "model/schema.h"

namespace ficus::connect {

// The source that audit events come from, in the books like any other.
inline constexpr std::string_view kAuditSource = "ficus-audit";

// The attributes of the type AuditEvent.
struct AuditAttributes {
  TypeId type;
  AttributeId user, peer, action, object, outcome, count;

  static Result<AuditAttributes> declare(Schema& schema);
};

// Makes facts of audit events: durable, in history and in SQL. One entity a user
// ("urn:ngsi-ld:AuditEvent:wang"; ":-" for nobody), so that the twin holds what each did last and
// history every event, and the number of entities is that of the users. Loop thread.
//
// While the engine's queues are full, up to `events_waiting_max` wait; further ones are left out
// and entered in the books as refused ("audit_overload"), together with those the engine refuses.
class AuditWriter final : public access::AuditSink {
 public:
  static constexpr std::size_t kEventsWaitingMax = 1000;

  AuditWriter(Ingest& ingest, net::EventLoop& loop, const AuditAttributes& attributes,
              SourceId source);

  void record(const access::AuditEvent& event) override;
  // Hands over what waits. Otherwise done every 200 ms.
  void flush();
  std::uint64_t left_out() const { return left_out_; }

 private:
  Ingest& ingest_;
  const AuditAttributes at_;
  SourceBatchBuilder builder_;
  net::Timer timer_;
  std::size_t waiting_ = 0;
  std::uint64_t left_out_ = 0;
  Timestamp last_ = Timestamp::min();
};

}  // namespace ficus::connect
