// SPDX-License-Identifier: Apache-2.0
// The crash enumeration: the power is cut at every boundary of a run, and at every boundary of the
// run that follows. Whatever the disk kept of what was not synced, going on ends in the same world.
#include <gtest/gtest.h>

#include "unit/run/toy_world.h"

namespace mu::run {
namespace {

using Keep = fakes::UnsyncedFiles::Keep;

// Runs with the power cut at the n-th boundary from now. True: the run ended before that.
bool RunWithCut(toy::Machine& machine, const plan::Plan& plan, int n, Keep keep) {
  machine.fuse.CutAt(n);
  try {
    const Outcome outcome = machine.Run(plan);
    machine.fuse.CutAt(0);
    EXPECT_EQ(outcome.kind, Outcome::Kind::kDone)
        << (outcome.error ? outcome.error->Text() : std::string("?"));
    return true;
  } catch (const fakes::PowerCut&) {
    machine.fuse.CutAt(0);
    machine.files.PowerOn(keep);
    return false;
  }
}

// What every end must look like: all switches on, each turned once, every step done, one outage
// window.
void ExpectWhole(toy::Machine& machine, const plan::Plan& plan, int cuts) {
  std::size_t opened = 0;
  std::size_t closed = 0;
  const std::vector<Record> records = machine.Records();
  for (const Record& record : records) {
    opened += record.event == "outage-opened" ? 1 : 0;
    closed += record.event == "outage-closed" ? 1 : 0;
  }
  EXPECT_EQ(opened, 1u);
  EXPECT_EQ(closed, 1u);
  for (const plan::Step& step : plan.steps) {
    const StepState state = StateOf(records, "forward", step.id);
    EXPECT_EQ(state.last, StepState::Last::kDone) << step.id;
    EXPECT_LE(state.attempts, 1 + cuts) << step.id;
    if (plan::RowOf(step.kind).is_read_only) continue;
    for (const std::string& part : toy::PartsOf(step)) {
      EXPECT_TRUE(machine.world.is_on[part]) << part;
      // Seen comes before Act: a switch that is on is never turned again.
      EXPECT_EQ(machine.world.turns[part], 1) << part;
    }
  }
  EXPECT_LE(machine.world.looks, 1 + cuts);
}

int BoundariesOf(const plan::Plan& plan) {
  toy::Machine machine;
  EXPECT_TRUE(RunWithCut(machine, plan, 0, Keep::kNothing));
  const int boundaries = machine.fuse.Passed();
  ExpectWhole(machine, plan, 0);
  return boundaries;
}

TEST(Crash, OnceAnywhere) {
  const plan::Plan plan = toy::FiveSteps();
  const int boundaries = BoundariesOf(plan);
  EXPECT_GT(boundaries, 40);
  for (const Keep keep : {Keep::kNothing, Keep::kHalf, Keep::kAll}) {
    for (int n = 1; n <= boundaries; ++n) {
      SCOPED_TRACE(n);
      toy::Machine machine;
      ASSERT_FALSE(RunWithCut(machine, plan, n, keep));
      ASSERT_TRUE(RunWithCut(machine, plan, 0, keep));
      ExpectWhole(machine, plan, 1);
      if (HasFailure()) return;
    }
  }
}

TEST(Crash, TwiceAnywhere) {
  const plan::Plan plan = toy::FiveSteps();
  const int boundaries = BoundariesOf(plan);
  int pairs = 0;
  for (const Keep keep : {Keep::kNothing, Keep::kHalf, Keep::kAll}) {
    for (int first = 1; first <= boundaries; ++first) {
      for (int second = 1;; ++second) {
        SCOPED_TRACE(fmt::format("{} {}", first, second));
        toy::Machine machine;
        ASSERT_FALSE(RunWithCut(machine, plan, first, keep));
        const bool ended = RunWithCut(machine, plan, second, keep);
        if (!ended) {
          ASSERT_TRUE(RunWithCut(machine, plan, 0, keep));
        }
        ExpectWhole(machine, plan, ended ? 1 : 2);
        if (HasFailure()) return;
        if (ended) break;
        ++pairs;
      }
    }
  }
  EXPECT_GT(pairs, 1000);
}

// An error instead of a cut: the run ends with it, and going on finishes.
TEST(Crash, AnErrorAnywhere) {
  const plan::Plan plan = toy::FiveSteps();
  const int boundaries = BoundariesOf(plan);
  for (int n = 1; n <= boundaries; ++n) {
    SCOPED_TRACE(n);
    toy::Machine machine;
    machine.fuse.FailAt(n, Error{ErrorCode::kDiskFull, "no space", "", {}});
    const Outcome outcome = machine.Run(plan);
    ASSERT_EQ(outcome.kind, Outcome::Kind::kFailed);
    ASSERT_EQ(outcome.error->code, ErrorCode::kDiskFull);
    ASSERT_TRUE(RunWithCut(machine, plan, 0, Keep::kAll));
    ExpectWhole(machine, plan, 1);
  }
}

}  // namespace
}  // namespace mu::run
