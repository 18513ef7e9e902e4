#include "api/api_server.h"

#include <fmt/format.h>

#include <array>

#include "api/page_files.h"
#include "connect/http/respond.h"

namespace ficus::api {
namespace {

using connect::respond_error;
using connect::respond_json;

constexpr Micros kSourcesBeat = Micros::from_seconds(2);

}  // namespace

ApiServer::ApiServer(const ApiParts& parts)
    : parts_(parts), engine_(parts.ingest.engine()), sources_timer_(parts.loop) {
  sources_timer_.start_repeating(kSourcesBeat, [this] { broadcast_sources(); });
}

void ApiServer::on_request(Exchange exchange) {
  const std::string_view method = exchange->method();
  if (method == "GET" || method == "HEAD") return get(std::move(exchange));
  if (method == "POST") return post(std::move(exchange));
  if (method == "DELETE") return remove(std::move(exchange));
  exchange->respond(405, net::HttpHeaders{{"Allow", "GET, HEAD, POST, DELETE"}}, "");
}

void ApiServer::get(Exchange exchange) {
  const std::vector<std::string>& path = exchange->target().segments;
  const std::string_view first = path.empty() ? std::string_view() : path[0];
  if (path.size() == 1) {
    using Route = void (ApiServer::*)(Exchange);
    static constexpr std::array<std::pair<std::string_view, Route>, 8> kRoutes{
        {{"health", &ApiServer::get_health},
         {"metrics", &ApiServer::get_metrics},
         {"types", &ApiServer::get_types},
         {"entities", &ApiServer::get_entities},
         {"alerts", &ApiServer::get_alerts},
         {"sources", &ApiServer::get_sources},
         {"rules", &ApiServer::get_rules},
         {"departments", &ApiServer::get_departments}}};
    for (const auto& [name, route] : kRoutes) {
      if (first == name) return (this->*route)(std::move(exchange));
    }
    if (first == "zones") return respond_json(*exchange, parts_.catalog.zones_geojson);
    if (first == "map") return respond_json(*exchange, parts_.catalog.map_geojson);
    if (first == "live") return parts_.live.accept(*exchange);
  }
  if ((first == "entities" || first == "alerts") && path.size() == 2) {
    std::string id = path[1];
    return get_entity(std::move(exchange), std::move(id));
  }
  if (first == "entities" && path.size() == 3 && path[2] == "history") {
    std::string id = path[1];
    return get_history(std::move(exchange), std::move(id));
  }
  if (first == "sql" && path.size() == 2 && path[1] == "queries") {
    return get_queries(std::move(exchange));
  }
  get_page(std::move(exchange));
}

void ApiServer::post(Exchange exchange) {
  const std::vector<std::string> path = exchange->target().segments;
  if (path.size() == 2 && path[0] == "ingest") {
    return parts_.http_ingest.on_post(path[1], std::move(exchange));
  }
  if (path.size() == 1 && path[0] == "sql") return post_sql(std::move(exchange));
  if (path.size() == 3 && path[0] == "alerts") {
    return post_alert(std::move(exchange), path[1], path[2]);
  }
  respond_error(*exchange, {ErrorCode::not_found,
                            fmt::format("there is no POST {}", exchange->target().path)});
}

void ApiServer::remove(Exchange exchange) {
  const std::vector<std::string> path = exchange->target().segments;
  if (path.size() == 3 && path[0] == "sql" && path[1] == "queries") {
    return delete_query(std::move(exchange), path[2]);
  }
  respond_error(*exchange, {ErrorCode::not_found,
                            fmt::format("there is no DELETE {}", exchange->target().path)});
}

void ApiServer::get_page(Exchange exchange) {
  const std::string& path = exchange->target().path;
  const PageFile* const file = find_page_file(path == "/" ? "/index.html" : path);
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
          {"X-Content-Type-Options", "nosniff"}},
      std::string(file->content));
}

}  // namespace ficus::api
