#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/digest.h"
#include "access/rights.h"
#include "base/result.h"
#include "base/time.h"

namespace ficus::access {

struct User {
  std::string name;
  std::string password;     // PHC string; empty: none
  std::string certificate;  // common name of a client certificate; empty: none
  std::string department;
  Rights rights;  // of all its roles
  std::vector<std::string> roles;
  int line = 0;
};

// A secret that stands for a user: what programs log in with.
struct Token {
  std::string name;
  std::size_t user = 0;  // index in UsersFile::users
  Digest sha256{};
  std::optional<Timestamp> expires;
};

// What names a users file may use; null where they are not known.
struct KnownNames {
  const std::vector<std::string>* departments = nullptr;
  const std::vector<std::string>* types = nullptr;
  const std::vector<std::string>* sources = nullptr;
};

// users.yaml, checked whole. docs/SECURITY.md describes it for those who write one. A value.
struct UsersFile {
  std::vector<User> users;
  std::vector<Token> tokens;
  std::optional<Rights> anonymous;  // what those may do who do not log in; none: nothing

  // All mistakes at once, "users.yaml:3:5: ...". A message never holds a password hash. Bounded by
  // the YAML reader: about 16,000 users.
  static Result<UsersFile> parse(std::string_view text, std::string_view file,
                                 const KnownNames& known = {});
};

}  // namespace ficus::access
