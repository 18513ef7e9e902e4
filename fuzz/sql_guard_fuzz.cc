#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "history/duck.h"
#include "history/sql_guard.h"
#include "history/syntax_tree.h"

namespace {

using ficus::history::DuckConnection;
using ficus::history::DuckDatabase;
using ficus::history::DuckTransaction;

struct Engine {
  std::unique_ptr<DuckDatabase> database;
  std::unique_ptr<DuckConnection> connection;

  Engine() {
    ficus::history::DuckSettings settings;
    settings.path = ":memory:";
    settings.directory = "/nowhere";
    settings.spill_directory = "/nowhere/spill";
    settings.memory_bytes_max = 200'000'000;
    settings.spill_bytes_max = 1;
    auto opened = DuckDatabase::open(settings);
    FICUS_CHECK(opened.has_value());
    database = std::move(*opened);
    auto connected = DuckConnection::open(*database);
    FICUS_CHECK(connected.has_value());
    connection = std::move(*connected);
    FICUS_CHECK(connection->run("CREATE TABLE Vehicle (id VARCHAR, speed DOUBLE)").has_value());
  }
};

}  // namespace

// What the guard lets through must never reach the walls behind it: planning it (EXPLAIN) in a
// read-only transaction without file access may fail, but not for want of permission.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Engine engine;
  const std::string sql(reinterpret_cast<const char*>(data), size);
  (void)ficus::history::read_syntax_tree(sql);
  if (!ficus::history::check_statement(*engine.connection, sql,
                                       {.readable = {"vehicle"}, .hidden = {}})) {
    return 0;
  }
  DuckTransaction transaction(*engine.connection);
  FICUS_CHECK(transaction.begin(true).has_value());
  const auto planned = engine.connection->select("EXPLAIN " + sql);
  if (planned) return 0;
  // What the statement says itself may stand in the message too.
  const auto says = [&](std::string_view words) {
    return planned.error().message.contains(words) && !sql.contains(words);
  };
  FICUS_CHECK(!says("Permission Error"));
  FICUS_CHECK(!says("read-only"));
  FICUS_CHECK(!says("disabled by configuration"));
  return 0;
}
