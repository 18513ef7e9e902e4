#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "app/command_list.h"
#include "base/errno_text.h"

namespace ficus::app {
namespace {

constexpr const char* kSelf = "/proc/self/exe";
constexpr const char* kPack = "/demo-city";
constexpr auto kRestartPause = std::chrono::seconds(2);
constexpr auto kStopPatience = std::chrono::seconds(4);

std::string executable_folder() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink(kSelf, path.data(), path.size());
  if (length <= 0) return ".";
  return parent_directory(std::string_view(path.data(), static_cast<std::size_t>(length)));
}

Result<std::string> find_pack(Disk& disk) {
  std::vector<std::string> folders;
  if (const char* const given = std::getenv("FICUS_PACKS")) folders.emplace_back(given);
  const std::string beside = executable_folder();
  folders.insert(folders.end(),
                 {"./packs", beside + "/packs", beside + "/../packs", beside + "/../../../packs",
                  beside + "/../share/ficus/packs", "/usr/share/ficus/packs"});
  for (const std::string& folder : folders) {
    if (disk.exists(folder + kPack + "/types.yaml")) return folder + kPack;
  }
  std::string looked;
  for (const std::string& folder : folders) looked += "\n  " + folder;
  return fail(ErrorCode::not_found,
              "the pack demo-city is in none of these folders; name the right one in "
              "FICUS_PACKS:" +
                  looked);
}

// `ficus simulate` in a process of its own, started again if it ends. It dies with us, also when we
// are killed. A thread waits for it; destroying this stops both.
class Simulator {
 public:
  Simulator(std::vector<std::string> words, Logger& logger)
      : words_(std::move(words)),
        logger_(logger),
        parent_(getpid()),
        watcher_([this] { watch(); }) {}

  ~Simulator() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
      if (child_ > 0) kill(child_, SIGTERM);
    }
    changed_.notify_all();
    {
      // A child that does not end on SIGTERM does not keep us.
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, kStopPatience, [this] { return child_ <= 0; })) {
        kill(child_, SIGKILL);
      }
    }
    watcher_.join();
  }
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

 private:
  // Only what is safe between fork and exec in a process with threads happens in the child.
  pid_t start() {
    std::vector<char*> words;
    words.reserve(words_.size() + 1);
    for (std::string& word : words_) words.push_back(word.data());
    words.push_back(nullptr);
    sigset_t none;
    sigemptyset(&none);
    const pid_t child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent_) _exit(1);  // the parent died before it could be told to tell us
    setpgid(0, 0);                       // Ctrl+C is for the brain, which then ends us in order
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
    execv(kSelf, words.data());
    _exit(127);
  }

  // PR_SET_PDEATHSIG tells of the end of the thread that forked: this one lives as long as we do.
  void watch() {
    std::unique_lock lock(mutex_);
    while (!is_stopping_) {
      child_ = start();
      if (child_ < 0) {
        logger_.error("demo", "cannot start the simulator", {{"error", errno_text(errno)}});
      } else {
        const pid_t child = child_;
        lock.unlock();
        // Waits without taking the child away, so that its number cannot become another's.
        siginfo_t info{};
        while (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) < 0 &&
               errno == EINTR) {
        }
        lock.lock();
        int ended = 0;
        waitpid(child, &ended, 0);
      }
      child_ = 0;
      changed_.notify_all();
      if (is_stopping_) return;
      logger_.warning("demo", "the simulator ended; it is started again");
      changed_.wait_for(lock, kRestartPause, [this] { return is_stopping_; });
    }
  }

  std::vector<std::string> words_;
  Logger& logger_;
  const pid_t parent_;
  // Shared by two threads of this command only, whose one message is "stop".
  std::mutex mutex_;
  std::condition_variable changed_;
  pid_t child_ = 0;
  bool is_stopping_ = false;
  std::thread watcher_;
};

// An address to listen on -> one to connect to (":8080" listens everywhere).
std::string reachable(const std::string& address) {
  if (address.starts_with(':')) return "127.0.0.1" + address;
  if (address.starts_with("0.0.0.0:")) return "127.0.0.1" + address.substr(7);
  return address;
}

Result<Config> demo_config(const Arguments& arguments, const Machine& machine) {
  FICUS_TRY(const std::string pack, find_pack(machine.disk));
  Config config;
  config.data_directory = arguments.value("data", "./demo-data");
  config.http.listen = {arguments.value("http", config.http.listen.front())};
  config.mqtt.listen = {arguments.value("mqtt", config.mqtt.listen.front())};
  config.packs = {pack};
  FICUS_TRY_VOID(config.check());
  return config;
}

std::vector<std::string> simulator_words(const Arguments& arguments, const Config& config) {
  std::vector<std::string> words = {"ficus",  "simulate",
                                    "--mqtt", reachable(config.mqtt.listen.front()),
                                    "--http", reachable(config.http.listen.front())};
  for (const char* const name : {"speed", "seed", "scale"}) {
    if (!arguments.has(name)) continue;
    words.push_back(fmt::format("--{}", name));
    words.push_back(arguments.value(name, ""));
  }
  return words;
}

Status check_numbers(const Arguments& arguments) {
  for (const char* const name : {"speed", "seed", "scale"}) {
    FICUS_TRY_VOID([&]() -> Status {
      FICUS_TRY([[maybe_unused]] const double value, arguments.number(name, 1, 0, 1e15));
      return {};
    }());
  }
  return {};
}

}  // namespace

int run_demo(const Arguments& arguments, const Machine& machine) {
  if (const Status numbers = check_numbers(arguments); !numbers) {
    fmt::print(stderr, "ficus demo: {}\n", numbers.error().message);
    return 2;
  }
  const auto config = demo_config(arguments, machine);
  if (!config) return report(config.error());
  auto brain = Brain::open(*config, machine);
  if (!brain) return report(brain.error());
  const std::string url = "http://" + reachable(config->http.listen.front()) + "/";
  fmt::print("Ficus demo: a simulated city. Open {}\n", url);
  fmt::print("榕脑演示：一座模拟城市。请用浏览器打开 {}\n", url);
  fmt::print("Ctrl+C stops it. / 按 Ctrl+C 停止。\n");
  std::fflush(stdout);
  Status ended;
  {
    Simulator simulator(simulator_words(arguments, *config), machine.logger);
    ended = (*brain)->run();
  }
  return ended ? 0 : report(ended.error());
}

}  // namespace ficus::app
