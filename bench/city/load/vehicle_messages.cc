#include "vehicle_messages.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/random.h"

namespace load {
namespace {

constexpr std::size_t kVehicleDigits = 7;
constexpr std::size_t kTripDigits = 10;
constexpr std::size_t kTimeDigits = 16;
// From the end of the packet: `"trip":"0000000000","route":"K0000","time":0000000000000000}`
constexpr std::size_t kTimeFromEnd = kTimeDigits + 1;
constexpr std::size_t kTripFromEnd = kTimeFromEnd + 25 + kTripDigits;
constexpr std::size_t kPackets = 64;

void write_digits(std::uint64_t value, std::size_t digits, char* at) {
  for (std::size_t i = digits; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

VehicleMessages::VehicleMessages(std::string_view topic, int qos, std::uint64_t seed)
    : topic_(topic), qos_(qos) {
  ficus::Random random(seed);
  for (std::size_t i = 0; i < kPackets; ++i) {
    packets_.push_back(make(random.between(0, 60), random.between(20, 90), random.below(100'000)));
  }
}

std::string VehicleMessages::make(double speed, double fuel, std::uint64_t random) const {
  const std::string payload = fmt::format(
      R"({{"speed":{:.1f},"heading":{},"longitude":{:.6f},"latitude":{:.6f},"fuel":{:.1f},)"
      R"("status":"{}","trip":"{:010}","route":"K{:04}","time":{:016}}})",
      speed, random % 360, 119.3 + static_cast<double>(random) * 1e-6,
      26.08 + static_cast<double>(random) * 1e-6, fuel, random % 5 == 0 ? "stopped" : "moving", 0,
      random % 100, 0);
  const std::size_t body = 2 + topic_.size() + kVehicleDigits + (qos_ > 0 ? 2 : 0) + payload.size();
  std::string packet;
  packet += static_cast<char>(0x30 | (qos_ << 1));
  packet += static_cast<char>((body & 0x7f) | 0x80);  // 128 to 16383 bytes (MQTT 3.1.1, 2.2.3)
  packet += static_cast<char>(body >> 7);
  packet += '\0';
  packet += static_cast<char>(topic_.size() + kVehicleDigits);
  packet += topic_;
  packet.append(kVehicleDigits + (qos_ > 0 ? 2 : 0), '0');
  return packet + payload;
}

void VehicleMessages::append(const Fields& fields, std::string& out) {
  const std::string& packet = packets_[next_++ % kPackets];
  const std::size_t front = out.size();
  out += packet;
  char* const vehicle = out.data() + front + 5 + topic_.size();
  write_digits(fields.vehicle, kVehicleDigits, vehicle);
  if (qos_ > 0) {
    vehicle[kVehicleDigits] = static_cast<char>(fields.packet_id >> 8);
    vehicle[kVehicleDigits + 1] = static_cast<char>(fields.packet_id & 0xff);
  }
  char* const end = out.data() + out.size();
  write_digits(fields.time_us, kTimeDigits, end - kTimeFromEnd);
  write_digits(fields.trip, kTripDigits, end - kTripFromEnd);
}

void VehicleMessages::append_dangerous(const Fields& fields, std::string& out) {
  const std::string calm = std::move(packets_[next_ % kPackets]);
  packets_[next_ % kPackets] = make(200.5, 5, 1);
  const std::size_t place = next_ % kPackets;
  append(fields, out);
  packets_[place] = calm;
}

std::uint64_t VehicleMessages::trip_of(std::string_view body) {
  std::uint64_t value = 0;
  for (const char c : body.substr(body.size() - kTripFromEnd, kTripDigits)) {
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

}  // namespace load
