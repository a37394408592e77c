// SPDX-License-Identifier: Apache-2.0
// The fake cluster tells the story of a Deployment controller as documented and as seen on a real
// one (ground.md 5): if it stopped doing so, every rolling scenario would prove nothing.
#include "fakes/fake_cluster.h"

#include <gtest/gtest.h>

namespace mu::fakes {
namespace {

struct Stand {
  Fuse fuse;
  HandClock clock;
  FakeCluster cluster{fuse, clock};
  FakeKube kube{cluster};

  model::Deployment Look(const std::string& name) { return *kube.GetDeployment(name).value(); }
  std::vector<model::Pod> Pods() { return kube.List({model::KubeKind::kPod}, "").value().pods; }
  void SetImage(const std::string& name, const std::string& image) {
    const model::Deployment now = Look(name);
    ports::DeploymentPatch patch;
    patch.name = name;
    patch.uid = now.meta.uid;
    patch.resource_version = now.meta.resource_version;
    patch.images = {{now.pod.containers.back().name, image}};
    const auto patched = kube.Patch(patch, ports::DryRun::kNo);
    ASSERT_TRUE(patched) << patched.error().Text();
  }
};

constexpr char kNew[] = "milvusdb/milvus:v2.2.4";

TEST(FakeCluster, ADeploymentComesReady) {
  Stand stand;
  stand.cluster.AddDeployment({.replicas = 2});
  const model::Deployment proxy = stand.Look("my-release-milvus-proxy");
  EXPECT_EQ(proxy.available_replicas, 2);
  EXPECT_EQ(proxy.updated_replicas, 2);
  EXPECT_EQ(proxy.observed_generation, proxy.meta.generation);
  EXPECT_EQ(proxy.pod.containers[0].command, (std::vector<std::string>{"milvus", "run", "proxy"}));
}

TEST(FakeCluster, ASurgeComesBeforeTheOldPodGoesAndThatStaysAWhile) {
  Stand stand;
  stand.cluster.AddDeployment({});
  stand.SetImage("my-release-milvus-proxy", kNew);
  EXPECT_LT(stand.Look("my-release-milvus-proxy").observed_generation, 2);
  stand.clock.Advance(Millis(100));
  model::Deployment proxy = stand.Look("my-release-milvus-proxy");
  EXPECT_EQ(proxy.observed_generation, 2);
  EXPECT_EQ(proxy.status_replicas, 2);
  EXPECT_EQ(proxy.updated_replicas, 1);
  EXPECT_EQ(proxy.ready_replicas, 1) << "the old one";
  stand.clock.Advance(Millis(3'500));
  proxy = stand.Look("my-release-milvus-proxy");
  EXPECT_EQ(proxy.available_replicas, 1);
  EXPECT_EQ(proxy.status_replicas, 1) << "terminating pods are not counted";
  ASSERT_EQ(stand.Pods().size(), 2U);
  EXPECT_EQ(stand.Pods()[0].IsTerminating() + stand.Pods()[1].IsTerminating(), 1);
  stand.clock.Advance(Millis(1'000));
  EXPECT_EQ(stand.Pods().size(), 1U);
  EXPECT_EQ(stand.Pods()[0].images.at("proxy"), kNew);
}

TEST(FakeCluster, RecreateWaitsForTheOldPodToBeGone) {
  Stand stand;
  stand.cluster.AddDeployment({.strategy = "Recreate"});
  stand.SetImage("my-release-milvus-proxy", kNew);
  stand.clock.Advance(Millis(500));
  ASSERT_EQ(stand.Pods().size(), 1U);
  EXPECT_TRUE(stand.Pods()[0].IsTerminating());
  stand.clock.Advance(Millis(600));
  ASSERT_EQ(stand.Pods().size(), 1U);
  EXPECT_EQ(stand.Pods()[0].images.at("proxy"), kNew);
  EXPECT_FALSE(stand.Pods()[0].IsReady());
  stand.clock.Advance(Millis(3'500));
  EXPECT_TRUE(stand.Pods()[0].IsReady());
}

TEST(FakeCluster, MinReadySecondsPutOffAvailability) {
  Stand stand;
  stand.cluster.AddDeployment({.min_ready_seconds = 30});
  stand.SetImage("my-release-milvus-proxy", kNew);
  stand.clock.Advance(Millis(10'000));
  EXPECT_EQ(stand.Look("my-release-milvus-proxy").ready_replicas, 2);
  EXPECT_EQ(stand.Look("my-release-milvus-proxy").available_replicas, 1);
  stand.clock.Advance(Millis(25'000));
  EXPECT_EQ(stand.Look("my-release-milvus-proxy").status_replicas, 1);
}

TEST(FakeCluster, RollsManyReplicasWithoutFallingBelowTheLeast) {
  Stand stand;
  stand.cluster.AddDeployment({.replicas = 4});
  stand.SetImage("my-release-milvus-proxy", kNew);
  int least = 4;
  int most = 0;
  for (int i = 0; i < 200; ++i) {
    stand.clock.Advance(Millis(100));
    const model::Deployment proxy = stand.Look("my-release-milvus-proxy");
    least = std::min(least, proxy.available_replicas);
    most = std::max(most, proxy.status_replicas);
  }
  EXPECT_EQ(least, 3);
  EXPECT_EQ(most, 5);
  EXPECT_EQ(stand.Look("my-release-milvus-proxy").updated_replicas, 4);
}

TEST(FakeCluster, APausedOneTakesTheTemplateAndRollsNothing) {
  Stand stand;
  stand.cluster.AddDeployment({.is_paused = true});
  stand.SetImage("my-release-milvus-proxy", kNew);
  stand.clock.Advance(Millis(20'000));
  const model::Deployment proxy = stand.Look("my-release-milvus-proxy");
  EXPECT_EQ(proxy.observed_generation, proxy.meta.generation);
  EXPECT_EQ(proxy.updated_replicas, 0);
}

TEST(FakeCluster, FlawsOfATagAreSeenAsAKubeletTellsThem) {
  for (const auto& [tag, what] : std::vector<std::pair<std::string, std::string>>{
           {"v2.2.4-pullfail", "ImagePullBackOff"}, {"v2.2.4-crash", "CrashLoopBackOff"}}) {
    Stand stand;
    stand.cluster.AddDeployment({});
    stand.SetImage("my-release-milvus-proxy", "milvusdb/milvus:" + tag);
    stand.clock.Advance(Millis(5'600));
    bool is_seen = false;
    for (const model::Pod& pod : stand.Pods())
      is_seen = is_seen || pod.containers[0].now.reason == what;
    EXPECT_TRUE(is_seen) << tag;
    EXPECT_EQ(stand.Look("my-release-milvus-proxy").available_replicas, 1) << "the old one stays";
    stand.clock.Advance(Millis(700'000));
    const auto proxy = stand.Look("my-release-milvus-proxy");
    EXPECT_EQ(model::FindCondition(proxy.conditions, "Progressing")->reason,
              "ProgressDeadlineExceeded");
  }
}

TEST(FakeCluster, GoingBackTakesTheOldReplicaSetAgain) {
  Stand stand;
  stand.cluster.AddDeployment({});
  const std::string before = stand.Look("my-release-milvus-proxy").template_json;
  stand.SetImage("my-release-milvus-proxy", kNew);
  stand.clock.Advance(Millis(10'000));
  const model::Deployment now = stand.Look("my-release-milvus-proxy");
  ports::DeploymentPatch back;
  back.name = now.meta.name;
  back.uid = now.meta.uid;
  back.resource_version = now.meta.resource_version;
  back.template_json = before;
  ASSERT_TRUE(stand.kube.Patch(back, ports::DryRun::kNo));
  stand.clock.Advance(Millis(10'000));
  EXPECT_EQ(stand.Look("my-release-milvus-proxy").template_json, before);
  const auto all = stand.kube.List({model::KubeKind::kReplicaSet}, "").value().replica_sets;
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(std::max(all[0].revision, all[1].revision), 3);
}

TEST(FakeCluster, AQuotaKeepsPodsFromBeingMade) {
  Stand stand;
  stand.cluster.AddDeployment({});
  stand.cluster.pod_quota = 1;
  stand.SetImage("my-release-milvus-proxy", kNew);
  stand.clock.Advance(Millis(5'000));
  EXPECT_EQ(stand.Pods().size(), 1U);
}

}  // namespace
}  // namespace mu::fakes
