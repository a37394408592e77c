// SPDX-License-Identifier: Apache-2.0
// Whole rolling upgrades on a fake API: their order, what gets stuck, and the power cut at every
// boundary, forward and back.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "scenario/rolling_story.h"

namespace mu::scenario {
namespace {

using fakes::PowerCut;
using Keep = fakes::UnsyncedFiles::Keep;

constexpr char kOld[] = "milvusdb/milvus:v2.2.3";
constexpr char kNew[] = "milvusdb/milvus:v2.2.4";

std::string TextOf(const run::Ending& ending) {
  return ending.outcome + (ending.error ? ": " + ending.error->Text() : "");
}

TEST(RollingStory, RollsAChart40InTheScriptsOrder) {
  RollingStory story;
  story.cluster.AddChart4(kOld);
  const std::string strategy = story.Look("rootcoord").strategy_json;
  std::vector<std::string> patched;
  story.cluster.on_write = [&](const std::string& write) { patched.push_back(write); };
  story.Plan("2.2.4");
  const run::Ending ending = story.BeginAndGo();
  ASSERT_EQ(ending.outcome, "done") << TextOf(ending);
  for (const char* component : {"rootcoord", "datacoord", "indexcoord", "querycoord", "indexnode",
                                "datanode", "querynode", "proxy"}) {
    EXPECT_EQ(story.ImageOf(component), kNew) << component;
    EXPECT_EQ(story.Look(component).meta.Label("app.kubernetes.io/version"), "2.2.4");
  }
  EXPECT_EQ(story.ImageOf("attu"), "zilliz/attu:v2.2.3");
  EXPECT_EQ(story.Look("rootcoord").strategy_json, strategy);
  const std::string& user = story.cluster.config_maps["my-release-milvus"].data["user.yaml"];
  EXPECT_TRUE(user.starts_with("# settings of ours\nlog:\n  level: info\n")) << user;
  EXPECT_NE(user.find("rootCoord:\n  enableActiveStandby: true\n"), std::string::npos) << user;
  // The configuration, then each Deployment, its strategy put back: nothing else is written.
  EXPECT_EQ(patched.size(), 1u + 8u + 4u);
}

TEST(RollingStory, AsksLittleOfTheApi) {
  RollingStory story;
  story.config.stable_for = Millis(2'000);
  story.cluster.ready_after = Millis(3'500);
  story.cluster.ends_after = Millis(1'000);
  story.cluster.AddChart4(kOld);
  story.cluster.EditConfigMap("my-release-milvus", [](model::ConfigMap& map) {
    map.data["user.yaml"] =
        "rootCoord: {enableActiveStandby: true}\ndataCoord: {enableActiveStandby: true}\n"
        "indexCoord: {enableActiveStandby: true}\nqueryCoord: {enableActiveStandby: true}\n";
  });
  story.Plan("2.2.4");
  ASSERT_EQ(story.BeginAndGo().outcome, "done");
  std::cout << story.cluster.requests << " requests for 8 Deployments\n";
  // Four of them put back the strategy that these coordinators have (Recreate). The lock and the
  // copy of the run, which are its target's, take six.
  EXPECT_LE(story.cluster.requests - 4 + 6, 40);
}

TEST(RollingStory, AsksNoMoreOfTheApiWhereItTakesLonger) {
  const auto requests_for = [](Millis ready_after) {
    RollingStory story;
    story.cluster.AddChart4(kOld);
    story.cluster.ready_after = ready_after;
    story.config.only = {"proxy"};
    story.Plan("2.2.4");
    EXPECT_EQ(story.BeginAndGo().outcome, "done");
    return story.cluster.requests;
  };
  // The events, listed and followed once.
  EXPECT_EQ(requests_for(Millis(20'000)), requests_for(Millis(300)) + 2);
}

TEST(RollingStory, StopsAtWhatIsStuckAndSaysWhy) {
  RollingStory story;
  story.cluster.AddChart4(kOld);
  const std::string before = story.Describe();
  story.config.skipped_checks = {"image"};
  story.Plan("2.2.4", "milvusdb/milvus:v2.2.4-pullfail");
  story.Begin();
  const Millis start = story.stage.clock.Monotonic();
  const run::Ending ending = story.Go();
  EXPECT_EQ(ending.outcome, "needs-person");
  ASSERT_TRUE(ending.error);
  EXPECT_EQ(ending.error->code, ErrorCode::kGateStuck);
  EXPECT_NE(ending.error->message.find("image-pull"), std::string::npos) << ending.error->Text();
  EXPECT_LT(story.stage.clock.Monotonic() - start, Millis(6'000));
  EXPECT_EQ(story.ImageOf("datacoord"), kOld);

  const run::Ending back = story.GoBack();
  EXPECT_EQ(back.outcome, "rolled-back") << TextOf(back);
  EXPECT_EQ(story.Describe(), before);
}

TEST(RollingStory, GoesBackByItselfWhereThatIsAskedFor) {
  RollingStory story;
  story.cluster.AddChart4(kOld);
  const std::string before = story.Describe();
  story.config.skipped_checks = {"image"};
  story.rolls_back_on_failure = true;
  story.Plan("2.2.4", "milvusdb/milvus:v2.2.4-crash");
  const run::Ending ending = story.BeginAndGo();
  EXPECT_EQ(ending.outcome, "rolled-back") << TextOf(ending);
  EXPECT_NE(ending.error->message.find("crash-loop"), std::string::npos) << ending.error->Text();
  EXPECT_EQ(story.Describe(), before);
}

// A run that is stuck with a bad image in its middle, and is then given up.
class AfterABadImage : public testing::Test {
 protected:
  void SetUp() override {
    story.cluster.AddChart4(kOld);
    old = story.Describe();
    story.config.skipped_checks = {"image"};
    GetStuck("pullfail");
  }

  void GetStuck(const std::string& flaw) {
    story.Plan("2.2.4", "milvusdb/milvus:v2.2.4-" + flaw);
    const run::Ending stuck = story.BeginAndGo();
    ASSERT_EQ(stuck.outcome, "needs-person") << TextOf(stuck);
    ASSERT_EQ(stuck.error->code, ErrorCode::kGateStuck) << TextOf(stuck);
    story.GiveUp();
  }

  void GoesOn() {
    story.Plan("2.2.4", kNew);
    const run::Ending ending = story.BeginAndGo();
    ASSERT_EQ(ending.outcome, "done") << TextOf(ending);
    EXPECT_EQ(story.ImageOf("rootcoord"), kNew);
    EXPECT_EQ(story.ImageOf("proxy"), kNew);
  }

  void GoesBack() {
    const run::Ending back = story.GoBack();
    EXPECT_EQ(back.outcome, "rolled-back") << TextOf(back);
    EXPECT_EQ(story.Describe(), old);
  }

  RollingStory story;
  std::string old;
};

TEST_F(AfterABadImage, GoesOnWithAGoodOne) {
  GoesOn();
  EXPECT_TRUE(std::any_of(story.ThePlan().steps.begin(), story.ThePlan().steps.end(),
                          [](const plan::Step& step) {
                            return step.id == "roll/rootcoord" &&
                                   step.cause.starts_with("milvusdb/milvus:v2.2.4-pullfail -> ") &&
                                   step.cause.ends_with(std::string("it was ") + kOld);
                          }));
}

TEST_F(AfterABadImage, GoesBackToWhatWasBeforeIt) {
  GoesOn();
  GoesBack();
}

TEST_F(AfterABadImage, GoesBackBeforeAllThatWereGivenUp) {
  GetStuck("crash");
  GoesOn();
  GoesBack();
}

TEST_F(AfterABadImage, GoesBackOnAnotherMachineToo) {
  std::optional<cli::CopiedRun> copy;
  story.cluster.on_write = [&](const std::string&) {
    if (!copy) copy = story.Copy();
  };
  GoesOn();
  ASSERT_TRUE(copy);
  story.MoveElsewhere(*copy);
  GoesBack();
}

// The machine was cut before the next run touched anything.
TEST_F(AfterABadImage, KnowsOfItWhereTheNextRunTouchedNothing) {
  story.cluster.admission = [](const std::string&, ports::DryRun) -> std::optional<Error> {
    return Error{ErrorCode::kKubeRefused, "exceeded quota", "", {}};
  };
  story.Plan("2.2.4", kNew);
  ASSERT_EQ(story.BeginAndGo().outcome, "failed-untouched");
  story.cluster.admission = {};
  GoesOn();
  GoesBack();
}

TEST_F(AfterABadImage, TakesWhatSomeoneHasChangedSinceAsWhatWas) {
  story.cluster.Edit("my-release-milvus-rootcoord", [](model::Deployment& deployment) {
    const std::string name = R"("name":"rootcoord")";
    deployment.template_json.replace(deployment.template_json.find(name), name.size(),
                                     R"("env":[{"name":"K","value":"V"}],)" + name);
  });
  story.config.skipped_checks.emplace_back("ready");
  story.config.from = "2.2.3";
  old = story.Describe();
  GoesOn();
  const run::Ending back = story.GoBack();
  EXPECT_EQ(story.ImageOf("rootcoord"), "milvusdb/milvus:v2.2.4-pullfail") << TextOf(back);
}

TEST_F(AfterABadImage, TakesWhatALaterRunBroughtToItsEndAsWhatWas) {
  GoesOn();
  story.Plan("2.2.5");
  ASSERT_EQ(story.BeginAndGo().outcome, "done");
  const run::Ending back = story.GoBack();
  EXPECT_EQ(back.outcome, "rolled-back") << TextOf(back);
  EXPECT_EQ(story.ImageOf("rootcoord"), kNew);
}

TEST(RollingStory, DoesNotGoOverSomeoneElsesChange) {
  RollingStory story;
  story.cluster.AddChart4(kOld);
  story.Plan("2.2.4");
  story.Begin();
  bool is_edited = false;
  story.cluster.on_write = [&](const std::string& write) {
    if (is_edited || write.find("datacoord") == std::string::npos) return;
    is_edited = true;
    story.cluster.Edit("my-release-milvus-proxy", [](model::Deployment& deployment) {
      deployment.template_json.replace(deployment.template_json.find("v2.2.3"), 6, "v2.2.2");
    });
  };
  const run::Ending ending = story.Go();
  EXPECT_EQ(ending.outcome, "needs-person");
  ASSERT_TRUE(ending.error);
  EXPECT_EQ(ending.error->code, ErrorCode::kDrift) << ending.error->Text();
  EXPECT_NE(ending.error->message.find("proxy"), std::string::npos);
  EXPECT_EQ(story.ImageOf("proxy"), "milvusdb/milvus:v2.2.2");
}

TEST(RollingStory, SeesARefusalBeforeTheFirstChange) {
  RollingStory story;
  story.cluster.AddChart4(kOld);
  const std::string before = story.Describe();
  story.cluster.admission = [](const std::string& write, ports::DryRun) -> std::optional<Error> {
    if (write.find("proxy") == std::string::npos) return std::nullopt;
    return Error{ErrorCode::kKubeRefused, "admission webhook \"w\" denied the request", "", {}};
  };
  story.Plan("2.2.4");
  const run::Ending ending = story.BeginAndGo();
  EXPECT_EQ(ending.outcome, "failed-untouched") << TextOf(ending);
  EXPECT_EQ(ending.error->code, ErrorCode::kKubeRefused);
  EXPECT_EQ(story.Describe(), before);
}

TEST(RollingStory, WaitsForAnApiThatIsAway) {
  RollingStory story;
  story.cluster.AddChart4(kOld);
  story.Plan("2.2.4");
  story.Begin();
  const Millis now = story.stage.clock.Monotonic();
  story.cluster.At(now + Millis(2'000), [&] { story.cluster.is_api_up = false; });
  story.cluster.At(now + Millis(27'000), [&] { story.cluster.is_api_up = true; });
  const run::Ending ending = story.Go();
  EXPECT_EQ(ending.outcome, "done") << TextOf(ending);
}

TEST(RollingStory, GoesBackForOneComponentWhereThatIsAskedFor) {
  RollingStory story;
  story.cluster.AddChart4(kOld);
  story.Plan("2.2.4");
  ASSERT_EQ(story.BeginAndGo().outcome, "done");
  const run::Ending back = story.GoBack({"querynode"});
  EXPECT_EQ(back.outcome, "partly-rolled-back") << TextOf(back);
  EXPECT_FALSE(back.IsOver());
  EXPECT_EQ(story.ImageOf("querynode"), kOld);
  EXPECT_EQ(story.Look("querynode").meta.Label("app.kubernetes.io/version"), "2.2.3");
  EXPECT_EQ(story.ImageOf("proxy"), kNew);
  EXPECT_EQ(story.ImageOf("datanode"), kNew);
}

TEST(RollingStory, GoesOnAndBackWithTheRestAfterOneComponentWentBack) {
  RollingStory story;
  story.cluster.AddChart4(kOld);
  const std::string old = story.Describe();
  story.Plan("2.2.4");
  ASSERT_EQ(story.BeginAndGo().outcome, "done");
  const std::string rolled = story.Describe();
  for (int turn = 0; turn < 2; ++turn) {
    const run::Ending back = story.GoBack({"querynode"});
    ASSERT_EQ(back.outcome, "partly-rolled-back") << TextOf(back);
    ASSERT_EQ(story.ImageOf("querynode"), kOld);
    const run::Ending ending = story.Go();
    ASSERT_EQ(ending.outcome, "done") << TextOf(ending);
    ASSERT_EQ(story.Describe(), rolled);
  }
  ASSERT_EQ(story.GoBack({"datanode", "querynode"}).outcome, "partly-rolled-back");
  ASSERT_EQ(story.GoBack({"proxy"}).outcome, "partly-rolled-back");
  EXPECT_EQ(story.GoBack({"querynode"}).error->code, ErrorCode::kUsage);
  const run::Ending back = story.GoBack();
  EXPECT_EQ(back.outcome, "rolled-back") << TextOf(back);
  EXPECT_EQ(story.Describe(), old);
}

TEST(RollingStory, GoesBackForAComponentOnlyThatItHasRolled) {
  RollingStory story;
  story.cluster.AddChart4(kOld);
  story.Plan("2.2.4");
  ASSERT_EQ(story.BeginAndGo().outcome, "done");
  EXPECT_EQ(story.GoBack({"querynoed"}).error->code, ErrorCode::kUsage);
}

// Cut before the patch of querycoord, on a machine that is gone then.
class Elsewhere : public testing::Test {
 protected:
  void CutAndMove(bool has_someone_edited = false) {
    story.cluster.AddChart4(kOld);
    story.cluster.Edit("my-release-milvus-rootcoord", [](model::Deployment& deployment) {
      const std::string name = R"("name":"rootcoord")";
      deployment.template_json.replace(deployment.template_json.find(name), name.size(),
                                       R"("env":[{"name":"K","value":"s3cret"}],)" + name);
    });
    old = story.Describe();
    story.config.verify_command = {"count"};
    story.config.verify_compares_output = true;
    story.client.answer = "42 rows\n";
    story.Plan("2.2.4");
    story.Begin();
    story.cluster.on_write = [&](const std::string& write) {
      if (!copy) copy = story.Copy();
      if (write.find("querycoord") != std::string::npos) throw PowerCut{0, write};
    };
    EXPECT_THROW((void)story.Go(), PowerCut);
    story.cluster.on_write = {};
    story.PowerOn(Keep::kNothing);
    EXPECT_EQ(story.ImageOf("indexcoord"), kNew);
    EXPECT_EQ(story.ImageOf("querycoord"), kOld);
    if (has_someone_edited) {
      story.cluster.Edit("my-release-milvus-rootcoord", [](model::Deployment& deployment) {
        deployment.template_json.replace(deployment.template_json.find("s3cret"), 6, "other1");
      });
    }
    ASSERT_TRUE(copy);
    for (const auto& [name, text] : copy->files) {
      EXPECT_EQ(text.find("s3cret"), std::string::npos) << name;
      EXPECT_EQ(text.find("42 rows"), std::string::npos) << name;
    }
    story.MoveElsewhere(*copy);
  }

  RollingStory story;
  std::optional<cli::CopiedRun> copy;
  std::string old;
};

TEST_F(Elsewhere, GoesOnFromTheCopyOfTheRun) {
  CutAndMove();
  const run::Ending ending = story.Go();
  ASSERT_EQ(ending.outcome, "done") << TextOf(ending);
  for (const char* component : {"rootcoord", "datacoord", "indexcoord", "querycoord", "proxy"})
    EXPECT_EQ(story.ImageOf(component), kNew) << component;
}

TEST_F(Elsewhere, ComparesWithTheClientsAnswerFromBefore) {
  CutAndMove();
  story.client.answer = "41 rows\n";
  const run::Ending ending = story.Go();
  EXPECT_EQ(ending.outcome, "needs-person");
  ASSERT_TRUE(ending.error);
  EXPECT_EQ(ending.error->code, ErrorCode::kVerifyFailed) << TextOf(ending);
  EXPECT_NE(ending.error->message.find("another answer than before: 41 rows"), std::string::npos);
}

TEST_F(Elsewhere, GoesBackFromTheCopyOfTheRun) {
  CutAndMove();
  const run::Ending back = story.GoBack();
  ASSERT_EQ(back.outcome, "rolled-back") << TextOf(back);
  EXPECT_EQ(story.Describe(), old);
}

TEST_F(Elsewhere, SaysThatATemplateCannotBeHadBackExactly) {
  CutAndMove(true);
  const run::Ending back = story.GoBack();
  EXPECT_EQ(back.outcome, "needs-person") << TextOf(back);
  ASSERT_TRUE(back.error);
  EXPECT_NE(back.error->Text().find("rootcoord"), std::string::npos) << back.error->Text();
}

// --- The power cut at every boundary. ---

class RollingCrash : public testing::Test {
 protected:
  void SetUp() override {
    RollingStory story;
    story.cluster.AddChart4(kOld);
    old_ = story.Describe();
    story.Plan("2.2.4");
    plan_ = story.ThePlan();
    story.Begin();
    const int first = story.stage.fuse.Passed();
    const run::Ending ending = story.Go();
    ASSERT_EQ(ending.outcome, "done") << TextOf(ending);
    const auto& names = story.stage.fuse.Names();
    names_.assign(names.begin() + first, names.end());
    new_ = story.Describe();
  }

  // Reading changes nothing, a record of the journal is whole at its sync.
  static bool IsWorth(const std::string& name) {
    return !name.starts_with("read ") && !name.starts_with("append ") &&
           !name.starts_with("sync-folder ");
  }

  // A sample of the boundaries; all of them with --long.
  std::size_t Stride() const {
    return std::getenv("MU_LONG") != nullptr ? 1 : names_.size() / 6 + 1;
  }

  // Cut at each boundary of the sample, and then gone on with: how it must end, and in which state.
  void EndsAfterEachCut(const std::function<run::Ending(RollingStory&)>& goes_on,
                        const std::string& outcome, const std::string& state) {
    int points = 0;
    for (std::size_t cut = 1; cut <= names_.size(); cut += Stride()) {
      while (cut < names_.size() && !IsWorth(names_[cut - 1])) ++cut;
      RollingStory story;
      story.cluster.AddChart4(kOld);
      story.UsePlan(plan_);
      story.Begin();
      std::string where;
      Cut(story, static_cast<int>(cut), &where);
      const run::Ending ending = goes_on(story);
      ASSERT_EQ(ending.outcome, outcome) << where << ": " << TextOf(ending);
      ASSERT_EQ(story.Describe(), state) << where;
      ++points;
    }
    std::cout << points << " points, all converged\n";
  }

  // Cuts there, powers on, and gives the story in that state.
  void Cut(
      RollingStory& story, int cut, std::string* where,
      const std::function<void(RollingStory&)>& work = [](RollingStory& one) { (void)one.Go(); }) {
    story.stage.fuse.CutAt(cut);
    try {
      work(story);
      ADD_FAILURE() << "boundary " << cut << " was not reached";
    } catch (const PowerCut& power) {
      *where += " [" + power.name + "]";
      story.PowerOn(Keep::kNothing);
    }
  }

  plan::Plan plan_;
  std::vector<std::string> names_;
  std::string old_;
  std::string new_;
};

TEST_F(RollingCrash, ResumeEndsInTheNewVersion) {
  EndsAfterEachCut([](RollingStory& story) { return story.Go(); }, "done", new_);
}

TEST_F(RollingCrash, RollbackEndsInTheOldVersion) {
  EndsAfterEachCut([](RollingStory& story) { return story.GoBack(); }, "rolled-back", old_);
}

TEST_F(RollingCrash, RollbackOfOneComponentEndsInTheOldVersionOfAll) {
  const auto done = [&](RollingStory& story) {
    story.cluster.AddChart4(kOld);
    story.config.only = {"querynode", "proxy"};
    story.Plan("2.2.4");
    ASSERT_EQ(story.BeginAndGo().outcome, "done");
  };
  RollingStory whole;
  done(whole);
  const int first = whole.stage.fuse.Passed();
  ASSERT_EQ(whole.GoBack({"querynode"}).outcome, "partly-rolled-back");
  const auto& names = whole.stage.fuse.Names();
  names_.assign(names.begin() + first, names.end());
  for (std::size_t cut = 1; cut <= names_.size(); cut += Stride()) {
    while (cut < names_.size() && !IsWorth(names_[cut - 1])) ++cut;
    RollingStory story;
    done(story);
    std::string where;
    Cut(story, static_cast<int>(cut), &where,
        [](RollingStory& one) { (void)one.GoBack({"querynode"}); });
    run::Ending ending = story.GoBack();
    if (ending.outcome == "partly-rolled-back") ending = story.GoBack();
    ASSERT_EQ(ending.outcome, "rolled-back") << where << ": " << TextOf(ending);
    ASSERT_EQ(story.Describe(), old_) << where;
  }
}

}  // namespace
}  // namespace mu::scenario
