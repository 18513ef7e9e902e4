// Arbitrary bytes as a users file, as topic rights, as Authorization and Cookie fields: no crash;
// what is covered as a filter is covered topic by topic; what is edited and loaded says the same.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "access/credentials.h"
#include "access/login_throttle.h"
#include "access/password.h"
#include "access/topic_right.h"
#include "access/users_edit.h"
#include "access/users_file.h"
#include "codec/mqtt/topic.h"

namespace {

namespace access = ficus::access;

void require(bool condition) {
  if (!condition) std::abort();
}

void try_fields(std::string_view text) {
  if (const auto found = access::parse_authorization(text)) {
    if (const auto* basic = std::get_if<access::BasicCredentials>(&*found)) {
      require(basic->user.find(':') == std::string::npos);
    }
  }
  require(access::find_cookie(text, "ficus_session").size() <= text.size());
  (void)access::form_value(text, "user");
  if (const auto bytes = access::base64_decode(text)) require(bytes->size() <= text.size());
  (void)access::password_cost(text);
  (void)access::address_key(text);
}

// Three lines: a pattern, what is asked for, a client id.
void try_topics(std::string_view text) {
  const std::size_t first = text.find('\n');
  if (first == std::string_view::npos) return;
  const std::size_t second = text.find('\n', first + 1);
  if (second == std::string_view::npos) return;
  const std::string_view asked = text.substr(first + 1, second - first - 1);
  const std::string_view client = text.substr(second + 1);
  const auto parsed = access::TopicRight::parse(text.substr(0, first));
  if (!parsed) return;
  const access::TopicRight right = parsed->for_user("wang");
  if (ficus::mqtt::is_valid_topic_name(asked)) {
    // A name is a filter for itself.
    require(right.covers_topic(asked, client) == right.covers_filter(asked, client));
  } else if (ficus::mqtt::is_valid_topic_filter(asked) && right.covers_filter(asked, client)) {
    std::string topic(asked);
    for (char& c : topic) c = c == '+' || c == '#' ? 'x' : c;
    if (ficus::mqtt::matches(asked, topic)) require(right.covers_topic(topic, client));
  }
}

void try_users(std::string_view text) {
  const auto file = access::UsersFile::parse(text, "users.yaml");
  if (!file) return require(!file.error().message.empty());
  const auto added = access::add_entry(text, "users", {"name: fuzzed-user", "roles: viewer"});
  if (!added) return;
  const auto again = access::UsersFile::parse(*added, "users.yaml");
  if (!again) return;  // a user of that name, or a document that ends in the middle of something
  require(again->users.size() == file->users.size() + 1);
  const auto removed = access::remove_entry(*added, "users", "fuzzed-user");
  require(removed.has_value());
  const auto back = access::UsersFile::parse(*removed, "users.yaml");
  require(back.has_value() && back->users.size() == file->users.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_fields(text);
  try_topics(text);
  try_users(text);
  return 0;
}
