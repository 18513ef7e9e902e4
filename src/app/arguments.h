#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ficus::app {

// One option of a command: "--config FILE" or, without a value name, a switch such as "--csv".
struct OptionInfo {
  std::string_view name;        // "config"
  std::string_view value_name;  // "FILE", or empty for a switch
  std::string_view help;
};

// The arguments of one command, checked against what the command knows.
class Arguments {
 public:
  // Accepts "--name value" and "--name=value"; "--" ends the options. An unknown option is an error
  // that names the nearest known one.
  static Result<Arguments> parse(const std::vector<std::string>& words,
                                 const std::vector<OptionInfo>& known);

  const std::vector<std::string>& positional() const { return positional_; }
  bool has(std::string_view name) const { return options_.contains(name); }
  std::optional<std::string> find(std::string_view name) const;
  std::string value(std::string_view name, std::string_view otherwise) const;
  // A decimal number within [min, max].
  Result<double> number(std::string_view name, double otherwise, double min, double max) const;

 private:
  std::map<std::string, std::string, std::less<>> options_;
  std::vector<std::string> positional_;
};

}  // namespace ficus::app
