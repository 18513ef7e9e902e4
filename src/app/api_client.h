#pragma once

#include <string>

#include "app/arguments.h"
#include "base/disk.h"
#include "base/result.h"

namespace ficus::app {

// Asks a running brain over its HTTP API, one request at a time, for the commands. Where it runs is
// the option --url (with --ca for TLS); a token, if it wants one, is the content of the environment
// variable FICUS_TOKEN.
class ApiClient {
 public:
  ApiClient(const Arguments& arguments, Disk& disk);

  // The body of an answer with status 2xx; else the error that it carries.
  Result<std::string> get(const std::string& target);
  Result<std::string> post(const std::string& target, std::string json_body);

 private:
  Result<std::string> ask(std::string method, const std::string& target, std::string body);
  const Arguments& arguments_;
  Disk& disk_;
  const std::string url_;
};

}  // namespace ficus::app
