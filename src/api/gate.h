#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "access/access_control.h"
#include "net/http_server.h"

namespace ficus::api {

struct GateOptions {
  // Without users, a request by way of loopback must name a loopback address as its Host, so that a
  // foreign page cannot reach us by pointing its own name here (DNS rebinding).
  bool checks_host = true;
};

// Finds out who sends a request: Authorization (Bearer or Basic), else the page's session cookie,
// else a client certificate, else whoever needs no login. Answers /login, /logout and /whoami
// itself. Loop thread.
//
// A page of another site cannot act for a logged-in user: the cookie is SameSite=Strict, and what
// changes something or opens a WebSocket is refused if its Origin is not ours.
class Gate {
 public:
  using Exchange = std::unique_ptr<net::HttpExchange>;
  using Who = access::PrincipalPtr;  // null: nobody
  using OnIdentified = std::move_only_function<void(Exchange exchange, Who who)>;

  // The access control must outlive the gate.
  Gate(access::AccessControl& access, GateOptions options) : access_(access), options_(options) {}

  // Calls at once, or later when a password had to be checked; or answers 401, 403 or 429 itself.
  void identify(Exchange exchange, OnIdentified on_identified);
  // Answers 401 (nobody) or 403, counts and records it. `right`: which one is missing.
  void deny(net::HttpExchange& exchange, const Who& who, std::string_view right);
  // For when a body has arrived, which may take its time: false, and answered, if what `who` leans
  // on has been taken back since.
  bool still_stands(net::HttpExchange& exchange, const Who& who);

  // {"user", "password"} as JSON or form; answers with the session's cookie and who_am_i's body.
  void log_in(Exchange exchange);
  void log_out(Exchange exchange);
  // {"open", "user", "department", "rights": {"sql", "alerts", "administer", "types"}}
  void who_am_i(net::HttpExchange& exchange, const Who& who);

  access::AccessControl& access() { return access_; }

 private:
  std::string cookie(const net::HttpExchange& exchange, std::string_view value) const;
  void respond_login_error(net::HttpExchange& exchange, const Error& error,
                           std::string_view user = {});

  access::AccessControl& access_;
  const GateOptions options_;
};

}  // namespace ficus::api
