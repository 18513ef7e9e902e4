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
      : parts_(parts), open_rows_(std::move(open_rows)), sweep_(parts.loop) {}

  // A source with its link; without one, the link that is open already goes on.
  struct Wanted {
    std::shared_ptr<const connect::Source> source;
    std::unique_ptr<connect::SourceLink> link;
  };
  // What `next` needs: links for new sources and for those that are fetched in another way now.
  // They begin when the loop runs.
  Result<std::vector<Wanted>> open(const connect::SourceSet& next) const;
  // Lets just those run. Of links that end, what they had not acknowledged comes again.
  void take(std::vector<Wanted> wanted);

  void drain();

  // Null for a source that has no link.
  const connect::LinkStatus* status(std::string_view source) const;
  void write_metrics(api::MetricsWriter& out) const;

 private:
  const connect::LinkParts parts_;
  using Links = std::vector<std::unique_ptr<connect::SourceLink>>;
  void end(Links links);
  void sweep();

  const connect::RowFileOpener open_rows_;
  Links links_;
  Links ending_;  // their threads may still be in the middle of something
  net::Timer sweep_;
};

}  // namespace ficus::app
