#include "connect/ais/vessel_mapping.h"

#include <fmt/format.h>

#include <string>
#include <variant>

#include "codec/ais/names.h"

namespace ficus::connect {
namespace {

struct Declaration {
  AttributeId* place;
  const char* name;
  ValueKind kind;
  const char* unit;
  int decimals;
  const char* zh;
  const char* en;
};

Status declare_all(Schema& schema, TypeId type, std::initializer_list<Declaration> declarations) {
  for (const Declaration& d : declarations) {
    AttributeInfo info;
    info.name = d.name;
    info.kind = d.kind;
    info.unit_code = d.unit;
    info.decimals = d.decimals;
    info.label_zh = d.zh;
    info.label_en = d.en;
    FICUS_TRY(*d.place, schema.declare_attribute(type, info));
  }
  return {};
}

Status declare_vessel(Schema& schema, AisTypes& t) {
  using K = ValueKind;
  FICUS_TRY(t.vessel, schema.intern_type("Vessel"));
  return declare_all(
      schema, t.vessel,
      {{&t.v.location, "location", K::point, "", -1, "位置", "location"},
       {&t.v.course, "courseOverGround", K::number, "DD", 1, "对地航向", "course over ground"},
       {&t.v.speed, "speedOverGround", K::number, "KNT", 1, "对地航速", "speed over ground"},
       {&t.v.heading, "heading", K::number, "DD", 0, "船首向", "heading"},
       {&t.v.rate_of_turn, "rateOfTurn", K::number, "", 1, "转向率（度/分）",
        "rate of turn (°/min)"},
       {&t.v.status, "navigationStatus", K::text, "", -1, "航行状态", "navigation status"},
       {&t.v.name, "name", K::text, "", -1, "船名", "name"},
       {&t.v.call_sign, "callSign", K::text, "", -1, "呼号", "call sign"},
       {&t.v.imo_number, "imoNumber", K::number, "", 0, "IMO编号", "IMO number"},
       {&t.v.mmsi, "mmsi", K::text, "", -1, "MMSI", "MMSI"},
       {&t.v.ship_type, "shipType", K::text, "", -1, "船舶类型", "ship type"},
       {&t.v.ship_type_code, "shipTypeCode", K::number, "", 0, "船舶类型代码", "ship type code"},
       {&t.v.length, "length", K::number, "MTR", 0, "船长", "length"},
       {&t.v.width, "width", K::number, "MTR", 0, "船宽", "width"},
       {&t.v.draught, "draught", K::number, "MTR", 1, "吃水", "draught"},
       {&t.v.destination, "destination", K::text, "", -1, "目的地", "destination"},
       {&t.v.ais_class, "aisClass", K::text, "", -1, "AIS类别", "AIS class"}});
}

Status declare_others(Schema& schema, AisTypes& t) {
  using K = ValueKind;
  FICUS_TRY(t.base_station, schema.intern_type("AisBaseStation"));
  FICUS_TRY_VOID(declare_all(schema, t.base_station,
                             {{&t.b.location, "location", K::point, "", -1, "位置", "location"},
                              {&t.b.mmsi, "mmsi", K::text, "", -1, "MMSI", "MMSI"}}));
  FICUS_TRY(t.aid, schema.intern_type("AidToNavigation"));
  FICUS_TRY_VOID(declare_all(
      schema, t.aid,
      {{&t.a.location, "location", K::point, "", -1, "位置", "location"},
       {&t.a.mmsi, "mmsi", K::text, "", -1, "MMSI", "MMSI"},
       {&t.a.name, "name", K::text, "", -1, "名称", "name"},
       {&t.a.aid_type, "aidType", K::text, "", -1, "航标类型", "type of aid"},
       {&t.a.is_off_position, "isOffPosition", K::boolean, "", -1, "移位", "off position"},
       {&t.a.is_virtual, "isVirtual", K::boolean, "", -1, "虚拟航标", "virtual"}}));
  FICUS_TRY(t.aircraft, schema.intern_type("SarAircraft"));
  return declare_all(
      schema, t.aircraft,
      {{&t.r.location, "location", K::point, "", -1, "位置", "location"},
       {&t.r.mmsi, "mmsi", K::text, "", -1, "MMSI", "MMSI"},
       {&t.r.course, "courseOverGround", K::number, "DD", 1, "对地航向", "course over ground"},
       {&t.r.speed, "speedOverGround", K::number, "KNT", 0, "对地航速", "speed over ground"},
       {&t.r.altitude, "altitude", K::number, "MTR", 0, "高度", "altitude"}});
}

// Writes the row of one message, leaving out what its sender left out.
class Row {
 public:
  Row(const ais::Reception& reception, const AisTypes& types, SourceBatchBuilder& out)
      : reception_(reception), types_(types), out_(out) {}

  void operator()(const ais::PositionReport& m) {
    begin_vessel("A");
    put_position(types_.v.location, m.position);
    put(types_.v.course, m.course.degrees());
    put(types_.v.speed, m.speed.knots());
    put(types_.v.heading, m.heading.degrees());
    put(types_.v.rate_of_turn, m.turn.degrees_per_minute());
    put_status(m.status);
  }

  void operator()(const ais::LongRangePosition& m) {
    begin_vessel("A");
    put_position(types_.v.location, m.position);
    put(types_.v.course, m.course.degrees());
    put(types_.v.speed, m.speed.knots());
    put_status(m.status);
  }

  void operator()(const ais::StaticVoyageData& m) {
    begin_vessel("A");
    put_text(types_.v.name, m.name);
    put_text(types_.v.call_sign, m.call_sign);
    if (m.imo_number != 0) rows_->set_number(types_.v.imo_number, m.imo_number);
    put_ship_type(m.ship_type);
    put_dimensions(m.dimensions);
    put(types_.v.draught, m.draught.metres());
    put_text(types_.v.destination, m.destination);
  }

  void operator()(const ais::ClassBPosition& m) {
    begin_vessel("B");
    put_position(types_.v.location, m.position);
    put(types_.v.course, m.course.degrees());
    put(types_.v.speed, m.speed.knots());
    put(types_.v.heading, m.heading.degrees());
  }

  void operator()(const ais::ClassBExtended& m) {
    begin_vessel("B");
    put_position(types_.v.location, m.position);
    put(types_.v.course, m.course.degrees());
    put(types_.v.speed, m.speed.knots());
    put(types_.v.heading, m.heading.degrees());
    put_text(types_.v.name, m.name);
    put_ship_type(m.ship_type);
    put_dimensions(m.dimensions);
  }

  void operator()(const ais::StaticDataA& m) {
    begin_vessel("B");
    put_text(types_.v.name, m.name);
  }

  void operator()(const ais::StaticDataB& m) {
    begin_vessel("B");
    put_text(types_.v.call_sign, m.call_sign);
    put_ship_type(m.ship_type);
    put_dimensions(m.dimensions);
  }

  void operator()(const ais::BaseStationReport& m) {
    // Type 11 is a ship answering a question for the time; type 4 a station on land.
    if (reception_.message.type == 11) {
      begin_vessel("A");
      return put_position(types_.v.location, m.position);
    }
    begin(types_.base_station, "AisBaseStation", types_.b.mmsi);
    put_position(types_.b.location, m.position);
  }

  void operator()(const ais::AidToNavigation& m) {
    begin(types_.aid, "AidToNavigation", types_.a.mmsi);
    put_position(types_.a.location, m.position);
    put_text(types_.a.name, m.name);
    rows_->set_text(types_.a.aid_type, ValueKind::text, ais::aid_type_name(m.aid_type).english);
    rows_->set_boolean(types_.a.is_off_position, m.is_off_position);
    rows_->set_boolean(types_.a.is_virtual, m.is_virtual);
  }

  void operator()(const ais::AircraftPosition& m) {
    begin(types_.aircraft, "SarAircraft", types_.r.mmsi);
    put_position(types_.r.location, m.position);
    put(types_.r.course, m.course.degrees());
    put(types_.r.speed, m.speed.knots());
    put(types_.r.altitude, m.altitude.metres());
  }

  // Identified, counted, not mapped.
  template <typename Other>
  void operator()(const Other&) {
    out_.refuse(fmt::format("ais_type_{}", reception_.message.type));
  }

 private:
  void begin(TypeId type, std::string_view name, AttributeId mmsi) {
    const std::string number = ais::mmsi_text(reception_.message.mmsi);
    rows_ = &out_.begin_row(type, fmt::format("urn:ngsi-ld:{}:{}", name, number), reception_.time);
    rows_->set_text(mmsi, ValueKind::text, number);
  }
  void begin_vessel(std::string_view ais_class) {
    begin(types_.vessel, "Vessel", types_.v.mmsi);
    rows_->set_text(types_.v.ais_class, ValueKind::text, ais_class);
  }
  void put(AttributeId attribute, std::optional<double> value) {
    if (value) rows_->set_number(attribute, *value);
  }
  void put_text(AttributeId attribute, const std::string& value) {
    if (!value.empty()) rows_->set_text(attribute, ValueKind::text, value);
  }
  template <typename Position>
  void put_position(AttributeId attribute, const Position& position) {
    if (!position.is_available()) return;
    rows_->set_point(attribute, {*position.longitude_deg(), *position.latitude_deg()});
  }
  void put_status(std::uint8_t status) {
    constexpr std::uint8_t kNotDefined = 15;
    if (status == kNotDefined) return;
    rows_->set_text(types_.v.status, ValueKind::text, ais::navigation_status_name(status).english);
  }
  void put_ship_type(std::uint8_t code) {
    if (code == 0) return;
    rows_->set_text(types_.v.ship_type, ValueKind::text, ais::ship_type_name(code).english);
    rows_->set_number(types_.v.ship_type_code, code);
  }
  void put_dimensions(const ais::Dimensions& dimensions) {
    if (const auto length = dimensions.length_m()) rows_->set_number(types_.v.length, *length);
    if (const auto width = dimensions.width_m()) rows_->set_number(types_.v.width, *width);
  }

  const ais::Reception& reception_;
  const AisTypes& types_;
  SourceBatchBuilder& out_;
  ObservationBatch* rows_ = nullptr;
};

}  // namespace

Result<AisTypes> AisTypes::declare(Schema& schema) {
  AisTypes types;
  FICUS_TRY_VOID(declare_vessel(schema, types));
  FICUS_TRY_VOID(declare_others(schema, types));
  return types;
}

Status declare_vessel_type(Schema& schema) {
  FICUS_TRY_VOID(AisTypes::declare(schema));
  return {};
}

void map_ais(const ais::Reception& reception, const AisTypes& types, SourceBatchBuilder& out) {
  std::visit(Row(reception, types, out), reception.message.body);
}

}  // namespace ficus::connect
