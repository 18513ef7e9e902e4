#pragma once

#include <cstdint>

#include "api/history_service.h"
#include "app/config.h"
#include "connect/mqtt/mqtt_server.h"
#include "engine/engine.h"
#include "history/duck_history.h"

// What ficus.yaml means to each room: its numbers in the units and words of the room.

namespace ficus::app {

inline constexpr std::uint64_t kMiB = 1 << 20;
inline std::size_t to_size(int v) { return static_cast<std::size_t>(v); }

CommitLogOptions log_options(const Config& config, std::uint64_t seed, Intake* intake);
EngineOptions engine_options(const Config& config, std::uint64_t seed, Intake* intake);
history::DuckHistoryOptions history_options(const Config& config);
connect::MqttServerOptions mqtt_options(const Config& config, const net::Address& address);
api::HistoryServiceOptions query_options(const Config& config);

}  // namespace ficus::app
