#pragma once

#include <memory>
#include <optional>
#include <string>

#include "connect/client/back_off.h"
#include "connect/client/body_items.h"
#include "connect/client/link_parts.h"
#include "connect/client/source_link.h"
#include "connect/ingest/source_set.h"
#include "connect/mapping/mapping.h"
#include "connect/mapping/source_batch_builder.h"
#include "net/http_client.h"

namespace ficus::connect {

// Asks a URL again and again (GET) and maps what it answers. The conditional headers of the last
// body that became durable go along (RFC 9110, 13.1), so that an unchanged answer costs a line;
// after a restart the whole body comes once more, and the twin counts it as duplicates.
//
// A failure backs off with jitter, up to an hour or the interval if that is longer; Retry-After is
// obeyed (RFC 9110, 10.2.3). Redirects are not followed: the error says where to. While the engine
// is full the body waits here, and nothing new is asked for.
class HttpPollLink final : public SourceLink {
 public:
  // REQUIRES: the source is an http_poll source.
  static Result<std::unique_ptr<HttpPollLink>> open(const LinkParts& parts,
                                                    std::shared_ptr<const Source> source);
  ~HttpPollLink() override;

  void drain() override;
  bool fetches_alike(const Source& next) const override;
  void declare(std::shared_ptr<const Source> next) override { source_ = std::move(next); }

 private:
  HttpPollLink(const LinkParts& parts, std::shared_ptr<const Source> source);
  Result<net::HttpRequest> make_request() const;
  void poll();
  void on_answer(Result<net::HttpResponse> answer);
  void on_body(net::HttpResponse answer);
  void take_body();
  void on_batch_durable(const Status& status);
  void fail(std::string why, std::optional<Micros> retry_after = {});
  void succeed();
  const HttpPollSource& declared() const {
    return std::get<HttpPollSource>(source_->declaration.connector);
  }

  const LinkParts parts_;
  std::shared_ptr<const Source> source_;
  std::uint64_t tls_fingerprint_ = 0;  // of the files that tls names, when they were read
  std::unique_ptr<net::HttpClient> client_;
  net::Timer timer_;
  BackOff back_off_;
  MappingScratch scratch_;
  SourceBatchBuilder builder_;
  std::optional<BodyItems> body_;
  std::string key_;
  // Of the last body, and of the one that is being taken.
  std::string etag_;
  std::string last_modified_;
  std::string new_etag_;
  std::string new_last_modified_;
  bool is_draining_ = false;
  // Callbacks given away outlive the link: they hold this weakly.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// The seconds or the date of a Retry-After header as a wait from `now`; nothing if it is neither.
std::optional<Micros> read_retry_after(std::string_view text, Timestamp now);

}  // namespace ficus::connect
