#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"

namespace ficus::access {

struct DelayOptions {
  std::uint32_t free_failures = 5;  // before the first delay
  Micros first = Micros::from_seconds(1);
  Micros max = Micros::from_seconds(30);
  Micros forget_after = Micros::from_seconds(15 * 60);  // without a failure
  std::size_t keys_max = 10'000;                        // the least recently failed goes
};

// How often a key (a user, an address) failed lately, and how long it must wait: 1, 2, 4 ...
// seconds from the sixth failure on, never more than `max`, forgotten after a while. So guessing is
// slow and nobody is locked out for good. Attempts while waiting do not count. Bounded; not
// thread-safe.
class DelayTable {
 public:
  explicit DelayTable(const DelayOptions& options) : options_(options) {}

  // How long the key must still wait; zero or less: not at all.
  Micros wait(std::string_view key, Micros now) const;
  void fail(std::string_view key, Micros now);
  void forget(std::string_view key);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    std::uint32_t failures = 0;
    Micros last;
    Micros until;
  };
  const DelayOptions options_;
  std::list<Entry> entries_;  // the most recently failed first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
};

// Who may try to log in now. A user who has logged in from an address lately is known there: only
// their own failures from that address delay them, not those of strangers who try their name from
// elsewhere, nor those of others behind the same address.
class LoginThrottle {
 public:
  LoginThrottle();

  Micros wait(std::string_view user, std::string_view address, Micros now) const;
  void fail(std::string_view user, std::string_view address, Micros now);
  void succeed(std::string_view user, std::string_view address, Micros now);

 private:
  static std::string pair_key(std::string_view user, std::string_view address);
  bool is_known(const std::string& pair, Micros now) const;

  DelayTable users_;
  DelayTable addresses_;
  DelayTable pairs_;
  // When each pair last succeeded; emptied when full, which only costs them their exemption.
  std::unordered_map<std::string, Micros> known_;
};

// "10.1.2.3:5000" -> "10.1.2.3". IPv6 addresses are cut to their network of 64 bits, since one
// client has all of it (RFC 4291, 2.5.4): "[2001:db8::1]:443" -> "2001:db8::/64". Anything else is
// returned as it is.
std::string address_key(std::string_view peer);

}  // namespace ficus::access
