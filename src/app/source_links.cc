#include "app/source_links.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "app/held_file.h"
#include "connect/client/http_poll_link.h"
#include "connect/client/mqtt_link.h"
#include "connect/quarantine/quarantine_marks.h"
#include "history/parquet_rows.h"

namespace ficus::app {
namespace {

constexpr Micros kSweepBeat = Micros::from_millis(100);

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
    return connect::FilesLink::open(parts, std::move(source), open_rows, hold_file);
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

Result<std::vector<SourceLinks::Wanted>> SourceLinks::open(const connect::SourceSet& next) const {
  std::vector<Wanted> wanted;
  for (const connect::Source& source : next.all()) {
    std::shared_ptr<const connect::Source> shared = next.share(source);
    const auto open_now = std::ranges::find_if(links_, [&](const auto& link) {
      return link->name() == source.declaration.name && link->fetches_alike(source);
    });
    if (open_now != links_.end()) {
      wanted.push_back({std::move(shared), nullptr});
      continue;
    }
    auto link = open_link(parts_, shared, open_rows_);
    if (!link) {
      return in_context(fmt::format("source '{}': ", source.declaration.name),
                        std::move(link).error());
    }
    if (*link != nullptr) wanted.push_back({std::move(shared), *std::move(link)});
  }
  return wanted;
}

void SourceLinks::take(std::vector<Wanted> wanted) {
  Links before = std::move(links_);
  links_.clear();
  for (Wanted& one : wanted) {
    if (one.link == nullptr) {
      const auto kept = std::ranges::find_if(before, [&](const auto& link) {
        return link != nullptr && link->name() == one.source->declaration.name;
      });
      (*kept)->declare(std::move(one.source));
      one.link = std::move(*kept);
    }
    links_.push_back(std::move(one.link));
  }
  std::erase(before, nullptr);
  end(std::move(before));
}

// Without waiting: a folder may lie on a mount that hangs.
void SourceLinks::end(Links links) {
  for (auto& link : links) {
    link->end();
    if (!link->is_ended()) ending_.push_back(std::move(link));
  }
  if (!ending_.empty()) sweep_.start_repeating(kSweepBeat, [this] { sweep(); });
}

void SourceLinks::sweep() {
  std::erase_if(ending_, [](const auto& link) { return link->is_ended(); });
  if (ending_.empty()) sweep_.cancel();
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
