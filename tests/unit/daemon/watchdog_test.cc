#include "daemon/watchdog.h"

#include <gtest/gtest.h>

namespace yushi::daemon {
namespace {

TEST(Watchdog, AStageThatRestsIsWellHoweverLong) {
  storage::Pulse pulse;
  Watchdog watchdog;
  watchdog.watch("sealer", pulse);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(watchdog.stuck(), "");
  pulse.step();
  pulse.rest();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(watchdog.stuck(), "");
}

TEST(Watchdog, AStageThatStandsAtAStepIsStuckUntilItMoves) {
  storage::Pulse pulse;
  Watchdog watchdog;
  watchdog.watch("sealer", pulse);
  pulse.step();
  EXPECT_EQ(watchdog.stuck(), "") << "it has moved since nobody looked";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(watchdog.stuck(), "sealer");
  pulse.step();
  EXPECT_EQ(watchdog.stuck(), "");
  EXPECT_EQ(watchdog.stuck(), "sealer");
  pulse.rest();
  EXPECT_EQ(watchdog.stuck(), "");
}

TEST(Watchdog, OneStageThatHangsIsNotHiddenByOthersThatMove) {
  storage::Pulse moving, hanging, resting;
  Watchdog watchdog;
  watchdog.watch("moving", moving);
  watchdog.watch("hanging", hanging);
  watchdog.watch("resting", resting);
  hanging.step();
  moving.step();
  EXPECT_EQ(watchdog.stuck(), "");
  for (int i = 0; i < 3; ++i) {
    moving.step();
    EXPECT_EQ(watchdog.stuck(), "hanging");
  }
}

// A stage may move once between two good looks, while another one is late.
TEST(Watchdog, AStepIsRememberedWhileAnotherStageIsLate) {
  storage::Pulse a, b;
  Watchdog watchdog;
  watchdog.watch("a", a);
  watchdog.watch("b", b);
  a.step();
  b.step();
  EXPECT_EQ(watchdog.stuck(), "");
  a.step();
  EXPECT_EQ(watchdog.stuck(), "b");
  b.step();
  EXPECT_EQ(watchdog.stuck(), "");
  EXPECT_EQ(watchdog.stuck(), "a, b");
}

}  // namespace
}  // namespace yushi::daemon
