#include "api/metrics.h"

#include "codec/json/json_writer.h"

namespace ficus::api {

void MetricsWriter::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  out_.append("# HELP ").append(name).append(" ").append(help).append("\n");
  out_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void MetricsWriter::sample(std::initializer_list<Label> labels, double value) {
  out_ += name_;
  if (labels.size() > 0) {
    char separator = '{';
    for (const Label& label : labels) {
      out_ += separator;
      separator = ',';
      out_.append(label.name).append("=\"");
      for (const char c : label.value) {
        if (c == '\\' || c == '"') out_ += '\\';
        if (c == '\n') {
          out_ += "\\n";
        } else {
          out_ += c;
        }
      }
      out_ += '"';
    }
    out_ += '}';
  }
  out_ += ' ';
  json::append_number(value, out_);
  out_ += '\n';
}

namespace {

double as_double(std::uint64_t v) { return static_cast<double>(v); }

}  // namespace

void write_books_metrics(const std::map<std::string, SourceBooks, std::less<>>& books,
                         MetricsWriter& out) {
  const auto per_source = [&](std::string_view name, std::string_view help, auto value_of) {
    out.counter(name, help);
    for (const auto& [source, b] : books) out.sample({{"source", source}}, as_double(value_of(b)));
  };
  per_source("ficus_items_received_total", "Items a source has sent",
             [](const SourceBooks& b) { return b.received; });
  per_source("ficus_items_applied_total", "Items that changed the twin",
             [](const SourceBooks& b) { return b.applied; });
  per_source("ficus_items_late_total", "Items older than what the twin knew; kept in history",
             [](const SourceBooks& b) { return b.late; });
  per_source("ficus_items_duplicate_total", "Items seen before",
             [](const SourceBooks& b) { return b.duplicate; });
  per_source("ficus_items_quarantined_total",
             "Items that could not be mapped; kept with the reason",
             [](const SourceBooks& b) { return b.quarantined; });
  out.counter("ficus_items_refused_total", "Items deliberately not taken, by reason");
  for (const auto& [source, b] : books) {
    for (const auto& [reason, items] : b.refused_by) {
      out.sample({{"source", source}, {"reason", reason}}, as_double(items));
    }
  }
  out.gauge("ficus_books_balanced", "1 if received is the sum of what became of it");
  for (const auto& [source, b] : books) out.sample({{"source", source}}, b.balanced() ? 1 : 0);
}

void write_engine_metrics(const EngineStatus& status, MetricsWriter& out) {
  const auto per_shard = [&](std::string_view name, std::string_view help, auto value_of) {
    out.gauge(name, help);
    for (std::size_t i = 0; i < status.shards.size(); ++i) {
      out.sample({{"shard", std::to_string(i)}}, as_double(value_of(status.shards[i])));
    }
  };
  per_shard("ficus_twin_entities", "Entities in the twin",
            [](const ShardStatus& s) { return s.entities; });
  per_shard("ficus_twin_bytes", "Memory of the twin",
            [](const ShardStatus& s) { return s.twin_bytes; });
  per_shard("ficus_log_begin_bytes", "Where the log begins",
            [](const ShardStatus& s) { return s.log_begin; });
  per_shard("ficus_log_end_bytes", "Where the log ends",
            [](const ShardStatus& s) { return s.log_end; });
  per_shard("ficus_log_durable_bytes", "Up to here the log is on the device",
            [](const ShardStatus& s) { return s.log_durable; });
  per_shard("ficus_history_position_bytes", "Up to here the log is in history",
            [](const ShardStatus& s) { return s.history_position; });
  const auto per_rule = [&](std::string_view name, std::string_view help, auto value_of) {
    out.counter(name, help);
    for (const RuleStatus& rule : status.rules) out.sample({{"rule", rule.name}}, value_of(rule));
  };
  per_rule("ficus_rule_rows_total", "Rows a rule has seen",
           [](const RuleStatus& r) { return as_double(r.rows_seen); });
  per_rule("ficus_rule_raised_total", "Times a rule's condition began to hold",
           [](const RuleStatus& r) { return as_double(r.raised); });
  per_rule("ficus_rule_failures_total", "Rows a rule could not evaluate",
           [](const RuleStatus& r) { return as_double(r.failures); });
  per_rule("ficus_rule_seconds_total", "Time a rule has taken, estimated",
           [](const RuleStatus& r) { return r.nanoseconds / 1e9; });
}

}  // namespace ficus::api
