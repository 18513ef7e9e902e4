#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "app/api_client.h"
#include "app/command_list.h"
#include "codec/json/json_reader.h"
#include "codec/json/json_writer.h"
#include "net/http_types.h"

namespace ficus::app {
namespace {

std::string text_of(json::JsonValue object, std::string_view name) {
  const json::JsonValue value = object.member(name);
  return value.kind() == json::JsonKind::text ? std::string(value.as_text()) : std::string();
}

// The conditions that were given, as the query of GET /quarantine.
std::string query_of(const Arguments& arguments) {
  std::string query;
  for (const char* const name : {"source", "reason", "since", "until", "state", "limit"}) {
    if (!arguments.has(name)) continue;
    query += (query.empty() ? "?" : "&") + std::string(name) + "=" +
             net::percent_encode(arguments.value(name, ""));
  }
  return query;
}

std::string user_name(const Arguments& arguments) {
  const char* const user = std::getenv("USER");
  return arguments.value("by", user != nullptr && *user != '\0' ? user : "operator");
}

int wrong_usage(std::string_view command, std::string_view expected) {
  fmt::print(stderr, "ficus {}: expected {}\n", command, expected);
  return 2;
}

// The ids to decide about: those given, or those that the conditions select.
Result<std::vector<std::string>> chosen(const Arguments& arguments, ApiClient& client) {
  if (!arguments.positional().empty()) return arguments.positional();
  FICUS_TRY(const std::string answer, client.get("/quarantine" + query_of(arguments)));
  json::JsonDocument document({.bytes_max = std::size_t{1} << 28});
  FICUS_TRY(const json::JsonValue root, document.parse(answer));
  std::vector<std::string> ids;
  for (json::JsonItems items(root.member("items")); items.next();) {
    ids.push_back(text_of(items.value(), "id"));
  }
  // The list has the newest first; replayed in that order, older readings would come late.
  std::reverse(ids.begin(), ids.end());
  return ids;
}

// Decides about each; what one failed for does not stop the others.
int decide(const Arguments& arguments, const Machine& machine, std::string_view step) {
  const std::string command = fmt::format("quarantine {}", step);
  const bool has_condition =
      arguments.has("source") || arguments.has("reason") || arguments.has("since");
  if (arguments.positional().empty() && !has_condition) {
    return wrong_usage(command, "ids, or --source, --reason or --since to choose them by");
  }
  ApiClient client(arguments, machine.disk);
  const auto ids = chosen(arguments, client);
  if (!ids) return report(ids.error());
  std::string body;
  json::JsonWriter(body).begin_object().key("by").text(user_name(arguments)).end_object();
  std::size_t done = 0;
  for (const std::string& id : *ids) {
    const auto answer =
        client.post(fmt::format("/quarantine/{}/{}", net::percent_encode(id), step), body);
    if (answer) {
      ++done;
      fmt::print("{} {}\n", id, step == "drop" ? "dropped" : "replayed");
    } else {
      fmt::print("{} {}: {}\n", id, error_code_name(answer.error().code), answer.error().message);
    }
  }
  fmt::print("{} of {} {}\n", done, ids->size(), step == "drop" ? "dropped" : "replayed");
  return done == ids->size() ? 0 : 1;
}

}  // namespace

int run_quarantine_list(const Arguments& arguments, const Machine& machine) {
  if (!arguments.positional().empty()) return wrong_usage("quarantine list", "options only");
  ApiClient client(arguments, machine.disk);
  const auto answer = client.get("/quarantine" + query_of(arguments));
  if (!answer) return report(answer.error());
  if (arguments.has("json")) {
    fmt::print("{}\n", *answer);
    return 0;
  }
  json::JsonDocument document({.bytes_max = std::size_t{1} << 28});
  const auto root = document.parse(*answer);
  if (!root) return report(root.error());
  std::size_t count = 0;
  for (json::JsonItems items(root->member("items")); items.next(); ++count) {
    const json::JsonValue item = items.value();
    fmt::print("{}  {}  {}  {}  {} bytes  {}\n    {}\n", text_of(item, "id"),
               text_of(item, "receivedAt"), text_of(item, "source"), text_of(item, "state"),
               item.member("size").as_integer().value_or(0), text_of(item, "key"),
               text_of(item, "reason"));
  }
  const json::JsonValue cut = root->member("truncated");
  const bool is_cut = cut.kind() == json::JsonKind::boolean && cut.as_boolean();
  fmt::print("{} items{}\n", count, is_cut ? " and more: --limit shows more of them" : "");
  return 0;
}

int run_quarantine_show(const Arguments& arguments, const Machine& machine) {
  if (arguments.positional().size() != 1) return wrong_usage("quarantine show", "one id");
  ApiClient client(arguments, machine.disk);
  const auto answer = client.get("/quarantine/" + net::percent_encode(arguments.positional()[0]));
  if (!answer) return report(answer.error());
  json::JsonDocument document({.bytes_max = std::size_t{1} << 28});
  const auto root = document.parse(*answer);
  if (!root) return report(root.error());
  for (const char* const name : {"id", "source", "receivedAt", "key", "reason"}) {
    fmt::print("{:<11} {}\n", name, text_of(*root, name));
  }
  const std::string text = text_of(*root, "text");
  const std::string hex = text_of(*root, "hex");
  fmt::print("\n{}\n", hex.empty() ? text : "hexadecimal: " + hex);
  return 0;
}

int run_quarantine_replay(const Arguments& arguments, const Machine& machine) {
  return decide(arguments, machine, "replay");
}

int run_quarantine_drop(const Arguments& arguments, const Machine& machine) {
  return decide(arguments, machine, "drop");
}

}  // namespace ficus::app
