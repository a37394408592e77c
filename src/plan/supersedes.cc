// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "milvus_upgrade/plan/plan.h"

namespace mu::plan {
namespace {

std::vector<std::string> ServicesOf(const std::vector<ContainerRef>& containers) {
  std::vector<std::string> services;
  for (const ContainerRef& container : containers) services.push_back(container.service);
  return services;
}

// The services whose containers a step changes.
std::vector<std::string> ServicesOf(const Step& step) {
  if (const auto* up = std::get_if<UpServices>(&step.args)) return up->services;
  if (const auto* start = std::get_if<StartContainers>(&step.args))
    return ServicesOf(start->containers);
  if (const auto* stop = std::get_if<StopContainers>(&step.args))
    return ServicesOf(stop->containers);
  if (const auto* policy = std::get_if<SetRestartPolicy>(&step.args)) {
    std::vector<std::string> services;
    for (const auto& change : policy->changes) services.push_back(change.container.service);
    return services;
  }
  return {};
}

// The Deployment that a step changes; "" for steps of other kinds.
std::string DeploymentOf(const Step& step) {
  if (const auto* patch = std::get_if<PatchDeployment>(&step.args)) return patch->deployment;
  if (const auto* restore = std::get_if<RestoreDeployment>(&step.args)) return restore->deployment;
  return {};
}

bool BringsUp(const Step& step) {
  return step.kind == StepKind::kUpServices || step.kind == StepKind::kStartContainers;
}

bool HaveCommon(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& item) {
    return std::find(b.begin(), b.end(), item) != b.end();
  });
}

}  // namespace

bool Supersedes(const Step& later, const Step& earlier) {
  const bool brings_up = BringsUp(later);
  switch (earlier.kind) {
    case StepKind::kReplaceFile: {
      const auto* replace = std::get_if<ReplaceFile>(&later.args);
      return replace != nullptr && replace->path == std::get<ReplaceFile>(earlier.args).path;
    }
    case StepKind::kEditConfigMap: {
      const auto* edit = std::get_if<EditConfigMap>(&later.args);
      const auto& mine = std::get<EditConfigMap>(earlier.args);
      return edit != nullptr && edit->config_map == mine.config_map && edit->key == mine.key;
    }
    case StepKind::kPatchDeployment:
    case StepKind::kRestoreDeployment:
      return DeploymentOf(later) == DeploymentOf(earlier);
    // What is of before the hop cannot be had again in its middle.
    case StepKind::kRehearseMigration:
    case StepKind::kRecordSessions:
    // What a gate has seen of a version is over when that version is stopped, or replaced.
    case StepKind::kVerifyData:
    case StepKind::kWaitServices:
    case StepKind::kWaitSessions:
    case StepKind::kWaitStable:
      return later.kind == StepKind::kStopContainers || later.kind == StepKind::kPatchDeployment;
    case StepKind::kSaveSnapshot:
    case StepKind::kBackupKeys:
      return brings_up || later.kind == StepKind::kMigrateMetadata;
    case StepKind::kReleaseSessions:
    case StepKind::kMigrateMetadata:
    case StepKind::kConfirmMigration:
    case StepKind::kRestoreMetadata:
      return brings_up;  // the new processes register and write
    case StepKind::kSetRestartPolicy:
      return (brings_up || later.kind == earlier.kind) &&
             HaveCommon(ServicesOf(later), ServicesOf(earlier));
    case StepKind::kStopContainers:
      return brings_up && HaveCommon(ServicesOf(later), ServicesOf(earlier));
    case StepKind::kUpServices:
    case StepKind::kStartContainers:
      return (brings_up || later.kind == StepKind::kStopContainers) &&
             HaveCommon(ServicesOf(later), ServicesOf(earlier));
    default:
      return false;
  }
}

bool Breaks(const Step& step, Expectation::Kind kind) {
  return BringsUp(step) && (kind == Expectation::Kind::kContainersDown ||
                            kind == Expectation::Kind::kNoForeignSession);
}

Millis Plan::EstimatedOutage() const {
  Millis total{0};
  bool is_open = false;
  for (const Step& step : steps) {
    is_open = is_open || step.outage == OutageMark::kOpens;
    if (is_open) total += step.estimate;
    if (step.outage == OutageMark::kCloses) is_open = false;
  }
  return total;
}

}  // namespace mu::plan
