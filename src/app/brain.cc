#include "app/brain.h"

#include <csignal>
#include <cstdlib>

#include "app/brain_options.h"
#include "app/brain_parts.h"

namespace ficus::app {
namespace {

// From the signal to the last answers being on their way; the rest of the five seconds is for
// closing.
constexpr Micros kFlushOnStop = Micros::from_millis(300);

}  // namespace

Status Brain::Parts::open() {
  FICUS_TRY_VOID(config.check());
  FICUS_TRY_VOID(machine.disk.make_directories(config.data_directory));
  // The history's database takes absolute paths only, and messages are clearer with them.
  if (char* const absolute = ::realpath(config.data_directory.c_str(), nullptr)) {
    config.data_directory = absolute;
    std::free(absolute);
  }
  FICUS_TRY(lock, DirectoryLock::take(config.data_directory));
  intake = std::make_unique<Intake>(
      machine.disk, machine.clock, machine.logger,
      IntakeOptions{.directory = config.data_directory,
                    .reserve_bytes = to_size(config.log.disk_reserve_mib) * kMiB});
  intake->look();
  FICUS_TRY_VOID(open_store());
  return open_ports();
}

// Alive means: the loop turns and every shard answers.
void Brain::Parts::tell_service_manager() {
  notice.send("READY=1\nSTATUS=serving");
  const auto beat = notice.watchdog_beat();
  if (!beat) return;
  watchdog.start_repeating(*beat, [this] {
    engine->status([this](const EngineStatus&) { notice.send("WATCHDOG=1"); });
  });
}

// Takes nothing new, lets the engine finish while the loop still carries answers out, then ends the
// loop.
void Brain::Parts::begin_stop() {
  if (stopper.joinable()) return;
  machine.logger.info("main", "stopping");
  notice.send("STOPPING=1\nSTATUS=writing what is left");
  backups->ask_to_stop();
  mqtt->drain();
  connectors->drain();
  links->drain();
  ports->drain();
  audit->flush();
  stopper = std::thread([this] {
    stopped = engine->stop();
    loop.post([this] { mqtt->say_goodbye(); });
    std::this_thread::sleep_for(std::chrono::microseconds(kFlushOnStop.count));
    loop.stop();
  });
}

Brain::Brain(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Brain::~Brain() = default;

Result<std::unique_ptr<Brain>> Brain::open(const Config& config, const Machine& machine) {
  auto parts = std::make_unique<Parts>(config, machine);
  FICUS_TRY_VOID(parts->open());
  return std::unique_ptr<Brain>(new Brain(std::move(parts)));
}

Status Brain::run() {
  Parts& p = *parts_;
  FICUS_TRY_VOID(p.loop.watch_signals([&p](int signal) {
    if (signal == SIGTERM || signal == SIGINT) return p.begin_stop();
    p.reloader->reload_on_signal();
  }));
  p.engine->start(*p.ingest);
  p.tell_service_manager();
  p.machine.logger.info("main", "ready",
                        {{"http", p.ports->http_addresses()},
                         {"mqtt", p.mqtt->address().text()},
                         {"mqtt_further", p.ports->further_mqtt_addresses()},
                         {"https", p.ports->https_addresses()},
                         {"mqtts", p.ports->mqtts_addresses()},
                         {"version", FICUS_VERSION}});
  p.loop.run();
  p.stopper.join();
  p.backups->stop();
  Status status = p.mqtt->close();
  if (!p.stopped) status = p.stopped;
  p.machine.logger.info("main", "stopped");
  return status;
}

}  // namespace ficus::app
