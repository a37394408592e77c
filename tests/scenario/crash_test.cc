// SPDX-License-Identifier: Apache-2.0
// The crash enumeration over whole runs: the power goes at every boundary (each file operation,
// each call that changes the engine or etcd, each stage of Compose's `up`), the disk keeps nothing,
// half or all of what was not synced, and `resume` or `rollback` goes on; then it goes again inside
// that. The world must end as that of an undisturbed run does, or as it was before the run, to the
// last container, byte and key, as the ending says. bench/killed prints the figures.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>
#include <set>

#include "milvus_upgrade/run/helper_container.h"
#include "scenario/story21.h"

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
  std::set<std::string> outcomes;  // of a run that is gone on with, undisturbed or not
  // Of pairs: each n-th of each of the two. 0: a seeded sample.
  std::size_t stride;
  std::size_t long_stride;
  bool meets_every_disk = false;  // else, but for long tests, the worst
};

std::string PatchFile() {
  std::string text = kStandaloneFile;
  text.replace(text.find("milvus:v2.2.16"), 14, "milvus:v2.2.15");
  return text;
}

std::vector<Case> Cases() {
  return {
      {"Standalone", kStandaloneFile, "2.3.5", [](Story&) {}, {"done"}, 3, 1, true},
      {"Cluster", ClusterFile(), "2.3.5", [](Story&) {}, {"done"}, 11, 1},
      {"Patch", PatchFile(), "2.2.16", [](Story&) {}, {"done"}, 7, 1},
      {"BadPatch",
       PatchFile(),
       "2.2.16",
       [](Story& story) {
         story.stage.world.AddImage(Stage::kOld, fakes::Program::kMilvus, "2.2.16", Flaw::kCrash);
       },
       {"rolled-back"},
       5,
       1},
      {"Migration", fakes::StandaloneFile21(), "2.2.16", Make21, {"done"}, 0, 5},
      {"MigrationByImage", fakes::StandaloneFile21(), "2.2.16", Make21ForImage, {"done"}, 0, 5},
  };
}

class CrashEnumeration : public testing::TestWithParam<Case> {
 protected:
  enum class Call { kGo, kResume, kRollBack };
  struct Attempt {
    Call call;
    std::size_t cut = 0;  // the boundary at which the power goes, from 1; 0: at none
  };

  void SetUp() override {
    {
      Story story(GetParam().file);
      GetParam().set_up(story);
      before_ = Of(story);
    }
    Story story(GetParam().file);
    GetParam().set_up(story);
    story.Plan(GetParam().to);
    plan_ = story.ThePlan();
    ASSERT_TRUE(plan_.HasSteps());
    story.Begin();
    const int first = story.stage.fuse.Passed();
    const Ending ending = story.Go();
    ASSERT_TRUE(GetParam().outcomes.contains(ending.outcome)) << Told(ending);
    const auto& names = story.stage.fuse.Names();
    names_.assign(names.begin() + first, names.end());
    after_ = Of(story);
    ASSERT_EQ(after_.described == before_.described, ending.outcome == "rolled-back");
  }

  void TearDown() override {
    if (runs_ == 0) return;
    std::cout << GetParam().name << ": " << names_.size() << " points, " << runs_ << " runs, "
              << converged_ << " converged (" << back_ << " on the old version), " << keys_lost_
              << " keys lost\n";
  }

  // Reading changes nothing: a cut there is a cut at the boundary after it. A record of the journal
  // is whole at its sync, and a folder's sync belongs to a rename that is cut as well.
  static bool IsWorth(const std::string& name) {
    return !name.starts_with("read ") && !name.starts_with("append ") &&
           !name.starts_with("sync-folder ");
  }

  // One run; the last attempt is not cut. Returns the names of its boundaries. A cut that lies
  // behind the end of its attempt does not come.
  std::vector<std::string> Run(const std::vector<Attempt>& attempts, Keep keep) {
    Story story(GetParam().file);
    GetParam().set_up(story);
    story.UsePlan(plan_);
    story.Begin();
    std::string where;
    std::optional<Ending> ending;
    int first = 0;
    for (const Attempt& attempt : attempts) {
      first = story.stage.fuse.Passed();
      story.stage.fuse.CutAt(static_cast<int>(attempt.cut));
      try {
        ending = Make(story, attempt.call);
      } catch (const PowerCut& power) {
        where += " [" + power.name + "]";
        story.PowerOn(keep);
      }
      story.stage.fuse.CutAt(0);
    }
    const auto& names = story.stage.fuse.Names();
    std::vector<std::string> last(names.begin() + first, names.end());
    // There is no way back any more: what is left is `resume`.
    if (ending && ending->outcome == "refused") ending = story.Resume();
    const bool may_go_back = std::any_of(attempts.begin(), attempts.end(), [](const auto& attempt) {
      return attempt.call == Call::kRollBack;
    });
    Judge(story, ending, may_go_back, "after cuts at" + where);
    return last;
  }

  // Each n-th boundary of the first attempt, and of the `call` that goes on; which of them first,
  // the seed says.
  void Pairs(Call call, std::size_t stride) {
    std::mt19937 random(Seed());
    for (std::size_t first = 1 + random() % stride; first <= names_.size(); first += stride) {
      if (!IsWorth(names_[first - 1])) continue;
      const auto second = Run({{Call::kGo, first}, {call}}, Keep::kNothing);
      for (std::size_t cut = 1 + random() % stride; cut <= second.size(); cut += stride) {
        if (!IsWorth(second[cut - 1])) continue;
        Run({{Call::kGo, first}, {call, cut}, {call}}, Keep::kNothing);
        if (HasFailure()) return;
      }
    }
  }

  // Any two boundaries, any of the two ways to go on, any disk.
  void SampledPairs(unsigned runs) {
    std::mt19937 random(Seed());
    const auto any = [&](std::size_t below) { return random() % below; };
    for (unsigned run = 0; run < runs; ++run) {
      const std::size_t first = 1 + any(names_.size());
      const std::size_t second = 1 + any(names_.size() - first + 40);
      const Call call = any(2) == 0 ? Call::kResume : Call::kRollBack;
      const Call last = any(2) == 0 ? Call::kResume : call;
      Run({{Call::kGo, first}, {call, second}, {last}}, static_cast<Keep>(any(3)));
      if (HasFailure()) return;
    }
  }

  std::size_t Stride() const { return IsLong() ? GetParam().long_stride : GetParam().stride; }

  std::vector<std::string> names_;

 private:
  struct World {
    std::string described;
    std::map<std::string, model::KeyValue> keys;
  };
  static World Of(Story& story) { return {story.Describe(), story.stage.world.Etcd().Keys()}; }

  static Ending Make(Story& story, Call call) {
    return call == Call::kGo       ? story.Go()
           : call == Call::kResume ? story.Resume()
                                   : story.RollBack();
  }

  void Judge(Story& story, const std::optional<Ending>& ending, bool may_go_back,
             const std::string& where) {
    ++runs_;
    ASSERT_TRUE(ending) << where;
    const bool is_back = ending->outcome == "rolled-back" || ending->outcome.ends_with("untouched");
    EXPECT_TRUE((is_back && may_go_back) || GetParam().outcomes.contains(ending->outcome))
        << where << ": " << Told(*ending);
    const World& wanted = is_back ? before_ : after_;
    // What a cut rehearsal has left is removed when the next run begins.
    if (ending->outcome == "untouched")
      (void)run::RemoveLeftHelpers(story.stage.docker, plan_.instance);
    const World now = Of(story);
    for (const auto& [key, kv] : wanted.keys)
      keys_lost_ += kv.lease == 0 && !now.keys.contains(key) ? 1 : 0;
    const bool is_whole = now.described == wanted.described;
    EXPECT_TRUE(is_whole) << where << ": " << Told(*ending) << "\n" << now.described;
    converged_ += is_whole ? 1 : 0;
    back_ += is_whole && is_back ? 1 : 0;
  }

  plan::Plan plan_;
  World before_;
  World after_;
  int runs_ = 0;
  int converged_ = 0;
  int back_ = 0;
  int keys_lost_ = 0;
};

TEST_P(CrashEnumeration, ResumeFromEveryPoint) {
  std::vector<Keep> keeps = {Keep::kNothing};
  if (GetParam().meets_every_disk || IsLong()) keeps = {Keep::kNothing, Keep::kHalf, Keep::kAll};
  for (const Keep keep : keeps) {
    for (std::size_t cut = 1; cut <= names_.size(); ++cut) {
      if (names_[cut - 1].starts_with("read ")) continue;
      Run({{Call::kGo, cut}, {Call::kResume}}, keep);
      if (HasFailure()) return;
    }
  }
}

TEST_P(CrashEnumeration, RollBackFromEveryPoint) {
  for (std::size_t cut = 1; cut <= names_.size(); ++cut) {
    if (!IsWorth(names_[cut - 1])) continue;
    Run({{Call::kGo, cut}, {Call::kRollBack}}, Keep::kNothing);
    if (HasFailure()) return;
  }
}

TEST_P(CrashEnumeration, AgainInsideTheResume) {
  Stride() == 0 ? SampledPairs(IsLong() ? 150 : 30) : Pairs(Call::kResume, Stride());
}

TEST_P(CrashEnumeration, AgainInsideTheRollback) {
  if (Stride() != 0)
    Pairs(Call::kRollBack, IsLong() ? Stride() : std::max<std::size_t>(Stride(), 7));
}

INSTANTIATE_TEST_SUITE_P(Stories, CrashEnumeration, testing::ValuesIn(Cases()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mu::scenario
