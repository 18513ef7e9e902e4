#include "codec/fact/fact.h"

// Arbitrary bytes as a step record: read or refused, never a crash.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  ficus::Schema schema;
  const auto facts = ficus::fact::read_step({reinterpret_cast<const char*>(data), size}, schema);
  if (!facts) return 0;
  std::string again;
  ficus::fact::StepWriter writer(schema, again);
  for (const ficus::fact::Fact& fact : *facts) {
    if (const auto* heard = std::get_if<ficus::fact::Heard>(&fact)) {
      writer.heard(heard->source, heard->batch);
    } else if (const auto* derived = std::get_if<ficus::fact::Derived>(&fact)) {
      writer.derived(derived->origin, derived->rows);
    } else if (const auto* change = std::get_if<ficus::fact::ConfigurationChanged>(&fact)) {
      writer.configuration_changed(*change);
    } else if (const auto* passed = std::get_if<ficus::fact::TimePassed>(&fact)) {
      writer.time_passed(passed->until);
    } else {
      writer.ended_rules_cleared();
    }
  }
  ficus::Schema other;
  if (!ficus::fact::read_step(again, other)) __builtin_trap();
  return 0;
}
