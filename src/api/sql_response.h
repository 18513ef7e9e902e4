#pragma once

#include <memory>

#include "api/history_service.h"
#include "net/event_loop.h"
#include "net/http_server.h"

namespace ficus::api {

// Gives the answer to a statement. A file is sent piece by piece, as fast as the client takes it;
// that one was cut short is said in the field Ficus-Truncated.
void respond_sql(std::unique_ptr<net::HttpExchange> exchange, net::EventLoop& loop,
                 AnswerFormat format, SqlAnswer answer);
// Too many questions are the asker's matter: 429 with Retry-After (RFC 6585, 4).
void respond_sql_error(net::HttpExchange& exchange, const Error& error);

}  // namespace ficus::api
