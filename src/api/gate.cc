#include "api/gate.h"

#include <fmt/format.h>

#include <utility>

#include "access/credentials.h"
#include "codec/json/json_reader.h"
#include "codec/json/json_writer.h"
#include "connect/http/respond.h"

namespace ficus::api {
namespace {

using connect::respond_error;

constexpr std::string_view kCookieName = "ficus_session";
constexpr std::size_t kLoginBytesMax = 8 << 10;

bool is_reading(const net::HttpExchange& exchange) {
  const std::string_view method = exchange.method();
  return (method == "GET" || method == "HEAD") && exchange.header("Upgrade").empty();
}

// RFC 6454, 7: "scheme://host[:port]", or "null" from where there is no origin to speak of.
bool is_foreign(const net::HttpExchange& exchange) {
  const std::string_view origin = exchange.header("Origin");
  if (origin.empty()) return false;
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return true;
  return !net::equals_ignoring_case(origin.substr(scheme + 3), exchange.header("Host"));
}

// "localhost", or a numeric address: what no name server answers for.
bool is_own_name(std::string_view host) {
  if (host.empty()) return true;  // HTTP/1.0
  if (const auto parsed = net::parse_host_port(host, 80)) {
    const std::string numeric =
        parsed->host.contains(':') ? "[" + parsed->host + "]:1" : parsed->host + ":1";
    return parsed->host == "localhost" || net::Address::parse(numeric).has_value();
  }
  return false;
}

struct LoginForm {
  std::string user;
  std::string password;
};

Result<LoginForm> parse_login(std::string_view content_type, std::string_view body) {
  LoginForm form;
  if (content_type.starts_with("application/x-www-form-urlencoded")) {
    form.user = access::form_value(body, "user").value_or("");
    form.password = access::form_value(body, "password").value_or("");
  } else {
    json::JsonDocument document;
    // The reader's messages may quote the text, and here the text is a secret.
    const auto value = document.parse(body);
    if (value && value->member("user").kind() == json::JsonKind::text) {
      form.user = value->member("user").as_text();
    }
    if (value && value->member("password").kind() == json::JsonKind::text) {
      form.password = value->member("password").as_text();
    }
  }
  if (form.user.empty() || form.password.empty()) {
    return invalid("expected {\"user\":\"...\",\"password\":\"...\"}, or a form with both");
  }
  return form;
}

void write_who(const access::AccessControl& access, const access::Principal& who,
               std::string& body) {
  json::JsonWriter json(body);
  json.begin_object().key("open").boolean(access.is_open());
  json.key("user").text(who.name()).key("department").text(who.department());
  json.key("rights").begin_object();
  json.key("sql").boolean(who.may_use_sql()).key("alerts");
  switch (who.rights().alerts) {
    case access::AlertRight::none:
      json.text("none");
      break;
    case access::AlertRight::own_department:
      json.text("department");
      break;
    case access::AlertRight::all:
      json.text("all");
      break;
  }
  json.key("administer").boolean(who.may_administer()).key("types");
  if (who.reads_the_city()) {
    json.text("*");
  } else {
    json.begin_array();
    for (const std::string& type : who.rights().read.names) json.text(type);
    json.end_array();
  }
  json.end_object().end_object();
}

}  // namespace

void Gate::identify(Exchange exchange, OnIdentified on_identified) {
  net::HttpExchange& e = *exchange;
  const std::string_view authorization = e.header("Authorization");
  if (access_.is_open() && options_.checks_host && e.peer().is_loopback() &&
      !is_own_name(e.header("Host"))) {
    return respond_error(e, 403,
                         {ErrorCode::denied,
                          "there are no users yet, so this must be asked for as 127.0.0.1 or "
                          "localhost: give it users (docs/SECURITY.md)"});
  }
  if (authorization.empty() && !is_reading(e) && is_foreign(e)) {
    return respond_error(e, 403,
                         {ErrorCode::denied, "this comes from a page of another site (Origin)"});
  }
  const std::string peer = e.peer().text();
  if (authorization.empty() || access_.is_open()) {
    Who who;
    const std::string_view cookie = access::find_cookie(e.header("Cookie"), kCookieName);
    if (!cookie.empty()) who = access_.by_session(cookie);
    const net::PeerCertificate* const certificate = e.peer_certificate();
    if (who == nullptr && !access_.is_open() && certificate != nullptr &&
        !certificate->common_name.empty()) {
      who = access_.by_certificate(certificate->common_name, peer).value_or(nullptr);
    }
    return on_identified(std::move(exchange), who != nullptr ? who : access_.anonymous());
  }
  const auto credentials = access::parse_authorization(authorization);
  if (!credentials) {
    return respond_login_error(
        e, {ErrorCode::denied, "Authorization: expected Bearer TOKEN or Basic BASE64"});
  }
  if (const auto* bearer = std::get_if<access::BearerToken>(&*credentials)) {
    Result<Who> who = access_.by_token(bearer->token, peer);
    if (!who) return respond_login_error(e, who.error());
    return on_identified(std::move(exchange), *std::move(who));
  }
  const auto& basic = std::get<access::BasicCredentials>(*credentials);
  access_.log_in(basic.user, basic.password, peer,
                 [this, user = basic.user, exchange = std::move(exchange),
                  on_identified = std::move(on_identified)](Result<Who> who) mutable {
                   if (!who) return respond_login_error(*exchange, who.error(), user);
                   on_identified(std::move(exchange), *std::move(who));
                 });
}

void Gate::deny(net::HttpExchange& exchange, const Who& who, std::string_view right) {
  const Error error =
      access_.deny(who.get(), exchange.peer().text(),
                   fmt::format("{} {}", exchange.method(), exchange.target().path), right);
  if (who == nullptr || who->name().empty()) return respond_login_error(exchange, error);
  respond_error(exchange, 403, error);
}

bool Gate::still_stands(net::HttpExchange& exchange, const Who& who) {
  if (access_.is_current(*who)) return true;
  respond_login_error(exchange, {ErrorCode::denied, "the users have changed: log in again"});
  return false;
}

void Gate::log_in(Exchange exchange) {
  net::HttpExchange& e = *exchange;
  if (access_.is_open()) {
    return respond_error(e, {ErrorCode::conflict, "there are no users: nobody needs to log in"});
  }
  if (is_foreign(e)) {
    return respond_error(e, 403,
                         {ErrorCode::denied, "this comes from a page of another site (Origin)"});
  }
  e.read_body(
      kLoginBytesMax, [this, exchange = std::move(exchange)](std::string_view body) mutable {
        auto form = parse_login(exchange->header("Content-Type"), body);
        if (!form) return respond_error(*exchange, form.error());
        const std::string peer = exchange->peer().text();
        access_.log_in(form->user, form->password, peer,
                       [this, user = form->user, exchange = std::move(exchange)](Result<Who> who) {
                         if (!who) return respond_login_error(*exchange, who.error(), user);
                         std::string text;
                         write_who(access_, **who, text);
                         const std::string set = cookie(*exchange, access_.start_session(*who));
                         exchange->respond(200,
                                           net::HttpHeaders{{"Content-Type", connect::kJsonType},
                                                            {"Cache-Control", "no-store"},
                                                            {"Set-Cookie", set}},
                                           std::move(text));
                       });
        access::wipe(form->password);
      });
}

void Gate::log_out(Exchange exchange) {
  const std::string_view value = access::find_cookie(exchange->header("Cookie"), kCookieName);
  if (!value.empty()) access_.end_session(value, exchange->peer().text());
  const std::string set = cookie(*exchange, "");
  exchange->respond(204, net::HttpHeaders{{"Set-Cookie", set}}, "");
}

void Gate::who_am_i(net::HttpExchange& exchange, const Who& who) {
  if (who == nullptr) {
    return respond_login_error(exchange, {ErrorCode::denied, "nobody is logged in"});
  }
  std::string text;
  write_who(access_, *who, text);
  connect::respond_json(exchange, std::move(text));
}

// RFC 6265, 4.1. A session cookie, so it goes with the browser; the server forgets it earlier.
std::string Gate::cookie(const net::HttpExchange& exchange, std::string_view value) const {
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}{}", kCookieName, value,
                     exchange.is_encrypted() ? "; Secure" : "", value.empty() ? "; Max-Age=0" : "");
}

// 401 with a challenge (RFC 9110, 15.5.2); not Basic, for which browsers open a window of their own
// before the page can show its own. 429 (RFC 6585, 4) for who must wait.
void Gate::respond_login_error(net::HttpExchange& exchange, const Error& error,
                               std::string_view user) {
  std::string body;
  json::JsonWriter json(body);
  const bool must_wait = error.code == ErrorCode::overloaded;
  json.begin_object().key("error").begin_object();
  json.key("code").text(error_code_name(error.code)).key("message").text(error.message);
  json.key("message_zh")
      .text(must_wait ? "登录失败次数过多或系统繁忙，请稍后再试" : "请先登录，或检查用户名和密码");
  json.end_object().end_object();
  net::HttpHeaders headers{{"Content-Type", connect::kJsonType}, {"Cache-Control", "no-store"}};
  if (must_wait) {
    const Micros wait = access_.login_wait(user, exchange.peer().text());
    const std::int64_t seconds = wait > Micros{} ? (wait.count + 999'999) / 1'000'000 : 20;
    headers.add("Retry-After", std::to_string(seconds));
  } else {
    headers.add("WWW-Authenticate", "Bearer realm=\"ficus\"");
  }
  exchange.respond(must_wait ? 429 : 401, headers, std::move(body));
}

}  // namespace ficus::api
