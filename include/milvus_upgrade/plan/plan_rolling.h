// SPDX-License-Identifier: Apache-2.0
// (Config, ObservedRelease, VersionPath, order, edits) -> Plan for a release on Kubernetes: a pure
// function, same input same bytes. One Deployment after another, each only after the one before is
// truly done (design.md 6).
#pragma once

#include <map>
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

// What a run that was given up has left of a Deployment: before it is what before means.
struct LeftBehind {
  std::string run;
  std::string from;  // the version that this run came from
  std::string image_before;
  std::string strategy;       // that it needed for the time of the rollout; JSON, "" for none
  std::string template_hash;  // of what it has kept
  std::string strategy_hash;
};

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
  std::string selector;                    // of the release's objects
  std::map<std::string, LeftBehind> left;  // by Deployment
  std::vector<EditConfigMap> made;         // that such a run has made already, and that still stand
};

// Without steps when every component runs the image.
Plan PlanRolling(const RollingPlanInput& input);

// How the ids of steps begin: of a component's patch, and of all on the way back.
inline constexpr char kRollPrefix[] = "roll/";
inline constexpr char kUndoPrefix[] = "undo/";

// Of the evidence of a patch: the template that it has made.
inline constexpr char kTemplateHash[] = "template_hash";

// The way back from a rolling plan of which the steps `entered` were: in reverse order, each
// Deployment to its exact old template. PlanRollback is who asks.
std::vector<Step> StepsBack(const Plan& plan, const std::set<std::string>& entered);
// What a way back for some components has undone of the plan, in the plan's order, and what must be
// proven again. Empty where `back` undoes all that was `entered`.
std::vector<std::string> Reopened(const Plan& plan, const Plan& back,
                                  const std::set<std::string>& entered);

}  // namespace mu::plan
