#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "model/observation_batch.h"
#include "model/schema.h"

namespace ficus::twin {

// For tests: batches of every kind of attribute about a few hundred entities of three types, with
// late, repeated and equal times, so that every branch of the twin is met.
class RandomCity {
 public:
  RandomCity(Schema& schema, std::uint64_t seed) : random_(seed) {
    for (const char* name : {"Vehicle", "Vessel", "Station"}) {
      const TypeId type = *schema.intern_type(name);
      types_.push_back(type);
      for (const char* attribute : {"speed", "level"}) {
        add(schema, type, attribute, ValueKind::number);
      }
      add(schema, type, "location", ValueKind::point);
      add(schema, type, "isOpen", ValueKind::boolean);
      add(schema, type, "since", ValueKind::time);
      add(schema, type, "name", ValueKind::text);
      add(schema, type, "owner", ValueKind::relationship);
      add(schema, type, "note", ValueKind::json);
      if (name[0] == 'V') add(schema, type, "target", ValueKind::point);
    }
  }

  Random& random() { return random_; }
  const std::vector<TypeId>& types() const { return types_; }
  const std::vector<ValueKind>& kinds() const { return kinds_; }  // of Vehicle and Vessel

  GeoPoint point() { return {random_.between(119.0, 119.6), random_.between(25.9, 26.3)}; }

  Value value(ValueKind kind) {
    switch (kind) {
      case ValueKind::boolean:
        return Value::boolean(random_.chance(0.5));
      case ValueKind::number:
        return Value::number(static_cast<double>(random_.below(40)) / 4);
      case ValueKind::time:
        return Value::time(Timestamp::from_seconds(static_cast<std::int64_t>(random_.below(50))));
      case ValueKind::point:
        return Value::point(point());
      default:
        return Value::of_text_kind(kind,
                                   std::string(random_.below(random_.chance(0.05) ? 2000 : 25),
                                               static_cast<char>('a' + random_.below(4))));
    }
  }

  // Times grow slowly with `now` and scatter back, so that many are late or equal.
  ObservationBatch batch(std::int64_t now, std::size_t rows, std::uint64_t entities = 150) {
    const std::size_t which = random_.below(types_.size());
    ObservationBatch out(types_[which]);
    for (std::size_t i = 0; i < rows; ++i) {
      // The same id is used with several types.
      out.begin_row("urn:ngsi-ld:Thing:" + std::to_string(random_.below(entities)),
                    Timestamp::from_seconds(now - static_cast<std::int64_t>(random_.below(20))));
      const std::size_t first = random_.below(kinds_.size());
      for (std::size_t k = 0; k < kinds_.size(); ++k) {
        const std::size_t attribute = (first + k) % kinds_.size();
        if (which == 2 && attribute == 8) continue;
        if (random_.chance(0.5)) continue;
        out.set(AttributeId(static_cast<std::uint32_t>(attribute)), value(kinds_[attribute]));
      }
    }
    out.finish();
    return out;
  }

 private:
  void add(Schema& schema, TypeId type, const char* name, ValueKind kind) {
    const AttributeId id = *schema.intern_attribute(type, name, kind);
    if (id.index() == kinds_.size()) kinds_.push_back(kind);
  }

  Random random_;
  std::vector<TypeId> types_;
  std::vector<ValueKind> kinds_;
};

}  // namespace ficus::twin
