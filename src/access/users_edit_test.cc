#include "access/users_edit.h"

#include <gtest/gtest.h>

namespace ficus::access {
namespace {

constexpr const char* kText = R"(# the people
users:
  # the first
  - name: wang
    roles: [viewer]   # for now

  # the second
  - {name: li, roles: viewer}

# programs
tokens:
  - name: feed
    user: li
)";

TEST(UsersEdit, AddsBehindTheLastAndKeepsComments) {
  const auto text = add_entry(kText, "users", {"name: \"zhao\"", "roles: [viewer]"});
  ASSERT_TRUE(text) << text.error().message;
  std::string expected = kText;
  expected.insert(expected.find("\n# programs"), "  - name: \"zhao\"\n    roles: [viewer]\n");
  EXPECT_EQ(*text, expected);
}

TEST(UsersEdit, RemovesOneEntryOnly) {
  const auto first = remove_entry(kText, "users", "wang");
  ASSERT_TRUE(first) << first.error().message;
  std::string expected = kText;
  const std::size_t begin = expected.find("  - name: wang");
  expected.erase(begin, expected.find("\n  # the second") - begin);
  EXPECT_EQ(*first, expected);
  const auto second = remove_entry(*first, "users", "li");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->find("name: li"), std::string::npos);
  EXPECT_NE(second->find("user: li"), std::string::npos);
  const auto again = add_entry(*second, "users", {"name: a", "roles: viewer"});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_NE(again->find("  - name: a\n    roles: viewer\n"), std::string::npos);
  EXPECT_EQ(remove_entry(kText, "users", "nobody").error().code, ErrorCode::not_found);
  EXPECT_EQ(remove_entry("", "users", "nobody").error().code, ErrorCode::not_found);
}

TEST(UsersEdit, MakesWhatIsMissing) {
  EXPECT_EQ(*add_entry("", "users", {"name: a", "roles: viewer"}),
            "users:\n  - name: a\n    roles: viewer\n");
  EXPECT_EQ(*add_entry("tokens:\n- name: x\n  user: a", "tokens", {"name: y"}),
            "tokens:\n- name: x\n  user: a\n- name: y\n");
  EXPECT_EQ(*add_entry("# nothing\n", "tokens", {"name: y"}), "# nothing\ntokens:\n  - name: y\n");
}

TEST(UsersEdit, RefusesWhatItCannotChangeSafely) {
  for (const char* text : {"users: [{name: a, roles: viewer}]\n", "users: {a: b}\n", "users: 7\n",
                           "users: &x\n  - name: a\n", "{users: []}\n", "users:\n\t- a\n", "["}) {
    EXPECT_FALSE(add_entry(text, "users", {"name: b"})) << text;
  }
}

TEST(UsersEdit, QuotesText) { EXPECT_EQ(yaml_quoted("市\"局\\\n"), "\"市\\\"局\\\\\\x0a\""); }

}  // namespace
}  // namespace ficus::access
