#pragma once

#include "base/result.h"
#include "codec/ais/receiver.h"
#include "connect/mapping/source_batch_builder.h"
#include "model/schema.h"

namespace ficus::connect {

// The entity types that AIS speaks of and their attributes, declared with labels and units.
struct AisTypes {
  TypeId vessel;
  struct VesselAttributes {
    AttributeId location, course, speed, heading, rate_of_turn, status, name, call_sign, imo_number,
        mmsi, ship_type, ship_type_code, length, width, draught, destination, ais_class;
  } v;
  TypeId base_station;
  struct BaseStationAttributes {
    AttributeId location, mmsi;
  } b;
  TypeId aid;
  struct AidAttributes {
    AttributeId location, mmsi, name, aid_type, is_off_position, is_virtual;
  } a;
  TypeId aircraft;
  struct AircraftAttributes {
    AttributeId location, mmsi, course, speed, altitude;
  } r;

  // Vessel, AisBaseStation, AidToNavigation, SarAircraft.
  static Result<AisTypes> declare(Schema& schema);
};

Status declare_vessel_type(Schema& schema);

// Adds the message as one row: a Vessel for types 1-3, 5, 11, 18, 19, 24 and 27, an AisBaseStation
// for 4, a SarAircraft for 9, an AidToNavigation for 21. Other types are counted as refused,
// "ais_type_N". Values that the sender marked as not available are left out. Ids are
// urn:ngsi-ld:TYPE:MMSI.
void map_ais(const ais::Reception& reception, const AisTypes& types, SourceBatchBuilder& out);

}  // namespace ficus::connect
