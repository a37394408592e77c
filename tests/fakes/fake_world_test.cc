// SPDX-License-Identifier: Apache-2.0
// The fake world tells the measured story of Milvus (ground.md 3): if it stopped doing so, every
// scenario above it would prove nothing.
#include "fakes/fake_world.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fakes/stage.h"

namespace mu::fakes {
namespace {

constexpr char kSessions[] = "by-dev/meta/session/";
constexpr char kServer[] = "milvus-standalone";

std::vector<std::string> SessionNames(Stage& stage) {
  std::vector<std::string> names;
  for (const auto& [key, kv] : stage.world.Etcd().Keys()) {
    if (kv.lease != 0) names.push_back(kv.key.substr(std::string(kSessions).size()));
  }
  return names;
}

model::Container Look(Stage& stage, const std::string& name) {
  return stage.docker.Inspect({name}).value().front().value();
}

// Steps of 100 ms until the last session key is gone; how long that took.
Millis UntilSessionsGone(Stage& stage) {
  const Millis start = stage.clock.Monotonic();
  while (!SessionNames(stage).empty()) stage.clock.Advance(Millis(100));
  return stage.clock.Monotonic() - start;
}

void Tag(Stage& stage, const std::string& image) {
  std::string text = stage.files.Read(Stage::kFile).value();
  const std::size_t at = text.find("milvusdb/milvus:");
  text.replace(at, std::string(Stage::kOld).size() - (image == Stage::kNew ? 0 : 1), image);
  stage.files.Put(Stage::kFile, text);
}

TEST(FakeWorld, AStandaloneRegistersItsEightSessions) {
  Stage stage(kStandaloneFile);
  stage.Bring();
  EXPECT_EQ(SessionNames(stage).size(), 8U);
  const auto* session = stage.world.Etcd().Find(std::string(kSessions) + "rootcoord");
  ASSERT_NE(session, nullptr);
  EXPECT_NE(session->value.find("\"Version\":\"2.2.16\""), std::string::npos);
  EXPECT_EQ(stage.http.Get("http://127.0.0.1:9091/healthz", Millis(1000)).value().status, 200);
  EXPECT_EQ(Look(stage, kServer).health.status, "healthy");
}

TEST(FakeWorld, ALoadedOneIgnoresSigtermAndLeavesItsKeys) {
  Stage stage(kStandaloneFile);
  stage.Bring();
  const Millis start = stage.clock.Monotonic();
  ASSERT_TRUE(stage.docker.Stop({kServer}, Millis(10'000)));
  const Millis took = stage.clock.Monotonic() - start;
  EXPECT_GE(took, Millis(10'000));
  EXPECT_LT(took, Millis(11'000));
  EXPECT_EQ(Look(stage, kServer).exit_code, 137);
  EXPECT_EQ(SessionNames(stage).size(), 8U);
  const Millis gone = UntilSessionsGone(stage);
  EXPECT_GT(gone, Millis(12'000));
  EXPECT_LE(gone, Millis(20'000));
}

TEST(FakeWorld, AnEmptyOneStopsAtOnceAndTakesItsKeysAlong) {
  Stage stage(kStandaloneFile);
  stage.Bring();
  stage.world.SetLoaded(false);
  ASSERT_TRUE(stage.docker.Stop({kServer}, Millis(10'000)));
  EXPECT_EQ(Look(stage, kServer).exit_code, 0);
  EXPECT_TRUE(SessionNames(stage).empty());
}

TEST(FakeWorld, InAClusterOnlyTheLastQueryNodeIsSlow) {
  Stage stage(ClusterFile());
  stage.Bring();
  const Millis start = stage.clock.Monotonic();
  ASSERT_TRUE(stage.docker.Stop({"milvus-proxy", "milvus-datanode"}, Millis(60'000)));
  EXPECT_LT(stage.clock.Monotonic() - start, Millis(1000));
  ASSERT_TRUE(stage.docker.Stop({"milvus-querynode"}, Millis(60'000)));
  EXPECT_GE(stage.clock.Monotonic() - start, Millis(60'000));
}

TEST(FakeWorld, StaleKeysHoldUpTheNextOneUnlessRevoked) {
  for (const bool is_revoked : {false, true}) {
    Stage stage(kStandaloneFile);
    stage.Bring();
    stage.world.KillContainer(kServer);
    std::vector<std::int64_t> leases;
    for (const auto& [key, kv] : stage.world.Etcd().Keys()) {
      if (kv.lease != 0) leases.push_back(kv.lease);
    }
    if (is_revoked) {
      ASSERT_TRUE(stage.etcd.RevokeLeases("milvus-etcd", leases));
    }
    ASSERT_TRUE(stage.docker.Start({kServer}));
    stage.clock.Advance(Millis(5000));
    EXPECT_EQ(stage.world.IsReady(*stage.world.Find(kServer)), is_revoked);
    stage.clock.Advance(Millis(25'000));
    EXPECT_TRUE(stage.world.IsReady(*stage.world.Find(kServer)));
  }
}

TEST(FakeWorld, AnEditedFileChangesWhatUpCreates) {
  Stage stage(kStandaloneFile);
  stage.Bring();
  const std::string etcd = Look(stage, "milvus-etcd").id;
  const std::string old = Look(stage, kServer).id;
  ASSERT_TRUE(stage.compose.Up(model::ComposeGeneration::kV2, stage.selectors, {"standalone"}));
  EXPECT_EQ(Look(stage, kServer).id, old);
  Tag(stage, Stage::kNew);
  ASSERT_TRUE(stage.compose.Up(model::ComposeGeneration::kV2, stage.selectors, {"standalone"}));
  EXPECT_NE(Look(stage, kServer).id, old);
  EXPECT_EQ(Look(stage, kServer).image, Stage::kNew);
  EXPECT_EQ(Look(stage, "milvus-etcd").id, etcd);
}

TEST(FakeWorld, TwoTwoDiesOnWhatTwoThreeHasWritten) {
  Stage stage(kStandaloneFile, "no");
  stage.Bring();
  Tag(stage, Stage::kNew);
  ASSERT_TRUE(stage.compose.Up(model::ComposeGeneration::kV2, stage.selectors, {"standalone"}));
  Tag(stage, Stage::kOld);
  ASSERT_TRUE(stage.compose.Up(model::ComposeGeneration::kV2, stage.selectors, {"standalone"}));
  stage.clock.Advance(Millis(5000));
  EXPECT_EQ(Look(stage, kServer).status, "exited");
  EXPECT_NE(stage.docker.Logs(kServer, 3).value().find("Column families"), std::string::npos);
}

TEST(FakeWorld, FlawsShowAsTheyDoInLife) {
  Stage stage(kStandaloneFile);
  stage.Bring();
  stage.world.AddImage(Stage::kNew, Program::kMilvus, "2.3.5", Flaw::kCrash);
  Tag(stage, Stage::kNew);
  ASSERT_TRUE(stage.compose.Up(model::ComposeGeneration::kV2, stage.selectors, {"standalone"}));
  stage.clock.Advance(Millis(5000));
  EXPECT_GE(Look(stage, kServer).restart_count, 2);
  stage.world.AddImage(Stage::kNew, Program::kMilvus, "2.3.5", Flaw::kUnhealthy);
  ASSERT_TRUE(stage.compose.Up(model::ComposeGeneration::kV2, stage.selectors, {"standalone"}));
  stage.clock.Advance(Millis(30'000));
  EXPECT_EQ(Look(stage, kServer).health.status, "starting");
  EXPECT_EQ(stage.http.Get("http://127.0.0.1:9091/healthz", Millis(1000)).value().status, 500);
  stage.clock.Advance(Millis(200'000));
  EXPECT_EQ(Look(stage, kServer).health.status, "unhealthy");
}

// ground.md 6: `always` and stopped comes back with the engine, the other policies do not.
TEST(FakeWorld, AnEngineRestartBringsBackWhatTheEngineWould) {
  for (const std::string policy : {"always", "unless-stopped", "no"}) {
    Stage stage(kStandaloneFile, policy);
    stage.Bring();
    ASSERT_TRUE(stage.docker.Stop({kServer}, Millis(1000)));
    stage.world.RestartEngine();
    EXPECT_EQ(Look(stage, kServer).IsRunning(), policy == "always") << policy;
    EXPECT_FALSE(Look(stage, "milvus-etcd").IsRunning()) << "etcd has no policy";
  }
}

// Measured with Compose 2.40.3: killed between creating the new container and removing the old one,
// the next `up` keeps the new one under its passing name.
TEST(FakeWorld, ACutUpLeavesAContainerUnderAnotherName) {
  Stage stage(kStandaloneFile);
  stage.Bring();
  Tag(stage, Stage::kNew);
  const int before = stage.fuse.Passed();
  stage.fuse.CutAt(4);  // up, read the file, create, remove
  try {
    (void)stage.compose.Up(model::ComposeGeneration::kV2, stage.selectors, {"standalone"});
  } catch (const PowerCut&) {
  }
  const auto& names = stage.fuse.Names();
  ASSERT_EQ(names.back().substr(0, 14), "compose remove")
      << "boundary " << stage.fuse.Passed() - before << " is " << names.back();
  stage.fuse.CutAt(0);
  ASSERT_TRUE(stage.compose.Up(model::ComposeGeneration::kV2, stage.selectors, {"standalone"}));
  EXPECT_FALSE(stage.docker.Inspect({kServer}).value().front());
  int servers = 0;
  for (const FakeContainer* container : stage.world.All()) {
    if (container->facts.name.ends_with("_milvus-standalone")) ++servers;
  }
  EXPECT_EQ(servers, 1);
}

TEST(FakeWorld, AScratchEtcdHasKeysOfItsOwn) {
  Stage stage(kStandaloneFile);
  stage.Bring();
  stage.world.AddImage("migration:1", Program::kOther);
  ASSERT_TRUE(stage.etcd.SaveSnapshot("milvus-etcd", "/srv/snapshot"));
  const auto keys = stage.world.Etcd().Keys();

  ports::JobSpec restore{"restore", "quay.io/coreos/etcd:v3.5.5", "none"};
  restore.argv = {"etcdctl", "snapshot", "restore", "/snapshot", "--data-dir", "/data/etcd"};
  restore.volume = "/data";
  ASSERT_TRUE(stage.docker.CreateJob(restore));
  ASSERT_TRUE(stage.docker.CopyFileIn("restore", "/srv/snapshot", "/snapshot"));
  const auto run = [&](const std::string& name, std::vector<std::string>* lines = nullptr) {
    return stage.docker.RunJob(
        name,
        [&](std::string_view line) {
          if (lines != nullptr) lines->emplace_back(line);
        },
        [] { return false; });
  };
  EXPECT_EQ(run("restore").value(), 0);
  ASSERT_TRUE(stage.docker.CreateNetwork("scratch-net", {}));
  ports::JobSpec scratch{"scratch", restore.image, "scratch-net"};
  scratch.argv = {"etcd", "--data-dir", "/data/etcd"};
  scratch.volumes_from = "restore";
  ASSERT_TRUE(stage.docker.CreateJob(scratch));
  ASSERT_TRUE(stage.docker.Start({"scratch"}));
  EXPECT_EQ(stage.etcd.GetPrefix("scratch", "", ports::KeysOnly::kNo, 0)->kvs.size(), keys.size());

  stage.world.job_programs["migration:1"] = [&](const FakeJob& job) {
    job.line("migrating " + job.spec.argv[0]);
    stage.world.EtcdOf(job.spec.argv[0]).Put("migrated", "yes");
    return job.passes(Millis(60'000)) ? 4 : 0;
  };
  ports::JobSpec migration{"migration", "migration:1", "scratch-net"};
  migration.argv = {"scratch"};
  ASSERT_TRUE(stage.docker.CreateJob(migration));
  std::vector<std::string> lines;
  EXPECT_EQ(run("migration", &lines).value(), 4);
  EXPECT_EQ(lines, std::vector<std::string>{"migrating scratch"});
  const auto client = stage.etcd_clients.Of("scratch").value();
  EXPECT_EQ(client->GetPage({"migrated", ""})->kvs.at(0).value, "yes");
  EXPECT_EQ(stage.world.Etcd().Find("migrated"), nullptr) << "the stack's is another one";
}

TEST(FakeWorld, AJobThatWeLeaveGoesOn) {
  Stage stage(kStandaloneFile);
  stage.Bring();
  ports::JobSpec spec{"job", "kafka:3.4.1", "none"};
  spec.argv = {"sleep", "1"};
  ASSERT_TRUE(stage.docker.CreateJob(spec));
  stage.fuse.CutAt(2);  // before it starts; when it has
  EXPECT_THROW((void)stage.docker.RunJob(
                   "job", [](std::string_view) {}, [] { return false; }),
               PowerCut);
  stage.fuse.CutAt(0);
  EXPECT_TRUE(Look(stage, "job").IsRunning());
  ASSERT_TRUE(stage.docker.Kill("job"));
  EXPECT_EQ(Look(stage, "job").exit_code, 137);
}

TEST(FakeWorld, AClientOfItsEtcdWritesAtAnEffectPoint) {
  Stage stage(kStandaloneFile);
  stage.Bring();
  const auto client = stage.etcd_clients.Of("milvus-etcd").value();
  ports::Transaction put;
  put.writes.push_back({ports::Write::Kind::kPut, "a", "1", 0});
  stage.fuse.CutAt(1);
  EXPECT_THROW((void)client->Commit(put), PowerCut);
  EXPECT_EQ(stage.world.Etcd().Find("a"), nullptr);
  stage.fuse.CutAt(2);
  EXPECT_THROW((void)client->Commit(put), PowerCut);
  EXPECT_NE(stage.world.Etcd().Find("a"), nullptr) << "done, and nobody told us";
  stage.fuse.CutAt(0);
  stage.world.KillContainer("milvus-etcd");
  EXPECT_EQ(client->Commit(put).error().code, ErrorCode::kEtcdUnreachable);
}

TEST(FakeWorld, TheSameStoryEndsInTheSameDescription) {
  const auto story = [](Millis pause) {
    Stage stage(kStandaloneFile);
    stage.Bring();
    stage.clock.Advance(pause);
    (void)stage.docker.Stop({kServer}, Millis(1000));
    (void)stage.docker.Start({kServer});
    stage.clock.Advance(Millis(60'000));
    return stage.world.Describe();
  };
  EXPECT_EQ(story(Millis(0)), story(Millis(12'345)));
  Stage other(kStandaloneFile);
  other.Bring();
  (void)other.docker.SetRestartPolicy({kServer}, "no", 0);
  EXPECT_NE(story(Millis(0)), other.world.Describe());
}

}  // namespace
}  // namespace mu::fakes
