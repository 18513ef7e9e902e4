#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "simulate/incident.h"

namespace ficus::simulate {

enum class Channel : std::uint8_t {
  mqtt,  // address: the topic
  http,  // address: the source; payload: a JSON array
  nmea,  // payload: one line without line end
};

struct CityMessage {
  Channel channel = Channel::mqtt;
  std::string address;
  std::string payload;

  friend bool operator==(const CityMessage&, const CityMessage&) = default;
};

struct CityOptions {
  std::uint64_t seed = 1;
  Timestamp start;
  double scale = 1;  // 1: about 200 vehicles, 12 + 10 stations, 8 car parks, 6 pumps, 15 boats
  // Simulated seconds a real one. A silent station is noticed in the time of arrival, so its
  // silence is stretched by this.
  double speed = 1;
};

// Everything that happened since the step before.
struct CityStep {
  std::vector<CityMessage> messages;
  std::vector<Incident> incidents;
};

// A city that lives in simulated time, without clock, network or other surroundings: the same
// options give the same messages, byte for byte. One thread.
class City {
 public:
  explicit City(const CityOptions& options);
  ~City();
  City(const City&) = delete;
  City& operator=(const City&) = delete;

  // Lives on to `now`, second by second. Going back does nothing.
  void step(Timestamp now, CityStep& out);

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace ficus::simulate
