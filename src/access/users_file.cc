#include "access/users_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "access/password.h"
#include "base/time_text.h"
#include "codec/yaml/yaml_map.h"

namespace ficus::access {
namespace {

constexpr std::size_t kPatternsMax = 1000;  // of one role

using Names = std::vector<std::string>;

// "expected ..." for a name that is not among the known ones.
std::string expected_name(std::string_view found, const Names& names) {
  if (names.empty()) return "none is known";
  return expected_one_of(found, std::vector<std::string_view>(names.begin(), names.end()));
}

class Reader {
 public:
  Reader(Mistakes& mistakes, const KnownNames& known) : mistakes_(mistakes), known_(known) {
    for (Role& role : built_in_roles()) {
      role_names_.push_back(role.name);
      roles_.emplace(role.name, std::move(role.rights));
    }
    built_in_count_ = role_names_.size();
  }

  void read(const YamlNode& root, UsersFile& out) {
    YamlMap map(root, "the users file", mistakes_);
    const YamlNode* const roles = map.find("roles");
    const YamlNode* const users = map.find("users");
    const YamlNode* const tokens = map.find("tokens");
    const YamlNode* const anonymous = map.find("anonymous");
    map.finish();
    if (roles != nullptr) read_roles(*roles);
    if (users != nullptr) {
      for (const YamlNode* node : read_list(*users)) read_user(*node, out);
    }
    if (tokens != nullptr) {
      for (const YamlNode* node : read_list(*tokens)) read_token(*node, out);
    }
    if (anonymous != nullptr) read_anonymous(*anonymous, out);
  }

 private:
  void add(const YamlNode& node, std::string message) {
    mistakes_.add(node.place, std::move(message));
  }

  void read_roles(const YamlNode& node) {
    const YamlMap roles(node, "roles", mistakes_);  // reports what is no map
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const YamlNode::Key& key = node.keys[i];
      if (!is_user_name(key.text)) {
        mistakes_.add(key.place,
                      fmt::format("'{}' is no name for a role: expected letters, digits, "
                                  "'.', '_', '-' or '@'",
                                  key.text));
        continue;
      }
      const auto end = role_names_.begin() + static_cast<std::ptrdiff_t>(built_in_count_);
      if (std::find(role_names_.begin(), end, key.text) != end) {
        mistakes_.add(key.place,
                      fmt::format("role '{}' is built in: choose another name", key.text));
        continue;
      }
      role_names_.push_back(key.text);
      roles_.emplace(key.text, read_rights(node.children[i], key.text));
    }
  }

  Rights read_rights(const YamlNode& node, const std::string& role) {
    Rights rights;
    YamlMap map(node, fmt::format("role '{}'", role), mistakes_);
    if (const YamlNode* list = map.find("publish")) rights.publish = read_topics(*list);
    if (const YamlNode* list = map.find("subscribe")) rights.subscribe = read_topics(*list);
    if (const YamlNode* list = map.find("ingest")) {
      rights.ingest = read_names(*list, "source", known_.sources);
    }
    if (const YamlNode* list = map.find("read")) {
      rights.read = read_names(*list, "entity type", known_.types);
    }
    rights.sql = map.boolean("sql", false);
    if (const YamlNode* alerts = map.find("alerts")) rights.alerts = read_alerts(*alerts);
    rights.administer = map.boolean("administer", false);
    map.finish();
    return rights;
  }

  std::vector<TopicRight> read_topics(const YamlNode& node) {
    std::vector<TopicRight> rights;
    for (const YamlNode* pattern : read_list(node)) {
      const auto text = read_text(*pattern, "a topic right", mistakes_);
      if (!text) continue;
      if (rights.size() == kPatternsMax) {
        add(*pattern, fmt::format("more than {} topic rights in one list", kPatternsMax));
        break;
      }
      auto right = TopicRight::parse(*text);
      if (right) {
        rights.push_back(*std::move(right));
      } else {
        add(*pattern, std::move(right).error().message);
      }
    }
    return rights;
  }

  NameSet read_names(const YamlNode& node, std::string_view what, const Names* known) {
    NameSet set;
    for (const YamlNode* child : read_list(node)) {
      const auto text = read_text(*child, what, mistakes_);
      if (!text) continue;
      if (*text == "*") {
        set.is_all = true;
      } else if (known != nullptr && *text != kAuditType &&
                 std::ranges::count(*known, *text) == 0) {
        add(*child,
            fmt::format("there is no {} '{}': {}", what, *text, expected_name(*text, *known)));
      } else {
        set.names.insert(*text);
      }
    }
    return set;
  }

  AlertRight read_alerts(const YamlNode& node) {
    const std::string text = read_text(node, "'alerts'", mistakes_).value_or("none");
    if (text == "department") return AlertRight::own_department;
    if (text == "all") return AlertRight::all;
    if (text != "none") {
      add(node, fmt::format("'alerts' is '{}': expected none, department or all", text));
    }
    return AlertRight::none;
  }

  const Rights* find_role(const YamlNode& node) {
    const auto text = read_text(node, "a role", mistakes_);
    if (!text) return nullptr;
    const auto role = roles_.find(*text);
    if (role != roles_.end()) return &role->second;
    add(node, fmt::format("there is no role '{}': {}", *text, expected_name(*text, role_names_)));
    return nullptr;
  }

  void read_user(const YamlNode& node, UsersFile& out) {
    User user;
    user.line = node.place.line;
    YamlMap map(node, "user", mistakes_);
    const YamlNode* const name = map.require("name", "the name to log in with");
    const YamlNode* const password = map.find("password");
    const YamlNode* const certificate = map.find("certificate");
    const YamlNode* const department = map.find("department");
    const YamlNode* const roles = map.require("roles", "a list of roles");
    map.finish();
    if (name != nullptr) user.name = read_user_name(*name);
    if (password != nullptr) user.password = read_password(*password);
    if (certificate != nullptr) user.certificate = read_certificate(*certificate);
    if (department != nullptr) user.department = read_department(*department);
    if (roles != nullptr) {
      for (const YamlNode* role : read_list(*roles)) {
        if (const Rights* rights = find_role(*role)) {
          user.rights.add(*rights);
          user.roles.push_back(role->text);
        }
      }
    }
    if (user.rights.alerts == AlertRight::own_department && user.department.empty()) {
      add(node, fmt::format("user '{}' may handle the alerts of its own department, but has none: "
                            "give it a department",
                            user.name));
    }
    if (name != nullptr && !user.name.empty()) user_index_.emplace(user.name, out.users.size());
    out.users.push_back(std::move(user));
  }

  std::string read_user_name(const YamlNode& node) {
    const auto text = read_text(node, "'name'", mistakes_);
    if (!text) return {};
    if (!is_user_name(*text)) {
      add(node, fmt::format("'{}' is no user name: expected 1 to 64 bytes of letters, digits, '.', "
                            "'_', '-' or '@'",
                            *text));
      return {};
    }
    if (user_index_.contains(*text)) add(node, fmt::format("user '{}' is there twice", *text));
    return *text;
  }

  // The text may be a password someone wrote down by mistake: it is never repeated.
  std::string read_password(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::scalar && password_cost(node.text)) return node.text;
    add(node, "'password' is no argon2id hash of bearable cost: make one with `ficus user hash`");
    return {};
  }

  std::string read_certificate(const YamlNode& node) {
    const auto text = read_text(node, "'certificate'", mistakes_);
    if (!text) return {};
    if (text->empty()) add(node, "'certificate' is empty: expected a common name");
    if (!certificates_.insert(*text).second) {
      add(node, fmt::format("certificate '{}' belongs to two users", *text));
    }
    return *text;
  }

  std::string read_department(const YamlNode& node) {
    const auto text = read_text(node, "'department'", mistakes_);
    if (!text) return {};
    if (known_.departments != nullptr && std::ranges::count(*known_.departments, *text) == 0) {
      add(node, fmt::format("there is no department '{}': {}", *text,
                            expected_name(*text, *known_.departments)));
    }
    return *text;
  }

  void read_token(const YamlNode& node, UsersFile& out) {
    Token token;
    YamlMap map(node, "token", mistakes_);
    const YamlNode* const name = map.require("name", "what the token is for");
    const YamlNode* const user = map.require("user", "the user it stands for");
    const YamlNode* const digest = map.require("sha256", "the hash `ficus token add` wrote");
    const YamlNode* const expires = map.find("expires");
    map.finish();
    if (name != nullptr) {
      token.name = read_text(*name, "'name'", mistakes_).value_or("");
      if (!is_user_name(token.name)) {
        add(*name, "a token's name has 1 to 64 letters, digits, '.', '_', '-' or '@'");
      } else if (!token_names_.insert(token.name).second) {
        add(*name, fmt::format("token '{}' is there twice", token.name));
      }
    }
    if (user != nullptr) {
      const std::string text = read_text(*user, "'user'", mistakes_).value_or("");
      const auto found = user_index_.find(text);
      if (found == user_index_.end()) {
        add(*user, fmt::format("there is no user '{}'", text));
      } else {
        token.user = found->second;
      }
    }
    if (digest != nullptr) {
      const auto read = digest_from_hex(digest->text);
      if (!read) add(*digest, "'sha256' is no hash: expected 64 hexadecimal digits");
      token.sha256 = read.value_or(Digest{});
      if (read && !token_digests_.insert(*read).second) {
        add(*digest, "two tokens have the same hash: revoke one");
      }
    }
    if (expires != nullptr) {
      token.expires = parse_iso8601(expires->text);
      if (!token.expires) {
        add(*expires, fmt::format("'{}' is no time: expected a date such as 2027-06-30 or a time "
                                  "such as 2027-06-30T08:00:00Z",
                                  expires->text));
      }
    }
    out.tokens.push_back(std::move(token));
  }

  void read_anonymous(const YamlNode& node, UsersFile& out) {
    const Rights* const rights = find_role(node);
    if (rights == nullptr) return;
    if (rights->alerts == AlertRight::own_department) {
      add(node, "those who do not log in have no department: expected another role");
    }
    out.anonymous = *rights;
  }

  Mistakes& mistakes_;
  const KnownNames& known_;
  Names role_names_;
  std::size_t built_in_count_ = 0;
  std::map<std::string, Rights, std::less<>> roles_;
  std::map<std::string, std::size_t, std::less<>> user_index_;
  std::set<std::string, std::less<>> certificates_;
  std::set<std::string, std::less<>> token_names_;
  std::set<Digest> token_digests_;
};

}  // namespace

Result<UsersFile> UsersFile::parse(std::string_view text, std::string_view file,
                                   const KnownNames& known) {
  Mistakes mistakes(file);
  UsersFile users;
  YamlNode root;
  const bool is_sound = parse_yaml(text, root, mistakes);
  // An empty file says that nobody may do anything.
  if (is_sound && root.kind != YamlNode::Kind::null) Reader(mistakes, known).read(root, users);
  if (!mistakes.empty()) return std::unexpected(mistakes.to_error());
  return users;
}

}  // namespace ficus::access
