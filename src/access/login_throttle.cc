#include "access/login_throttle.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace ficus::access {
namespace {

constexpr Micros kKnownFor = Micros::from_hours(24);
constexpr std::size_t kKnownMax = 50'000;

// Many people and devices may share an address, so it has more to spare than a user.
constexpr DelayOptions kAddressOptions{.free_failures = 20, .max = Micros::from_seconds(60)};

}  // namespace

Micros DelayTable::wait(std::string_view key, Micros now) const {
  const auto found = index_.find(key);
  return found == index_.end() ? Micros{} : found->second->until - now;
}

void DelayTable::fail(std::string_view key, Micros now) {
  auto found = index_.find(key);
  if (found == index_.end()) {
    if (entries_.size() >= options_.keys_max) {
      index_.erase(entries_.back().key);
      entries_.pop_back();
    }
    entries_.push_front({.key = std::string(key), .failures = 0, .last = now, .until = {}});
    found = index_.emplace(entries_.front().key, entries_.begin()).first;
  } else {
    entries_.splice(entries_.begin(), entries_, found->second);
  }
  Entry& entry = *found->second;
  if (now - entry.last > options_.forget_after) entry.failures = 0;
  entry.last = now;
  ++entry.failures;
  if (entry.failures <= options_.free_failures) return;
  const std::uint32_t doublings = std::min(entry.failures - options_.free_failures - 1, 20U);
  entry.until = now + std::min(Micros{options_.first.count << doublings}, options_.max);
}

void DelayTable::forget(std::string_view key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return;
  const auto entry = found->second;
  index_.erase(found);
  entries_.erase(entry);
}

LoginThrottle::LoginThrottle() : users_({}), addresses_(kAddressOptions), pairs_({}) {}

std::string LoginThrottle::pair_key(std::string_view user, std::string_view address) {
  std::string key(user);
  key.push_back('\0');
  return key.append(address);
}

bool LoginThrottle::is_known(const std::string& pair, Micros now) const {
  const auto found = known_.find(pair);
  return found != known_.end() && now - found->second < kKnownFor;
}

Micros LoginThrottle::wait(std::string_view user, std::string_view address, Micros now) const {
  const std::string pair = pair_key(user, address);
  if (is_known(pair, now)) return pairs_.wait(pair, now);
  return std::max(users_.wait(user, now), addresses_.wait(address, now));
}

void LoginThrottle::fail(std::string_view user, std::string_view address, Micros now) {
  users_.fail(user, now);
  addresses_.fail(address, now);
  pairs_.fail(pair_key(user, address), now);
}

void LoginThrottle::succeed(std::string_view user, std::string_view address, Micros now) {
  std::string pair = pair_key(user, address);
  pairs_.forget(pair);
  users_.forget(user);
  if (known_.size() >= kKnownMax && !known_.contains(pair)) known_.clear();
  known_[std::move(pair)] = now;
}

std::string address_key(std::string_view peer) {
  std::string_view host = peer;
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else if (std::ranges::count(host, ':') == 1) {
    host = host.substr(0, host.find(':'));
  }
  std::string text(host);
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  std::array<char, INET6_ADDRSTRLEN> network{};
  // ::1 and other short addresses of the machine itself are no networks; they stay apart.
  if (std::ranges::count(bytes, 0) == 16 ||
      inet_ntop(AF_INET6, bytes.data(), network.data(), network.size()) == nullptr) {
    return text;
  }
  return std::string(network.data()) + "/64";
}

}  // namespace ficus::access
