// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/observe/rolling_observer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fakes/fake_cluster.h"

namespace mu::observe {
namespace {

using model::Role;

struct Stand {
  fakes::Fuse fuse;
  fakes::HandClock clock;
  fakes::FakeCluster cluster{fuse, clock};
  fakes::FakeKube kube{cluster};

  model::ObservedRelease Observe() {
    auto observed = ObserveRelease(kube, fakes::FakeCluster::kRelease);
    EXPECT_TRUE(observed) << observed.error().Text();
    return observed ? *observed : model::ObservedRelease();
  }
  void Add(const std::function<void(fakes::FakeWorkload&)>& change) {
    fakes::FakeWorkload workload;
    change(workload);
    cluster.AddDeployment(workload);
  }
};

TEST(RollingObserver, FindsTheEightComponentsOfAChart4AndLeavesAttuAlone) {
  Stand stand;
  stand.cluster.AddChart4("milvusdb/milvus:v2.2.3", 2);
  const auto observed = stand.Observe();
  ASSERT_EQ(observed.milvus.size(), 8U);
  EXPECT_TRUE(observed.unplaced.empty());
  ASSERT_EQ(observed.left_alone.size(), 1U);
  EXPECT_EQ(observed.left_alone[0].component, "attu");
  const auto* node = observed.Find("my-release-milvus-querynode");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->role, Role::kQueryNode);
  EXPECT_EQ(node->container, "querynode");
  EXPECT_EQ(node->tag_version, (model::Version{2, 2, 3, ""}));
  EXPECT_EQ(node->label_version, (model::Version{2, 2, 3, ""}));
  EXPECT_EQ(node->group, "");
  EXPECT_EQ(observed.pods.size(), 4U + 4U * 2U);
  EXPECT_EQ(observed.cluster.server, "https://127.0.0.1:6443");
  EXPECT_EQ(observed.helm.chart, "milvus");
  EXPECT_EQ(observed.helm.chart_version, "4.0.8");
  EXPECT_TRUE(observed.helm.is_managed);
  EXPECT_LE(stand.cluster.requests, 10);
}

TEST(RollingObserver, TakesTheContainerByItsNameAndNotByItsPosition) {
  Stand stand;
  stand.Add([](auto& w) { w.sidecars_first = {"istio-proxy"}; });
  const auto observed = stand.Observe();
  ASSERT_EQ(observed.milvus.size(), 1U);
  EXPECT_EQ(observed.milvus[0].container, "proxy");
  EXPECT_EQ(observed.milvus[0].image.Text(), "milvusdb/milvus:v2.2.3");
}

TEST(RollingObserver, TellsResourceGroupsApart) {
  Stand stand;
  stand.Add([](auto& w) {
    w.component = "querynode";
    w.name = "my-release-milvus-querynode-rg1";
  });
  stand.Add([](auto& w) {
    w.component = "querynode";
    w.name = "my-release-milvus-rg2";
    w.labels = {{"component", "querynode-rg2"}};
  });
  const auto observed = stand.Observe();
  ASSERT_EQ(observed.milvus.size(), 2U);
  EXPECT_EQ(observed.milvus[0].group, "rg1");
  EXPECT_EQ(observed.milvus[1].group, "rg2");
  EXPECT_EQ(observed.milvus[1].role, Role::kQueryNode);
}

TEST(RollingObserver, KnowsAComponentOfAMirrorByItsLabel) {
  Stand stand;
  stand.Add([](auto& w) { w.image = "harbor.local/db/our-milvus:v2.2.3"; });
  EXPECT_EQ(stand.Observe().milvus.size(), 1U);
}

TEST(RollingObserver, NamesWhatHasNoPlace) {
  Stand stand;
  stand.Add([](auto&) {});
  stand.Add([](auto& w) {
    w.component = "sidekick";
    w.command = {"milvus", "run", "mixture"};
  });
  stand.Add([](auto& w) {
    w.component = "querynode";
    w.command = {"milvus", "run", "datanode"};
  });
  stand.Add([](auto& w) {
    w.name = "by-hand";
    w.labels = {{"app.kubernetes.io/instance", ""}, {"component", ""}};
  });
  stand.Add([](auto& w) {  // another release of the namespace
    w.name = "other-milvus-proxy";
    w.labels = {{"app.kubernetes.io/instance", "other"}};
  });
  stand.cluster.AddStatefulSet("milvus-on-a-set", "milvusdb/milvus:v2.2.3",
                               {{"app.kubernetes.io/instance", "my-release"}});
  stand.cluster.AddStatefulSet("my-release-etcd", "bitnami/etcd:3.5.5",
                               {{"app.kubernetes.io/instance", "my-release"}});
  const auto observed = stand.Observe();
  EXPECT_EQ(observed.milvus.size(), 1U);
  std::map<std::string, std::string> reasons;
  for (const auto& other : observed.unplaced) reasons[other.name] = other.reason;
  EXPECT_EQ(
      reasons,
      (std::map<std::string, std::string>{
          {"by-hand",
           "it runs Milvus and has no label app.kubernetes.io/instance: whose it is "
           "cannot be told"},
          {"milvus-on-a-set", "it is a StatefulSet that runs Milvus"},
          {"my-release-milvus-querynode", "its label says querynode and its command datanode"},
          {"my-release-milvus-sidekick",
           "its label says sidekick, which is no component that is known"}}));
  ASSERT_EQ(observed.left_alone.size(), 1U);
  EXPECT_EQ(observed.left_alone[0].name, "my-release-etcd");
}

TEST(RollingObserver, SeesTheOperator) {
  Stand stand;
  stand.Add([](auto& w) {
    w.labels = {{"component", ""},
                {"app.kubernetes.io/component", "proxy"},
                {"app.kubernetes.io/managed-by", "milvus-operator"}};
  });
  const auto observed = stand.Observe();
  EXPECT_EQ(observed.operator_name, "my-release");
  EXPECT_EQ(observed.milvus.size(), 1U);
}

TEST(RollingObserver, ReadsTheEffectiveSettings) {
  Stand stand;
  stand.cluster.AddConfigMap(
      "my-release-milvus",
      {{"default.yaml", "messageQueue: kafka\nkafka:\n  brokerList: k:9092\n"},
       {"user.yaml",
        "# messageQueue: rocksmq\nrootCoord:\n  enableActiveStandby: true\nqueryCoord:\n"
        "  enableActiveStandby: false\n"}});
  stand.Add([](auto& w) { w.component = "rootcoord"; });
  stand.Add([](auto& w) {
    w.component = "datacoord";
    w.environment = {{"DATACOORD_ENABLEACTIVESTANDBY", "true"}};
  });
  const auto observed = stand.Observe();
  ASSERT_EQ(observed.milvus.size(), 2U);
  const auto& root = *observed.Find("my-release-milvus-rootcoord");
  EXPECT_EQ(root.settings.queue, model::MessageQueue::kKafka);
  EXPECT_EQ(root.standby_on, std::set<std::string>{"rootcoord"});
  ASSERT_EQ(root.configs.size(), 2U);
  EXPECT_EQ(root.configs[0].file, "default.yaml");
  EXPECT_EQ(root.configs[1].key, "user.yaml");
  EXPECT_TRUE(root.configs[1].is_sub_path);
  EXPECT_EQ(observed.Find("my-release-milvus-datacoord")->standby_on,
            (std::set<std::string>{"datacoord", "rootcoord"}));
  EXPECT_EQ(observed.config_maps.size(), 1U);
}

TEST(RollingObserver, SaysWhichMountedConfigMapIsGone) {
  Stand stand;
  stand.Add([](auto& w) { w.config_map = "custom"; });
  const auto observed = stand.Observe();
  EXPECT_EQ(observed.missing_config_maps, std::vector<std::string>{"custom"});
}

TEST(RollingObserver, TakesWhatIsForbiddenAndNotNeededAsAFact) {
  Stand stand;
  stand.Add([](auto&) {});
  stand.cluster.denied = {{"list", "policy", "poddisruptionbudgets"},
                          {"list", "", "secrets"},
                          {"patch", "apps", "deployments"}};
  const auto observed = stand.Observe();
  EXPECT_EQ(observed.unreadable.size(), 2U);
  EXPECT_TRUE(observed.unreadable.contains("secrets"));
  EXPECT_EQ(observed.lacking, (std::vector<model::KubeRight>{{"patch", "apps", "deployments"}}));

  stand.cluster.denied = {{"list", "apps", "deployments"}};
  EXPECT_EQ(ObserveRelease(stand.kube, "my-release").error().code, ErrorCode::kKubeDenied);
}

TEST(RollingObserver, TiesAutoscalersAndBudgetsToTheirDeployments) {
  Stand stand;
  stand.cluster.AddChart4("milvusdb/milvus:v2.2.3");
  model::Autoscaler scaler;
  scaler.meta.name = "nodes";
  scaler.target_kind = "Deployment";
  scaler.target_name = "my-release-milvus-querynode";
  stand.cluster.others.autoscalers = {scaler};
  model::DisruptionBudget budget;
  budget.meta.name = "keep-proxy";
  budget.selector = {{"component", "proxy"}};
  stand.cluster.others.disruption_budgets = {budget};
  const auto observed = stand.Observe();
  EXPECT_EQ(observed.Find("my-release-milvus-querynode")->autoscaler, "nodes");
  EXPECT_EQ(observed.Find("my-release-milvus-proxy")->autoscaler, "");
  EXPECT_EQ(observed.Find("my-release-milvus-proxy")->budgets,
            std::vector<std::string>{"keep-proxy"});
}

TEST(RollingObserver, TellsTheNewestHelmRevision) {
  Stand stand;
  stand.Add([](auto&) {});
  for (const auto& [version, status] :
       {std::pair("9", "superseded"), std::pair("10", "deployed")}) {
    model::KubeMeta secret;
    secret.name = std::string("sh.helm.release.v1.my-release.v") + version;
    secret.labels = {
        {"owner", "helm"}, {"name", "my-release"}, {"version", version}, {"status", status}};
    stand.cluster.others.secrets.push_back(secret);
  }
  const auto observed = stand.Observe();
  EXPECT_EQ(observed.helm.revision, 10);
  EXPECT_EQ(observed.helm.status, "deployed");
}

TEST(RollingObserver, NamesTheReleasesThatThereAre) {
  Stand stand;
  stand.Add([](auto& w) { w.labels = {{"app.kubernetes.io/instance", "prod"}}; });
  const auto missing = ObserveRelease(stand.kube, "my-release");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNoRelease);
  EXPECT_NE(missing.error().message.find("the releases there are prod"), std::string::npos);
}

TEST(RollingFingerprint, MovesWithWhatAPlanReliesOnAndNotWithAStatus) {
  Stand stand;
  stand.cluster.AddChart4("milvusdb/milvus:v2.2.3");
  const std::string before = FingerprintOf(stand.Observe());
  fakes::FakeDeployment* proxy = stand.cluster.Find("my-release-milvus-proxy");
  proxy->facts.meta.resource_version = stand.cluster.NextVersion();
  proxy->facts.ready_replicas = 0;
  EXPECT_EQ(FingerprintOf(stand.Observe()), before);

  stand.cluster.Edit("my-release-milvus-proxy", [](auto& d) { d.min_ready_seconds = 5; });
  const std::string edited = FingerprintOf(stand.Observe());
  EXPECT_NE(edited, before);
  stand.cluster.EditConfigMap("my-release-milvus", [](auto& m) { m.data["user.yaml"] += "#\n"; });
  EXPECT_NE(FingerprintOf(stand.Observe()), edited);
}

}  // namespace
}  // namespace mu::observe
