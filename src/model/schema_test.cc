#include "model/schema.h"

#include <gtest/gtest.h>

namespace ficus {
namespace {

TEST(Schema, LearnsOnceAndRefusesAnotherKind) {
  Schema schema;
  const TypeId vehicle = schema.intern_type("Vehicle").value();
  EXPECT_EQ(schema.intern_type("Vehicle"), vehicle);
  const AttributeId speed = schema.intern_attribute(vehicle, "speed", ValueKind::number).value();
  EXPECT_EQ(schema.intern_attribute(vehicle, "speed", ValueKind::number), speed);
  const auto conflict = schema.intern_attribute(vehicle, "speed", ValueKind::text);
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().code, ErrorCode::conflict);
  EXPECT_EQ(conflict.error().message, "Vehicle.speed is a number, not a text");
}

TEST(Schema, HasLimitsAndNames) {
  Schema schema({.types_max = 1, .attributes_per_type_max = 1});
  EXPECT_FALSE(schema.intern_type("9lives"));
  EXPECT_FALSE(schema.intern_type("drop table"));
  const TypeId type = schema.intern_type("A").value();
  EXPECT_EQ(schema.intern_type("B").error().code, ErrorCode::overloaded);
  EXPECT_TRUE(schema.intern_attribute(type, "a", ValueKind::number));
  EXPECT_EQ(schema.intern_attribute(type, "b", ValueKind::number).error().code,
            ErrorCode::overloaded);
}

}  // namespace
}  // namespace ficus
