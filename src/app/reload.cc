#include "app/reload.h"

#include <fmt/format.h>

#include "app/commands.h"
#include "codec/json/json_writer.h"

namespace ficus::app {
namespace {

constexpr std::uint64_t kConfigBytesMax = 1 << 20;

void write_names(const char* key, const std::vector<std::string>& names, json::JsonWriter& json) {
  json.key(key).begin_array();
  for (const std::string& name : names) json.text(name);
  json.end_array();
}

}  // namespace

struct Reloader::Changes {
  std::string fingerprint;
  bool is_same = false;
  RuleChanges rules;
  std::vector<std::string> sources_added, sources_removed;
  std::vector<std::string> warnings;

  // Without its end, so that it serves as an answer and as a message of the live stream.
  void write(json::JsonWriter& json) const {
    json.key("fingerprint").text(fingerprint);
    json.key("changed").boolean(!is_same);
    json.key("rules").begin_object();
    write_names("added", rules.added, json);
    write_names("changed", rules.changed, json);
    write_names("removed", rules.removed, json);
    json.key("kept").integer(static_cast<std::int64_t>(rules.kept.size())).end_object();
    json.key("sources").begin_object();
    write_names("added", sources_added, json);
    write_names("removed", sources_removed, json);
    json.end_object();
    write_names("warnings", warnings, json);
  }
};

Reloader::~Reloader() {
  if (thread_.joinable()) thread_.join();
}

void Reloader::reload_on_signal() {
  if (is_running_) {
    asked_again_ = true;
    return;
  }
  reload("signal", [this](const Result<std::string>& outcome) {
    parts_.access.audit(nullptr, {}, access::AuditAction::administer, "reload",
                        outcome ? access::AuditOutcome::succeeded : access::AuditOutcome::failed);
  });
}

void Reloader::reload(const std::string& by, Done done) {
  if (is_running_) {
    return done(fail(ErrorCode::conflict, "a reload is under way: try again in a moment"));
  }
  is_running_ = true;
  if (thread_.joinable()) thread_.join();  // the one before, which has posted its outcome
  thread_ = std::thread([this, before = parts_.config, by, done = std::move(done)]() mutable {
    auto loaded = std::make_shared<Result<Loaded>>(load(before));
    parts_.loop.post([this, loaded, by, done = std::move(done)]() mutable {
      take_over(std::move(*loaded), by, std::move(done));
    });
  });
}

Result<Reloader::Loaded> Reloader::load(const Config& before) {
  Loaded loaded;
  loaded.config = before;
  if (!before.file.empty()) {
    FICUS_TRY(const std::string text, read_file(parts_.machine.disk, before.file, kConfigBytesMax));
    FICUS_TRY(loaded.config, Config::parse(text, before.file));
    FICUS_TRY_VOID(loaded.config.check());
  }
  // Tried on a copy: the schema in use must not learn what a mistake takes back.
  Schema copy;
  copy.copy_from(parts_.schema);
  std::string mistakes;
  const auto note = [&](const Error& error) {
    if (!mistakes.empty()) mistakes += '\n';
    mistakes += error.message;
  };
  const auto tried = LoadedPacks::load(loaded.config.packs, parts_.machine.disk, copy);
  if (!tried) note(tried.error());
  for (const Prepare& prepare : prepares_) {
    auto commit = prepare(loaded.config, tried ? &*tried : nullptr, copy);
    if (commit) {
      loaded.commits.push_back(*std::move(commit));
    } else {
      note(commit.error());
    }
  }
  if (!mistakes.empty()) return invalid(std::move(mistakes));
  FICUS_TRY(loaded.packs,
            LoadedPacks::load(loaded.config.packs, parts_.machine.disk, parts_.schema));
  return loaded;
}

Status Reloader::change_sources(std::vector<connect::SourceDeclaration> declarations,
                                Changes& changes) {
  connect::SourceSet next;
  bool any_simulated = false;
  for (connect::SourceDeclaration& declaration : declarations) {
    any_simulated = any_simulated || declaration.is_simulated;
    if (parts_.sources.find(declaration.name) == nullptr) {
      changes.sources_added.push_back(declaration.name);
    }
    const SourceId id = parts_.engine.intern_source(declaration.name);
    FICUS_TRY_VOID(next.add(id, std::move(declaration)));
  }
  for (const connect::Source& source : parts_.sources.all()) {
    if (next.find(source.declaration.name) == nullptr) {
      changes.sources_removed.push_back(source.declaration.name);
    }
  }
  FICUS_TRY(std::vector<SourceLinks::Wanted> links, parts_.links.open(next));
  FICUS_TRY_VOID(parts_.connectors.change(next));
  parts_.links.take(std::move(links));
  parts_.sources.replace(std::move(next));
  parts_.live.set_any_simulated(any_simulated);
  return {};
}

void Reloader::take_over(Result<Loaded> loaded, const std::string& by, Done done) {
  if (!loaded) return finish(std::unexpected(loaded.error()), by, std::move(done));
  LoadedPacks& now = parts_.packs;
  Changes changes;
  changes.is_same = loaded->packs.parts == now.parts;
  changes.rules = compare_rules(now.rules->keys(), loaded->packs.rules->keys());
  changes.warnings = loaded->packs.warnings(parts_.schema);
  // The last thing that can go wrong: a port that is taken.
  if (auto status = change_sources(std::move(loaded->packs.sources), changes); !status) {
    return finish(std::unexpected(status.error()), by, std::move(done));
  }
  loaded->packs.catalog.version = now.catalog.version;
  now = std::move(loaded->packs);
  now.sources.clear();
  parts_.config.packs = loaded->config.packs;
  configure_logger(loaded->config, parts_.machine);
  for (Commit& commit : loaded->commits) commit();
  const Configuration configuration{by, now.parts};
  changes.fingerprint = configuration.fingerprint();
  const auto settle = [this, by](const Changes& what, const Status& status, Done to) {
    std::string answer;
    json::JsonWriter json(answer);
    json.begin_object().key("kind").text("reload");
    what.write(json);
    json.end_object();
    // The page asks again for types, zones and rules.
    // What has changed is not for everybody's eyes.
    if (status && !what.is_same) parts_.live.broadcast(R"({"kind":"reload"})");
    if (!status) return finish(std::unexpected(status.error()), by, std::move(to));
    finish(std::move(answer), by, std::move(to));
  };
  if (changes.is_same) return settle(changes, {}, std::move(done));
  parts_.engine.change(
      configuration, now.rules,
      [this, settle, changes, done = std::move(done)](const Status& status) mutable {
        parts_.loop.post([settle, changes, status, done = std::move(done)]() mutable {
          settle(changes, status, std::move(done));
        });
      });
}

void Reloader::finish(Result<std::string> outcome, const std::string& by, Done done) {
  is_running_ = false;
  if (outcome) {
    parts_.machine.logger.info("reload", "reloaded", {{"by", by}, {"changes", *outcome}});
  } else {
    parts_.machine.logger.error("reload", "nothing was changed",
                                {{"by", by}, {"mistakes", outcome.error().message}});
  }
  done(std::move(outcome));
  if (std::exchange(asked_again_, false)) reload_on_signal();
}

}  // namespace ficus::app
