// SPDX-License-Identifier: Apache-2.0
#include "adapters/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <regex>
#include <thread>

#include "adapters/system_clock.h"

namespace mu::adapters {
namespace {

TEST(Signals, AsksToFinishAtTheFirstAndToStopAtTheSecond) {
  Signals signals;
  EXPECT_EQ(signals.Pending(), ports::Interrupt::kNone);
  EXPECT_EQ(signals.Signal(), 0);
  ::raise(SIGTERM);
  EXPECT_EQ(signals.Pending(), ports::Interrupt::kFinishStep);
  ::raise(SIGINT);
  EXPECT_EQ(signals.Pending(), ports::Interrupt::kStopNow);
  EXPECT_EQ(signals.Signal(), SIGTERM);
}

TEST(Signals, SurvivesAClosedPipeAndLeavesNohupAlone) {
  ::signal(SIGHUP, SIG_IGN);
  {
    Signals signals;
    ::raise(SIGPIPE);
    ::raise(SIGHUP);
    EXPECT_EQ(signals.Pending(), ports::Interrupt::kNone);
  }
  struct sigaction now {};
  ::sigaction(SIGHUP, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_IGN);
  ::sigaction(SIGPIPE, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
  ::signal(SIGHUP, SIG_DFL);
}

TEST(SystemClock, EndsASleepWhenASignalComes) {
  Signals signals;
  SystemClock clock(&signals);
  std::thread presser([] {
    SystemClock().Sleep(Millis(100));
    ::kill(::getpid(), SIGINT);
  });
  const Millis start = clock.Monotonic();
  clock.Sleep(Millis(20'000));
  const Millis woken = clock.Monotonic();
  presser.join();
  EXPECT_LT(woken - start, Millis(2000));
  clock.Sleep(Millis(150));  // the pending one must not make it spin
  EXPECT_GE(clock.Monotonic() - woken, Millis(150));
}

TEST(SystemClock, WritesWallTimeForPeople) {
  EXPECT_TRUE(std::regex_match(SystemClock().WallTime(),
                               std::regex(R"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
}

}  // namespace
}  // namespace mu::adapters
