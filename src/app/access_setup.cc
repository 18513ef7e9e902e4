#include "app/access_setup.h"

#include <utility>

#include "base/check.h"

namespace ficus::app {
namespace {

constexpr std::uint64_t kUsersBytesMax = 4 << 20;

}  // namespace

AccessNames AccessNames::of(const LoadedPacks& packs, const Schema& schema) {
  AccessNames names;
  for (const api::Department& department : packs.catalog.departments) {
    names.departments.push_back(department.name);
  }
  for (std::uint32_t i = 0; i < schema.type_count(); ++i) {
    names.types.push_back(schema.type_name(TypeId(i)));
  }
  for (const connect::SourceDeclaration& source : packs.sources) {
    names.sources.push_back(source.name);
  }
  return names;
}

Result<std::unique_ptr<access::AccessControl>> open_access(const Config& config,
                                                           const Machine& machine,
                                                           net::EventLoop& loop,
                                                           const AccessNames& names,
                                                           access::AuditSink* audit) {
  FICUS_CHECK(machine.random_bytes != nullptr);
  access::AccessOptions options;
  options.logins_waiting_max = static_cast<std::size_t>(config.access.logins_waiting_max);
  options.sessions.idle_max = Micros::from_hours(config.access.session_idle_hours_max);
  options.sessions.age_max = Micros::from_hours(config.access.session_hours_max);
  access::AccessParts parts{
      .clock = machine.clock,
      .random = [fill = machine.random_bytes](access::Digest& out) { fill(out); },
      .post = [&loop](std::move_only_function<void()> task) { loop.post(std::move(task)); },
      .audit = audit};
  auto access = std::make_unique<access::AccessControl>(std::move(parts), options);
  FICUS_TRY_VOID(reload_users(*access, config, machine, names));
  return access;
}

void write_access_metrics(const access::AccessControl& access, const AuditTrail& audit,
                          api::MetricsWriter& out) {
  const access::AccessCounts& counts = access.counts();
  out.counter("ficus_logins_total", "Logins with a password, by how they ended");
  out.sample({{"outcome", "succeeded"}}, static_cast<double>(counts.logins_succeeded));
  out.sample({{"outcome", "failed"}}, static_cast<double>(counts.logins_failed));
  out.sample({{"outcome", "delayed"}}, static_cast<double>(counts.logins_delayed));
  out.sample({{"outcome", "overloaded"}}, static_cast<double>(counts.logins_overloaded));
  out.counter("ficus_logins_remembered_total", "Logins that needed no slow hash");
  out.sample(static_cast<double>(counts.logins_remembered));
  out.counter("ficus_proofs_failed_total", "Tokens and certificates that did not fit");
  out.sample(static_cast<double>(counts.proofs_failed));
  out.counter("ficus_denied_total", "Requests refused for a missing right");
  out.sample(static_cast<double>(counts.denied));
  out.gauge("ficus_page_sessions", "Pages that are logged in");
  out.sample(static_cast<double>(access.session_count()));
  out.gauge("ficus_logins_waiting", "Passwords being checked");
  out.sample(static_cast<double>(access.logins_waiting()));
  out.counter("ficus_audit_left_out_total", "Audit events left out under overload");
  out.sample(static_cast<double>(audit.writer().left_out()));
}

namespace {

// Packs need not name departments; then any will do, as for alerts.
access::KnownNames known_of(const AccessNames& names) {
  return {.departments = names.departments.empty() ? nullptr : &names.departments,
          .types = &names.types,
          .sources = &names.sources};
}

}  // namespace

Result<std::move_only_function<void()>> prepare_users(access::AccessControl& access,
                                                      const Config& config, const Machine& machine,
                                                      std::unique_ptr<AccessNames> names) {
  if (config.access.users.empty()) return [] {};
  FICUS_TRY(std::string text, read_file(machine.disk, config.access.users, kUsersBytesMax));
  const access::KnownNames known = names ? known_of(*names) : access::KnownNames{};
  FICUS_TRY_VOID(access::UsersFile::parse(text, config.access.users, known));
  return [&access, &machine, file = config.access.users, text = std::move(text),
          names = std::move(names)]() mutable {
    const Status taken = access.reload(text, file, names ? known_of(*names) : access::KnownNames{});
    access::wipe(text);
    // It was right a moment ago.
    if (!taken)
      machine.logger.error("access", "users not taken", {{"error", taken.error().message}});
  };
}

Status reload_users(access::AccessControl& access, const Config& config, const Machine& machine,
                    const AccessNames& names) {
  if (config.access.users.empty()) return {};
  FICUS_TRY(std::string text, read_file(machine.disk, config.access.users, kUsersBytesMax));
  const Status taken = access.reload(text, config.access.users, known_of(names));
  access::wipe(text);
  return taken;
}

}  // namespace ficus::app
