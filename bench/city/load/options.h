#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace load {

// What the command line says: CASE HOST:PORT [name=value...].
struct Options {
  std::string target;
  std::map<std::string, std::string> values;

  std::uint64_t number(const std::string& name, std::uint64_t otherwise) const {
    const auto found = values.find(name);
    return found == values.end() ? otherwise : std::stoull(found->second);
  }
  std::string text(const std::string& name, const std::string& otherwise) const {
    const auto found = values.find(name);
    return found == values.end() ? otherwise : found->second;
  }
};

// The cases; each prints one line of name=value.
void run_ingest(const Options& options);
void run_fan_in(const Options& options);
void run_fan_out(const Options& options);
void run_latency(const Options& options);
void run_alert(const Options& options);
void run_connect(const Options& options);
void run_retained(const Options& options);
void run_soak(const Options& options);

}  // namespace load
