#include "connect/ingest/audit_writer.h"

#include <algorithm>

#include "access/rights.h"
#include "model/attribute_table.h"

namespace ficus::connect {
namespace {

constexpr Micros kHandOverAfter = Micros::from_millis(200);

}  // namespace

Result<AuditAttributes> AuditAttributes::declare(Schema& schema) {
  using A = AuditAttributes;
  static constexpr AttributeRow<A> kTable[] = {
      {&A::user, "user", ValueKind::text, "用户", "user"},
      {&A::peer, "peer", ValueKind::text, "来自地址", "from address"},
      {&A::action, "action", ValueKind::text, "操作", "action"},
      {&A::object, "object", ValueKind::text, "对象", "object"},
      {&A::outcome, "outcome", ValueKind::text, "结果", "outcome"},
      {&A::count, "count", ValueKind::number, "次数", "count"},
  };
  AuditAttributes attributes;
  FICUS_TRY(attributes.type, schema.intern_type(access::kAuditType));
  FICUS_TRY_VOID(declare_attributes<A>(schema, attributes.type, kTable, attributes));
  return attributes;
}

AuditWriter::AuditWriter(Ingest& ingest, net::EventLoop& loop, const AuditAttributes& attributes,
                         SourceId source)
    : ingest_(ingest), at_(attributes), builder_(source), timer_(loop) {}

void AuditWriter::record(const access::AuditEvent& event) {
  if (!timer_.is_running()) timer_.start_once(kHandOverAfter, [this] { flush(); });
  if (waiting_ >= kEventsWaitingMax) {
    ++left_out_;
    return builder_.refuse("audit_overload");
  }
  ++waiting_;
  // Two events of one moment would be taken for one seen twice.
  last_ = std::max(event.time, last_ + Micros{1});
  ObservationBatch& rows = builder_.begin_row(
      at_.type, "urn:ngsi-ld:AuditEvent:" + (event.who.empty() ? "-" : event.who), last_);
  rows.set_text(at_.user, ValueKind::text, event.who);
  rows.set_text(at_.peer, ValueKind::text, event.peer);
  rows.set_text(at_.action, ValueKind::text, audit_action_name(event.action));
  rows.set_text(at_.object, ValueKind::text, event.object);
  rows.set_text(at_.outcome, ValueKind::text, audit_outcome_name(event.outcome));
  rows.set_number(at_.count, static_cast<double>(event.count));
}

void AuditWriter::flush() {
  if (builder_.empty()) return;
  if (ingest_.is_congested()) {
    timer_.start_once(kHandOverAfter, [this] { flush(); });
    return;
  }
  waiting_ = 0;
  ingest_.submit(builder_.take(ingest_.now()), [](const Status&) {});
}

}  // namespace ficus::connect
