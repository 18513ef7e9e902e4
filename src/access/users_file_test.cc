#include "access/users_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "access/access_test_support.h"
#include "access/principal.h"
#include "base/disk.h"

namespace ficus::access {
namespace {

std::string mistakes_of(std::string_view text, const KnownNames& known = {}) {
  const auto file = UsersFile::parse(text, "users.yaml", known);
  return file ? "" : file.error().message;
}

// The example of docs/SECURITY.md: the indented block that begins with "anonymous:".
TEST(UsersFile, TheDocumentedExampleLoads) {
  PosixDisk disk;
  const auto text = read_file(disk, FICUS_SOURCE_DIR "/docs/SECURITY.md", 1 << 20);
  ASSERT_TRUE(text) << text.error().message;
  std::string example;
  const std::size_t end = text->find("\n\nRights of several");
  for (std::size_t at = text->find("    anonymous:"); at < end;) {
    const std::size_t line_end = text->find('\n', at);
    const std::string line = text->substr(at, line_end - at);
    example += (line.starts_with("    ") ? line.substr(4) : line) + "\n";
    at = line_end + 1;
  }
  const auto file = UsersFile::parse(example, "example.yaml");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->users.size(), 3U);
  EXPECT_EQ(file->users[1].roles, (std::vector<std::string>{"operator", "analyst"}));
  EXPECT_EQ(file->users[1].rights.alerts, AlertRight::own_department);
  EXPECT_TRUE(file->users[1].rights.sql);
  EXPECT_EQ(file->users[2].certificate, "line-7.bus.example");
  ASSERT_EQ(file->tokens.size(), 1U);
  EXPECT_EQ(file->tokens[0].user, 2U);
  ASSERT_TRUE(file->tokens[0].expires);
  ASSERT_TRUE(file->anonymous);
  EXPECT_TRUE(file->anonymous->read.is_all);
}

TEST(UsersFile, EmptyMeansNobody) {
  for (const char* text : {"", "users:\n", "# nobody yet\n", "users: []\ntokens: []\n"}) {
    const auto file = UsersFile::parse(text, "users.yaml");
    ASSERT_TRUE(file) << text;
    EXPECT_TRUE(file->users.empty());
    EXPECT_FALSE(file->anonymous);
  }
}

TEST(UsersFile, AllMistakesAtOnceWithTheirPlaces) {
  const std::string text = R"(roles:
  viewer: {read: "*"}
  own: {publsh: "a/#", subscribe: ["a/#/b", "a/%x"], alerts: some}
users:
  - {name: "a b", roles: viewer}
  - {name: wang, password: hunter22, roles: [operater]}
  - {name: wang, roles: [operator]}
  - {roles: viewer}
tokens:
  - {name: t, user: nobody, sha256: 12, expires: soon}
)";
  const std::string message = mistakes_of(text);
  for (const char* part :
       {"users.yaml:2:3: role 'viewer' is built in", "users.yaml:3:9: unknown key 'publsh'",
        "did you mean 'publish'?", "'a/#/b' is no MQTT topic filter", "'a/%x' has a '%'",
        "'alerts' is 'some': expected none, department or all", "'a b' is no user name",
        "users.yaml:6:28: 'password' is no argon2id hash", "there is no role 'operater'",
        "did you mean 'operator'?", "user 'wang' is there twice",
        "handle the alerts of its own department, but has none", "user has no 'name'",
        "there is no user 'nobody'", "'sha256' is no hash", "'soon' is no time"}) {
    EXPECT_NE(message.find(part), std::string::npos) << part << "\n" << message;
  }
  EXPECT_EQ(message.find("hunter22"), std::string::npos) << message;
}

TEST(UsersFile, NamesAreCheckedAgainstThePacks) {
  const std::vector<std::string> departments{"市交警支队"};
  const std::vector<std::string> types{"Vehicle"};
  const std::vector<std::string> sources{"parking"};
  const KnownNames known{.departments = &departments, .types = &types, .sources = &sources};
  EXPECT_EQ(mistakes_of("roles: {r: {read: [Vehicle, AuditEvent], ingest: parking}}\n"
                        "users: [{name: a, department: 市交警支队, roles: r}]\n",
                        known),
            "");
  const std::string message = mistakes_of(
      "roles: {r: {read: [Vehicel], ingest: parkin}}\nusers: [{name: a, department: x, roles: "
      "r}]\n",
      known);
  EXPECT_NE(message.find("did you mean 'Vehicle'"), std::string::npos) << message;
  EXPECT_NE(message.find("did you mean 'parking'"), std::string::npos) << message;
  EXPECT_NE(message.find("no department 'x'"), std::string::npos) << message;
}

TEST(UsersFile, NothingBehindANulIsIgnored) {
  EXPECT_EQ(mistakes_of(std::string("anonymous: viewer\n&\0\nusers: []\n", 30)),
            "users.yaml:2:2: a control character: the file must be text");
}

TEST(UsersFile, EveryPrefixIsAnAnswer) {
  const std::string text = fmt::format(
      "roles:\n  r: {{publish: [\"a/%u/#\"], read: \"*\"}}\nusers:\n  - name: wang\n    password: "
      "\"{}\"\n    roles: [r]\ntokens:\n  - {{name: t, user: wang, sha256: \"{}\"}}\n",
      test::cheap_hash("correct"), to_hex(sha256("x")));
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const auto file = UsersFile::parse(text.substr(0, size), "users.yaml");
    EXPECT_TRUE(file || !file.error().message.empty());
  }
  EXPECT_EQ(mistakes_of(text), "");
}

TEST(Rights, OfTheBuiltInRoles) {
  const std::vector<Role> roles = built_in_roles();
  const auto who = [&](std::string_view name) {
    const auto role = std::ranges::find(roles, name, &Role::name);
    EXPECT_NE(role, roles.end()) << name;
    return Principal("gate-7", "市交警支队", role->rights, 1);
  };
  const Principal administrator = who("administrator");
  EXPECT_TRUE(administrator.reads_everything());
  EXPECT_TRUE(administrator.may_subscribe("#", "c"));
  EXPECT_TRUE(administrator.may_handle_alerts_of(""));
  const Principal auditor = who("auditor");
  EXPECT_TRUE(auditor.may_read("AuditEvent"));
  EXPECT_FALSE(auditor.may_read("Vehicle"));
  const Principal op = who("operator");
  EXPECT_TRUE(op.reads_the_city());
  EXPECT_FALSE(op.reads_everything());
  EXPECT_FALSE(op.may_read("AuditEvent"));
  EXPECT_TRUE(op.may_handle_alerts_of("市交警支队"));
  EXPECT_FALSE(op.may_handle_alerts_of("市水务局"));
  EXPECT_FALSE(op.may_handle_alerts_of(""));
  EXPECT_FALSE(op.may_use_sql());
  EXPECT_FALSE(op.may_administer());
  EXPECT_TRUE(who("analyst").may_use_sql());
  EXPECT_FALSE(who("viewer").may_handle_alerts());
  const Principal device = who("device");
  EXPECT_TRUE(device.may_publish("devices/gate-7/state", "c"));
  EXPECT_FALSE(device.may_publish("devices/gate-8/state", "c"));
  EXPECT_FALSE(device.may_subscribe("devices/+/state", "c"));
  EXPECT_FALSE(device.may_read("Vehicle"));
  const Principal integrator = who("integrator");
  EXPECT_TRUE(integrator.may_ingest("anything"));
  EXPECT_FALSE(integrator.may_subscribe("a", "c"));
}

TEST(Principal, SubscriptionsBelowFicusNeedTheType) {
  Rights rights;
  rights.subscribe.push_back(*TopicRight::parse("#"));
  rights.read.names.insert("Vehicle");
  const Principal who("u", "", rights, 1);
  EXPECT_TRUE(who.may_subscribe("city/#", "c"));
  EXPECT_TRUE(who.may_subscribe("$share/g/city/#", "c"));
  EXPECT_TRUE(who.may_subscribe("ficus/entity/Vehicle/#", "c"));
  EXPECT_TRUE(who.may_subscribe("+/entity/Vehicle/+", "c"));
  for (const char* filter : {"#", "ficus/#", "ficus/entity/#", "ficus/entity/+/x",
                             "ficus/entity/Meter/#", "+/#", "+/+/#", "ficus/alert/#", "+/alert/#",
                             "ficus/+/Vehicle", "$share/g/#", "ficus/entity/AuditEvent/#"}) {
    EXPECT_FALSE(who.may_subscribe(filter, "c")) << filter;
  }
}

}  // namespace
}  // namespace ficus::access
