#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "api/history_service.h"
#include "connect/ingest/ingest.h"
#include "connect/ingest/source_set.h"
#include "connect/quarantine/quarantine_marks.h"
#include "connect/quarantine/replay_item.h"
#include "net/http_server.h"

namespace ficus::api {

// What could not be mapped, for people to look at and decide about:
//   GET  /quarantine?source=&reason=&since=&until=&state=open|replayed|dropped|all&limit=
//   GET  /quarantine/ID           with its bytes
//   POST /quarantine/ID/replay    {"by"}: maps the bytes as declared now, as new items
//   POST /quarantine/ID/drop      {"by"}: marks it as not wanted
// Items that are the same in everything, the microsecond included, have one id. A decision is a
// fact in the log (connect::QuarantineMarks), written after the rows: a crash between the two
// leaves the item open, and replaying it then yields duplicates only. Loop thread.
class QuarantineDesk {
 public:
  using Exchange = std::unique_ptr<net::HttpExchange>;

  QuarantineDesk(net::EventLoop& loop, connect::Ingest& ingest, const connect::SourceSet& sources,
                 HistoryService& history);

  // REQUIRES of both: the path begins with "quarantine". `by`: who asks, if that is known; else the
  // body says it.
  void on_get(Exchange exchange);
  void on_post(Exchange exchange, std::string by);

 private:
  enum class Decision : std::uint8_t { replay, drop };
  struct Case;  // one POST on its way
  using CasePtr = std::shared_ptr<Case>;

  void list(Exchange exchange);
  void show(Exchange exchange, const std::string& id);
  void find(const std::string& id,
            std::move_only_function<void(Result<connect::StoredItem>)> on_item);
  void check_open(const CasePtr& c);
  void decide(const CasePtr& c);
  void submit(const CasePtr& c);
  void mark(const CasePtr& c);
  void finish(const CasePtr& c);
  void refuse(const CasePtr& c, const Error& error);

  net::EventLoop& loop_;
  connect::Ingest& ingest_;
  const connect::SourceSet& sources_;
  HistoryService& history_;
  const Result<connect::QuarantineMarks> marks_;
  const SourceId own_;          // of the marks
  std::set<std::string> busy_;  // ids that are being decided about
  Timestamp last_mark_ = Timestamp::min();
};

// "1a2b3c-0123456789ab": the microsecond of arrival and a digest, both hexadecimal.
bool is_quarantine_id(std::string_view id);

}  // namespace ficus::api
