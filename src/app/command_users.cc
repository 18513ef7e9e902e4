#include <fmt/format.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "access/digest.h"
#include "access/password.h"
#include "access/users_edit.h"
#include "access/users_file.h"
#include "app/command_list.h"
#include "base/time_text.h"

// ficus user hash|add|remove|list and ficus token add|revoke|list: they edit the users file.

namespace ficus::app {
namespace {

constexpr std::uint64_t kUsersBytesMax = 4 << 20;
// NIST SP 800-63B, 3.1.1.2: never fewer than eight characters.
constexpr std::size_t kPasswordBytesMin = 8;

// What is typed is not shown, for as long as this lives.
class EchoOff {
 public:
  EchoOff() : is_terminal_(isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_terminal_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~EchoOff() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
  bool is_terminal() const { return is_terminal_; }

 private:
  termios before_{};
  const bool is_terminal_;
};

std::string read_line() {
  std::string line;
  for (int c = std::getchar(); c != EOF && c != '\n'; c = std::getchar()) {
    if (line.size() <= access::kPasswordBytesMax) line.push_back(static_cast<char>(c));
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

Result<std::string> read_password() {
  const EchoOff silent;
  const auto ask = [&](const char* prompt) {
    if (silent.is_terminal()) fmt::print(stderr, "{}: ", prompt);
    std::string line = read_line();
    if (silent.is_terminal()) fmt::print(stderr, "\n");
    return line;
  };
  std::string password = ask("password / 密码");
  if (silent.is_terminal()) {
    std::string again = ask("once more / 再输入一次");
    const bool is_same = again == password;
    access::wipe(again);
    if (!is_same) return invalid("the two passwords differ: nothing was changed");
  }
  if (password.size() < kPasswordBytesMin || password.size() > access::kPasswordBytesMax) {
    return invalid(
        fmt::format("a password has {} to {} bytes", kPasswordBytesMin, access::kPasswordBytesMax));
  }
  return password;
}

Result<std::string> read_and_hash(const Machine& machine) {
  FICUS_TRY(std::string password, read_password());
  access::Salt salt{};
  machine.random_bytes(salt);
  std::string phc = access::hash_password(password, salt, {});
  access::wipe(password);
  return phc;
}

Result<std::string> users_path(const Arguments& arguments, const Machine& machine) {
  if (const auto given = arguments.find("users")) return *given;
  FICUS_TRY(const Config config, load_config(arguments, machine));
  if (!config.access.users.empty()) return config.access.users;
  return invalid("which users file? Give --users FILE, or set access.users in the configuration");
}

Result<std::string> read_users(const std::string& path, const Machine& machine) {
  if (!machine.disk.exists(path)) return std::string();
  return read_file(machine.disk, path, kUsersBytesMax);
}

// Only a file that would load is written; whoever could read it before can afterwards, and nobody
// else.
Status write_users(const std::string& path, const std::string& text, const Machine& machine) {
  const auto parsed = access::UsersFile::parse(text, path);
  if (!parsed) return in_context("nothing was changed: ", parsed.error());
  struct stat before{};
  const bool existed = ::stat(path.c_str(), &before) == 0;
  const mode_t umask_before = ::umask(077);
  const Status written = write_file_atomically(machine.disk, path, std::as_bytes(std::span(text)));
  ::umask(umask_before);
  FICUS_TRY_VOID(written);
  if (!existed) return {};
  // Only root may give files away; others own what they replace.
  const bool is_owner_kept = ::chown(path.c_str(), before.st_uid, before.st_gid) == 0;
  if (::chmod(path.c_str(), before.st_mode & 07777) != 0 || !is_owner_kept) {
    return fail(ErrorCode::unavailable,
                fmt::format("{} was written, but its owner and mode could not be kept", path));
  }
  return {};
}

Result<std::string> only_name(const Arguments& arguments, std::string_view what) {
  if (arguments.positional().size() != 1) {
    return invalid(fmt::format("expected one {}", what));
  }
  const std::string& name = arguments.positional()[0];
  if (!access::is_user_name(name)) {
    return invalid(
        fmt::format("'{}' is no name: expected 1 to 64 bytes of letters, digits, '.', "
                    "'_', '-' or '@'",
                    name));
  }
  return name;
}

void say_reload() {
  fmt::print(
      "A running brain takes it at its next reload (SIGHUP). / 重新加载（SIGHUP）后生效。\n");
}

Status add_user(const Arguments& arguments, const Machine& machine) {
  FICUS_TRY(const std::string name, only_name(arguments, "user name"));
  FICUS_TRY(const std::string path, users_path(arguments, machine));
  FICUS_TRY(const std::string text, read_users(path, machine));
  std::vector<std::string> lines{"name: " + access::yaml_quoted(name)};
  if (!arguments.has("no-password")) {
    FICUS_TRY(const std::string phc, read_and_hash(machine));
    lines.push_back("password: " + access::yaml_quoted(phc));
  }
  for (const char* key : {"certificate", "department"}) {
    if (const auto value = arguments.find(key)) {
      lines.push_back(fmt::format("{}: {}", key, access::yaml_quoted(*value)));
    }
  }
  std::string roles;
  for (const char c : arguments.value("roles", "viewer")) {
    roles += c == ',' ? std::string("\", \"") : std::string(1, c);
  }
  lines.push_back(fmt::format("roles: [\"{}\"]", roles));
  FICUS_TRY(const std::string changed, access::add_entry(text, "users", lines));
  FICUS_TRY_VOID(write_users(path, changed, machine));
  fmt::print("user {} added to {}\n", name, path);
  say_reload();
  return {};
}

Status remove_named(const Arguments& arguments, const Machine& machine, std::string_view section,
                    std::string_view what) {
  FICUS_TRY(const std::string name, only_name(arguments, fmt::format("{} name", what)));
  FICUS_TRY(const std::string path, users_path(arguments, machine));
  FICUS_TRY(const std::string text, read_users(path, machine));
  FICUS_TRY(const std::string changed, access::remove_entry(text, section, name));
  FICUS_TRY_VOID(write_users(path, changed, machine));
  fmt::print("{} {} removed from {}\n", what, name, path);
  say_reload();
  return {};
}

Result<access::UsersFile> load_users(const Arguments& arguments, const Machine& machine) {
  FICUS_TRY(const std::string path, users_path(arguments, machine));
  FICUS_TRY(const std::string text, read_file(machine.disk, path, kUsersBytesMax));
  return access::UsersFile::parse(text, path);
}

Status list_users(const Arguments& arguments, const Machine& machine) {
  FICUS_TRY(const access::UsersFile file, load_users(arguments, machine));
  for (const access::User& user : file.users) {
    std::string roles;
    for (const std::string& role : user.roles) roles += (roles.empty() ? "" : ",") + role;
    const char* proof = !user.password.empty()      ? "password"
                        : !user.certificate.empty() ? "certificate"
                                                    : "token only";
    fmt::print("{:<24} {:<12} {:<32} {}\n", user.name, proof, roles, user.department);
  }
  return {};
}

Status add_token(const Arguments& arguments, const Machine& machine) {
  FICUS_TRY(const std::string name, only_name(arguments, "token name"));
  const auto user = arguments.find("user");
  if (!user) return invalid("expected --user NAME: whom the token stands for");
  FICUS_TRY(const double days, arguments.number("days", 365, 1, 36'500));
  FICUS_TRY(const std::string path, users_path(arguments, machine));
  FICUS_TRY(const std::string text, read_users(path, machine));
  access::Digest secret{};
  machine.random_bytes(secret);
  std::string token = "ficus_" + access::to_hex(secret);
  const Timestamp now = machine.clock.now();
  const Timestamp expires =
      Timestamp::from_seconds(now.micros / 1'000'000 + static_cast<std::int64_t>(days * 86'400));
  FICUS_TRY(const std::string changed,
            access::add_entry(
                text, "tokens",
                {"name: " + access::yaml_quoted(name), "user: " + access::yaml_quoted(*user),
                 fmt::format("sha256: \"{}\"", access::to_hex(access::sha256(token))),
                 "expires: " + to_iso8601(expires)}));
  FICUS_TRY_VOID(write_users(path, changed, machine));
  fmt::print(stderr, "token {} for {} added to {}, until {}; it is shown this once:\n", name, *user,
             path, to_iso8601(expires));
  fmt::print("{}\n", token);
  access::wipe(token);
  return {};
}

Status list_tokens(const Arguments& arguments, const Machine& machine) {
  FICUS_TRY(const access::UsersFile file, load_users(arguments, machine));
  const Timestamp now = machine.clock.now();
  for (const access::Token& token : file.tokens) {
    const std::string until = token.expires ? to_iso8601(*token.expires) : "never expires";
    const bool is_over = token.expires && *token.expires <= now;
    fmt::print("{:<24} {:<24} {}{}\n", token.name, file.users[token.user].name, until,
               is_over ? " (expired)" : "");
  }
  return {};
}

int finish(const Status& status) { return status ? 0 : report(status.error()); }

}  // namespace

int run_user_hash(const Arguments&, const Machine& machine) {
  const auto phc = read_and_hash(machine);
  if (!phc) return report(phc.error());
  fmt::print("{}\n", *phc);
  return 0;
}

int run_user_add(const Arguments& arguments, const Machine& machine) {
  return finish(add_user(arguments, machine));
}
int run_user_remove(const Arguments& arguments, const Machine& machine) {
  return finish(remove_named(arguments, machine, "users", "user"));
}
int run_user_list(const Arguments& arguments, const Machine& machine) {
  return finish(list_users(arguments, machine));
}
int run_token_add(const Arguments& arguments, const Machine& machine) {
  return finish(add_token(arguments, machine));
}
int run_token_revoke(const Arguments& arguments, const Machine& machine) {
  return finish(remove_named(arguments, machine, "tokens", "token"));
}
int run_token_list(const Arguments& arguments, const Machine& machine) {
  return finish(list_tokens(arguments, machine));
}

void add_user_commands(std::vector<Command>& list) {
  const OptionInfo config{"config", "FILE", "configuration (default: ficus.yaml if it is there)"};
  const OptionInfo users{"users", "FILE", "the users file (default: access.users)"};
  const auto add = [&](std::string_view name, std::string_view usage, std::string_view summary,
                       std::string_view summary_zh, std::vector<OptionInfo> options,
                       int (*run)(const Arguments&, const Machine&)) {
    if (name != "user hash") options.insert(options.end(), {users, config});
    list.push_back({.name = name,
                    .usage = usage,
                    .summary = summary,
                    .summary_zh = summary_zh,
                    .options = std::move(options),
                    .run = run});
  };
  add("user hash", "user hash", "read a password and print its argon2id hash",
      "读取密码并打印其 argon2id 哈希", {}, run_user_hash);
  add("user add", "user add NAME [--roles A,B] [--department D] [--certificate CN] [--no-password]",
      "add a user; the password is read without echo, or from standard input",
      "添加用户；密码不回显读入，或从标准输入读入",
      {{"roles", "A,B", "default: viewer"},
       {"department", "D", "as the packs name it"},
       {"certificate", "CN", "common name of the user's client certificate"},
       {"no-password", "", "for those who use a certificate or tokens only"}},
      run_user_add);
  add("user remove", "user remove NAME", "remove a user", "删除用户", {}, run_user_remove);
  add("user list", "user list", "list the users with roles and departments",
      "列出用户及其角色和部门", {}, run_user_list);
  add("token add", "token add NAME --user USER [--days N]",
      "make a token for a program; it is shown once", "为程序生成令牌，仅显示一次",
      {{"user", "USER", "whom it stands for"}, {"days", "N", "until it expires (default: 365)"}},
      run_token_add);
  add("token revoke", "token revoke NAME", "revoke a token", "吊销令牌", {}, run_token_revoke);
  add("token list", "token list", "list the tokens and when they expire", "列出令牌及其到期时间",
      {}, run_token_list);
}

}  // namespace ficus::app
