#include "connect/http/respond.h"

#include <utility>

#include "codec/json/json_writer.h"

namespace ficus::connect {
namespace {

// The message itself names things and places; this says in Chinese what the caller can do about it.
std::string_view chinese(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
      return "请求有误，请修改后再试";
    case ErrorCode::not_found:
      return "找不到所请求的对象";
    case ErrorCode::conflict:
      return "对象的当前状态不允许此操作";
    case ErrorCode::denied:
      return "没有权限";
    case ErrorCode::overloaded:
      return "系统繁忙或已达上限，请稍后再试";
    case ErrorCode::disk_full:
      return "磁盘空间不足，暂不接收新数据；腾出空间后自动恢复，请稍后再试";
    case ErrorCode::timed_out:
      return "超过时间限制，已停止";
    case ErrorCode::unavailable:
      return "服务暂不可用，请稍后再试";
    case ErrorCode::corrupt:
      return "存储的数据已损坏，请联系管理员";
    case ErrorCode::internal:
      return "系统内部错误";
  }
  std::unreachable();
}

}  // namespace

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
      return 400;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::denied:
      return 403;
    case ErrorCode::overloaded:
      return 503;
    case ErrorCode::disk_full:
      return 507;  // Insufficient Storage, RFC 4918, 11.5
    case ErrorCode::timed_out:
      return 504;
    case ErrorCode::unavailable:
      return 503;
    case ErrorCode::corrupt:
    case ErrorCode::internal:
      return 500;
  }
  std::unreachable();
}

void respond_json(net::HttpExchange& exchange, std::string body, int status) {
  exchange.respond(status,
                   net::HttpHeaders{{"Content-Type", kJsonType}, {"Cache-Control", "no-store"}},
                   std::move(body));
}

void respond_error(net::HttpExchange& exchange, const Error& error) {
  respond_error(exchange, http_status(error.code), error);
}

void respond_error(net::HttpExchange& exchange, int status, const Error& error,
                   std::string_view cause) {
  std::string body;
  json::JsonWriter json(body);
  json.begin_object().key("error").begin_object();
  json.key("code").text(error_code_name(error.code));
  if (!cause.empty()) json.key("cause").text(cause);
  json.key("message").text(error.message);
  json.key("message_zh").text(chinese(error.code));
  json.end_object().end_object();
  net::HttpHeaders headers{{"Content-Type", kJsonType}};
  if (status == 503 || status == 429) headers.add("Retry-After", "1");
  if (status == 507) headers.add("Retry-After", "10");
  exchange.respond(status, headers, std::move(body));
}

}  // namespace ficus::connect
