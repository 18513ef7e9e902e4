// What is made from the list of commands: the manual page and the completion for bash.
#include <fmt/format.h>

#include "app/command_list.h"

namespace ficus::app {
namespace {

// A text in a manual page (groff_man(7)): hyphens that are typed, no line that begins with a dot.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '-') {
      out += "\\-";
    } else if (c == '\\') {
      out += "\\e";
    } else {
      out += c;
    }
  }
  if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
  return out;
}

// Commands of two words complete in two steps.
std::string first_words() {
  std::string words;
  for (const Command& command : commands()) {
    const std::string word(command.name.substr(0, command.name.find(' ')));
    if ((" " + words + " ").find(" " + word + " ") == std::string::npos) words += word + " ";
  }
  return words + "--help --version";
}

}  // namespace

int run_completion(const Arguments& arguments, const Machine&) {
  if (arguments.positional().size() != 1 || arguments.positional()[0] != "bash") {
    fmt::print(stderr, "ficus completion: expected bash\n");
    return 2;
  }
  fmt::print("# bash completion for ficus; made by `ficus completion bash`.\n_ficus() {{\n");
  fmt::print(
      "  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" previous=\"${{COMP_WORDS[COMP_CWORD-1]}}\"\n");
  fmt::print("  local words=\"\"\n  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    words=\"{}\"\n  else\n",
             first_words());
  fmt::print("    case \"${{COMP_WORDS[1]}} ${{COMP_WORDS[2]}}\" in\n");
  for (const Command& command : commands()) {
    std::string options = "--help";
    for (const OptionInfo& option : command.options) options += fmt::format(" --{}", option.name);
    fmt::print("      \"{}\"*) words=\"{}\" ;;\n", command.name, options);
  }
  fmt::print(
      "    esac\n    if [ \"$COMP_CWORD\" -eq 2 ]; then\n      case \"${{COMP_WORDS[1]}}\" in\n");
  for (const Command& command : commands()) {
    const std::size_t space = command.name.find(' ');
    if (space == std::string_view::npos) continue;
    fmt::print("        {}) words=\"$words {}\" ;;\n", command.name.substr(0, space),
               command.name.substr(space + 1));
  }
  fmt::print("      esac\n    fi\n  fi\n");
  fmt::print("  case \"$previous\" in --config|--data|--truth) words=\"\" ;; esac\n");
  fmt::print("  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n");
  fmt::print("  [ ${{#COMPREPLY[@]}} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n}}\n");
  fmt::print("complete -o filenames -F _ficus ficus\n");
  return 0;
}

int run_manual(const Arguments&, const Machine&) {
  fmt::print(".TH FICUS 1 \"\" \"ficus {}\" \"Ficus\"\n", FICUS_VERSION);
  fmt::print(".SH NAME\nficus \\- a city brain in one binary\n");
  fmt::print(".SH SYNOPSIS\n.B ficus\n.I COMMAND\n[options]\n");
  fmt::print(
      ".SH DESCRIPTION\nHears every sensor a city has over MQTT, HTTP and AIS, keeps what is true "
      "now "
      "and what was true, decides by rules in SQL, tells the department responsible, and shows "
      "it.\n");
  fmt::print(".SH COMMANDS\n");
  for (const Command& command : commands()) {
    fmt::print(".SS ficus {}\n{}.\n", roff(command.usage), roff(command.summary));
    for (const OptionInfo& option : command.options) {
      fmt::print(".TP\n.B \\-\\-{}", roff(option.name));
      if (!option.value_name.empty()) fmt::print(" \\fI{}\\fR", roff(option.value_name));
      fmt::print("\n{}.\n", roff(option.help));
    }
  }
  fmt::print(".SH SIGNALS\n.TP\n.B SIGTERM\nstops within five seconds, with everything written.\n");
  fmt::print(
      ".TP\n.B SIGHUP\nreads packs, rules and users anew; nothing changes if there is a "
      "mistake.\n");
  fmt::print(".SH FILES\n.TP\n.I /etc/ficus/ficus.yaml\nthe configuration of the service.\n");
  fmt::print(".TP\n.I /var/lib/ficus\nthe data of the service.\n");
  fmt::print(
      ".SH EXIT STATUS\n0 if all is well, 1 if the work failed, 2 for wrong usage.\n"
      ".B ficus status\nexits with 0 if the brain is healthy, 1 if it is degraded, 2 if it cannot "
      "be "
      "reached.\n");
  fmt::print(".SH SEE ALSO\n/usr/share/doc/ficus\n");
  return 0;
}

}  // namespace ficus::app
