#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "api/live_stream.h"
#include "app/brain.h"
#include "app/connectors.h"
#include "app/packs.h"
#include "app/source_links.h"
#include "engine/engine.h"

namespace ficus::app {

// Puts what the files say now in the place of what was loaded, while everything runs: types,
// zones, mappings, rules, departments, the map, and whatever other parts were added. All or
// nothing: everything is read and checked first, away from the loop; any mistake leaves all as it
// was. No message is lost: each is mapped by the old declarations or by the new ones, and seen by
// the old rules or by the new ones.
//
// Runs on the loop's thread, but for the reading.
class Reloader {
 public:
  struct Parts {
    const Machine& machine;
    net::EventLoop& loop;
    Schema& schema;
    Engine& engine;
    connect::SourceSet& sources;
    Connectors& connectors;
    SourceLinks& links;
    LoadedPacks& packs;
    api::LiveStream& live;
    access::AccessControl& access;  // for the audit; the API records who asked it
    Config& config;
  };
  explicit Reloader(const Parts& parts) : parts_(parts) {}
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // Something else that a reload renews, such as users or certificates. `prepare` runs on the
  // thread that reads and checks; the task it returns runs on the loop once everything was right.
  using Commit = std::move_only_function<void()>;
  // `packs` is null if they cannot be loaded; both are of a copy of the schema.
  using Prepare = std::function<Result<Commit>(const Config& config, const LoadedPacks* packs,
                                               const Schema& schema)>;
  void add_part(Prepare prepare) { prepares_.push_back(std::move(prepare)); }

  // `done` gets what has changed as JSON, when it is durable; or all mistakes, one a line.
  // ErrorCode::conflict while another reload is under way.
  using Done = std::move_only_function<void(Result<std::string>)>;
  void reload(const std::string& by, Done done);
  // As a signal asks for it: the outcome is logged; asked during a reload, another one follows.
  void reload_on_signal();

 private:
  struct Loaded {
    Config config;
    LoadedPacks packs;
    std::vector<Commit> commits;
  };
  struct Changes;
  Result<Loaded> load(const Config& before);
  void take_over(Result<Loaded> loaded, const std::string& by, Done done);
  Status change_sources(std::vector<connect::SourceDeclaration> declarations, Changes& changes);
  void finish(Result<std::string> outcome, const std::string& by, Done done);

  const Parts parts_;
  std::vector<Prepare> prepares_;
  std::thread thread_;
  bool is_running_ = false;
  bool asked_again_ = false;
};

}  // namespace ficus::app
