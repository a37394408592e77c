// SPDX-License-Identifier: Apache-2.0
// ObservedRelease: everything that a rolling plan is made from, read at one time, as plain values:
// the workloads of one Milvus release in one namespace, by their labels and never by built names,
// and what surrounds them. Sources of the shapes: milvus.md 5.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "milvus_upgrade/model/image_ref.h"
#include "milvus_upgrade/model/kube.h"
#include "milvus_upgrade/model/observed.h"
#include "milvus_upgrade/model/role.h"
#include "milvus_upgrade/model/version.h"

namespace mu::model {

// A configuration file of Milvus that a workload's pods mount from a ConfigMap.
struct MountedFile {
  std::string config_map;
  std::string key;           // "user.yaml"
  std::string file;          // its name in the container's folder of configurations
  bool is_sub_path = false;  // a running pod never sees a change
  bool operator==(const MountedFile&) const = default;
};

// A Deployment of the release that runs Milvus and has a place in the order.
struct MilvusWorkload {
  Deployment deployment;
  Role role = Role::kStandalone;
  std::string group;                     // resource group, "rg1" of "querynode-rg1"; "" for none
  std::string container;                 // the one that is the component
  ImageRef image;                        // of that container
  std::optional<Version> tag_version;    // of the image's tag
  std::optional<Version> label_version;  // of its label app.kubernetes.io/version: may be stale
  std::vector<MountedFile> configs;      // in Milvus's order of reading: a later one wins
  MilvusSettings settings;               // effective: environment over these files
  // Sections of the settings with enableActiveStandby true: "rootcoord", "mixcoord", ...; lower
  // case, since Milvus folds them.
  std::set<std::string> standby_on;
  std::string autoscaler;            // that decides its replicas; "" when there is none
  std::vector<std::string> budgets;  // PodDisruptionBudgets that its pods fall under
  bool operator==(const MilvusWorkload&) const = default;

  const std::string& Name() const { return deployment.meta.name; }
};

// A workload that is not rolled, and why.
struct OtherWorkload {
  std::string kind;  // "Deployment", "StatefulSet"
  std::string name;
  std::string component;  // by its labels; "" when they do not say
  std::string image;      // the one that decided
  std::string reason;     // "its label says querynode and its command proxy"
  bool operator==(const OtherWorkload&) const = default;
};

struct HelmFacts {
  bool is_managed = false;    // label app.kubernetes.io/managed-by=Helm
  std::string chart;          // "milvus"
  std::string chart_version;  // "4.0.8"
  // The release's newest stored revision; 0 when there is none or when secrets may not be listed.
  int revision = 0;
  std::string status;  // "deployed", "pending-upgrade", "failed", ...; "" as above
  bool operator==(const HelmFacts&) const = default;
};

struct ObservedRelease {
  KubeCluster cluster;
  std::string release;
  std::vector<MilvusWorkload> milvus;     // sorted by name
  std::vector<OtherWorkload> unplaced;    // Milvus, without a known place: nothing may be rolled
  std::vector<OtherWorkload> left_alone;  // of the release, no Milvus: attu, dependencies
  std::string operator_name;  // the Milvus resource of the operator that made it; "" for none
  std::vector<ConfigMap> config_maps;            // those that Milvus workloads mount
  std::vector<std::string> missing_config_maps;  // mounted, and not there
  std::vector<Pod> pods;                         // of the Milvus workloads
  std::vector<DisruptionBudget> budgets;
  std::vector<Autoscaler> autoscalers;
  std::vector<ResourceQuota> quotas;
  HelmFacts helm;
  std::vector<KubeRight> lacking;  // rights that an upgrade needs and the user has not
  // What may not be read and is not needed: resource -> the API's words.
  std::map<std::string, std::string> unreadable;
  bool operator==(const ObservedRelease&) const = default;

  const MilvusWorkload* Find(const std::string& deployment) const {
    for (const MilvusWorkload& one : milvus) {
      if (one.Name() == deployment) return &one;
    }
    return nullptr;
  }
};

}  // namespace mu::model
