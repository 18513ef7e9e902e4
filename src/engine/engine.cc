#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "base/hash.h"
#include "engine/gathered.h"
#include "engine/history_rebuild.h"
#include "engine/shard.h"

namespace ficus {
namespace {

constexpr Micros kHistoryPatience = Micros::from_seconds(3);

// The answers of all shards to one question; the last to come hands them over.
template <typename T>
class Answers {
 public:
  Answers(std::size_t count, std::move_only_function<void(std::vector<T>)> on_all)
      : answers_(count), left_(count), on_all_(std::move(on_all)) {}

  void arrive(std::size_t shard, T answer) {
    {
      const std::lock_guard lock(mutex_);
      answers_[shard] = std::move(answer);
      if (--left_ > 0) return;
    }
    on_all_(std::move(answers_));
  }

 private:
  std::mutex mutex_;  // shards answer on their own threads
  std::vector<T> answers_;
  std::size_t left_;
  std::move_only_function<void(std::vector<T>)> on_all_;
};

std::unexpected<Error> stopping() {
  return fail(ErrorCode::unavailable, "the brain is stopping: try again later");
}

}  // namespace

Engine::Engine(const EngineParts& parts, EngineOptions options)
    : parts_(parts), options_(std::move(options)) {}

Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::open(const EngineParts& parts, EngineOptions options) {
  std::unique_ptr<Engine> engine(new Engine(parts, std::move(options)));
  const EngineOptions& o = engine->options_;
  FICUS_TRY(const AlertAttributes alert_attributes, AlertAttributes::declare(parts.schema));
  for (std::size_t index = 0; index < o.shards; ++index) {
    ShardStateOptions state_options = o.state;
    state_options.keeps_configuration_entity = index == 0;
    const auto new_state = [&] {
      return std::make_unique<ShardState>(parts.schema,
                                          rules::RuleBook(o.rules, parts.schema, &parts.clock),
                                          alert_attributes, state_options);
    };
    const std::span<const std::uint64_t> known = parts.history_known_positions;
    const ShardOptions shard_options{
        .index = static_cast<std::uint32_t>(index),
        .directory = fmt::format("{}/log/shard-{}", o.data_directory, index),
        .queue_items_max = o.queue_batches_max,
        .log = o.log,
        .configuration = o.configuration,
        .log_known_until = index < known.size() ? known[index] : 0};
    const std::uint64_t history_position =
        index < parts.history_positions.size() ? parts.history_positions[index] : 0;
    const ShardParts shard_parts{.disk = parts.disk,
                                 .clock = parts.clock,
                                 .logger = parts.logger,
                                 .history = parts.history,
                                 .followers = engine->followers_};
    FICUS_TRY(const std::vector<history::HistoryGap> gaps,
              rebuild_history(shard_parts, shard_options, history_position, parts.history_wanted,
                              new_state));
    engine->history_gaps_.insert(engine->history_gaps_.end(), gaps.begin(), gaps.end());
    FICUS_TRY(auto shard, Shard::open(shard_parts, shard_options, new_state(), history_position));
    engine->shards_.push_back(std::move(shard));
  }
  return engine;
}

void Engine::start(DeliverySink& sink) {
  for (const auto& shard : shards_) shard->start(sink);
}

bool Engine::turn(DeliverySink& sink) {
  bool is_open = false;
  for (const auto& shard : shards_) is_open = shard->turn({}, sink) || is_open;
  return is_open;
}

void Engine::take_no_more() {
  for (const auto& shard : shards_) shard->take_no_more();
}

Status Engine::stop() {
  take_no_more();
  for (const auto& shard : shards_) shard->finish();
  Status status = parts_.history.flush_and_stop(kHistoryPatience);
  for (const auto& shard : shards_) {
    const Status closed = shard->close();
    if (!closed && status) status = closed;
  }
  return status;
}

SourceId Engine::intern_source(std::string_view name) {
  const std::unique_lock lock(sources_mutex_);
  const auto found = std::find(sources_.begin(), sources_.end(), name);
  if (found == sources_.end()) {
    sources_.emplace_back(name);
    return SourceId(static_cast<std::uint32_t>(sources_.size() - 1));
  }
  return SourceId(static_cast<std::uint32_t>(found - sources_.begin()));
}

std::string Engine::source_name(SourceId source) const {
  const std::shared_lock lock(sources_mutex_);
  return sources_.at(source.index());
}

std::vector<CommitLog*> Engine::logs() {
  std::vector<CommitLog*> logs;
  logs.reserve(shards_.size());
  for (const auto& shard : shards_) logs.push_back(&shard->log());
  return logs;
}

std::size_t Engine::shard_of(std::string_view id) const { return hash64(id) % shards_.size(); }

bool Engine::try_submit(SourceBatch&& batch, Completion&& done) {
  if (shards_.size() > 1) return try_submit_parts(std::move(batch), std::move(done));
  BoundedQueue<Shard::Item>& queue = shards_.front()->queue();
  Shard::Item item = Shard::Heard{source_name(batch.source), std::move(batch), std::move(done)};
  if (queue.try_push(std::move(item))) return true;
  auto& heard = std::get<Shard::Heard>(item);
  batch = std::move(heard.batch);
  done = std::move(heard.done);
  return false;
}

std::vector<SourceBatch> Engine::split(SourceBatch&& batch) const {
  std::vector<SourceBatch> parts(shards_.size());
  for (SourceBatch& part : parts) {
    part.source = batch.source;
    part.received_at = batch.received_at;
  }
  std::vector<std::vector<std::uint32_t>> rows_of(shards_.size());
  for (const ObservationBatch& rows : batch.observations) {
    for (auto& list : rows_of) list.clear();
    for (std::uint32_t row = 0; row < rows.row_count(); ++row) {
      rows_of[shard_of(rows.ids()[row])].push_back(row);
    }
    for (std::size_t shard = 0; shard < parts.size(); ++shard) {
      if (!rows_of[shard].empty()) parts[shard].observations.push_back(rows.select(rows_of[shard]));
    }
  }
  // What has no entity is kept by the first shard.
  parts.front().quarantined = std::move(batch.quarantined);
  parts.front().refused = std::move(batch.refused);
  return parts;
}

bool Engine::try_submit_parts(SourceBatch&& batch, Completion&& done) {
  // One thread submits at a time: a queue with room now takes its part below, and nobody waits with
  // the lock held.
  const std::lock_guard lock(submit_mutex_);
  for (const auto& shard : shards_) {
    if (shard->queue().size() >= shard->queue().limit()) return false;
  }
  const SourceId source_id = batch.source;
  const std::string source = source_name(source_id);
  std::vector<SourceBatch> parts = split(std::move(batch));
  std::erase_if(parts, [](const SourceBatch& part) { return part.item_count() == 0; });
  if (parts.empty()) parts.emplace_back().source = source_id;
  auto gathered = std::make_shared<Gathered>(parts.size(), std::move(done));
  for (SourceBatch& part : parts) {
    const std::size_t shard =
        part.observations.empty() ? 0 : shard_of(part.observations.front().ids()[0]);
    Completion part_done = [gathered](const Status& status) { gathered->arrive(status); };
    if (!shards_[shard]->queue().push_unlimited(
            Shard::Heard{source, std::move(part), std::move(part_done)})) {
      gathered->arrive(stopping());
    }
  }
  return true;
}

void Engine::change(const Configuration& configuration, const rules::RuleSetPtr& rules,
                    Completion done) {
  // No batch may be split around this.
  const std::lock_guard lock(submit_mutex_);
  auto gathered = std::make_shared<Gathered>(shards_.size(), std::move(done));
  for (const auto& shard : shards_) {
    Completion part = [gathered](const Status& status) { gathered->arrive(status); };
    Shard::Change change{configuration, rules::RuleBook(rules, parts_.schema, &parts_.clock),
                         std::move(part)};
    if (!shard->queue().push_unlimited(std::move(change))) gathered->arrive(stopping());
  }
}

template <typename T>
void Engine::ask_all(const std::function<T(const ShardState&, const Shard&)>& ask,
                     std::move_only_function<void(std::vector<T>)> on_all) {
  auto answers = std::make_shared<Answers<T>>(shards_.size(), std::move(on_all));
  for (std::size_t index = 0; index < shards_.size(); ++index) {
    Shard::Look look = [answers, ask, index](const ShardState& state, const Shard& shard) {
      answers->arrive(index, ask(state, shard));
    };
    if (!shards_[index]->ask(std::move(look))) answers->arrive(index, T{});
  }
}

void Engine::query(twin::EntityQuery query, OnAnswer on_answer) {
  using Part = std::optional<Result<twin::QueryAnswer>>;
  const twin::EntityQuery part = twin::shard_part(query);
  ask_all<Part>(
      [part](const ShardState& state, const Shard&) { return Part(state.twin().query(part)); },
      [query = std::move(query),
       on_answer = std::move(on_answer)](std::vector<Part> parts) mutable {
        std::vector<twin::QueryAnswer> answers;
        for (Part& p : parts) {
          if (!p) return on_answer(stopping());
          if (!*p) return on_answer(std::unexpected(std::move(*p).error()));
          answers.push_back(std::move(**p));
        }
        on_answer(twin::merge_answers(query, std::move(answers)));
      });
}

// What a rule or operator wrote lives in the shard of the entity it is about, so an id alone does
// not tell the shard: all are asked.
void Engine::find(std::string id, OnEntity on_entity) {
  struct Part {
    bool has_looked = false;
    std::optional<twin::EntityView> entity;
  };
  ask_all<Part>(
      [id](const ShardState& state, const Shard&) { return Part{true, state.twin().find(id)}; },
      [id, on_entity = std::move(on_entity)](std::vector<Part> parts) mutable {
        bool have_all_looked = true;
        for (Part& part : parts) {
          if (part.entity) return on_entity(*std::move(part.entity));
          have_all_looked = have_all_looked && part.has_looked;
        }
        if (!have_all_looked) return on_entity(stopping());
        on_entity(fail(ErrorCode::not_found, fmt::format("there is no entity '{}'", id)));
      });
}

void Engine::operate_alert(AlertCommand command, OnEntity on_alert) {
  // Each shard is asked whether it has the alert; the one that does carries the command out.
  if (const auto refused = refusal()) return on_alert(std::unexpected(*refused));
  const std::string id = command.alert_id;
  auto shared = std::make_shared<OnEntity>(std::move(on_alert));
  ask_all<int>(
      [id](const ShardState& state, const Shard&) { return state.twin().find_entity(id) ? 1 : 0; },
      [this, command = std::move(command), shared](std::vector<int> has) {
        const auto owner = std::find(has.begin(), has.end(), 1);
        if (owner == has.end()) {
          return (*shared)(
              fail(ErrorCode::not_found, fmt::format("there is no alert '{}'", command.alert_id)));
        }
        Completion done = [this, id = command.alert_id, shared](const Status& status) {
          if (!status) return (*shared)(std::unexpected(status.error()));
          find(id, [shared](Result<twin::EntityView> alert) { (*shared)(std::move(alert)); });
        };
        Shard& shard = *shards_[static_cast<std::size_t>(owner - has.begin())];
        if (!shard.queue().push_unlimited(Shard::Operate{command, std::move(done)})) {
          (*shared)(stopping());
        }
      });
}

void Engine::books(OnBooks on_books) {
  using Part = std::map<std::string, SourceBooks, std::less<>>;
  ask_all<Part>([](const ShardState& state, const Shard&) { return state.books().all(); },
                [on_books = std::move(on_books)](const std::vector<Part>& parts) mutable {
                  Part sum;
                  for (const Part& part : parts) {
                    for (const auto& [source, books] : part) sum[source].add(books);
                  }
                  on_books(std::move(sum));
                });
}

namespace {

struct ShardReport {
  ShardStatus shard;
  std::vector<RuleStatus> rules;
};

ShardReport report_of(const Schema& schema, const ShardState& state, const Shard& shard) {
  ShardReport report;
  report.shard.entities = state.twin().entity_count();
  report.shard.twin_bytes = state.twin().memory().total();
  report.shard.log_begin = shard.log().begin().offset;
  report.shard.log_end = shard.log().end().offset;
  report.shard.log_durable = shard.log().durable().offset;
  report.shard.history_position = shard.history_position();
  report.shard.queue_length = shard.queue().size();
  report.shard.queue_max = shard.queue().limit();
  report.shard.alerts_open = state.open_alert_count();
  report.shard.acknowledge_mean = shard.acknowledge_latency().mean();
  report.shard.acknowledge_max = shard.acknowledge_latency().max();
  for (TypeId type{0}; type.index() < schema.type_count(); type = TypeId(type.index() + 1)) {
    report.shard.entities_by_type[schema.type_name(type)] = state.twin().entity_count(type);
  }
  for (std::uint32_t i = 0; i < state.rules().rule_count(); ++i) {
    const rules::RuleInfo& info = state.rules().info(rules::RuleId(i));
    const rules::RuleFigures figures = state.rules().figures(rules::RuleId(i));
    RuleStatus& rule = report.rules.emplace_back();
    rule.name = info.name;
    rule.comment = info.comment;
    rule.text = info.text;
    rule.file = info.file;
    rule.from = schema.type_name(info.from);
    rule.into = schema.type_name(info.into);
    rule.rows_seen = figures.rows_seen;
    rule.rows_met = figures.rows_met;
    rule.raised = figures.raised;
    rule.failures = figures.failures;
    rule.nanoseconds = figures.nanoseconds;
    if (figures.last_failure) rule.last_error = figures.last_failure->message;
  }
  return report;
}

}  // namespace

void RuleStatus::add(const RuleStatus& other) {
  rows_seen += other.rows_seen;
  rows_met += other.rows_met;
  raised += other.raised;
  failures += other.failures;
  nanoseconds += other.nanoseconds;
  if (last_error.empty()) last_error = other.last_error;
}

void Engine::status(OnStatus on_status) {
  ask_all<ShardReport>(
      [schema = &parts_.schema](const ShardState& state, const Shard& shard) {
        return report_of(*schema, state, shard);
      },
      [on_status = std::move(on_status)](std::vector<ShardReport> parts) mutable {
        EngineStatus status;
        std::unordered_map<std::string, std::size_t> known;  // in status.rules
        for (ShardReport& part : parts) {
          status.shards.push_back(std::move(part.shard));
          // By name: while rules are being changed, shards may have different ones.
          for (RuleStatus& rule : part.rules) {
            const auto [same, is_new] = known.emplace(rule.name, status.rules.size());
            if (is_new) {
              status.rules.push_back(std::move(rule));
            } else {
              status.rules[same->second].add(rule);
            }
          }
        }
        on_status(std::move(status));
      });
}

}  // namespace ficus
