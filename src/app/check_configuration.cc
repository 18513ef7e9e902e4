#include <fmt/format.h>

#include "app/brain_parts.h"

namespace ficus::app {

Result<std::string> check_configuration(const Config& config, const Machine& machine) {
  FICUS_TRY_VOID(config.check());
  Schema schema;
  FICUS_TRY_VOID(declare_own_types(schema));
  FICUS_TRY(const LoadedPacks packs, LoadedPacks::load(config.packs, machine.disk, schema));
  if (config.uses_tls()) {
    FICUS_TRY(const net::TlsServerOptions files, read_tls_files(config.tls, machine.disk));
    if (const auto made = net::TlsServerContext::make(files); !made) {
      return in_context("tls: ", made.error());
    }
  }
  if (!config.access.users.empty()) {
    net::EventLoop loop;
    FICUS_TRY_VOID(open_access(config, machine, loop, AccessNames::of(packs, schema), nullptr));
  }
  std::string text;
  for (const std::string& warning : packs.warnings(schema)) text += "warning: " + warning + "\n";
  return text + fmt::format(
                    "ok: {} packs, {} sources, {} types, {} rules, {} zones, {} "
                    "departments\n",
                    config.packs.size(), packs.sources.size(), schema.type_count(),
                    packs.rules->rule_count(), packs.zones->size(),
                    packs.catalog.departments.size());
}

}  // namespace ficus::app
