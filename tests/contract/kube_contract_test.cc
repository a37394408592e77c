// SPDX-License-Identifier: Apache-2.0
// What the product relies on of ports::Kube, asked of the fake and of a real API alike.
#include <gtest/gtest.h>

#include <algorithm>

#include "contract/cluster_under_test.h"

namespace mu::contract {
namespace {

using fakes::FakeWorkload;
using model::KubeKind;
using ports::DryRun;

constexpr char kProxy[] = "my-release-milvus-proxy";
constexpr char kOld[] = "milvusdb/milvus:v2.2.3";
constexpr char kNew[] = "milvusdb/milvus:v2.2.4";

class KubeContract : public testing::TestWithParam<ClusterRow> {
 protected:
  void SetUp() override {
    const std::string why_not = GetParam().make(&cluster_);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
  }
  ports::Kube& Kube() { return cluster_->Kube(); }

  template <class F>
  bool Soon(F is_so, Millis timeout = Millis(30'000)) {
    ports::Clock& clock = cluster_->Clock();
    for (const Millis end = clock.Monotonic() + timeout; clock.Monotonic() < end;
         clock.Sleep(Millis(20))) {
      if (is_so()) return true;
    }
    return is_so();
  }
  model::Deployment Look(const std::string& name) {
    const auto found = Kube().GetDeployment(name);
    EXPECT_TRUE(found && *found) << name;
    return found && *found ? **found : model::Deployment();
  }
  // Made, and all its pods are available.
  model::Deployment Up(const FakeWorkload& workload) {
    cluster_->Add(workload);
    const std::string name =
        workload.name.empty() ? "my-release-milvus-" + workload.component : workload.name;
    EXPECT_TRUE(Soon([&] {
      const model::Deployment now = Look(name);
      return now.available_replicas == workload.replicas &&
             now.observed_generation == now.meta.generation;
    }));
    return Look(name);
  }
  static ports::DeploymentPatch PatchOf(const model::Deployment& now) {
    ports::DeploymentPatch patch;
    patch.name = now.meta.name;
    patch.uid = now.meta.uid;
    patch.resource_version = now.meta.resource_version;
    return patch;
  }
  // On the newest version: its controller may write a status at any time.
  Result<model::Deployment> Patched(const std::string& name,
                                    const std::function<void(ports::DeploymentPatch&)>& fill) {
    for (int turn = 0;; ++turn) {
      ports::DeploymentPatch patch = PatchOf(Look(name));
      fill(patch);
      auto patched = Kube().Patch(patch, DryRun::kNo);
      if (patched || turn == 9 || patched.error().code != ErrorCode::kKubeConflict) return patched;
    }
  }

  std::unique_ptr<ClusterUnderTest> cluster_;
};

bool IsRolled(const model::KubeObjects& objects, const std::string& name, std::int64_t generation) {
  const model::Deployment* now = objects.FindDeployment(name);
  return now != nullptr && now->meta.generation >= generation &&
         now->observed_generation >= now->meta.generation &&
         now->updated_replicas == now->replicas && now->status_replicas == now->replicas &&
         now->available_replicas == now->replicas;
}

TEST_P(KubeContract, SaysWhichClusterItIs) {
  const auto cluster = Kube().Cluster();
  ASSERT_TRUE(cluster) << cluster.error().Text();
  EXPECT_FALSE(cluster->context.empty());
  EXPECT_TRUE(cluster->server.starts_with("https://")) << cluster->server;
  EXPECT_TRUE(cluster->version.starts_with("v1.")) << cluster->version;
  EXPECT_FALSE(cluster->name_space.empty());
  auto where = Kube().Where();
  ASSERT_TRUE(where) << where.error().Text();
  EXPECT_EQ(where->version, "") << "the API need not answer for it";
  where->version = cluster->version;
  EXPECT_EQ(*where, *cluster);
}

TEST_P(KubeContract, ListsByLabelAndSortsByName) {
  Up({.component = "proxy"});
  Up({.component = "datanode"});
  Up({.component = "querynode"});
  const auto all = Kube().List({KubeKind::kDeployment, KubeKind::kStatefulSet}, "");
  ASSERT_TRUE(all) << all.error().Text();
  ASSERT_EQ(all->deployments.size(), 3U);
  EXPECT_EQ(all->deployments[0].meta.Label("component"), "datanode");
  EXPECT_EQ(all->deployments[2].meta.Label("component"), "querynode");
  EXPECT_TRUE(all->stateful_sets.empty());
  EXPECT_TRUE(all->pods.empty()) << "a kind that was not asked for";
  const auto some = Kube().List(
      {KubeKind::kPod}, "app.kubernetes.io/instance=my-release,component in (proxy,datanode)");
  ASSERT_TRUE(some) << some.error().Text();
  EXPECT_EQ(some->pods.size(), 2U);
  EXPECT_TRUE(Kube().List({KubeKind::kDeployment}, "component=no")->deployments.empty());
}

TEST_P(KubeContract, TellsADeploymentWhole) {
  const model::Deployment now = Up({.component = "querynode",
                                    .replicas = 2,
                                    .max_surge = "1",
                                    .max_unavailable = "0",
                                    .min_ready_seconds = 1,
                                    .sidecars_first = {"istio-proxy"},
                                    .environment = {{"MQ_TYPE", "kafka"}, {"DB_PASSWORD", "x"}}});
  EXPECT_EQ(now.replicas, 2);
  EXPECT_EQ(now.strategy, "RollingUpdate");
  EXPECT_EQ(now.max_surge, "1");
  EXPECT_EQ(now.max_unavailable, "0");
  EXPECT_EQ(now.min_ready_seconds, 1);
  EXPECT_EQ(now.progress_deadline_seconds, 600);
  EXPECT_FALSE(now.is_paused);
  EXPECT_EQ(now.selector.at("component"), "querynode");
  ASSERT_EQ(now.pod.containers.size(), 2U);
  EXPECT_EQ(now.pod.containers[0].name, "istio-proxy");
  const model::PodContainer& container = now.pod.containers[1];
  EXPECT_EQ(container.image, kOld);
  EXPECT_EQ(container.command, (std::vector<std::string>{"milvus", "run", "querynode"}));
  EXPECT_EQ(container.environment.at("MQ_TYPE"), "kafka");
  EXPECT_EQ(container.environment.at("DB_PASSWORD"), "***");
  ASSERT_EQ(container.mounts.size(), 2U);
  EXPECT_EQ(container.mounts[1].sub_path, "user.yaml");
  ASSERT_EQ(now.pod.config_volumes.size(), 1U);
  EXPECT_EQ(now.pod.config_volumes[0].config_map, "my-release-milvus");
  EXPECT_EQ(now.pod.grace_seconds, 30);
}

TEST_P(KubeContract, APatchChangesTheNamedContainerAndNothingElse) {
  const model::Deployment before = Up({.sidecars_first = {"istio-proxy"}});
  const auto patched = Patched(kProxy, [](ports::DeploymentPatch& patch) {
    patch.images = {{"proxy", kNew}};
    patch.labels = {{"app.kubernetes.io/version", "2.2.4"}};
  });
  ASSERT_TRUE(patched) << patched.error().Text();
  EXPECT_EQ(patched->meta.generation, before.meta.generation + 1);
  EXPECT_EQ(patched->meta.Label("app.kubernetes.io/version"), "2.2.4");
  EXPECT_EQ(patched->pod.labels.at("component"), "proxy");
  std::string expected = before.template_json;
  const auto at = expected.find(kOld);
  ASSERT_NE(at, std::string::npos);
  expected.replace(at, std::string(kOld).size(), kNew);
  EXPECT_EQ(patched->template_json, expected);
  EXPECT_EQ(patched->strategy_json, before.strategy_json);
  EXPECT_EQ(Look(kProxy).template_json, expected);
}

TEST_P(KubeContract, APatchOfAnOlderOrOfAnotherObjectIsAConflict) {
  const model::Deployment before = Up({});
  ASSERT_TRUE(Patched(kProxy, [](auto& patch) { patch.images = {{"proxy", kNew}}; }));
  ports::DeploymentPatch old = PatchOf(before);
  old.images = {{"proxy", "milvusdb/milvus:v9"}};
  EXPECT_EQ(Kube().Patch(old, DryRun::kNo).error().code, ErrorCode::kKubeConflict);
  ports::DeploymentPatch other = PatchOf(Look(kProxy));
  other.uid = "00000000-0000-0000-0000-000000000000";
  other.images = old.images;
  EXPECT_EQ(Kube().Patch(other, DryRun::kNo).error().code, ErrorCode::kKubeConflict);
  EXPECT_EQ(Look(kProxy).pod.Find("proxy")->image, kNew);
  other.name = "nobody";
  EXPECT_EQ(Kube().Patch(other, DryRun::kNo).error().code, ErrorCode::kKubeGone);
}

TEST_P(KubeContract, ADryRunSaysWhatWouldBeAndStoresNothing) {
  const model::Deployment before = Up({});
  ports::DeploymentPatch patch = PatchOf(before);
  patch.images = {{"proxy", kNew}};
  const auto tried = Kube().Patch(patch, DryRun::kYes);
  ASSERT_TRUE(tried) << tried.error().Text();
  EXPECT_EQ(tried->pod.Find("proxy")->image, kNew);
  EXPECT_EQ(Look(kProxy).template_json, before.template_json);
  EXPECT_EQ(Look(kProxy).meta.generation, before.meta.generation);
}

TEST_P(KubeContract, WhatIsInvalidIsRefusedWithTheWordsOfTheApi) {
  Up({});
  const auto refused = Patched(kProxy, [](auto& patch) { patch.images = {{"proxy", ""}}; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kKubeRefused);
  EXPECT_NE(refused.error().message.find("image"), std::string::npos) << refused.error().message;
}

TEST_P(KubeContract, AStrategyIsReplacedWholeAndComesBackAsItWas) {
  const model::Deployment before = Up({.strategy = "Recreate"});
  const auto rolling = Patched(kProxy, [](ports::DeploymentPatch& patch) {
    patch.strategy_json =
        R"({"rollingUpdate":{"maxSurge":1,"maxUnavailable":0},"type":"RollingUpdate"})";
    patch.min_ready_seconds = 7;
  });
  ASSERT_TRUE(rolling) << rolling.error().Text();
  EXPECT_EQ(rolling->strategy, "RollingUpdate");
  EXPECT_EQ(rolling->max_surge, "1");
  EXPECT_EQ(rolling->min_ready_seconds, 7);
  EXPECT_EQ(rolling->template_json, before.template_json);
  const auto back = Patched(kProxy, [&](ports::DeploymentPatch& patch) {
    patch.strategy_json = before.strategy_json;
    patch.min_ready_seconds = before.min_ready_seconds;
  });
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->strategy_json, before.strategy_json);
  EXPECT_EQ(back->min_ready_seconds, 0);
}

TEST_P(KubeContract, ARolloutIsSeenToItsEndAndAWholeTemplateGoesBack) {
  const model::Deployment before = Up({.replicas = 2});
  const auto view = Kube().Follow({KubeKind::kDeployment, KubeKind::kReplicaSet, KubeKind::kPod},
                                  "app.kubernetes.io/instance=my-release");
  ASSERT_TRUE(view->Now());
  const auto patched = Patched(kProxy, [](auto& patch) { patch.images = {{"proxy", kNew}}; });
  ASSERT_TRUE(patched) << patched.error().Text();
  // At once, and not when the watch has told.
  const auto now = view->Now();
  ASSERT_TRUE(now);
  EXPECT_GE((*now)->FindDeployment(kProxy)->meta.generation, patched->meta.generation);
  EXPECT_FALSE(IsRolled(**now, kProxy, patched->meta.generation));

  bool is_terminating_seen = false;
  EXPECT_TRUE(Soon([&] {
    const auto objects = view->Now();
    if (!objects) return false;
    for (const model::Pod& pod : (*objects)->pods)
      is_terminating_seen = is_terminating_seen || pod.IsTerminating();
    const auto sets = (*objects)->ReplicaSetsOf(*(*objects)->FindDeployment(kProxy));
    return IsRolled(**objects, kProxy, patched->meta.generation) && sets.size() == 2 &&
           (*objects)->PodsOf(*sets[0]).size() == 2 && (*objects)->PodsOf(*sets[1]).empty();
  }));
  EXPECT_TRUE(is_terminating_seen);
  const model::KubeObjects rolled = **view->Now();
  const auto sets = rolled.ReplicaSetsOf(*rolled.FindDeployment(kProxy));
  for (const model::Pod* pod : rolled.PodsOf(*sets[0])) {
    EXPECT_EQ(pod->images.at("proxy"), kNew);
    ASSERT_NE(pod->Find("proxy"), nullptr);
    EXPECT_NE(pod->Find("proxy")->image_id.find("@sha256:"), std::string::npos);
    EXPECT_TRUE(pod->IsReady());
    EXPECT_EQ(pod->TemplateHash(), sets[0]->template_hash);
    EXPECT_FALSE(pod->node.empty());
  }

  const auto back =
      Patched(kProxy, [&](auto& patch) { patch.template_json = before.template_json; });
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->TemplateHash(), before.TemplateHash());
  EXPECT_TRUE(Soon([&] {
    const auto objects = view->Now();
    return objects && IsRolled(**objects, kProxy, back->meta.generation);
  }));
}

TEST_P(KubeContract, AnImageThatCannotBePulledIsSeenSoon) {
  Up({});
  const auto view = Kube().Follow({KubeKind::kPod}, "");
  ASSERT_TRUE(view->Now());
  ASSERT_TRUE(Patched(kProxy, [](auto& patch) {
    patch.images = {{"proxy", "milvusdb/milvus:v2.2.4-pullfail"}};
  }));
  std::string message;
  EXPECT_TRUE(Soon(
      [&] {
        const auto objects = view->Now();
        if (!objects) return false;
        for (const model::Pod& pod : (*objects)->pods) {
          for (const model::ContainerStatus& status : pod.containers) {
            if (status.now.reason == "ImagePullBackOff" || status.now.reason == "ErrImagePull")
              message = status.now.message;
          }
        }
        return !message.empty();
      },
      Millis(5'000)));
  EXPECT_NE(message.find("v2.2.4-pullfail"), std::string::npos) << message;
}

TEST_P(KubeContract, ACrashLoopCountsItsRestarts) {
  Up({});
  ASSERT_TRUE(Patched(kProxy, [](auto& patch) {
    patch.images = {{"proxy", "milvusdb/milvus:v2.2.4-crash"}};
  }));
  model::ContainerStatus seen;
  std::string pod_name;
  EXPECT_TRUE(Soon([&] {
    const auto objects = Kube().List({KubeKind::kPod}, "");
    if (!objects) return false;
    for (const model::Pod& pod : objects->pods) {
      const model::ContainerStatus* status = pod.Find("proxy");
      if (status == nullptr || status->restart_count == 0 || status->last.exit_code == 0) continue;
      seen = *status;
      pod_name = pod.meta.name;
    }
    return !pod_name.empty();
  }));
  EXPECT_EQ(seen.last.state, "terminated");
  EXPECT_FALSE(seen.is_ready);
  const auto log = Kube().Logs({pod_name, "proxy", 5, false});
  ASSERT_TRUE(log) << log.error().Text();
  EXPECT_NE(log->find("panic"), std::string::npos) << *log;
  EXPECT_EQ(Kube().Logs({"nobody", "proxy", 5, false}).error().code, ErrorCode::kKubeGone);
}

TEST_P(KubeContract, AConfigMapIsMadePatchedReplacedAndRemoved) {
  model::ConfigMap map;
  map.meta.name = "settings";
  map.meta.labels = {{"a", "b"}};
  map.meta.annotations = {{"milvus-upgrade/run", "r"}};
  map.data = {{"default.yaml", "x: 1\n"}, {"user.yaml", "# ours\n"}};
  EXPECT_FALSE(*Kube().GetConfigMap("settings"));
  const auto made = Kube().Create(map);
  ASSERT_TRUE(made) << made.error().Text();
  EXPECT_EQ(Kube().Create(map).error().code, ErrorCode::kKubeConflict);
  EXPECT_EQ((*Kube().GetConfigMap("settings"))->meta.Annotation("milvus-upgrade/run"), "r");
  EXPECT_EQ(Kube().List({KubeKind::kConfigMap}, "a=b")->config_maps.size(), 1U);

  ports::ConfigMapPatch patch{
      "settings", made->meta.uid, made->meta.resource_version, {{"user.yaml", "# ours\ny: 2\n"}}};
  EXPECT_TRUE(Kube().Patch(patch, DryRun::kYes));
  EXPECT_EQ((*Kube().GetConfigMap("settings"))->data.at("user.yaml"), "# ours\n");
  const auto patched = Kube().Patch(patch, DryRun::kNo);
  ASSERT_TRUE(patched) << patched.error().Text();
  EXPECT_EQ(patched->data.at("user.yaml"), "# ours\ny: 2\n");
  EXPECT_EQ(patched->data.at("default.yaml"), "x: 1\n");
  EXPECT_EQ(Kube().Patch(patch, DryRun::kNo).error().code, ErrorCode::kKubeConflict);
  patch.resource_version = patched->meta.resource_version;
  patch.data = {{"user.yaml", std::nullopt}};
  const auto cut = Kube().Patch(patch, DryRun::kNo);
  ASSERT_TRUE(cut) << cut.error().Text();
  EXPECT_FALSE(cut->data.contains("user.yaml"));

  model::ConfigMap whole = *cut;
  whole.data = {{"other", "z"}};
  const auto replaced = Kube().Replace(whole);
  ASSERT_TRUE(replaced) << replaced.error().Text();
  EXPECT_EQ(replaced->data, whole.data);
  EXPECT_EQ(Kube().Replace(whole).error().code, ErrorCode::kKubeConflict);

  EXPECT_EQ(Kube().DeleteConfigMap(cut->meta).error().code, ErrorCode::kKubeConflict);
  model::KubeMeta another = replaced->meta;
  another.uid = "00000000-0000-0000-0000-000000000000";
  EXPECT_TRUE(Kube().DeleteConfigMap(another)) << "not ours to remove";
  EXPECT_TRUE(*Kube().GetConfigMap("settings"));
  EXPECT_TRUE(Kube().DeleteConfigMap(replaced->meta));
  EXPECT_TRUE(Kube().DeleteConfigMap(replaced->meta)) << "gone already";
  EXPECT_EQ(Kube().Replace(*replaced).error().code, ErrorCode::kKubeGone);
}

TEST_P(KubeContract, ALeaseHasOneHolder) {
  model::KubeLease lease;
  lease.meta.name = "lock";
  lease.meta.annotations = {{"milvus-upgrade/run", "r"}};
  lease.holder = "r@host";
  lease.duration_seconds = 60;
  lease.acquired_at = lease.renewed_at = cluster_->Clock().WallTime();
  EXPECT_FALSE(*Kube().GetLease("lock"));
  const auto made = Kube().Create(lease);
  ASSERT_TRUE(made) << made.error().Text();
  EXPECT_EQ(made->holder, "r@host");
  EXPECT_EQ(Kube().Create(lease).error().code, ErrorCode::kKubeConflict);
  model::KubeLease renewed = *made;
  cluster_->Clock().Sleep(Millis(5));
  renewed.renewed_at = cluster_->Clock().WallTime();
  const auto again = Kube().Replace(renewed);
  ASSERT_TRUE(again) << again.error().Text();
  EXPECT_NE(again->meta.resource_version, made->meta.resource_version);
  EXPECT_EQ(Kube().Replace(renewed).error().code, ErrorCode::kKubeConflict);
  const auto found = Kube().GetLease("lock");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->meta.Annotation("milvus-upgrade/run"), "r");
  EXPECT_EQ((*found)->duration_seconds, 60);
  EXPECT_EQ(Kube().DeleteLease(made->meta).error().code, ErrorCode::kKubeConflict);
  EXPECT_TRUE(Kube().DeleteLease(again->meta));
  EXPECT_FALSE(*Kube().GetLease("lock"));
}

TEST_P(KubeContract, AViewSeesWhatComesAndGoes) {
  const auto view = Kube().Follow({KubeKind::kConfigMap}, "watched=yes");
  ASSERT_TRUE(view->Now());
  model::ConfigMap map;
  map.meta.name = "one";
  map.meta.labels = {{"watched", "yes"}};
  const auto made = Kube().Create(map);
  ASSERT_TRUE(made);
  map.meta.name = "two";
  map.meta.labels = {{"watched", "no"}};
  ASSERT_TRUE(Kube().Create(map));
  const auto size = [&] { return (*view->Now())->config_maps.size(); };
  EXPECT_TRUE(Soon([&] { return size() == 1; }));
  ASSERT_TRUE(Kube().DeleteConfigMap(made->meta));
  EXPECT_TRUE(Soon([&] { return size() == 0; }));
}

TEST_P(KubeContract, WhoMayAllLacksNothing) {
  const auto lacking = Kube().Lacking(
      {{"patch", "apps", "deployments"}, {"get", "", "pods/log"}, {"delete", "", "configmaps"}});
  ASSERT_TRUE(lacking) << lacking.error().Text();
  EXPECT_TRUE(lacking->empty());
}

INSTANTIATE_TEST_SUITE_P(, KubeContract, testing::ValuesIn(Clusters()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace mu::contract
