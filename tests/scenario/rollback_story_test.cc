// SPDX-License-Identifier: Apache-2.0
// The way back that a person asks for, from wherever a run stands; what someone else does to a run
// that is paused; a run in parts; and the power going at every boundary of the way back.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "scenario/story21.h"

namespace mu::scenario {
namespace {

using fakes::kStandaloneFile;
using fakes::PowerCut;
using fakes::Stage;
using Keep = fakes::UnsyncedFiles::Keep;

constexpr char kServer[] = "milvus-standalone";

// What a run goes from and to: a patch, whose new version may have started; a migration.
struct Kind {
  std::string name;
  std::string to;
  bool has_migration = false;
  std::unique_ptr<Story> Make() const {
    std::string file = kStandaloneFile;
    if (has_migration) {
      file = fakes::StandaloneFile21();
    } else {
      file.replace(file.find("milvus:v2.2.16"), 14, "milvus:v2.2.15");
    }
    auto story = std::make_unique<Story>(file);
    if (has_migration) Make21(*story);
    return story;
  }
};

class RollbackStory : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    story_ = GetParam().Make();
    story_->Plan(GetParam().to);
    plan_ = story_->ThePlan();
    before_ = GetParam().Make()->Describe();
  }
  // Of the steps that change the stack: the run is paused before each of them in turn.
  std::vector<std::string> Places() const {
    std::vector<std::string> ids;
    bool has_touched = false;
    for (const plan::Step& step : plan_.steps) {
      if (has_touched && !plan::RowOf(step.kind).is_read_only) ids.push_back(step.id);
      has_touched = has_touched || step.undo != plan::Undo::kNone;
    }
    return ids;
  }
  std::unique_ptr<Story> PausedBefore(const std::string& step) const {
    auto story = GetParam().Make();
    story->UsePlan(plan_);
    story->Begin();
    story->staging.pause_before = step;
    EXPECT_EQ(story->Go().outcome, "paused") << step;
    story->staging = {};
    return story;
  }

  std::unique_ptr<Story> story_;
  plan::Plan plan_;
  std::string before_;
};

TEST_P(RollbackStory, EndsInTheOldVersionFromEveryPlace) {
  ASSERT_GE(Places().size(), 3u);
  for (const std::string& place : Places()) {
    const auto story = PausedBefore(place);
    const Ending ending = story->GoBack();
    EXPECT_EQ(ending.outcome, "rolled-back") << place << ": " << Told(ending);
    EXPECT_EQ(ending.code, ExitCode::kDone);
    EXPECT_EQ(story->Describe(), before_) << place;
  }
}

TEST_P(RollbackStory, GoesOnFromEveryPlace) {
  story_->Begin();
  ASSERT_EQ(story_->Go().outcome, "done");
  const std::string done = story_->Describe();
  for (const std::string& place : Places()) {
    const auto story = PausedBefore(place);
    const Ending ending = story->Go();
    EXPECT_EQ(ending.outcome, "done") << place << ": " << Told(ending);
    EXPECT_EQ(story->Describe(), done) << place;
  }
}

// The power goes at every boundary of the way back; what goes on with it ends in the old version.
TEST_P(RollbackStory, EverySinglePointOfTheWayBack) {
  std::string last;
  for (const std::string& place : Places()) last = place;
  int boundaries = 0;
  {
    const auto story = PausedBefore(last);
    const int first = story->stage.fuse.Passed();
    ASSERT_EQ(story->GoBack().outcome, "rolled-back");
    boundaries = story->stage.fuse.Passed() - first;
  }
  for (int cut = 1; cut <= boundaries; ++cut) {
    const auto story = PausedBefore(last);
    std::string where;
    story->stage.fuse.CutAt(cut);
    try {
      (void)story->GoBack();
      ADD_FAILURE() << "boundary " << cut << " was not reached";
    } catch (const PowerCut& power) {
      where = power.name;
      story->PowerOn(Keep::kNothing);
    }
    const Ending ending = story->GoBack();
    EXPECT_EQ(ending.outcome, "rolled-back") << "cut at " << where << ": " << Told(ending);
    EXPECT_EQ(story->Describe(), before_) << "cut at " << where;
    if (HasFailure()) return;
  }
  std::cout << boundaries << " boundaries\n";
}

// Someone starts what is held down, in the pause: it is held down again, whatever follows.
TEST_P(RollbackStory, WhatIsStartedInThePauseIsHeldDownAgain) {
  story_->Begin();
  ASSERT_EQ(story_->Go().outcome, "done");
  bool is_down = false;
  for (const std::string& place : Places()) {
    is_down = is_down || place.find("sessions/release") != std::string::npos;
    if (!is_down || place.find("up/") != std::string::npos) continue;
    if (place.find("wait/") != std::string::npos || place.find("policy") != std::string::npos)
      continue;
    for (const bool goes_back : {false, true}) {
      const auto story = PausedBefore(place);
      ASSERT_TRUE(story->stage.world.StartContainer(kServer));
      story->stage.clock.Advance(Millis(20'000));
      const Ending ending = goes_back ? story->GoBack() : story->Go();
      EXPECT_EQ(ending.outcome, goes_back ? "rolled-back" : "done") << place << Told(ending);
      // What it has written is in the backup that was made anew, or was lost with the half of the
      // migration that it ran on; versions and file are as they must be.
      EXPECT_EQ(story->Look(kServer).image,
                goes_back ? GetParam().Make()->Look(kServer).image : story_->Look(kServer).image)
          << place;
    }
  }
}

// Someone removes the container, in the pause or on the way back: it is made anew from the file.
TEST_P(RollbackStory, WhatIsRemovedIsMadeAnew) {
  story_->Begin();
  ASSERT_EQ(story_->Go().outcome, "done");
  const std::string done = story_->Describe();
  int went_on = 0;
  for (const std::string& place : Places()) {
    const auto forward = PausedBefore(place);
    forward->stage.world.RemoveContainer(kServer);
    Ending ending = forward->Go();
    went_on += ending.outcome == "done" ? 1 : 0;
    EXPECT_TRUE(ending.outcome == "done" || ending.outcome == "rolled-back")
        << place << ": " << Told(ending);
    EXPECT_EQ(forward->Describe(), ending.outcome == "done" ? done : before_) << place;

    const auto back = PausedBefore(place);
    back->stage.world.RemoveContainer(kServer);
    ending = back->GoBack();
    EXPECT_EQ(ending.outcome, "rolled-back") << place << ": " << Told(ending);
    EXPECT_EQ(back->Describe(), before_) << place;

    const auto meanwhile = PausedBefore(place);
    meanwhile->Before("", [&] { meanwhile->stage.world.RemoveContainer(kServer); });
    ending = meanwhile->GoBack();
    if (ending.outcome != "rolled-back") ending = meanwhile->GoBack();
    EXPECT_EQ(ending.outcome, "rolled-back") << place << ": " << Told(ending);
  }
  EXPECT_GE(went_on, 2);
}

TEST_P(RollbackStory, AFileThatSomeoneEditsInThePauseStopsIt) {
  std::string after_file;
  bool is_next = false;
  for (const plan::Step& step : plan_.steps) {
    if (is_next && after_file.empty()) after_file = step.id;
    is_next = is_next || step.kind == plan::StepKind::kReplaceFile;
  }
  const auto story = PausedBefore(after_file);
  const std::string ours = story->Read(Stage::kFile);
  story->stage.files.Put(Stage::kFile, ours + "# mine\n");
  const Ending ending = story->Go();
  EXPECT_EQ(ending.outcome, "needs-person");
  EXPECT_EQ(ending.error->code, ErrorCode::kDrift) << Told(ending);
  EXPECT_NE(ending.error->message.find("# mine"), std::string::npos) << Told(ending);
  EXPECT_EQ(story->Read(Stage::kFile), ours + "# mine\n");
  // Put right, it goes on.
  story->stage.files.Put(Stage::kFile, ours);
  EXPECT_EQ(story->Go().outcome, "done");
}

// Put back and up, and it falls (an etcd that was full): the way back goes on once the cause is
// gone.
TEST_P(RollbackStory, AnOldVersionThatHasFallenIsBroughtUpAgain) {
  std::string last;
  for (const std::string& place : Places()) last = place;
  const auto story = PausedBefore(last);
  story->stage.world.Find(kServer)->image.flaw = fakes::Flaw::kCrash;
  ASSERT_EQ(story->GoBack().outcome, "needs-person");
  story->stage.world.Find(kServer)->image.flaw = fakes::Flaw::kNone;
  const Ending ending = story->GoBack();
  EXPECT_EQ(ending.outcome, "rolled-back") << Told(ending);
  EXPECT_EQ(story->Describe(), before_);
}

INSTANTIATE_TEST_SUITE_P(Kinds, RollbackStory,
                         testing::Values(Kind{"Patch", "2.2.16", false},
                                         Kind{"Migration", "2.2.16", true}),
                         [](const auto& row) { return row.param.name; });

// Metadata that someone writes to once it is migrated: told, and left to a person, who can go back.
TEST(RollbackOfAMigration, MigratedKeysThatSomeoneChangesStopIt) {
  const Kind migration{"Migration", "2.2.16", true};
  const std::string before = migration.Make()->Describe();
  const auto story = migration.Make();
  story->Plan("2.2.16");
  story->Begin();
  for (const plan::Step& step : story->ThePlan().steps) {
    if (step.kind == plan::StepKind::kReplaceFile) story->staging.pause_before = step.id;
  }
  ASSERT_EQ(story->Go().outcome, "paused");
  story->staging = {};
  const auto keys = story->stage.world.Etcd().Keys();
  const auto victim = std::find_if(keys.begin(), keys.end(), [](const auto& item) {
    return item.first.find("/field-index/") != std::string::npos;
  });
  ASSERT_NE(victim, keys.end());
  story->stage.world.Etcd().Put(victim->first, "someone else's");
  const Ending ending = story->Go();
  EXPECT_EQ(ending.outcome, "needs-person");
  EXPECT_EQ(ending.error->code, ErrorCode::kDrift) << Told(ending);
  EXPECT_NE(ending.error->message.find(victim->first), std::string::npos) << Told(ending);
  EXPECT_EQ(story->GoBack().outcome, "rolled-back");
  EXPECT_EQ(story->Describe(), before);
}

TEST(RollbackOfADoneRun, BringsTheNewVersionDownInOrder) {
  const Kind patch{"Patch", "2.2.16", false};
  const auto story = patch.Make();
  const std::string before = patch.Make()->Describe();
  story->Plan("2.2.16");
  ASSERT_EQ(story->BeginAndGo().outcome, "done");
  const Ending ending = story->GoBack();
  EXPECT_EQ(ending.outcome, "rolled-back") << Told(ending);
  EXPECT_EQ(story->Describe(), before);
}

TEST(RollbackOfADoneRun, IsRefusedWhereTheOldVersionCannotRead) {
  Story story(kStandaloneFile);
  story.Plan("2.3.5");
  ASSERT_EQ(story.BeginAndGo().outcome, "done");
  const Ending ending = story.GoBack();
  ASSERT_TRUE(ending.error);
  EXPECT_EQ(ending.error->code, ErrorCode::kIrreversible);
  EXPECT_EQ(story.Look(kServer).image, Stage::kNew);
  EXPECT_TRUE(story.Look(kServer).IsRunning());
}

// Found by Walk, seed 6008: 2.2 was started on the data of 2.3.
TEST(PointOfNoReturn, IsSeenThoughSomeoneRemovesTheTagOfTheNewImage) {
  Story story(kStandaloneFile);
  story.Plan("2.3.5");
  story.Before("compose start", [&] { story.stage.world.RemoveImage(Stage::kNew); });
  const Ending ending = story.BeginAndGo();
  EXPECT_EQ(ending.outcome, "needs-person") << Told(ending);
  EXPECT_EQ(story.Look(kServer).image, Stage::kNew);
  story.stage.world.AddImage(Stage::kNew, fakes::Program::kMilvus, "2.3.5");
  const Ending resumed = story.Resume();
  EXPECT_EQ(resumed.outcome, "done") << Told(resumed);
}

}  // namespace
}  // namespace mu::scenario
