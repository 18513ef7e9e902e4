#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "report.h"

namespace ficus::sim {

// One reading that a device has made: the unit of what may be lost.
struct Reading {
  std::string entity;
  Timestamp observed_at;
  double speed = 0;
  std::string source;
  bool was_sent = false;
  bool is_acknowledged = false;
};

// One message between clients.
struct Message {
  std::string topic;
  std::uint64_t index = 0;  // of its topic, in the order in which its publisher made it
  int qos = 0;
  bool was_sent = false;
  bool is_acknowledged = false;
  bool was_refused = false;       // and tried again later, behind others
  std::set<std::string> owed_to;  // who had subscribed, acknowledged, before it was first sent
};

// What was heard of a ship by AIS, which acknowledges nothing.
struct Sighting {
  std::uint32_t mmsi = 0;
  std::string source;
  bool must_arrive = false;  // nothing went wrong any more when it was sent
};
// What carries the number of a sighting in the second sentence of two.
std::string destination_of(std::uint64_t sighting);
// Without their ends; none of them empty.
std::vector<std::string> lines_of(std::string_view text);

struct Retained {
  std::uint64_t sent = 0;          // the newest value that may be there
  std::uint64_t acknowledged = 0;  // the oldest
};

// All that clients and devices know they have done, in plain maps: what the brain is held to.
struct Model {
  std::map<std::uint64_t, Reading> readings;    // by their number, which they carry
  std::map<std::uint64_t, Sighting> sightings;  // by their number, which they carry
  std::map<std::string, bool> nonsense;         // payloads that no mapping takes: acknowledged?
  std::map<std::uint64_t, Message> messages;    // by number
  std::map<std::string, Retained> retained;     // by topic
  std::map<std::string, std::uint64_t> copies;  // items handed to the network, by source
  // Lines of AIS handed to the network, by source: how often.
  std::map<std::string, std::map<std::string, std::uint64_t>> lines;
  std::map<std::string, std::deque<std::string>> timed_lines;  // the newest that several may hear
  std::map<int, std::uint64_t> answers;                        // of HTTP, by status
  std::uint64_t next_number = 1;
  std::set<std::string> subscribers;  // to the messages between clients, acknowledged

  // What a subscriber has heard: number of times by message, and the last index by topic.
  struct Heard {
    std::map<std::uint64_t, std::uint64_t> times;
    std::map<std::string, std::uint64_t> newest;
    std::map<std::string, std::uint64_t> alerts;  // payloads
  };
  std::map<std::string, Heard> heard;
};

}  // namespace ficus::sim
