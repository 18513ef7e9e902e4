#include "engine/shard_capture.h"

#include <span>

#include "base/check.h"

namespace ficus {

void ShardCapture::work(std::size_t values_max) {
  if (!twin_.is_complete()) return twin_.work(values_max);
  rules_.work(values_max);
}

std::uint64_t ShardCapture::values_done() const {
  return twin_.values_done() + rules_.values_done();
}

LogFold::Sections ShardCapture::sections() const {
  LogFold::Sections sections;
  std::string& twin = sections.emplace_back("twin", "").second;
  const Status written = twin_.write([&](std::string_view bytes) -> Status {
    twin.append(bytes);
    return {};
  });
  FICUS_CHECK(written.has_value());
  rules_.encode(sections.emplace_back("rules", "").second);
  sections.emplace_back("books", books);
  sections.emplace_back("configuration", configuration);
  return sections;
}

Status ShardCapture::write(log::SnapshotWriter& snapshot) const {
  const auto append = [&](std::string_view bytes) {
    return snapshot.append(std::as_bytes(std::span(bytes)));
  };
  FICUS_TRY_VOID(snapshot.begin_section("twin"));
  FICUS_TRY_VOID(twin_.write(append));
  std::string rules;
  rules_.encode(rules);
  FICUS_TRY_VOID(snapshot.begin_section("rules"));
  FICUS_TRY_VOID(append(rules));
  FICUS_TRY_VOID(snapshot.begin_section("books"));
  FICUS_TRY_VOID(append(books));
  FICUS_TRY_VOID(snapshot.begin_section("configuration"));
  return append(configuration);
}

}  // namespace ficus
