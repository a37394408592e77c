// SPDX-License-Identifier: Apache-2.0
// (Config, ObservedRelease, VersionPath, order, edits) -> Plan for a release on Kubernetes: a pure
// function, same input same bytes. One Deployment after another, each only after the one before is
// truly done (design.md 6).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/model/finding.h"
#include "milvus_upgrade/model/release.h"
#include "milvus_upgrade/plan/plan.h"
#include "milvus_upgrade/rules/rolling.h"
#include "milvus_upgrade/rules/version_path.h"

namespace mu::plan {

struct RollingPlanInput {
  const config::Config& config;
  const model::ObservedRelease& observed;
  const rules::VersionPath& path;  // without a hop where the version stays and the image changes
  const rules::OrderRow& order;
  model::ImageRef image;
  std::vector<EditConfigMap> edits;   // what switches standby on
  std::set<std::string> standby_off;  // Deployments of coordinators that have none even after that
  std::vector<model::Finding> findings;
  std::string fingerprint;
  std::string selector;  // of the release's objects
};

// Without steps when every component runs the image.
Plan PlanRolling(const RollingPlanInput& input);

// How the ids of steps begin: of a component's patch, and of all on the way back.
inline constexpr char kRollPrefix[] = "roll/";
inline constexpr char kUndoPrefix[] = "undo/";

// The way back from a rolling plan of which the steps `entered` were: in reverse order, each
// Deployment to its exact old template. PlanRollback is who asks.
std::vector<Step> StepsBack(const Plan& plan, const std::set<std::string>& entered);

}  // namespace mu::plan
