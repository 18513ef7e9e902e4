#include "app/refusal_log.h"

namespace ficus::app {
namespace {

constexpr Micros kWindow = Micros::from_seconds(10);
constexpr std::uint64_t kLoggedPerWindow = 3;

}  // namespace

void RefusalLog::note(const std::string& port, const net::Address& peer, const Error& why) {
  const Micros now = clock_.monotonic();
  const auto [found, is_new] = windows_.try_emplace(port);
  Window& window = found->second;
  if (is_new || now.count - window.began.count >= kWindow.count) {
    if (window.seen > kLoggedPerWindow) {
      logger_.warning("net", "more connections were not taken",
                      {{"port", port}, {"count", std::to_string(window.seen - kLoggedPerWindow)}});
    }
    window = {.began = now, .seen = 0};
  }
  if (++window.seen > kLoggedPerWindow) return;
  logger_.warning("net", "connection not taken",
                  {{"port", port}, {"peer", peer.text()}, {"why", why.message}});
}

}  // namespace ficus::app
