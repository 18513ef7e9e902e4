#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "connect/mapping/mapping_fixture.h"

// Published examples of Smart Data Models, in their key-values form, through mappings.

namespace ficus::connect {
namespace {

std::string example(const std::string& model) {
  // One thread, and nobody sets it. NOLINTNEXTLINE(concurrency-mt-unsafe)
  const char* set = std::getenv("FICUS_TEST_DATA");
  // This file is src/connect/mapping/smart_data_models_test.cc of the source tree.
  const auto beside = std::filesystem::path(FICUS_SOURCE_DIR) / "../shared/data";
  const std::filesystem::path root = set != nullptr && *set != '\0' ? set : beside;
  std::ifstream file(root / "smart-data-models" / model / "examples/example.json");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class SmartDataModels : public testing::Test {
 protected:
  void SetUp() override {
    if (example("Transportation/Vehicle").empty()) {
      GTEST_SKIP() << "the test data is absent (set FICUS_TEST_DATA)";
    }
  }
};

TEST_F(SmartDataModels, Vehicle) {
  test::Mapper mapper(
      "type: '{$.type}'\n"
      "types: [Vehicle, Bus]\n"
      "id: '{$.id}'\n"
      "observed_at: $.observationDateTime\n"
      "attributes:\n"
      "  location: {path: $.location, kind: point}\n"
      "  speed: {path: $.speed, kind: number}\n"
      "  category: {path: $.category, kind: json}\n"
      "  altitude: {path: $.vehicleAltitude, unit: MTR}\n"
      "  ignition: {path: $.ignitionStatus, kind: boolean}\n"
      "  status: {path: $.serviceStatus, kind: text}\n"
      "  district: {path: $.municipalityInfo.district, kind: text}\n"
      "  refVehicleModel: {template: 'urn:ngsi-ld:{$.refVehicleModel}', kind: relationship}\n");
  EXPECT_EQ(mapper.text(example("Transportation/Vehicle")),
            "Vehicle vehicle:WasteManagement:1 @2021-03-11T10:21:02Z location=(-3.1645 40.6279) "
            "speed=50 category=[\"municipalServices\"] altitude=600 ignition=true status=onRoute "
            "district=Bangalore Urban refVehicleModel=urn:ngsi-ld:vehiclemodel:econic\n");
}

TEST_F(SmartDataModels, AirQualityObserved) {
  test::Mapper mapper(
      "type: AirQualityObserved\n"
      "id: 'urn:ngsi-ld:AirQualityObserved:{$.id}'\n"
      "observed_at: {path: $.dateObserved, format: local, zone: '+01:00'}\n"
      "attributes:\n"
      "  location: {point: ['$.location.coordinates[0]', '$.location.coordinates[1]']}\n"
      "  relativeHumidity: {path: $.relativeHumidity, from_unit: C62, unit: P1, round: 3}\n"
      "  temperature: {path: $.temperature, from_unit: CEL, unit: KEL, round: 2}\n"
      "  level: {path: $.airQualityLevel, enum: {good: 1, moderate: 2}}\n"
      "  pm25: {path: $.pm25, kind: number}\n");
  EXPECT_EQ(mapper.text(example("Environment/AirQualityObserved")),
            "AirQualityObserved "
            "urn:ngsi-ld:AirQualityObserved:Madrid-AmbientObserved-28079004-2016-03-15T11:00:00 "
            "@2016-03-15T10:00:00Z location=(-3.7122 40.4239) relativeHumidity=54 "
            "temperature=285.35 level=2\n");
}

TEST_F(SmartDataModels, OffStreetParking) {
  test::Mapper mapper(
      "type: OffStreetParking\n"
      "id: 'urn:ngsi-ld:OffStreetParking:{$.id}'\n"
      "observed_at: received\n"
      "attributes:\n"
      "  name: {path: $.name, kind: text}\n"
      "  totalSpotNumber: {path: $.totalSpotNumber, kind: number}\n"
      "  location: {path: $.location, kind: point}\n");
  const std::string text = mapper.text(example("Parking/OffStreetParking"));
  EXPECT_TRUE(
      text.starts_with("OffStreetParking urn:ngsi-ld:OffStreetParking:porto-ParkingLot-23889 "
                       "@2026-11-23T08:00:00Z name=Parque de estacionamento Trindade "))
      << text;
}

}  // namespace
}  // namespace ficus::connect
