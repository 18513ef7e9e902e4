#include "app/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "app/command_list.h"
#include "codec/yaml/yaml_map.h"

namespace ficus::app {
namespace {

constexpr std::uint64_t kConfigBytesMax = 1 << 20;

void print_help() {
  fmt::print("ficus {} - a city brain in one binary / 榕脑：一个程序就是城市大脑\n\n",
             FICUS_VERSION);
  fmt::print("usage: ficus COMMAND [options]\n\n");
  std::size_t width = 0;
  for (const Command& command : commands()) width = std::max(width, command.name.size());
  for (const Command& command : commands()) {
    fmt::print("  {:<{}}  {}\n  {:<{}}  {}\n", command.name, width, command.summary, "", width,
               command.summary_zh);
  }
  fmt::print("\nficus COMMAND --help tells more. / 用 ficus 命令 --help 查看详情。\n");
}

void print_command_help(const Command& command) {
  fmt::print("usage: ficus {}\n\n{}\n{}\n", command.usage, command.summary, command.summary_zh);
  if (command.options.empty()) return;
  fmt::print("\noptions:\n");
  for (const OptionInfo& option : command.options) {
    const std::string left = option.value_name.empty()
                                 ? fmt::format("--{}", option.name)
                                 : fmt::format("--{} {}", option.name, option.value_name);
    fmt::print("  {:<24} {}\n", left, option.help);
  }
}

}  // namespace

int report(const Error& error) {
  fmt::print(stderr, "ficus: {}\n", error.message);
  return 1;
}

Result<Config> load_config(const Arguments& arguments, const Machine& machine) {
  const std::string path = arguments.value("config", "ficus.yaml");
  if (!arguments.has("config") && !machine.disk.exists(path)) return Config{};
  FICUS_TRY(const std::string text, read_file(machine.disk, path, kConfigBytesMax));
  return Config::parse(text, path);
}

int run_command(const std::vector<std::string>& words, const Machine& machine) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_help();
    return words.empty() ? 2 : 0;
  }
  if (words[0] == "--version") {
    fmt::print("ficus {}\n", FICUS_VERSION);
    return 0;
  }
  // A command may be two words: "log check".
  std::string name = words[0];
  std::size_t used = 1;
  const auto find = [&] {
    return std::find_if(commands().begin(), commands().end(),
                        [&](const Command& c) { return c.name == name; });
  };
  auto command = find();
  if (command == commands().end() && words.size() > 1) {
    name += " " + words[1];
    used = 2;
    command = find();
  }
  if (command == commands().end()) {
    std::vector<std::string_view> names;
    for (const Command& known : commands()) names.push_back(known.name);
    fmt::print(stderr, "ficus: there is no command '{}': {}\n", words[0],
               expected_one_of(words[0], names));
    return 2;
  }
  const std::vector<std::string> rest(words.begin() + static_cast<std::ptrdiff_t>(used),
                                      words.end());
  if (std::find(rest.begin(), rest.end(), "--help") != rest.end()) {
    print_command_help(*command);
    return 0;
  }
  const auto arguments = Arguments::parse(rest, command->options);
  if (!arguments) {
    fmt::print(stderr, "ficus {}: {}\n", command->name, arguments.error().message);
    return 2;
  }
  return command->run(*arguments, machine);
}

std::span<const Command> commands() {
  static const std::vector<Command> list = command_list();
  return list;
}

}  // namespace ficus::app
