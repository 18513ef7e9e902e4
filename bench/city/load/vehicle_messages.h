#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace load {

// PUBLISH packets of vehicles: made once, then sent again and again with another vehicle, packet
// identifier, trip and time written into them, so that the generator costs less than what it
// measures. 150 to 180 bytes of JSON.
class VehicleMessages {
 public:
  // `topic`: what stands before the vehicle's name of seven digits ("city/vehicle/v").
  VehicleMessages(std::string_view topic, int qos, std::uint64_t seed);

  struct Fields {
    std::uint64_t vehicle = 0;
    std::uint64_t trip = 0;  // whatever the receiver wants to recognise
    std::uint64_t time_us = 0;
    std::uint16_t packet_id = 0;  // of QoS 1
  };
  void append(const Fields& fields, std::string& out);
  // A message on which the rule bench_00 fires.
  void append_dangerous(const Fields& fields, std::string& out);

  // What `trip` was, from a received packet's body.
  static std::uint64_t trip_of(std::string_view body);

 private:
  std::string make(double speed, double fuel, std::uint64_t random) const;

  const std::string topic_;
  const int qos_;
  std::vector<std::string> packets_;
  std::size_t next_ = 0;
};

}  // namespace load
