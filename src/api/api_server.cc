#include "api/api_server.h"

#include <fmt/format.h>

#include <array>

#include "api/page_files.h"
#include "connect/http/respond.h"
#include "net/websocket_connection.h"

namespace ficus::api {
namespace {

using connect::respond_error;
using connect::respond_json;

constexpr Micros kSourcesBeat = Micros::from_seconds(2);

const PageFile* find_page(const std::string& path) {
  return find_page_file(path == "/" ? "/index.html" : path);
}
bool is_page(const std::string& path) { return find_page(path) != nullptr; }

}  // namespace

ApiServer::ApiServer(const ApiParts& parts)
    : parts_(parts),
      gate_(parts.access, parts.gate),
      engine_(parts.ingest.engine()),
      quarantine_(parts.loop, parts.ingest, parts.sources, parts.history),
      sources_timer_(parts.loop) {
  sources_timer_.start_repeating(kSourcesBeat, [this] { broadcast_sources(); });
}

void ApiServer::on_request(Exchange exchange) {
  const std::string_view method = exchange->method();
  if (method != "GET" && method != "HEAD" && method != "POST" && method != "DELETE") {
    return exchange->respond(405, net::HttpHeaders{{"Allow", "GET, HEAD, POST, DELETE"}}, "");
  }
  const std::vector<std::string>& path = exchange->target().segments;
  if (method == "POST" && path.size() == 1 && path[0] == "login") {
    return gate_.log_in(std::move(exchange));
  }
  gate_.identify(std::move(exchange), [this](Exchange identified, const Who& who) {
    route(std::move(identified), who);
  });
}

void ApiServer::route(Exchange exchange, const Who& who) {
  const std::vector<std::string>& path = exchange->target().segments;
  const std::string_view first = path.empty() ? std::string_view() : path[0];
  const bool is_get = exchange->method() == "GET" || exchange->method() == "HEAD";
  if (is_get && path.size() == 1 && first == "health") return get_health(std::move(exchange), who);
  if (is_get && path.size() == 1 && first == "whoami") return gate_.who_am_i(*exchange, who);
  if (is_get && path.size() == 1 && first == "mqtt") return get_mqtt(std::move(exchange));
  if (is_get && is_page(exchange->target().path)) return get_page(std::move(exchange));
  if (exchange->method() == "POST" && path.size() == 1 && first == "logout") {
    return gate_.log_out(std::move(exchange));
  }
  if (who == nullptr) return gate_.deny(*exchange, who, "of any user");
  if (is_get) return get(std::move(exchange), who);
  if (exchange->method() == "DELETE") return remove(std::move(exchange), who);
  post(std::move(exchange), who);
}

void ApiServer::get(Exchange exchange, const Who& who) {
  const std::vector<std::string>& path = exchange->target().segments;
  const std::string_view first = path.empty() ? std::string_view() : path[0];
  if (path.size() == 1) {
    using Route = void (ApiServer::*)(Exchange, const Who&);
    static constexpr std::array<std::pair<std::string_view, Route>, 8> kRoutes{
        {{"metrics", &ApiServer::get_metrics},
         {"status", &ApiServer::get_status},
         {"types", &ApiServer::get_types},
         {"entities", &ApiServer::get_entities},
         {"alerts", &ApiServer::get_alerts},
         {"sources", &ApiServer::get_sources},
         {"rules", &ApiServer::get_rules},
         {"departments", &ApiServer::get_departments}}};
    for (const auto& [name, handler] : kRoutes) {
      if (first == name) return (this->*handler)(std::move(exchange), who);
    }
    if (first == "zones") return respond_json(*exchange, parts_.catalog.zones_geojson);
    if (first == "map") return respond_json(*exchange, parts_.catalog.map_geojson);
    if (first == "live") return parts_.live.accept(*exchange, who);
  }
  if ((first == "entities" || first == "alerts") && path.size() == 2) {
    const std::string id = path[1];
    return get_entity(std::move(exchange), who, id);
  }
  if (first == "entities" && path.size() == 3 && path[2] == "history") {
    std::string id = path[1];
    return get_history(std::move(exchange), who, std::move(id));
  }
  if (first == "sql" && path.size() == 2 && path[1] == "queries") {
    return get_queries(std::move(exchange), who);
  }
  if (first == "admin" && path.size() == 2 && path[1] == "backup") {
    return get_backup(std::move(exchange), who);
  }
  if (first == "quarantine") {
    // The bytes may be of any type.
    if (!who->may_administer()) return gate_.deny(*exchange, who, "administer");
    return quarantine_.on_get(std::move(exchange));
  }
  get_page(std::move(exchange));
}

void ApiServer::post(Exchange exchange, const Who& who) {
  const std::vector<std::string> path = exchange->target().segments;
  if (path.size() == 2 && path[0] == "ingest") {
    return post_ingest(std::move(exchange), who, path[1]);
  }
  if (path.size() == 1 && path[0] == "sql") return post_sql(std::move(exchange), who);
  if (path.size() == 2 && path[0] == "admin" && path[1] == "reload") {
    return post_reload(std::move(exchange), who);
  }
  if (path.size() == 2 && path[0] == "admin" && path[1] == "backup") {
    return post_backup(std::move(exchange), who);
  }
  if (path.size() == 3 && path[0] == "alerts") {
    return post_alert(std::move(exchange), who, path[1], path[2]);
  }
  if (!path.empty() && path[0] == "quarantine") {
    if (!who->may_administer()) return gate_.deny(*exchange, who, "administer");
    return quarantine_.on_post(std::move(exchange), who->name());
  }
  respond_error(*exchange, {ErrorCode::not_found,
                            fmt::format("there is no POST {}", exchange->target().path)});
}

void ApiServer::remove(Exchange exchange, const Who& who) {
  const std::vector<std::string> path = exchange->target().segments;
  if (path.size() == 3 && path[0] == "sql" && path[1] == "queries") {
    return delete_query(std::move(exchange), who, path[2]);
  }
  respond_error(*exchange, {ErrorCode::not_found,
                            fmt::format("there is no DELETE {}", exchange->target().path)});
}

void ApiServer::post_ingest(Exchange exchange, const Who& who, const std::string& source) {
  if (!who->may_ingest(source)) {
    return gate_.deny(*exchange, who, fmt::format("ingest: {}", source));
  }
  parts_.http_ingest.on_post(source, std::move(exchange),
                             [this, who] { return gate_.access().is_current(*who); });
}

// MQTT over WebSocket (MQTT 5.0, 6): who it is, the CONNECT will say.
void ApiServer::get_mqtt(Exchange exchange) {
  net::WebSocketOptions options;
  options.subprotocol = "mqtt";
  options.message_bytes_max = parts_.mqtt_message_bytes_max;
  options.output_bytes_max = net::TcpOptions{}.output_bytes_max;
  auto connection = net::WebSocketConnection::accept(*exchange, options);
  if (!connection) {
    return exchange->respond(
        426, net::HttpHeaders{{"Upgrade", "websocket"}, {"Content-Type", "text/plain"}},
        connection.error().message + "\n");
  }
  (*connection)->set_input_bytes_max(parts_.mqtt_message_bytes_max);
  parts_.accept_mqtt(*std::move(connection));
}

void ApiServer::get_page(Exchange exchange) {
  const std::string& path = exchange->target().path;
  const PageFile* const file = find_page(path);
  if (file == nullptr) {
    return respond_error(*exchange, {ErrorCode::not_found, fmt::format("there is no {}", path)});
  }
  // Files under /assets carry a hash of their content in the name; the others may change with the
  // binary.
  const bool is_hashed = path.starts_with("/assets/");
  exchange->respond(
      200,
      net::HttpHeaders{
          {"Content-Type", content_type_of(file->path)},
          {"Cache-Control", is_hashed ? "public, max-age=31536000, immutable" : "no-cache"},
          {"X-Content-Type-Options", "nosniff"},
          // Shown in no frame of another site, so that nobody is made to click on it unknowingly.
          {"Content-Security-Policy", "frame-ancestors 'none'"},
          {"Referrer-Policy", "no-referrer"}},
      std::string(file->content));
}

}  // namespace ficus::api
