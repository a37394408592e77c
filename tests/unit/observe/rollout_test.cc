// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/observe/rollout.h"

#include <gtest/gtest.h>

#include <set>

namespace mu::observe {
namespace {

using model::ContainerStatus;
using model::KubeObjects;
using model::Pod;

constexpr char kOld[] = "milvusdb/milvus:v2.2.3";
constexpr char kNew[] = "milvusdb/milvus:v2.2.4";

Pod PodOf(const std::string& name, const std::string& hash, const std::string& image) {
  Pod pod;
  pod.meta.name = name;
  pod.meta.uid = "uid-" + name;
  pod.meta.labels = {{"component", "proxy"}, {"pod-template-hash", hash}};
  pod.phase = "Running";
  pod.images = {{"proxy", image}};
  ContainerStatus status;
  status.name = "proxy";
  status.image = image;
  status.image_id = image + "@sha256:ab";
  status.is_ready = true;
  status.now.state = "running";
  pod.containers = {status};
  pod.conditions = {{"Ready", "True", "", "", ""}};
  return pod;
}

// One that is not there yet: nothing of it is ready.
Pod StartingPod() {
  Pod pod = PodOf("new", "h2", kNew);
  pod.conditions = {{"Ready", "False", "ContainersNotReady", "", ""}};
  pod.containers[0].is_ready = false;
  pod.containers[0].image_id.clear();
  pod.containers[0].now = {"waiting", "ContainerCreating", "", 0, "", ""};
  return pod;
}

// The new pod beside the old one, as right after the patch of a Deployment of one replica.
KubeObjects Rolling() {
  KubeObjects objects;
  model::Deployment deployment;
  deployment.meta.name = "r-milvus-proxy";
  deployment.meta.uid = "u";
  deployment.meta.generation = deployment.observed_generation = 2;
  deployment.meta.annotations = {{"deployment.kubernetes.io/revision", "2"}};
  deployment.selector = {{"component", "proxy"}};
  deployment.status_replicas = 2;
  deployment.updated_replicas = 1;
  deployment.ready_replicas = deployment.available_replicas = 1;
  objects.deployments = {deployment};
  for (const int revision : {1, 2}) {
    model::ReplicaSet set;
    set.meta.name = "r-milvus-proxy-h" + std::to_string(revision);
    set.meta.owner_kind = "Deployment";
    set.meta.owner_name = "r-milvus-proxy";
    set.meta.owner_uid = "u";
    set.revision = revision;
    set.template_hash = "h" + std::to_string(revision);
    objects.replica_sets.push_back(set);
  }
  objects.pods = {StartingPod(), PodOf("old", "h1", kOld)};
  return objects;
}

KubeObjects Done() {
  KubeObjects objects = Rolling();
  objects.pods = {PodOf("new", "h2", kNew)};
  objects.deployments[0].status_replicas = 1;
  return objects;
}

std::string Missing(const KubeObjects& objects, bool waits_for_gone = true) {
  return MissingOf(RolloutOf(objects, "r-milvus-proxy"), "proxy", kNew, waits_for_gone);
}

TEST(MissingOf, IsNothingWhenAllAgrees) { EXPECT_EQ(Missing(Done()), ""); }

TEST(MissingOf, TellsHowFarItIs) {
  KubeObjects objects = Rolling();
  EXPECT_EQ(Missing(objects), "0 of 1 updated");
  objects.deployments[0].observed_generation = 1;
  EXPECT_EQ(Missing(objects), "the controller has not taken it up yet");
  objects = Rolling();
  objects.pods[0].containers[0].image_id = "sha256:ab";
  EXPECT_EQ(Missing(objects), "0 of 1 ready");
  objects.pods[0].conditions[0].status = "True";
  EXPECT_EQ(Missing(objects), "1 old pods left");
}

// The Deployment may be told before its new ReplicaSet is.
TEST(MissingOf, DoesNotTakeTheOldReplicaSetForTheNewOne) {
  KubeObjects objects = Done();
  objects.replica_sets.pop_back();
  EXPECT_EQ(Missing(objects), "the controller has not taken it up yet");
}

// `kubectl rollout status` says done here (ground.md 5).
TEST(MissingOf, CountsTerminatingPods) {
  KubeObjects objects = Done();
  objects.pods.push_back(PodOf("old", "h1", kOld));
  objects.pods.back().meta.deleted_at = "2026-11-30T12:00:00Z";
  EXPECT_EQ(Missing(objects), "1 old pods terminating");
  EXPECT_EQ(Missing(objects, false), "");
}

TEST(MissingOf, WantsTheImageInTheComponentsContainer) {
  KubeObjects objects = Done();
  objects.pods[0].images["proxy"] = kOld;
  EXPECT_EQ(Missing(objects), "0 of 1 updated");
}

std::string CauseIn(const KubeObjects& objects, const std::vector<model::KubeEvent>& events = {}) {
  const auto cause = CauseOf(RolloutOf(objects, "r-milvus-proxy"), events);
  return cause ? std::string(cause->id) : "";
}

KubeObjects Waiting(const std::string& reason, const std::string& message = "") {
  KubeObjects objects = Rolling();
  objects.pods[0].containers[0].now = {"waiting", reason, message, 0, "", ""};
  return objects;
}

TEST(CauseOf, IsNothingWhileAllGoesWell) {
  EXPECT_EQ(CauseIn(Rolling()), "");
  EXPECT_EQ(CauseIn(Done()), "");
}

TEST(CauseOf, GivesTheRegistrysWords) {
  const auto cause =
      CauseOf(RolloutOf(Waiting("ImagePullBackOff", "manifest unknown"), "r-milvus-proxy"), {});
  ASSERT_TRUE(cause);
  EXPECT_EQ(cause->id, "image-pull");
  EXPECT_EQ(cause->patience, Millis(0));
  EXPECT_NE(cause->text.find("manifest unknown"), std::string::npos);
  // It may be a moment's trouble.
  EXPECT_GT(CauseOf(RolloutOf(Waiting("ErrImagePull"), "r-milvus-proxy"), {})->patience, Millis(0));
}

TEST(CauseOf, NamesEachKnownOne) {
  std::set<std::string> seen;
  const auto expect = [&](const std::string& id, const KubeObjects& objects,
                          const std::vector<model::KubeEvent>& events = {}) {
    EXPECT_EQ(CauseIn(objects, events), id);
    seen.insert(id);
  };
  expect("image-pull", Waiting("InvalidImageName"));
  expect("crash-loop", Waiting("CrashLoopBackOff"));
  expect("cannot-start", Waiting("CreateContainerConfigError", "no secret"));
  KubeObjects objects = Waiting("CrashLoopBackOff");
  objects.pods[0].containers[0].last.reason = "OOMKilled";
  expect("out-of-memory", objects);
  objects = Rolling();
  objects.pods[0].conditions.push_back({"PodScheduled", "False", "Unschedulable", "0/3 nodes", ""});
  expect("unschedulable", objects);
  objects.pods[0].conditions.back().message = "pod has unbound PersistentVolumeClaims";
  expect("volume-pending", objects);
  objects = Rolling();
  objects.deployments[0].conditions = {
      {"ReplicaFailure", "True", "FailedCreate", "pods is forbidden: exceeded quota: q", ""}};
  expect("quota", objects);
  objects.deployments[0].conditions[0].message = "admission webhook \"w\" denied the request";
  expect("admission", objects);
  objects.deployments[0].conditions[0].message = "something else";
  expect("cannot-create", objects);
  objects = Rolling();
  objects.pods[0].phase = "Unknown";
  expect("node-lost", objects);
  model::KubeEvent event;
  event.about_uid = "uid-new";
  event.reason = "NodeNotReady";
  expect("node-lost", Rolling(), {event});
  objects = Rolling();
  objects.pods[0].conditions.push_back(
      {"DisruptionTarget", "True", "DeletionByTaintManager", "", ""});
  expect("node-lost", objects);
  objects = Rolling();
  objects.pods[0].phase = "Failed";
  objects.pods[0].reason = "Evicted";
  expect("evicted", objects);
  objects = Done();
  objects.pods.push_back(PodOf("old", "h1", kOld));
  objects.pods.back().meta.deleted_at = "2026-11-30T12:00:00Z";
  objects.pods.back().meta.delete_grace_seconds = 30;
  expect("terminating", objects);
  objects = Rolling();
  objects.deployments[0].is_paused = true;
  expect("paused", objects);
  objects = Rolling();
  objects.deployments[0].conditions = {
      {"Progressing", "False", "ProgressDeadlineExceeded", "timed out", ""}};
  expect("deadline", objects);
  event.reason = "Unhealthy";
  expect("probe", Rolling(), {event});
  event.reason = "FailedMount";
  expect("volume-mount", Rolling(), {event});
  for (const StuckRow& row : StuckTable())
    EXPECT_TRUE(seen.contains(std::string(row.id))) << row.id;
}

// A failing probe is how every start begins; a node may be on its way.
TEST(CauseOf, DoesNotGiveUpForWhatPasses) {
  model::KubeEvent event;
  event.about_uid = "uid-new";
  event.reason = "Unhealthy";
  EXPECT_FALSE(CauseOf(RolloutOf(Rolling(), "r-milvus-proxy"), std::vector{event})->is_final);
  KubeObjects objects = Rolling();
  objects.pods[0].conditions.push_back({"PodScheduled", "False", "Unschedulable", "0/3 nodes", ""});
  EXPECT_TRUE(CauseOf(RolloutOf(objects, "r-milvus-proxy"), {})->is_final);
  event.reason = "TriggeredScaleUp";
  EXPECT_FALSE(CauseOf(RolloutOf(objects, "r-milvus-proxy"), std::vector{event})->is_final);
}

TEST(Rollout, TellsWhetherAnyPodServes) {
  KubeObjects objects = Rolling();
  EXPECT_TRUE(RolloutOf(objects, "r-milvus-proxy").HasReadyPod());
  objects.pods[1].meta.deleted_at = "2026-11-30T12:00:00Z";
  EXPECT_FALSE(RolloutOf(objects, "r-milvus-proxy").HasReadyPod());
}

}  // namespace
}  // namespace mu::observe
