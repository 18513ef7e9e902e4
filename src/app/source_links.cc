#include "app/source_links.h"

#include <fmt/format.h>

#include <cstdlib>

#include "connect/client/http_poll_link.h"
#include "connect/client/mqtt_link.h"
#include "connect/quarantine/quarantine_marks.h"
#include "history/parquet_rows.h"

namespace ficus::app {
namespace {

class ParquetFile final : public connect::RowFile {
 public:
  explicit ParquetFile(std::unique_ptr<history::ParquetRows> rows) : rows_(std::move(rows)) {}
  Result<bool> next(std::string& json) override { return rows_->next(json); }

 private:
  std::unique_ptr<history::ParquetRows> rows_;
};

// Null if the source needs none.
Result<std::unique_ptr<connect::SourceLink>> open_link(
    const connect::LinkParts& parts, std::shared_ptr<const connect::Source> source,
    const connect::RowFileOpener& open_rows) {
  const connect::Connector& connector = source->declaration.connector;
  if (std::holds_alternative<connect::MqttClientSource>(connector)) {
    return connect::MqttLink::open(parts, std::move(source));
  }
  if (std::holds_alternative<connect::HttpPollSource>(connector)) {
    return connect::HttpPollLink::open(parts, std::move(source));
  }
  if (std::holds_alternative<connect::FilesSource>(connector)) {
    return connect::FilesLink::open(parts, std::move(source), open_rows);
  }
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<connect::RowFile>> open_parquet(const std::string& path,
                                                       std::uint64_t first) {
  FICUS_TRY(auto rows, history::ParquetRows::open(path, first));
  return std::make_unique<ParquetFile>(std::move(rows));
}

Status declare_marks(Schema& schema) {
  FICUS_TRY_VOID(connect::FileMarks::declare(schema));
  FICUS_TRY_VOID(connect::QuarantineMarks::declare(schema));
  return {};
}

connect::SecretReader SourceLinks::secrets(Disk& disk) {
  return {disk, [](const std::string& name) -> std::optional<std::string> {
            const char* const value = std::getenv(name.c_str());
            return value == nullptr ? std::nullopt : std::optional<std::string>(value);
          }};
}

Result<SourceLinks::Links> SourceLinks::open(const connect::SourceSet& next) const {
  Links links;
  for (const connect::Source& source : next.all()) {
    auto link = open_link(parts_, next.share(source), open_rows_);
    if (!link) {
      return in_context(fmt::format("source '{}': ", source.declaration.name),
                        std::move(link).error());
    }
    if (*link != nullptr) links.push_back(*std::move(link));
  }
  return links;
}

void SourceLinks::drain() {
  for (const auto& link : links_) link->drain();
}

const connect::LinkStatus* SourceLinks::status(std::string_view source) const {
  for (const auto& link : links_) {
    if (link->name() == source) return &link->status();
  }
  return nullptr;
}

void SourceLinks::write_metrics(api::MetricsWriter& out) const {
  if (links_.empty()) return;
  const auto each = [&](auto value) {
    for (const auto& link : links_) {
      out.sample({{"source", link->name()}}, static_cast<double>(value(link->status())));
    }
  };
  out.gauge("ficus_source_connected", "1 if the last attempt to fetch from the source succeeded");
  each([](const connect::LinkStatus& s) {
    return s.state == connect::LinkStatus::State::connected ? 1 : 0;
  });
  out.counter("ficus_source_attempts_total", "Attempts to connect to the source or to fetch");
  each([](const connect::LinkStatus& s) { return s.attempts; });
  out.counter("ficus_source_failures_total", "Attempts and connections that failed");
  each([](const connect::LinkStatus& s) { return s.failures; });
}

}  // namespace ficus::app
