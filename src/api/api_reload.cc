// POST /admin/reload.
#include <fmt/format.h>

#include "api/api_server.h"
#include "connect/http/respond.h"

namespace ficus::api {

using connect::respond_error;

void ApiServer::post_reload(Exchange exchange, const Who& who) {
  if (!who->may_administer()) return gate_.deny(*exchange, who, "administer");
  if (!parts_.reload) {
    return respond_error(*exchange,
                         {ErrorCode::unavailable, "this brain cannot reload while it runs"});
  }
  const std::string by = "operator:" + (who->name().empty() ? "http" : who->name());
  std::string peer = exchange->peer().text();
  parts_.reload(by, [this, who, peer = std::move(peer),
                     exchange = std::move(exchange)](Result<std::string> outcome) {
    parts_.access.audit(who.get(), peer, access::AuditAction::administer, "reload",
                        outcome ? access::AuditOutcome::succeeded : access::AuditOutcome::failed);
    if (outcome) return connect::respond_json(*exchange, *std::move(outcome));
    // Mistakes in the files are not the request's, but only the operator can mend them: 422.
    const int status = outcome.error().code == ErrorCode::invalid_input ? 422
                       : outcome.error().code == ErrorCode::conflict    ? 409
                                                                        : 503;
    respond_error(*exchange, status, outcome.error());
  });
}

}  // namespace ficus::api
