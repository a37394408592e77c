// SPDX-License-Identifier: Apache-2.0
// Releases as the charts make them (milvus.md 5), healthy and before an upgrade.
#pragma once

#include <string>
#include <vector>

#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/model/release.h"

namespace mu::samples {

inline constexpr char kRecreated[] = R"({"type":"Recreate"})";
inline constexpr char kRolling[] =
    R"({"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"},"type":"RollingUpdate"})";

inline model::MilvusWorkload WorkloadOf(model::Role role, const std::string& version,
                                        const std::string& group = "") {
  model::MilvusWorkload workload;
  workload.role = role;
  workload.group = group;
  const std::string component =
      std::string(model::NameOf(role)) + (group.empty() ? "" : "-" + group);
  workload.container = model::NameOf(role);
  workload.image = {"milvusdb/milvus", "v" + version, ""};
  workload.tag_version = model::ParseVersion(version).value();
  workload.settings.queue = model::MessageQueue::kPulsar;
  workload.configs = {{"r-milvus", "default.yaml", "default.yaml", true},
                      {"r-milvus", "user.yaml", "user.yaml", true}};
  model::Deployment& deployment = workload.deployment;
  deployment.meta.name = "r-milvus-" + component;
  deployment.meta.uid = "uid-" + component;
  deployment.meta.generation = deployment.observed_generation = 1;
  deployment.selector = {{"app.kubernetes.io/instance", "r"}, {"component", component}};
  deployment.pod.labels = deployment.selector;
  deployment.pod.grace_seconds = 60;
  model::PodContainer container;
  container.name = workload.container;
  container.image = workload.image.Text();
  deployment.pod.containers = {container};
  deployment.template_json = "{\"of\":\"" + component + "\"}";
  const bool is_recreated = model::RowOf(role).tier == model::Tier::kCoordinator;
  deployment.strategy = is_recreated ? "Recreate" : "RollingUpdate";
  deployment.strategy_json = is_recreated ? kRecreated : kRolling;
  if (!is_recreated) deployment.max_surge = deployment.max_unavailable = "25%";
  deployment.status_replicas = deployment.updated_replicas = deployment.ready_replicas =
      deployment.available_replicas = 1;
  return workload;
}

inline model::ObservedRelease ReleaseOf(const std::vector<model::Role>& roles,
                                        const std::string& version) {
  model::ObservedRelease release;
  release.cluster = {"staging", "https://10.0.0.1:6443", "default", "v1.33.13"};
  release.release = "r";
  for (const model::Role role : roles) release.milvus.push_back(WorkloadOf(role, version));
  release.helm = {true, "milvus", "4.0.8", 1, "deployed"};
  model::ConfigMap config;
  config.meta.name = "r-milvus";
  config.meta.uid = "uid-config";
  config.data = {{"default.yaml", "rootCoord: {}\n"}, {"user.yaml", ""}};
  release.config_maps = {config};
  return release;
}

inline model::ObservedRelease Chart40(const std::string& version = "2.2.3") {
  using R = model::Role;
  return ReleaseOf({R::kDataCoord, R::kDataNode, R::kIndexCoord, R::kIndexNode, R::kProxy,
                    R::kQueryCoord, R::kQueryNode, R::kRootCoord},
                   version);
}

// mixcoord, streamingnode, and querynodes in two resource groups.
inline model::ObservedRelease Chart50(const std::string& version = "2.6.1") {
  using R = model::Role;
  model::ObservedRelease release =
      ReleaseOf({R::kDataNode, R::kMixCoord, R::kProxy, R::kStreamingNode}, version);
  release.milvus.push_back(WorkloadOf(R::kQueryNode, version, "rg1"));
  release.milvus.push_back(WorkloadOf(R::kQueryNode, version, "rg2"));
  release.helm.chart_version = "5.0.19";
  return release;
}

inline model::ObservedRelease KubeStandalone(const std::string& version = "2.4.1") {
  model::ObservedRelease release = ReleaseOf({model::Role::kStandalone}, version);
  release.milvus.front().settings.queue = model::MessageQueue::kRocksmq;
  return release;
}

inline void SwitchStandbyOn(model::ObservedRelease& release) {
  for (model::MilvusWorkload& workload : release.milvus)
    workload.standby_on = {"rootcoord", "datacoord", "querycoord", "indexcoord", "mixcoord"};
}

inline config::Config RollingTo(const std::string& version) {
  config::Config config;
  config.to = version;
  config.release = "r";
  return config;
}

}  // namespace mu::samples
