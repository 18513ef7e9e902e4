#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "api/metrics.h"
#include "connect/client/link_parts.h"
#include "connect/client/source_link.h"
#include "connect/files/files_link.h"

namespace ficus::app {

// The rows of a Parquet file, as history reads them.
Result<std::unique_ptr<connect::RowFile>> open_parquet(const std::string& path,
                                                       std::uint64_t first);

// The types in which the brain remembers for itself: how far files were taken, what was decided
// about quarantined items.
Status declare_marks(Schema& schema);

// The sources that we fetch from: other brokers, URLs, folders. Used on the loop's thread.
class SourceLinks {
 public:
  // Environment variables and files, as sources.yaml may refer to them.
  static connect::SecretReader secrets(Disk& disk);

  // `open_rows` reads Parquet.
  SourceLinks(const connect::LinkParts& parts, connect::RowFileOpener open_rows)
      : parts_(parts), open_rows_(std::move(open_rows)) {}

  using Links = std::vector<std::unique_ptr<connect::SourceLink>>;
  // A link for every source that needs one; they begin when the loop runs.
  Result<Links> open(const connect::SourceSet& next) const;
  // Puts them in the place of those of before. What these had not acknowledged comes again.
  void take(Links links) { links_ = std::move(links); }

  void drain();

  // Null for a source that has no link.
  const connect::LinkStatus* status(std::string_view source) const;
  void write_metrics(api::MetricsWriter& out) const;

 private:
  const connect::LinkParts parts_;
  const connect::RowFileOpener open_rows_;
  Links links_;
};

}  // namespace ficus::app
