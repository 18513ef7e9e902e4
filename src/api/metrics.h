#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/engine.h"

namespace ficus::api {

// Writes metrics in the Prometheus text format 0.0.4. A family's samples must follow each other.
class MetricsWriter {
 public:
  explicit MetricsWriter(std::string& out) : out_(out) {}

  void counter(std::string_view name, std::string_view help) { family(name, "counter", help); }
  void gauge(std::string_view name, std::string_view help) { family(name, "gauge", help); }
  // A sample of the family begun last.
  void sample(double value) { sample({}, value); }
  struct Label {
    std::string_view name;
    std::string_view value;
  };
  void sample(std::initializer_list<Label> labels, double value);

 private:
  void family(std::string_view name, std::string_view type, std::string_view help);

  std::string& out_;
  std::string name_;
};

void write_books_metrics(const std::map<std::string, SourceBooks, std::less<>>& books,
                         MetricsWriter& out);
void write_engine_metrics(const EngineStatus& status, MetricsWriter& out);

}  // namespace ficus::api
