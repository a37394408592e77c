// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/run_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "fakes/hand_clock.h"
#include "fakes/unsynced_files.h"
#include "unit/run/toy_world.h"

namespace mu::run {
namespace {

class Store : public testing::Test {
 protected:
  std::unique_ptr<Journal> JournalOf(const RunFiles& run) {
    return *Journal::Open(files_, clock_, run.JournalPath());
  }
  Status AppendIntent(Journal& journal, const std::string& step) {
    Record intent;
    intent.type = RecordType::kIntent;
    intent.step = step;
    return journal.Append(intent);
  }
  // The second step of the plan is the first that changes anything.
  static plan::Plan ReadsThenTouches() {
    plan::Plan plan = toy::FiveSteps();
    for (plan::Step& step : plan.steps) step.undo = plan::Undo::kNone;
    plan.steps[1].undo = plan::Undo::kInverse;
    return plan;
  }
  fakes::Fuse fuse_;
  fakes::UnsyncedFiles files_{fuse_};
  fakes::HandClock clock_;
  RunStore store_{files_, clock_, "/p/.milvus-upgrade"};
  plan::Plan plan_ = ReadsThenTouches();
};

TEST_F(Store, IsEmptyBeforeTheFirstRun) {
  EXPECT_TRUE(store_.Ids()->empty());
  EXPECT_EQ(store_.Find("").error().code, ErrorCode::kNoSuchRun);
}

TEST_F(Store, LocksAndHidesItself) {
  const auto lock = store_.Lock("pid 7 on host");
  ASSERT_TRUE(lock);
  const auto second = store_.Lock("pid 8");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
  EXPECT_NE(second.error().message.find("pid 7 on host"), std::string::npos);
  EXPECT_EQ(*files_.Read("/p/.milvus-upgrade/.gitignore"), "*\n");
}

TEST_F(Store, KeepsWhatItWasGiven) {
  const auto run = store_.Create(plan_);
  ASSERT_TRUE(run) << run.error().Text();
  EXPECT_TRUE(run->id.starts_with("20260102-000000-")) << run->id;
  ASSERT_TRUE(Begin(*JournalOf(*run), plan::HashOf(plan_)));
  ASSERT_TRUE(store_.SaveRollback(*run, plan_));
  const auto stored = store_.Load(run->id);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->plan, plan_);
  EXPECT_EQ(stored->rollback, plan_);
  EXPECT_EQ(stored->records.size(), 1u);
  EXPECT_FALSE(stored->damage);
  EXPECT_EQ((*files_.Stat(run->PlanPath()))->mode, 0600u);
}

TEST_F(Store, FindsTheNewestAndByPrefix) {
  const auto first = store_.Create(plan_);
  clock_.Advance(Millis(2000));
  const auto second = store_.Create(plan_);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*store_.Ids(), (std::vector<std::string>{first->id, second->id}));
  EXPECT_EQ(store_.Find("")->files.id, second->id);
  EXPECT_EQ(store_.Find("20260102-000000")->files.id, first->id);
  const auto both = store_.Find("2026");
  ASSERT_FALSE(both);
  EXPECT_NE(both.error().message.find(second->id), std::string::npos);
  EXPECT_EQ(store_.Find("1999").error().code, ErrorCode::kNoSuchRun);
  EXPECT_EQ(store_.Load("nothing").error().code, ErrorCode::kNoSuchRun);
}

TEST_F(Store, EndStatesAreWhatTheJournalSays) {
  const auto run = *store_.Create(plan_);
  const auto state = [&] { return store_.Load(run.id)->EndState(); };
  const auto is_open = [&] { return store_.Load(run.id)->IsOpen(); };
  EXPECT_EQ(state(), "unfinished");
  EXPECT_FALSE(is_open());
  auto journal = JournalOf(run);
  ASSERT_TRUE(Begin(*journal, plan::HashOf(plan_)));
  EXPECT_FALSE(is_open());
  ASSERT_TRUE(AppendIntent(*journal, plan_.steps[0].id));
  EXPECT_FALSE(is_open()) << "nothing was touched: nobody is held up";
  ASSERT_TRUE(AppendIntent(*journal, plan_.steps[1].id));
  EXPECT_TRUE(is_open());
  for (const char* outcome : {"paused", "interrupted", "needs-person", "partly-rolled-back"}) {
    ASSERT_TRUE(Finish(*journal, outcome, ExitCode::kPaused));
    EXPECT_EQ(state(), outcome);
    EXPECT_TRUE(is_open()) << outcome;
  }
  ASSERT_TRUE(AppendIntent(*journal, plan_.steps[1].id));  // going on
  EXPECT_EQ(state(), "unfinished");
  for (const char* outcome : {"done", "rolled-back", "failed-untouched"}) {
    ASSERT_TRUE(Finish(*journal, outcome, ExitCode::kDone));
    EXPECT_EQ(state(), outcome);
    EXPECT_FALSE(is_open()) << outcome;
  }
}

// Two state folders, the same plan, the same second: a lock is known by its run.
TEST_F(Store, TwoRunsOfOnePlanInOneSecondHaveTwoNames) {
  std::set<std::string> names;
  for (int i = 0; i < 8; ++i) {
    RunStore store(files_, clock_, fmt::format("/p{}/.milvus-upgrade", i));
    names.insert(store.Create(plan_)->id);
  }
  EXPECT_GT(names.size(), 6u) << "by chance a pair in two thousand tests is the same";
}

TEST_F(Store, ALaterRunSortsLaterThoughTheClockWasSetBack) {
  std::vector<std::string> made;
  for (int i = 0; i < 40; ++i) made.push_back(store_.Create(plan_)->id);
  EXPECT_TRUE(std::is_sorted(made.begin(), made.end()));
  EXPECT_EQ(store_.Find("")->files.id, made.back());
  fakes::HandClock yesterday;
  RunStore store(files_, yesterday, store_.StateDir());
  clock_.Advance(Millis(86'400'000));
  const auto tomorrow = store_.Create(plan_)->id;
  EXPECT_GT(store.Create(plan_)->id, tomorrow);
}

TEST_F(Store, APlanThatIsNotTheJournalsIsDamage) {
  const auto run = *store_.Create(plan_);
  ASSERT_TRUE(Begin(*JournalOf(run), "another"));
  const auto stored = store_.Load(run.id);
  ASSERT_TRUE(stored->damage);
  EXPECT_EQ(stored->damage->code, ErrorCode::kPlanDamaged);
  EXPECT_EQ(stored->EndState(), "damaged");
}

TEST_F(Store, ARunThatIsGivenUpHoldsNobodyUp) {
  const auto run = *store_.Create(plan_);
  auto journal = JournalOf(run);
  ASSERT_TRUE(Begin(*journal, plan::HashOf(plan_)));
  ASSERT_TRUE(AppendIntent(*journal, plan_.steps[1].id));
  ASSERT_TRUE(store_.Load(run.id)->IsOpen());
  ASSERT_TRUE(store_.Abandon(run, "given up by a test"));
  EXPECT_FALSE(store_.Load(run.id)->IsOpen());
  EXPECT_EQ(store_.Load(run.id)->EndState(), "abandoned");
  // Until someone wants it back all the same.
  ASSERT_TRUE(store_.SaveRollback(run, plan_));
  EXPECT_TRUE(store_.Load(run.id)->IsOpen());
  ASSERT_TRUE(store_.Abandon(run, "given up again"));
  ASSERT_TRUE(store_.Remove(run));
  EXPECT_TRUE(store_.Ids()->empty());
}

TEST_F(Store, TheRoomIsGivenOnce) {
  const auto run = *store_.Create(plan_);
  EXPECT_GE((*files_.Stat(run.RoomPath()))->bytes, 1u << 18);
  EXPECT_TRUE(*store_.GiveRoom(run));
  EXPECT_FALSE(*store_.GiveRoom(run));
}

TEST_F(Store, ARunIsLiveWhileSomeoneHoldsTheLockAndWorksOnIt) {
  const auto is_live = [&](const RunFiles& run) {
    return store_.IsLive(*store_.Load(run.id)).value();
  };
  const auto first = *store_.Create(plan_);
  ASSERT_TRUE(Begin(*JournalOf(first), plan::HashOf(plan_)));
  EXPECT_FALSE(is_live(first)) << "nobody holds the lock";
  {
    const auto lock = store_.Lock("pid 1 on here");
    EXPECT_TRUE(is_live(first));
    clock_.Advance(Millis(2000));
    const auto second = *store_.Create(plan_);
    EXPECT_FALSE(is_live(first)) << "cut before it touched anything; the newer one runs";
    EXPECT_TRUE(is_live(second));
    auto run = *store_.Load(second.id);
    run.is_live = true;
    EXPECT_EQ(run.EndState(), "running");
    ASSERT_TRUE(Finish(*JournalOf(second), "done", ExitCode::kDone));
    EXPECT_FALSE(is_live(second));
    // A run that holds everyone up is the one that goes on, however old it is.
    ASSERT_TRUE(AppendIntent(*JournalOf(first), plan_.steps[1].id));
    EXPECT_TRUE(is_live(first));
  }
  EXPECT_FALSE(is_live(first));
}

TEST_F(Store, DamageIsShownNotHidden) {
  const auto run = *store_.Create(plan_);
  files_.Put(run.JournalPath(), "garbage\nmore\n");
  const auto stored = store_.Find("");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->EndState(), "damaged");
  EXPECT_TRUE(stored->IsOpen());
  EXPECT_EQ(stored->damage->code, ErrorCode::kJournalDamaged);
  files_.Put(run.PlanPath(), "{}");
  EXPECT_EQ(store_.Find("")->damage->code, ErrorCode::kPlanDamaged);
}

// Cut anywhere while a run is made: the next start finds nothing or a whole run.
TEST_F(Store, CutsWhileItIsMade) {
  for (int n = 1;; ++n) {
    fakes::Fuse fuse;
    fakes::UnsyncedFiles files(fuse);
    RunStore store(files, clock_, "/p/s");
    bool was_cut = false;
    fuse.CutAt(n);
    try {
      const auto lock = store.Lock("me");
      ASSERT_TRUE(store.Create(plan_));
    } catch (const fakes::PowerCut&) {
      was_cut = true;
    }
    fuse.CutAt(0);
    files.PowerOn(fakes::UnsyncedFiles::Keep::kNothing);
    const auto ids = store.Ids();
    ASSERT_TRUE(ids);
    ASSERT_LE(ids->size(), 1u);
    for (const std::string& id : *ids) EXPECT_FALSE(store.Load(id)->damage);
    ASSERT_TRUE(store.Lock("me"));
    ASSERT_TRUE(store.Create(plan_));
    if (!was_cut) {
      EXPECT_GT(n, 10);
      break;
    }
  }
}

}  // namespace
}  // namespace mu::run
