// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/executor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/run/toy_world.h"

namespace mu::run {
namespace {

using Last = StepState::Last;

std::vector<std::string> Story(const std::vector<Record>& records) {
  std::vector<std::string> story;
  for (const Record& record : records) {
    static constexpr const char* kNames[] = {"started", "intent", "done", "failed",
                                             "command", "event",  "ended"};
    std::string line = kNames[static_cast<int>(record.type)];
    if (!record.event.empty()) line = record.event;
    if (record.is_skipped) line = "skipped";
    story.push_back(line + " " + record.step);
  }
  return story;
}

Record RecordOf(RecordType type, const std::string& step, const std::string& phase = "forward") {
  Record record;
  record.type = type;
  record.step = step;
  record.phase = phase;
  return record;
}

TEST(StateOf, FollowsTheRecordsOfItsPhaseAndStep) {
  std::vector<Record> records = {RecordOf(RecordType::kIntent, "a"),
                                 RecordOf(RecordType::kIntent, "b"),
                                 RecordOf(RecordType::kIntent, "a", "rollback")};
  EXPECT_EQ(StateOf(records, "forward", "a").last, Last::kIntent);
  EXPECT_EQ(StateOf(records, "forward", "a").attempts, 1);
  EXPECT_TRUE(StateOf(records, "forward", "a").acted);
  EXPECT_EQ(StateOf(records, "forward", "c").last, Last::kNone);
  Record failed = RecordOf(RecordType::kFailed, "b");
  failed.evidence = {{"not_acted", "true"}};
  records.push_back(failed);
  EXPECT_EQ(StateOf(records, "forward", "b").last, Last::kFailed);
  EXPECT_FALSE(StateOf(records, "forward", "b").acted);
  // Cut after an intent, then entered again and failed before acting: the first may have acted.
  records.push_back(RecordOf(RecordType::kIntent, "a"));
  failed.step = "a";
  records.push_back(failed);
  EXPECT_TRUE(StateOf(records, "forward", "a").acted);
}

TEST(NextMove, IsTheResumeTable) {
  using plan::OnCrash;
  const auto move = [](Last last, bool acted, OnCrash on_crash, int attempts = 1) {
    StepState state;
    state.last = last;
    state.acted = acted;
    state.attempts = attempts;
    return NextMove(state, on_crash);
  };
  for (const OnCrash on_crash : {OnCrash::kReobserve, OnCrash::kRestoreThenRetry, OnCrash::kAsk}) {
    EXPECT_EQ(move(Last::kNone, false, on_crash, 0), Move::kStart);
    EXPECT_EQ(move(Last::kDone, true, on_crash), Move::kCheckDone);
    EXPECT_EQ(move(Last::kDone, true, on_crash, 99), Move::kCheckDone);
    EXPECT_EQ(move(Last::kFailed, false, on_crash), Move::kStart);
    EXPECT_EQ(move(Last::kIntent, true, on_crash, kMaxAttempts), Move::kLoopGuard);
  }
  for (const Last last : {Last::kIntent, Last::kFailed}) {
    EXPECT_EQ(move(last, true, OnCrash::kReobserve), Move::kReobserve);
    EXPECT_EQ(move(last, true, OnCrash::kRestoreThenRetry), Move::kRestoreThenRetry);
    EXPECT_EQ(move(last, true, OnCrash::kAsk), Move::kAsk);
  }
}

TEST(Executor, WritesTheWholeStory) {
  toy::Machine machine;
  EXPECT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
  EXPECT_EQ(
      Story(machine.Records()),
      (std::vector<std::string>{"intent backup", "done backup", "intent stop", "outage-opened stop",
                                "done stop", "intent file", "done file", "intent up", "done up",
                                "intent gate", "outage-closed gate", "done gate"}));
  // Again: nothing is acted upon and nothing written.
  EXPECT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
  EXPECT_EQ(machine.Records().size(), 12u);
  for (const auto& [step, turns] : machine.world.turns) EXPECT_EQ(turns, 1) << step;
  EXPECT_EQ(machine.world.looks, 1);
}

// The intent is on the disk before the effect.
TEST(Executor, SyncsTheIntentBeforeItActs) {
  toy::Machine machine;
  ASSERT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
  const auto& names = machine.fuse.Names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].starts_with("before act")) continue;
    for (std::size_t j = i; j-- > 0;) {
      ASSERT_NE(names[j], "append /run/journal") << "unsynced before " << names[i];
      if (names[j] == "sync /run/journal") break;
    }
  }
}

TEST(Executor, WhatIsAlreadySoIsSkipped) {
  toy::Machine machine;
  machine.world.is_on["file"] = true;
  machine.world.is_on["stop"] = true;
  EXPECT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
  EXPECT_EQ(machine.world.turns.count("file"), 0u);
  const auto story = Story(machine.Records());
  EXPECT_EQ(story[3], "outage-opened stop");
  EXPECT_EQ(story[4], "skipped stop");
  EXPECT_EQ(story[6], "skipped file");
}

TEST(Executor, AFailureEndsTheRunAndIsTriedAgain) {
  toy::Machine machine;
  machine.world.act_errors["file"] = Error{ErrorCode::kDiskFull, "no space", "", {}};
  const Outcome outcome = machine.Run(toy::FiveSteps());
  EXPECT_EQ(outcome.kind, Outcome::Kind::kFailed);
  EXPECT_EQ(outcome.step, "file");
  EXPECT_EQ(outcome.error->code, ErrorCode::kDiskFull);
  EXPECT_EQ(outcome.error->context, std::vector<std::string>{"step file"});
  EXPECT_EQ(machine.Records().back().type, RecordType::kFailed);
  EXPECT_EQ(machine.world.turns.count("up/standalone"), 0u);

  machine.world.act_errors.clear();
  EXPECT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
  EXPECT_EQ(StateOf(machine.Records(), "forward", "file").attempts, 2);
}

TEST(Executor, AShutGatePauses) {
  toy::Machine machine;
  machine.world.is_gate_open = false;
  EXPECT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kPaused);
  machine.world.is_gate_open = true;
  EXPECT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
  EXPECT_EQ(machine.world.turns["up/standalone"], 1);
}

TEST(Executor, TheLoopGuardStops) {
  toy::Machine machine;
  machine.world.act_errors["backup"] = Error{ErrorCode::kBackupBad, "again", "", {}};
  for (int i = 0; i < kMaxAttempts; ++i)
    EXPECT_EQ(machine.Run(toy::FiveSteps()).error->code, ErrorCode::kBackupBad);
  const std::size_t records = machine.Records().size();
  const Outcome outcome = machine.Run(toy::FiveSteps());
  EXPECT_EQ(outcome.error->code, ErrorCode::kLoopGuard);
  EXPECT_EQ(outcome.kind, Outcome::Kind::kFailed);
  EXPECT_EQ(machine.Records().size(), records);
}

// Past the point of no return there is nothing but to wait again, once the cause is mended.
TEST(Executor, TheLoopGuardDoesNotCountAGateThatWaitedInVain) {
  toy::Machine machine;
  machine.world.is_gate_open = false;
  for (int i = 0; i < 2 * kMaxAttempts; ++i)
    ASSERT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kPaused) << i;
  machine.world.is_gate_open = true;
  EXPECT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
}

// Five attempts that an engine spoiled by being away say nothing of the step.
TEST(Executor, TheLoopGuardDoesNotCountAnEngineThatWasAway) {
  toy::Machine machine;
  machine.world.act_errors["backup"] = Error{ErrorCode::kDockerDown, "away", "", {}};
  for (int i = 0; i < 2 * kMaxAttempts; ++i)
    ASSERT_EQ(machine.Run(toy::FiveSteps()).error->code, ErrorCode::kDockerDown) << i;
  machine.world.act_errors.clear();
  EXPECT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
}

TEST(Executor, BrokenExpectationsStopBeforeTheEffect) {
  toy::Machine machine;
  plan::Plan plan = toy::FiveSteps();
  plan.steps[3].expects = {{plan::Expectation::Kind::kContainersDown, {"milvus"}, ""}};
  machine.world.broken[plan::Expectation::Kind::kContainersDown] =
      Error{ErrorCode::kContainerStarted, "milvus was started", "", {}};
  const Outcome outcome = machine.Run(plan);
  EXPECT_EQ(outcome.error->code, ErrorCode::kContainerStarted);
  EXPECT_EQ(machine.world.turns.count("up/standalone"), 0u);
  EXPECT_FALSE(StateOf(machine.Records(), "forward", "up").acted);
  // Still refused: nothing of ours can have started it.
  EXPECT_EQ(machine.Run(plan).error->code, ErrorCode::kContainerStarted);

  // After an attempt that was cut, its own containers may be up.
  machine.world.broken.clear();
  machine.world.act_errors["up"] = Error{ErrorCode::kComposeFailed, "half of it", "", {}};
  EXPECT_EQ(machine.Run(plan).error->code, ErrorCode::kComposeFailed);
  machine.world.act_errors.clear();
  machine.world.broken[plan::Expectation::Kind::kContainersDown] =
      Error{ErrorCode::kContainerStarted, "milvus was started", "", {}};
  EXPECT_EQ(machine.Run(plan).kind, Outcome::Kind::kDone);
}

TEST(Executor, DriftOfADoneStepStops) {
  toy::Machine machine;
  ASSERT_EQ(machine.Run(toy::FiveSteps(), "up").kind, Outcome::Kind::kPaused);
  machine.world.is_on["file"] = false;
  const Outcome outcome = machine.Run(toy::FiveSteps());
  EXPECT_EQ(outcome.error->code, ErrorCode::kDrift);
  EXPECT_EQ(outcome.step, "file");
  EXPECT_NE(outcome.error->message.find("switch = on"), std::string::npos);
  EXPECT_EQ(machine.world.turns.count("up/standalone"), 0u);
}

TEST(Executor, AStopIsNotDriftOnceItsServiceWasBroughtUp) {
  toy::Machine machine;
  machine.world.is_gate_open = false;
  ASSERT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kPaused);
  machine.world.is_on["stop"] = false;
  machine.world.is_gate_open = true;
  EXPECT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
  EXPECT_EQ(machine.world.turns["stop"], 1) << "nor is it done again";
}

// Five steps, of which the third has failed half way in an earlier attempt.
plan::Plan FailedInFile(toy::Machine& machine, plan::OnCrash on_crash) {
  plan::Plan plan = toy::FiveSteps();
  plan.steps[2].on_crash = on_crash;
  machine.world.act_errors["file"] = Error{ErrorCode::kCommandFailed, "half", "", {}};
  EXPECT_EQ(machine.Run(plan).kind, Outcome::Kind::kFailed);
  machine.world.act_errors.clear();
  return plan;
}

TEST(Executor, ACutStepThatMustNotBeRepeatedIsLeftAlone) {
  toy::Machine machine;
  const plan::Plan plan = FailedInFile(machine, plan::OnCrash::kAsk);
  EXPECT_EQ(machine.Run(plan).error->code, ErrorCode::kDrift);
  EXPECT_EQ(machine.world.turns.count("file"), 0u);
}

TEST(Executor, ACutStepThatNeedsItIsRestoredAndThenDoneAnew) {
  toy::Machine machine;
  const plan::Plan plan = FailedInFile(machine, plan::OnCrash::kRestoreThenRetry);
  machine.world.is_on["file"] = true;  // as far as that attempt came
  ASSERT_EQ(machine.Run(plan).kind, Outcome::Kind::kDone);
  EXPECT_EQ(machine.world.restores["file"], 1);
  EXPECT_EQ(machine.world.turns["file"], 1);
  const auto story = Story(machine.Records());
  const std::vector<std::string> wanted = {"intent file", "restored file", "done file"};
  EXPECT_NE(std::search(story.begin(), story.end(), wanted.begin(), wanted.end()), story.end());
}

TEST(Executor, WhatCannotBeRestoredIsNotDoneAnew) {
  toy::Machine machine;
  const plan::Plan plan = FailedInFile(machine, plan::OnCrash::kRestoreThenRetry);
  machine.world.restore_errors["file"] = Error{ErrorCode::kBackupBad, "cut", "", {}};
  EXPECT_EQ(machine.Run(plan).error->code, ErrorCode::kBackupBad);
  EXPECT_EQ(machine.world.turns.count("file"), 0u);
  // And is tried again, the restore first.
  machine.world.restore_errors.clear();
  EXPECT_EQ(machine.Run(plan).kind, Outcome::Kind::kDone);
  EXPECT_EQ(machine.world.restores["file"], 1);
}

TEST(Executor, WhatIsHeldDownIsHeldDownAgain) {
  toy::Machine machine;
  ASSERT_EQ(machine.Run(toy::FiveSteps(), "up").kind, Outcome::Kind::kPaused);
  machine.world.is_on["stop"] = false;  // someone started it
  ASSERT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
  EXPECT_EQ(machine.world.turns["stop"], 2);
  EXPECT_EQ(machine.world.turns["file"], 1);
}

// What a gate has seen is worth nothing once what it looked at was done again.
TEST(Executor, AGateIsPassedAgainAfterWhatWasDoneAgain) {
  toy::Machine machine;
  ASSERT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
  ASSERT_EQ(machine.world.looks, 1);
  machine.world.is_on["up/proxy"] = false;
  ASSERT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
  EXPECT_EQ(machine.world.turns["up/proxy"], 2);
  EXPECT_EQ(machine.world.looks, 2);
}

// The baseline is of the old version: with that stopped, it cannot be asked again.
TEST(Executor, AGateOfBeforeTheStopIsNotPassedAgain) {
  toy::Machine machine;
  plan::Plan plan = toy::FiveSteps();
  plan::Step baseline = plan.steps.back();
  baseline.id = "baseline";
  baseline.kind = plan::StepKind::kVerifyData;
  baseline.args = plan::VerifyData{{"ask"}, true, false};
  baseline.outage = plan::OutageMark::kNone;
  plan.steps.insert(plan.steps.begin() + 1, baseline);
  ASSERT_EQ(machine.Run(plan, "up").kind, Outcome::Kind::kPaused);
  ASSERT_EQ(machine.world.looks, 1);
  machine.world.is_on["backup"] = false;
  ASSERT_EQ(machine.Run(plan).kind, Outcome::Kind::kDone);
  EXPECT_EQ(machine.world.turns["backup"], 2);
  EXPECT_EQ(machine.world.looks, 2) << "only the gate at the end";
}

TEST(Executor, StopsAfterTheStepThatWasNamed) {
  toy::Machine machine;
  const Outcome outcome = machine.Run(toy::FiveSteps(), "", "stop");
  EXPECT_EQ(outcome.kind, Outcome::Kind::kPaused);
  EXPECT_EQ(outcome.error, std::nullopt);
  EXPECT_EQ(outcome.step, "file");
  EXPECT_EQ(machine.world.turns["stop"], 1);
  EXPECT_EQ(machine.world.turns.count("file"), 0u);
  EXPECT_EQ(machine.Run(toy::FiveSteps(), "", "gate").kind, Outcome::Kind::kDone);
}

TEST(Executor, ThePauseBeforeAStepThatIsDoneIsOver) {
  toy::Machine machine;
  ASSERT_EQ(machine.Run(toy::FiveSteps(), "file").step, "file");
  ASSERT_EQ(machine.Run(toy::FiveSteps(), "", "file").kind, Outcome::Kind::kPaused);
  EXPECT_EQ(machine.Run(toy::FiveSteps(), "file").kind, Outcome::Kind::kDone);
}

TEST(Executor, TheFirstSignalStopsBeforeTheNextStep) {
  toy::Machine machine;
  machine.interrupts.Raise(ports::Interrupt::kFinishStep);
  const Outcome outcome = machine.Run(toy::FiveSteps());
  EXPECT_EQ(outcome.kind, Outcome::Kind::kInterrupted);
  EXPECT_EQ(outcome.step, "backup");
  EXPECT_TRUE(machine.Records().empty());
}

TEST(Executor, ASignalInAGateIsResumable) {
  toy::Machine machine;
  machine.world.is_gate_open = false;
  ASSERT_EQ(machine.Run(toy::FiveSteps(), "gate").kind, Outcome::Kind::kPaused);
  machine.clock.OnAdvance([](Millis) {});
  class Late : public ports::Interrupts {
   public:
    ports::Interrupt Pending() override {
      return ++asked_ > 5 ? ports::Interrupt::kFinishStep : ports::Interrupt::kNone;
    }
    int Signal() override { return 2; }

   private:
    int asked_ = 0;
  } late;
  auto journal = Journal::Open(machine.files, machine.clock, "/run/journal");
  ASSERT_TRUE(journal);
  const Outcome outcome =
      Execute(toy::FiveSteps(), "forward",
              {machine.effects, **journal, machine.clock, late, machine.progress, "/run"}, {});
  EXPECT_EQ(outcome.kind, Outcome::Kind::kInterrupted);
  EXPECT_EQ(outcome.step, "gate");
  EXPECT_EQ(outcome.error->code, ErrorCode::kInterrupted);
}

const Error kAway{ErrorCode::kDockerDown, "the engine does not answer", "", {}};

// `step` answers that the engine is away until the clock says `until`.
void AwayUntil(toy::Machine& machine, const std::string& step, Millis until) {
  machine.world.act_errors[step] = kAway;
  machine.clock.OnAdvance([&machine, step, until](Millis now) {
    if (now >= until) machine.world.act_errors.erase(step);
  });
}

TEST(Executor, WaitsInTheOutageForAnEngineThatIsAway) {
  toy::Machine machine;
  AwayUntil(machine, "file", Millis(20'000));
  ASSERT_EQ(machine.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
  EXPECT_EQ(machine.world.turns["file"], 1);
  const auto story = Story(machine.Records());
  const std::vector<std::string> wanted = {"intent file", "away file", "back file", "done file"};
  EXPECT_NE(std::search(story.begin(), story.end(), wanted.begin(), wanted.end()), story.end());
  EXPECT_LE(machine.clock.Monotonic(), Millis(22'000));
  const auto& texts = machine.progress.texts;
  EXPECT_NE(std::find(texts.begin(), texts.end(),
                      "the engine does not answer; tried again for up to 1m00s"),
            texts.end());
}

TEST(Executor, GivesUpOnAnEngineThatStaysAway) {
  for (const Millis timeout : {Millis(600'000), Millis(5'000)}) {
    toy::Machine machine;
    plan::Plan plan = toy::FiveSteps();
    plan.steps[2].timeout = timeout;
    machine.world.act_errors["file"] = kAway;
    const Outcome outcome = machine.Run(plan);
    EXPECT_EQ(outcome.kind, Outcome::Kind::kFailed);
    EXPECT_EQ(outcome.error->code, ErrorCode::kDockerDown);
    EXPECT_EQ(machine.clock.Monotonic(), std::min(timeout, Millis(60'000)));
    EXPECT_EQ(StateOf(machine.Records(), "forward", "file").attempts, 1);
  }
}

TEST(Executor, NothingIsWaitedForWhileTheOldVersionServes) {
  toy::Machine machine;
  machine.world.act_errors["stop"] = kAway;
  plan::Plan plan = toy::FiveSteps();
  plan.steps[1].outage = plan::OutageMark::kNone;
  EXPECT_EQ(machine.Run(plan).error->code, ErrorCode::kDockerDown);
  EXPECT_EQ(machine.clock.Monotonic(), Millis(0));
}

TEST(Executor, OtherErrorsInTheOutageAreNotTriedAgain) {
  toy::Machine machine;
  machine.world.act_errors["file"] = Error{ErrorCode::kCommandTimeout, "hangs", "", {}};
  EXPECT_EQ(machine.Run(toy::FiveSteps()).error->code, ErrorCode::kCommandTimeout);
  EXPECT_EQ(machine.clock.Monotonic(), Millis(0));
}

TEST(Executor, AStepThatMustNotBeRepeatedIsNotTriedAgainOnceItActed) {
  for (const bool has_acted : {true, false}) {
    toy::Machine machine;
    plan::Plan plan = toy::FiveSteps();
    plan.steps[2].on_crash = plan::OnCrash::kRestoreThenRetry;
    if (has_acted) {
      AwayUntil(machine, "file", Millis(20'000));
    } else {
      plan.steps[2].expects = {{plan::Expectation::Kind::kFileHash, {"/f"}, ""}};
      machine.world.broken[plan::Expectation::Kind::kFileHash] = kAway;
      machine.clock.OnAdvance([&](Millis now) {
        if (now >= Millis(20'000)) machine.world.broken.clear();
      });
    }
    EXPECT_EQ(machine.Run(plan).kind, has_acted ? Outcome::Kind::kFailed : Outcome::Kind::kDone);
  }
}

TEST(Executor, ASignalEndsTheWaitForTheEngine) {
  toy::Machine machine;
  machine.world.act_errors["file"] = kAway;
  machine.clock.OnAdvance([&](Millis now) {
    if (now >= Millis(3'000)) machine.interrupts.Raise(ports::Interrupt::kFinishStep);
  });
  const Outcome outcome = machine.Run(toy::FiveSteps());
  EXPECT_EQ(outcome.kind, Outcome::Kind::kInterrupted);
  EXPECT_EQ(machine.clock.Monotonic(), Millis(3'000));
  const auto& kinds = machine.progress.kinds;
  EXPECT_EQ(kinds.back(), ProgressEvent::Kind::kStepInterrupted);
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), ProgressEvent::Kind::kStepFailed), 0);
}

// The journal's error is the run's: no effect without a record that is on the disk.
TEST(Executor, NoEffectAfterAJournalError) {
  toy::Machine whole;
  ASSERT_EQ(whole.Run(toy::FiveSteps()).kind, Outcome::Kind::kDone);
  int failures = 0;
  for (int n = 1; n <= whole.fuse.Passed(); ++n) {
    const std::string& name = whole.fuse.Names()[static_cast<std::size_t>(n) - 1];
    if (name != "append /run/journal" && name != "sync /run/journal") continue;
    toy::Machine machine;
    machine.fuse.FailAt(n, Error{ErrorCode::kFileSync, "fsync", "", {}});
    const Outcome outcome = machine.Run(toy::FiveSteps());
    ASSERT_EQ(outcome.kind, Outcome::Kind::kFailed) << name << n;
    ASSERT_EQ(outcome.error->code, ErrorCode::kFileSync);
    ASSERT_EQ(machine.fuse.Passed(), n) << "something was done after it";
    ++failures;
  }
  EXPECT_EQ(failures, 24);  // 12 records
}

}  // namespace
}  // namespace mu::run
