// The twin against a model that is too simple to be wrong.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "twin/random_city.h"
#include "twin/twin.h"

namespace ficus::twin {
namespace {

class Model {
 public:
  using Key = std::pair<TypeId, std::string>;
  using Cell = std::pair<Timestamp, Value>;

  RowOutcome apply(const ObservationBatch& batch, std::size_t row, bool& is_new) {
    const Key key{batch.type(), std::string(batch.ids()[row])};
    const Timestamp at = batch.observed_at()[row];
    std::map<AttributeId, Value> values;
    std::string print =
        std::to_string(key.first.index()) + key.second + "@" + std::to_string(at.micros);
    for (const Column& column : batch.columns()) {
      if (column.valid[row] != 0) values[column.attribute] = column.value(row);
    }
    for (const auto& [attribute, value] : values) {
      print += "|" + std::to_string(attribute.index()) + "=" + text_of(value);
    }
    is_new = !entities_.contains(key);
    auto& cells = entities_[key];
    if (!seen_.insert(print).second) return RowOutcome::duplicate;
    RowOutcome outcome = is_new ? RowOutcome::applied : RowOutcome::late;
    for (const auto& [attribute, value] : values) {
      const auto known = cells.find(attribute);
      if (known != cells.end() && (known->second.first > at ||
                                   (known->second.first == at && known->second.second == value))) {
        continue;
      }
      cells[attribute] = {at, value};
      outcome = RowOutcome::applied;
    }
    return outcome;
  }

  const std::map<Key, std::map<AttributeId, Cell>>& entities() const { return entities_; }

 private:
  static std::string text_of(const Value& value) {
    switch (value.kind()) {
      case ValueKind::boolean:
        return value.as_boolean() ? "t" : "f";
      case ValueKind::number:
        return std::to_string(value.as_number());
      case ValueKind::time:
        return std::to_string(value.as_time().micros);
      case ValueKind::point: {
        char text[64];
        std::snprintf(text, sizeof text, "%.17g,%.17g", value.as_point().longitude,
                      value.as_point().latitude);
        return text;
      }
      default:
        return value.as_text();
    }
  }

  std::map<Key, std::map<AttributeId, Cell>> entities_;
  std::set<std::string> seen_;
};

void expect_same(const Twin& twin, const Model& model) {
  ASSERT_EQ(twin.entity_count(), model.entities().size());
  for (const auto& [key, cells] : model.entities()) {
    const auto entity = twin.find_entity(key.second, key.first);
    ASSERT_TRUE(entity);
    const EntityView view = twin.entity(*entity);
    ASSERT_EQ(view.id, key.second);
    ASSERT_EQ(view.attributes.size(), cells.size());
    for (const AttributeView& attribute : view.attributes) {
      const auto& [at, value] = cells.at(attribute.attribute);
      ASSERT_EQ(attribute.observed_at, at);
      ASSERT_EQ(attribute.value, value);
    }
  }
}

class TwinModel : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(TwinModel, SaysTheSame) {
  Schema schema;
  RandomCity city(schema, GetParam());
  Twin twin(schema, {});
  Model model;
  AppliedRows rows;
  std::vector<ObservationBatch> sent;
  const AttributeId wanted[] = {AttributeId(5), AttributeId(0), AttributeId(2)};
  for (int step = 0; step < 200; ++step) {
    // Now and then an old batch comes again.
    ObservationBatch batch = !sent.empty() && city.random().chance(0.15)
                                 ? sent[city.random().below(sent.size())]
                                 : city.batch(1000 + step / 4, city.random().below(120));
    ASSERT_TRUE(twin.apply(batch, wanted, rows));
    std::uint32_t counts[3] = {};
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      bool is_new = false;
      const RowOutcome outcome = model.apply(batch, row, is_new);
      ASSERT_EQ(rows.outcome[row], outcome) << "step " << step << " row " << row;
      ASSERT_EQ(rows.is_new_entity[row] != 0, is_new);
      ASSERT_EQ(twin.id_of(rows.entity[row]), batch.ids()[row]);
      ++counts[static_cast<int>(outcome)];
      const auto& cells = model.entities().at({batch.type(), std::string(batch.ids()[row])});
      for (std::size_t w = 0; w < 3; ++w) {
        const auto known = cells.find(wanted[w]);
        ASSERT_EQ(rows.present[w].value(row),
                  known == cells.end() ? Value() : known->second.second);
      }
    }
    EXPECT_EQ(rows.applied_count, counts[0]);
    EXPECT_EQ(rows.late_count, counts[1]);
    EXPECT_EQ(rows.duplicate_count, counts[2]);
    sent.push_back(std::move(batch));
  }
  expect_same(twin, model);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TwinModel, ::testing::Range<std::uint64_t>(1, 9));

TEST(TwinModel, ManyEntitiesAndTypes) {
  Schema schema;
  Twin twin(schema, {});
  AppliedRows rows;
  std::vector<std::pair<TypeId, AttributeId>> types;
  for (int i = 0; i < 40; ++i) {
    const TypeId type = *schema.intern_type("T" + std::to_string(i));
    types.emplace_back(type, *schema.intern_attribute(type, "a", ValueKind::number));
  }
  for (int step = 0; step < 400; ++step) {
    const auto [type, attribute] = types[static_cast<std::size_t>(step % 40)];
    ObservationBatch batch(type);
    for (int i = 0; i < 250; ++i) {
      batch.begin_row("urn:" + std::to_string(step / 80 * 250 + i), {step});
      batch.set_number(attribute, step * 1000 + i);
    }
    batch.finish();
    ASSERT_TRUE(twin.apply(batch, {}, rows));
  }
  EXPECT_EQ(twin.entity_count(), 40U * 5 * 250);
  for (int i = 0; i < 40; ++i) {
    const auto [type, attribute] = types[static_cast<std::size_t>(i)];
    EXPECT_EQ(twin.entity_count(type), 1250U);
    const auto entity = twin.find_entity("urn:1249", type);
    EXPECT_EQ(twin.value(*entity, attribute), Value::number((360 + i) * 1000 + 249));
  }
}

}  // namespace
}  // namespace ficus::twin
