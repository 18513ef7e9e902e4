#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_server.h"

namespace ficus::connect {

inline constexpr std::string_view kJsonType = "application/json; charset=utf-8";

// The status code that says the same as the error code.
int http_status(ErrorCode code);

void respond_json(net::HttpExchange& exchange, std::string body, int status = 200);
// {"error": {"code", "cause", "message", "message_zh"}}; an overload carries Retry-After. `cause`
// is the books' word for what was refused, if there is one.
void respond_error(net::HttpExchange& exchange, const Error& error);
void respond_error(net::HttpExchange& exchange, int status, const Error& error,
                   std::string_view cause = {});

}  // namespace ficus::connect
