#include "app/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "codec/yaml/yaml_map.h"

namespace ficus::app {

Result<Arguments> Arguments::parse(const std::vector<std::string>& words,
                                   const std::vector<OptionInfo>& known) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      arguments.positional_.insert(arguments.positional_.end(), words.begin() + i + 1, words.end());
      break;
    }
    if (!word.starts_with("--")) {
      arguments.positional_.push_back(word);
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    const auto info = std::find_if(known.begin(), known.end(),
                                   [&](const OptionInfo& option) { return option.name == name; });
    if (info == known.end()) {
      std::vector<std::string_view> names;
      names.reserve(known.size());
      for (const OptionInfo& option : known) names.push_back(option.name);
      return invalid(fmt::format("unknown option --{}: {}", name, expected_one_of(name, names)));
    }
    if (info->value_name.empty()) {
      if (equals != std::string::npos) return invalid(fmt::format("--{} takes no value", name));
      arguments.options_[name] = "";
    } else if (equals != std::string::npos) {
      arguments.options_[name] = word.substr(equals + 1);
    } else if (i + 1 < words.size()) {
      arguments.options_[name] = words[++i];
    } else {
      return invalid(fmt::format("--{} needs a value: {}", name, info->value_name));
    }
  }
  return arguments;
}

std::optional<std::string> Arguments::find(std::string_view name) const {
  const auto found = options_.find(name);
  if (found == options_.end()) return std::nullopt;
  return found->second;
}

std::string Arguments::value(std::string_view name, std::string_view otherwise) const {
  return find(name).value_or(std::string(otherwise));
}

Result<double> Arguments::number(std::string_view name, double otherwise, double min,
                                 double max) const {
  const auto text = find(name);
  if (!text) return otherwise;
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() ||
      !(value >= min && value <= max)) {
    return invalid(
        fmt::format("--{}: expected a number from {} to {}, found '{}'", name, min, max, *text));
  }
  return value;
}

}  // namespace ficus::app
