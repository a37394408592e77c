// SPDX-License-Identifier: Apache-2.0
// Whole upgrades of a Compose stack over the fake world: the good one, each bad start, and what
// other people do in the middle. Each test is one story: what happens, how it must end.
#include <gtest/gtest.h>

#include <algorithm>

#include "fakes/fake_cluster.h"
#include "scenario/story.h"

namespace mu::scenario {
namespace {

using fakes::ClusterFile;
using fakes::Flaw;
using fakes::kStandaloneFile;
using fakes::Program;
using fakes::Stage;

// The table is complete: whatever a plan can say is done by someone.
TEST(Effects, EveryKindOfStepHasOne) {
  Story story(kStandaloneFile);
  NoRunner runner;
  fakes::FakeCluster cluster(story.stage.fuse, story.stage.clock);
  fakes::FakeKube kube(cluster);
  const auto effects = effects::MakeEffects(
      {story.stage.docker, story.stage.compose, story.stage.etcd, story.stage.etcd_clients,
       story.stage.files, runner, story.stage.clock, story.stage.http, &kube});
  for (const plan::StepKindRow& row : plan::StepKindTable())
    EXPECT_NO_THROW(effects->For(row.kind)) << row.name;
}

constexpr char kServer[] = "milvus-standalone";
constexpr char kDone[] = "done";
constexpr char kRolledBack[] = "rolled-back";
constexpr char kNeedsPerson[] = "needs-person";

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

TEST(ComposeStory, AStandaloneStackIsUpgraded) {
  Story story(kStandaloneFile);
  const std::string file = story.Read(Stage::kFile);
  const std::string etcd = story.Look("milvus-etcd").id;
  story.Plan("2.3.5");
  const Ending ending = story.BeginAndGo();
  ASSERT_EQ(ending.outcome, kDone) << Told(ending);
  EXPECT_EQ(story.Read(Stage::kFile), Replaced(file, "milvus:v2.2.16", "milvus:v2.3.5"))
      << "nothing but the tag has changed";
  const model::Container server = story.Look(kServer);
  EXPECT_EQ(server.image, Stage::kNew);
  EXPECT_TRUE(server.IsRunning());
  EXPECT_EQ(server.restart_policy, "always") << "the file's policy is back";
  EXPECT_EQ(story.Look("milvus-etcd").id, etcd) << "etcd is never touched";
  EXPECT_EQ(story.stage.world.Find("milvus-etcd")->starts, 1);
  EXPECT_FALSE(story.stage.world.Find("milvus-upgrade-lock-milvus")) << "the lock is released";
}

TEST(ComposeStory, TheOutageDoesNotWaitForLeases) {
  Story story(kStandaloneFile);
  story.Plan("2.3.5");
  Millis stopped{0};
  Millis started{0};
  story.Before("stop", [&] { stopped = story.stage.clock.Monotonic(); });
  story.Before("compose start", [&] { started = story.stage.clock.Monotonic(); });
  ASSERT_EQ(story.BeginAndGo().outcome, kDone);
  // Without revoking it would be 20 s (ground.md 3).
  EXPECT_LT(started - stopped, Millis(15'000));
}

TEST(ComposeStory, TheOutageDoesNotWaitForARenewal) {
  // Each phase of the leases of 20 s, which are renewed every 6.7 s.
  for (int phase = 0; phase < 14; ++phase) {
    Story story(kStandaloneFile);
    story.stage.clock.Sleep(Millis(500 * phase));
    story.Plan("2.3.5");
    Millis stopped{0};
    Millis started{0};
    story.Before("stop", [&] { stopped = story.stage.clock.Monotonic(); });
    story.Before("compose start", [&] { started = story.stage.clock.Monotonic(); });
    ASSERT_EQ(story.BeginAndGo().outcome, kDone);
    EXPECT_LT(started - stopped, Millis(2'000)) << "phase " << phase;
  }
}

TEST(ComposeStory, AClusterIsUpgradedTierByTier) {
  Story story(ClusterFile());
  story.Plan("2.3.5");
  std::vector<std::string> order;
  for (const char* call : {"stop milvus-proxy", "stop milvus-datanode", "compose up proxy"})
    story.Before(call, [&order, call] { order.emplace_back(call); });
  story.Before("compose up datacoord", [&] {
    order.emplace_back("coordinators");
    for (const fakes::FakeContainer* container : story.stage.world.All()) {
      const bool is_milvus = container->image.program == Program::kMilvus;
      EXPECT_FALSE(is_milvus && container->facts.IsRunning()) << container->facts.name;
    }
  });
  const Ending ending = story.BeginAndGo();
  ASSERT_EQ(ending.outcome, kDone) << Told(ending);
  EXPECT_EQ(order, (std::vector<std::string>{"stop milvus-proxy", "stop milvus-datanode",
                                             "coordinators", "compose up proxy"}));
  for (const char* role : {"rootcoord", "datacoord", "querycoord", "indexcoord", "datanode",
                           "indexnode", "querynode", "proxy"}) {
    EXPECT_EQ(story.Look(std::string("milvus-") + role).image, Stage::kNew) << role;
  }
}

TEST(ComposeStory, TheSameVersionIsNothingToDo) {
  Story story(kStandaloneFile);
  const std::string before = story.stage.world.Describe();
  const auto prepared = story.Prepare("2.2.16");
  ASSERT_TRUE(prepared) << prepared.error().Text();
  EXPECT_FALSE(prepared->plan.HasSteps());
  EXPECT_EQ(story.stage.world.Describe(), before);
}

// A Milvus service of the files that has no container: told with its cause; and where that check is
// skipped, its image is changed with the others, since its next start would be an old version.
TEST(ComposeStory, AServiceWithoutAContainerIsTold) {
  Story story(ClusterFile());
  story.stage.world.RemoveContainer("milvus-indexnode");
  story.stage.clock.Advance(Millis(120'000));
  const auto told = story.Prepare("2.3.5");
  ASSERT_TRUE(told) << told.error().Text();
  const auto is_it = [](const model::Finding& finding) {
    return finding.id == "containers" && finding.subject == "indexnode" &&
           finding.severity == model::Severity::kError && !finding.cause.empty() &&
           !finding.fix.empty();
  };
  EXPECT_EQ(std::count_if(told->findings.begin(), told->findings.end(), is_it), 1);

  story.config.skipped_checks = {"containers"};
  const auto prepared = story.Prepare("2.3.5");
  ASSERT_TRUE(prepared) << prepared.error().Text();
  std::size_t splices = 0;
  for (const plan::Step& step : prepared->plan.steps) {
    if (const auto* replace = std::get_if<plan::ReplaceFile>(&step.args))
      splices += replace->splices.size();
    const auto* up = std::get_if<plan::UpServices>(&step.args);
    EXPECT_FALSE(up != nullptr && up->containers.contains("indexnode")) << "it was not up before";
  }
  EXPECT_EQ(splices, 8U);
}

// Two checkouts with the container names of the official file on one engine.
TEST(ComposeStory, ANameThatAnotherProjectHasIsTold) {
  Story story(kStandaloneFile);
  story.config.selectors.project_name = "second";
  const auto prepared = story.Prepare("2.3.5");
  if (!prepared) {  // a version is read from containers: here the tag of the file tells it
    ADD_FAILURE() << prepared.error().Text();
    return;
  }
  const auto names = [&](const std::string& subject) {
    return std::count_if(prepared->findings.begin(), prepared->findings.end(),
                         [&](const model::Finding& finding) {
                           return finding.id == "container-names" && finding.subject == subject &&
                                  finding.message.find("project milvus") != std::string::npos;
                         });
  };
  EXPECT_EQ(names("standalone"), 1);
  EXPECT_EQ(names("etcd"), 1);
}

TEST(ComposeStory, AMissingImageIsFoundBeforeTheOutage) {
  Story story(kStandaloneFile);
  story.stage.world.RemoveImage(Stage::kNew);
  const auto prepared = story.Prepare("2.3.5");
  ASSERT_TRUE(prepared) << prepared.error().Text();
  const bool has_error =
      std::any_of(prepared->findings.begin(), prepared->findings.end(), [](const auto& finding) {
        return finding.severity == model::Severity::kError &&
               finding.message.find(Stage::kNew) != std::string::npos;
      });
  EXPECT_TRUE(has_error);
}

TEST(ComposeStory, AnImageOfTheRegistryIsPulledWhileItServes) {
  Story story(kStandaloneFile);
  story.stage.world.RemoveImage(Stage::kNew);
  story.stage.world.AddToRegistry(Stage::kNew, "2.3.5");
  story.Plan("2.3.5");
  story.Before("pull", [&] { EXPECT_TRUE(story.Look(kServer).IsRunning()); });
  const Ending ending = story.BeginAndGo();
  EXPECT_EQ(ending.outcome, kDone) << Told(ending);
}

TEST(ComposeStory, APortTakenInTheWindowIsBeforeThePointOfNoReturn) {
  Story story(kStandaloneFile);
  const std::string before = story.Describe();
  story.Plan("2.3.5");
  story.Before("compose start", [&] { story.stage.world.TakePort(9091); });
  // Whoever took it has gone when the old version comes back.
  story.Before("compose up standalone", [] {});
  story.Before("compose up standalone", [&] { story.stage.world.FreePort(9091); });
  const Ending ending = story.BeginAndGo();
  EXPECT_EQ(ending.outcome, kRolledBack) << Told(ending);
  ASSERT_TRUE(ending.error);
  EXPECT_NE(ending.error->message.find("port is already allocated"), std::string::npos);
  EXPECT_EQ(story.Describe(), before);
}

TEST(ComposeStory, OneThatNeverGetsHealthyCannotGoBackWithRocksmq) {
  Story story(kStandaloneFile);
  story.stage.world.AddImage(Stage::kNew, Program::kMilvus, "2.3.5", Flaw::kUnhealthy);
  story.Plan("2.3.5");
  const Ending ending = story.BeginAndGo();
  EXPECT_EQ(ending.outcome, kNeedsPerson) << Told(ending);
  ASSERT_TRUE(ending.error);
  EXPECT_NE(ending.error->message.find("health"), std::string::npos) << ending.error->Text();
  EXPECT_EQ(story.Look(kServer).image, Stage::kNew) << "2.2 would die on what 2.3 has written";
}

TEST(ComposeStory, ACrashLoopIsToldWithItsLog) {
  Story story(kStandaloneFile);
  story.stage.world.AddImage(Stage::kNew, Program::kMilvus, "2.3.5", Flaw::kCrash);
  story.Plan("2.3.5");
  const Millis start = story.stage.clock.Monotonic();
  const Ending ending = story.BeginAndGo();
  EXPECT_EQ(ending.outcome, kNeedsPerson) << Told(ending);
  ASSERT_TRUE(ending.error);
  EXPECT_NE(ending.error->message.find("was restarted"), std::string::npos) << ending.error->Text();
  EXPECT_EQ(ending.error->message.find("exit code 0"), std::string::npos);
  EXPECT_NE(ending.error->message.find("a flaw of this build"), std::string::npos);
  EXPECT_LT(story.stage.clock.Monotonic() - start, Millis(60'000)) << "not the gate's whole time";
}

// Within one minor version the old one can run on what the new one has written.
TEST(ComposeStory, ABadPatchVersionIsRolledBack) {
  for (const Flaw flaw : {Flaw::kCrash, Flaw::kUnhealthy, Flaw::kSilent, Flaw::kWrongVersion}) {
    Story story(Replaced(kStandaloneFile, "milvus:v2.2.16", "milvus:v2.2.15"));
    const std::string before = story.Describe();
    story.stage.world.AddImage(Stage::kOld, Program::kMilvus, "2.2.16", flaw);
    story.Plan("2.2.16");
    const Ending ending = story.BeginAndGo();
    EXPECT_EQ(ending.outcome, kRolledBack) << Told(ending);
    EXPECT_EQ(story.Describe(), before);
  }
}

TEST(ComposeStory, AForeignMilvusIsNeverRevoked) {
  for (const bool has_our_address : {false, true}) {
    Story story(kStandaloneFile);
    story.Plan("2.3.5");
    const std::string ours = story.Look(kServer).network_ips.begin()->second;
    story.Before("revoke", [&] {
      story.stage.world.StartForeign("querynode", "2.2.16",
                                     (has_our_address ? ours : "10.9.9.9") + std::string(":21123"));
    });
    const Ending ending = story.BeginAndGo();
    EXPECT_EQ(ending.outcome, kRolledBack) << Told(ending);
    ASSERT_TRUE(ending.error);
    EXPECT_EQ(ending.error->code, ErrorCode::kSessionForeign) << ending.error->Text();
    int foreign = 0;
    for (const auto& [key, kv] : story.stage.world.Etcd().Keys()) {
      const bool is_query_node = key.find("session/querynode-") != std::string::npos;
      if (is_query_node && kv.value.find(has_our_address ? ours : "10.9.9.9") != std::string::npos)
        ++foreign;
    }
    EXPECT_GE(foreign, 1) << "its session is still there";
    EXPECT_EQ(story.Look(kServer).image, Stage::kOld);
    EXPECT_TRUE(story.Look(kServer).IsRunning());
  }
}

TEST(ComposeStory, SomeoneStartsTheContainerInTheWindow) {
  Story story(kStandaloneFile);
  const std::string before = story.Describe();
  story.Plan("2.3.5");
  bool is_started = false;
  story.Before("revoke", [&] {
    story.stage.world.At(story.stage.clock.Monotonic() + Millis(1), [&] {
      is_started = true;
      (void)story.stage.world.StartContainer(kServer);
    });
    story.stage.clock.Advance(Millis(2));
  });
  const Ending ending = story.BeginAndGo();
  ASSERT_TRUE(is_started);
  EXPECT_EQ(ending.outcome, kRolledBack) << Told(ending);
  EXPECT_EQ(story.Describe(), before);
}

TEST(ComposeStory, AFileThatSomeoneChangesIsLeftAsTheyMadeIt) {
  Story story(kStandaloneFile);
  story.Plan("2.3.5");
  const std::string theirs = story.Read(Stage::kFile) + "# mine\n";
  story.Before("stop", [&] { story.stage.files.Put(Stage::kFile, theirs); });
  const Ending ending = story.BeginAndGo();
  EXPECT_EQ(ending.outcome, kRolledBack) << Told(ending);
  ASSERT_TRUE(ending.error);
  EXPECT_EQ(ending.error->code, ErrorCode::kFileChanged) << ending.error->Text();
  EXPECT_EQ(story.Read(Stage::kFile), theirs);
  EXPECT_EQ(story.Look(kServer).image, Stage::kOld);
  EXPECT_TRUE(story.Look(kServer).IsRunning());
  EXPECT_EQ(story.Look(kServer).restart_policy, "always");
}

TEST(ComposeStory, RestartAlwaysIsKeptDownOverAnEngineRestart) {
  const std::string file = Replaced(kStandaloneFile, "    command: etcd --data-dir /etcd",
                                    "    restart: always\n    command: etcd --data-dir /etcd");
  Story story(file, "always");
  story.Plan("2.3.5");
  bool is_down = false;
  story.Before("compose up", [&] {
    story.stage.world.RestartEngine();
    is_down = !story.Look(kServer).IsRunning();
  });
  const Ending ending = story.BeginAndGo();
  EXPECT_TRUE(is_down) << "restart: always would have brought it back";
  EXPECT_EQ(ending.outcome, kDone) << Told(ending);
}

TEST(ComposeStory, AnEngineThatIsAwayBeforeTheOutageTouchesNothing) {
  Story story(kStandaloneFile);
  const std::string before = story.Describe();
  story.Plan("2.3.5");
  story.Before("snapshot", [&] { story.stage.world.SetEngineUp(false); });
  const Ending ending = story.BeginAndGo();
  EXPECT_EQ(ending.outcome, "failed-untouched") << Told(ending);
  EXPECT_EQ(ending.error->code, ErrorCode::kDockerDown);
  story.stage.world.SetEngineUp(true);
  story.stage.world.RemoveContainer("milvus-upgrade-lock-milvus");
  EXPECT_EQ(story.Describe(), before);
}

}  // namespace
}  // namespace mu::scenario
