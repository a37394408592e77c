// SPDX-License-Identifier: Apache-2.0
// The crash enumeration over the whole compose run: the power goes at every boundary of it (each
// file operation, each call that changes the engine or etcd, each stage of Compose's `up`), the
// disk keeps nothing, half or all of what was not synced, and the run is resumed. The world must
// end as that of an undisturbed run does, every time.
#include <gtest/gtest.h>

#include <iostream>

#include "scenario/story.h"

namespace mu::scenario {
namespace {

using fakes::ClusterFile;
using fakes::Flaw;
using fakes::kStandaloneFile;
using fakes::PowerCut;
using fakes::Stage;
using Keep = fakes::UnsyncedFiles::Keep;

struct Case {
  std::string name;
  std::string file;
  std::string to;
  std::function<void(Story&)> set_up;
  std::string outcome;
  std::size_t stride;  // of the pairs: 1 is all of them
};

std::string PatchFile() {
  std::string text = kStandaloneFile;
  text.replace(text.find("milvus:v2.2.16"), 14, "milvus:v2.2.15");
  return text;
}

std::vector<Case> Cases() {
  return {
      {"Standalone", kStandaloneFile, "2.3.5", [](Story&) {}, "done", 1},
      {"Cluster", ClusterFile(), "2.3.5", [](Story&) {}, "done", 7},
      {"BadPatch", PatchFile(), "2.2.16",
       [](Story& story) {
         story.stage.world.AddImage(Stage::kOld, fakes::Program::kMilvus, "2.2.16", Flaw::kCrash);
       },
       "rolled-back", 3},
  };
}

class CrashEnumeration : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    Story story(GetParam().file);
    GetParam().set_up(story);
    story.Plan(GetParam().to);
    plan_ = story.ThePlan();
    ASSERT_TRUE(plan_.HasSteps());
    story.Begin();
    const int first = story.stage.fuse.Passed();
    const Ending ending = story.Go();
    ASSERT_EQ(ending.outcome, GetParam().outcome) << (ending.error ? ending.error->Text() : "");
    const auto& names = story.stage.fuse.Names();
    names_.assign(names.begin() + first, names.end());
    world_ = story.Describe();
  }

  // Reading changes nothing: a cut there is a cut at the boundary after it. A record of the journal
  // is whole at its sync, and a folder's sync belongs to a rename that is cut as well.
  static bool IsWorth(const std::string& name) {
    return !name.starts_with("read ") && !name.starts_with("append ") &&
           !name.starts_with("sync-folder ");
  }

  // One run with cuts at these boundaries, each counted from the start of its own attempt. The
  // names of the last attempt's boundaries.
  std::vector<std::string> Run(const std::vector<int>& cuts, Keep keep) {
    Story story(GetParam().file);
    GetParam().set_up(story);
    story.UsePlan(plan_);
    story.Begin();
    std::string where;
    for (const int cut : cuts) {
      story.stage.fuse.CutAt(cut);
      try {
        (void)story.Go();
        ADD_FAILURE() << "boundary " << cut << " was not reached";
      } catch (const PowerCut& power) {
        where += " [" + power.name + "]";
        story.PowerOn(keep);
      }
    }
    const auto first = story.stage.fuse.Passed();
    const Ending ending = story.Go();
    EXPECT_EQ(ending.outcome, GetParam().outcome)
        << "after cuts at" << where << ": " << (ending.error ? ending.error->Text() : "");
    const auto& names = story.stage.fuse.Names();
    std::vector<std::string> last(names.begin() + first, names.end());
    EXPECT_EQ(story.Describe(), world_) << "after cuts at" << where;
    return last;
  }

  plan::Plan plan_;
  std::vector<std::string> names_;
  std::string world_;
};

TEST_P(CrashEnumeration, EverySinglePoint) {
  const bool is_sampled = GetParam().stride > 1;  // long runs: the worst disk only
  std::vector<Keep> keeps = {Keep::kNothing};
  if (!is_sampled) keeps = {Keep::kNothing, Keep::kHalf, Keep::kAll};
  for (const Keep keep : keeps) {
    for (std::size_t cut = 1; cut <= names_.size(); ++cut) {
      if (names_[cut - 1].starts_with("read ")) continue;
      Run({static_cast<int>(cut)}, keep);
      if (HasFailure()) return;
    }
  }
  RecordProperty("boundaries", static_cast<int>(names_.size()));
}

// The second cut comes anywhere in the attempt that goes on after the first.
TEST_P(CrashEnumeration, EveryPairOfPoints) {
  int runs = 0;
  for (std::size_t first = 1; first <= names_.size(); first += GetParam().stride) {
    if (!IsWorth(names_[first - 1])) continue;
    const std::vector<std::string> resumed = Run({static_cast<int>(first)}, Keep::kNothing);
    for (std::size_t second = 1; second <= resumed.size(); second += GetParam().stride) {
      if (!IsWorth(resumed[second - 1])) continue;
      Run({static_cast<int>(first), static_cast<int>(second)}, Keep::kNothing);
      if (HasFailure()) return;
      ++runs;
    }
  }
  RecordProperty("runs", runs);
  std::cout << runs << " runs\n";
}

INSTANTIATE_TEST_SUITE_P(Stories, CrashEnumeration, testing::ValuesIn(Cases()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mu::scenario
