#pragma once

#include <string>

namespace ficus::simulate {

// What a sender shows to a brain whose users must log in; empty where nothing is shown.
struct Credentials {
  std::string user;           // over MQTT
  std::string password;       // over MQTT; a token too
  std::string authorization;  // over HTTP: the value of that field
};

}  // namespace ficus::simulate
