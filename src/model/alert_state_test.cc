#include "model/alert_state.h"

#include <gtest/gtest.h>

namespace ficus {
namespace {

using enum AlertState;
using enum AlertEvent;

constexpr AlertState kStates[] = {raised, acknowledged, assigned, cleared, closed};
constexpr AlertEvent kEvents[] = {condition_met, operator_acknowledge, operator_assign,
                                  condition_gone, operator_close};

TEST(AlertState, EveryStepOfTheTable) {
  constexpr AlertState kTable[5][5] = {
      // met        acknowledge   assign    gone     close
      {raised, acknowledged, assigned, cleared, closed},        // raised
      {acknowledged, acknowledged, assigned, cleared, closed},  // acknowledged
      {assigned, assigned, assigned, cleared, closed},          // assigned
      {raised, cleared, cleared, cleared, closed},              // cleared
      {closed, closed, closed, closed, closed},                 // closed
  };
  for (std::size_t s = 0; s < 5; ++s) {
    for (std::size_t e = 0; e < 5; ++e) {
      EXPECT_EQ(next(kStates[s], kEvents[e]), kTable[s][e]) << s << ' ' << e;
    }
  }
}

TEST(AlertState, StepsThatAreNotAllowedChangeNothing) {
  for (const AlertState state : kStates) {
    for (const AlertEvent event : kEvents) {
      if (!is_allowed(state, event)) {
        EXPECT_EQ(next(state, event), state);
      }
    }
  }
}

TEST(AlertState, OperatorSteps) {
  EXPECT_TRUE(is_allowed(raised, operator_acknowledge));
  EXPECT_FALSE(is_allowed(acknowledged, operator_acknowledge));
  EXPECT_FALSE(is_allowed(cleared, operator_assign));
  EXPECT_TRUE(is_allowed(assigned, operator_assign));
  EXPECT_TRUE(is_allowed(cleared, operator_close));
  EXPECT_FALSE(is_allowed(closed, operator_close));
  EXPECT_TRUE(is_allowed(closed, condition_met));
  EXPECT_TRUE(is_allowed(closed, condition_gone));
}

TEST(AlertState, OpenMeansTheConditionHolds) {
  for (const AlertState state : kStates) {
    EXPECT_EQ(is_open(state), state != cleared && state != closed);
  }
}

TEST(AlertState, NamesRoundTrip) {
  for (const AlertState state : kStates) {
    EXPECT_EQ(alert_state_from_name(alert_state_name(state)), state);
  }
  EXPECT_EQ(alert_state_from_name("open"), std::nullopt);
  EXPECT_EQ(alert_state_from_name(""), std::nullopt);
}

}  // namespace
}  // namespace ficus
