// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "milvus_upgrade/rules/checks.h"
#include "unit/rules/release_samples.h"

namespace mu::rules {
namespace {

using model::MilvusWorkload;
using model::Role;

struct Question {
  model::ObservedRelease observed = samples::Chart40();
  config::Config config = samples::RollingTo("2.2.4");
  std::string image = "milvusdb/milvus:v2.2.4";
  std::map<std::string, std::string> standby_refused = {};

  MilvusWorkload& Of(Role role) {
    return *std::find_if(observed.milvus.begin(), observed.milvus.end(),
                         [&](const MilvusWorkload& one) { return one.role == role; });
  }
};

// "id:E id:W", errors, warnings and infos, each id once.
std::string Said(const Question& question) {
  std::vector<Role> roles;
  for (const MilvusWorkload& workload : question.observed.milvus) roles.push_back(workload.role);
  const auto order = FindOrder(question.config.order, roles);
  const auto image = model::ParseImageRef(question.image);
  const auto to = model::ParseVersion(question.config.to);
  const auto path =
      FindPath(*question.observed.milvus.front().tag_version, *to,
               question.config.allows_downtime ? Platform::kKubernetesStop : Platform::kKubernetes,
               question.observed.milvus.front().settings.queue, false);
  const auto findings =
      RunChecks(RollingCheckInput{question.config, question.observed, path ? &*path : nullptr,
                                  order ? *order : nullptr, &*image, &question.standby_refused});
  EXPECT_TRUE(findings) << findings.error().Text();
  std::vector<std::string> said;
  for (const model::Finding& finding : *findings) {
    EXPECT_FALSE(finding.message.empty());
    const std::string text = finding.id + (finding.severity == model::Severity::kError     ? ":E"
                                           : finding.severity == model::Severity::kWarning ? ":W"
                                                                                           : ":I");
    if (std::find(said.begin(), said.end(), text) == said.end()) said.push_back(text);
  }
  std::string all;
  for (const std::string& one : said) all += (all.empty() ? "" : " ") + one;
  return all;
}

Question WithStandby() {
  Question question;
  samples::SwitchStandbyOn(question.observed);
  return question;
}

TEST(RollingChecks, SayNothingOfAHealthyReleaseWithStandby) { EXPECT_EQ(Said(WithStandby()), ""); }

TEST(RollingChecks, SayWhatStandbyCosts) {
  Question question;
  EXPECT_EQ(Said(question), "active-standby:W");
  question.standby_refused["r-milvus-rootcoord"] = "user.yaml:3:1: rootCoord is shared";
  EXPECT_EQ(Said(question), "active-standby:W active-standby:E");
}

TEST(RollingChecks, RefuseWhatAnOperatorOwns) {
  Question question = WithStandby();
  question.observed.operator_name = "r";
  EXPECT_EQ(Said(question), "operator:E");
}

TEST(RollingChecks, RefuseEveryMilvusWorkloadWithoutAPlace) {
  Question question = WithStandby();
  question.observed.unplaced = {{"StatefulSet", "r-milvus-x", "x", "milvusdb/milvus:v2.2.3", "?"}};
  EXPECT_EQ(Said(question), "places:E");
  question = WithStandby();
  question.observed.milvus.push_back(samples::WorkloadOf(Role::kStreamingNode, "2.2.3"));
  EXPECT_EQ(Said(question), "places:E");
}

TEST(RollingChecks, CompareTheImageWithTheVersion) {
  Question question = WithStandby();
  question.image = "milvusdb/milvus:v2.2.5";
  EXPECT_EQ(Said(question), "image:E");
  question.image = "milvusdb/milvus:latest";
  EXPECT_EQ(Said(question), "image:W");
  question.image = "harbor.local/milvusdb/milvus:v2.2.4";
  EXPECT_EQ(Said(question), "image:W");
}

TEST(RollingChecks, RefuseAWayOfSeveralHops) {
  Question question;
  question.observed = samples::Chart40("2.1.4");
  question.config.to = "2.2.16";
  question.image = "milvusdb/milvus:v2.2.16";
  EXPECT_EQ(Said(question), "hops:E active-standby:W");
}

TEST(RollingChecks, RefuseToRunAStandaloneTwice) {
  Question question;
  question.observed = samples::KubeStandalone();
  question.config.to = "2.4.2";
  question.image = "milvusdb/milvus:v2.4.2";
  samples::SwitchStandbyOn(question.observed);
  EXPECT_EQ(Said(question), "standalone:E");
  question.config.allows_downtime = true;
  EXPECT_EQ(Said(question), "standalone:W");
  question.config.allows_downtime = false;
  question.Of(Role::kStandalone).settings.queue = model::MessageQueue::kKafka;
  EXPECT_EQ(Said(question), "");
  question.Of(Role::kStandalone).deployment.pod.claims = {"r-milvus"};
  EXPECT_EQ(Said(question), "standalone:E");
}

TEST(RollingChecks, TellWhatADeploymentIsIn) {
  Question question = WithStandby();
  model::Deployment& proxy = question.Of(Role::kProxy).deployment;
  proxy.ready_replicas = 0;
  EXPECT_EQ(Said(question), "ready:E");
  // Stuck on a bad image, the old pods serve: a good one goes on from there.
  proxy.ready_replicas = 1;
  proxy.status_replicas = 2;
  EXPECT_EQ(Said(question), "ready:W");
  question = WithStandby();
  question.Of(Role::kProxy).deployment.is_paused = true;
  EXPECT_EQ(Said(question), "paused:E");
  question = WithStandby();
  model::Deployment& node = question.Of(Role::kIndexNode).deployment;
  node.replicas = node.ready_replicas = node.available_replicas = node.updated_replicas =
      node.status_replicas = 0;
  EXPECT_EQ(Said(question), "scaled-down:W");
  question = WithStandby();
  question.Of(Role::kQueryNode).autoscaler = "hpa";
  question.Of(Role::kQueryNode).deployment.pod.grace_seconds = 30;
  EXPECT_EQ(Said(question), "autoscalers:I grace:W");
}

TEST(RollingChecks, CountTheSurgeAgainstQuotas) {
  Question question = WithStandby();
  model::ResourceQuota quota;
  quota.meta.name = "q";
  quota.hard = {{"pods", "9"}, {"requests.cpu", "4"}};
  quota.used = {{"pods", "8"}, {"requests.cpu", "3900m"}};
  question.observed.quotas = {quota};
  EXPECT_EQ(Said(question), "");
  question.Of(Role::kProxy).deployment.pod.containers[0].cpu_request_millis = 200;
  EXPECT_EQ(Said(question), "quotas:E");
  question.observed.quotas[0].hard = {{"pods", "8"}};
  EXPECT_EQ(Said(question), "quotas:E");
}

TEST(RollingChecks, RefuseWhatCannotBeDoneToTheEnd) {
  Question question = WithStandby();
  question.observed.lacking = {{"patch", "apps", "deployments"}};
  EXPECT_EQ(Said(question), "rights:E");
  question = WithStandby();
  question.observed.helm.status = "pending-upgrade";
  EXPECT_EQ(Said(question), "helm:E");
  question = WithStandby();
  question.observed.helm.is_managed = false;
  EXPECT_EQ(Said(question), "helm:W");
  question = WithStandby();
  question.observed.missing_config_maps = {"r-milvus"};
  EXPECT_EQ(Said(question), "config-maps:E");
  question = WithStandby();
  question.Of(Role::kProxy).deployment.selector = {{"app.kubernetes.io/instance", "r"}};
  EXPECT_EQ(Said(question), "selectors:E");
  question = WithStandby();
  question.config.only = {"prxy"};
  EXPECT_EQ(Said(question), "only:E");
  question = WithStandby();
  question.Of(Role::kProxy).tag_version.reset();
  EXPECT_EQ(Said(question), "versions:E versions:W");
}

TEST(RollingChecks, TellASidecarThatStandsFirst) {
  Question question = WithStandby();
  auto& containers = question.Of(Role::kProxy).deployment.pod.containers;
  model::PodContainer sidecar;
  sidecar.name = "istio-proxy";
  containers.insert(containers.begin(), sidecar);
  EXPECT_EQ(Said(question), "containers:I");
}

TEST(RollingChecks, AreSkippedByNameOnly) {
  Question question;
  question.config.skipped_checks = {"standaloen"};
  const auto findings = RunChecks(
      RollingCheckInput{question.config, question.observed, nullptr, nullptr, nullptr, nullptr});
  ASSERT_FALSE(findings);
  EXPECT_NE(findings.error().hint.find("standalone"), std::string::npos);
}

}  // namespace
}  // namespace mu::rules
