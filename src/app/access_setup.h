#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "access/access_control.h"
#include "access/audit_digest.h"
#include "api/metrics.h"
#include "app/brain.h"
#include "app/packs.h"
#include "connect/ingest/audit_writer.h"
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

// Audit events on their way into the log. One object, made before access control.
class AuditTrail {
 public:
  AuditTrail(connect::Ingest& ingest, net::EventLoop& loop, const Clock& clock,
             const connect::AuditAttributes& attributes, SourceId source)
      : writer_(ingest, loop, attributes, source), digest_(clock, writer_) {}

  access::AuditSink& sink() { return digest_; }
  const connect::AuditWriter& writer() const { return writer_; }
  void sweep() { digest_.sweep(); }
  // Before the engine stops.
  void flush() {
    digest_.flush();
    writer_.flush();
  }

 private:
  connect::AuditWriter writer_;
  access::AuditDigest digest_;
};

// What access control counts, for /metrics.
void write_access_metrics(const access::AccessControl& access, const AuditTrail& audit,
                          api::MetricsWriter& out);

// The first half of a reload: reads and checks the users file, on any thread; the task that it
// returns, which takes the users, belongs on the loop. Null names: they are not known.
Result<std::move_only_function<void()>> prepare_users(access::AccessControl& access,
                                                      const Config& config, const Machine& machine,
                                                      std::unique_ptr<AccessNames> names);

// Reads the users file; does nothing without one.
Status reload_users(access::AccessControl& access, const Config& config, const Machine& machine,
                    const AccessNames& names);

}  // namespace ficus::app
