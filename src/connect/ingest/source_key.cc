#include "connect/ingest/source_key.h"

#include "net/http_types.h"

namespace ficus::connect {
namespace {

std::optional<std::vector<std::string>> of_topic(const TopicPattern& topic, std::string_view key) {
  std::vector<std::string_view> places;
  if (!topic.match(key, places)) return std::nullopt;
  return std::vector<std::string>(places.begin(), places.end());
}

}  // namespace

std::string http_key(const SourceDeclaration& source, const std::vector<std::string>& values) {
  std::string key = "/ingest/" + source.name;
  for (std::size_t i = 0; i < values.size(); ++i) {
    key += (i == 0 ? "?" : "&") + source.placeholders[i] + "=" + net::percent_encode(values[i]);
  }
  return key;
}

std::optional<std::vector<std::string>> placeholders_of(const SourceDeclaration& source,
                                                        std::string_view key) {
  if (const auto* mqtt = std::get_if<MqttSource>(&source.connector)) {
    return of_topic(mqtt->topic, key);
  }
  if (const auto* client = std::get_if<MqttClientSource>(&source.connector)) {
    return of_topic(client->topic, key);
  }
  std::vector<std::string> values;
  if (std::holds_alternative<FilesSource>(source.connector)) {
    values.emplace_back(key.substr(key.rfind('/') + 1));
  } else if (std::holds_alternative<HttpSource>(source.connector)) {
    const auto target = net::HttpTarget::parse(key);
    for (const std::string& name : source.placeholders) {
      values.emplace_back(target ? target->parameter(name).value_or("") : "");
    }
  }
  return values;
}

}  // namespace ficus::connect
