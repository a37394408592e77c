// SPDX-License-Identifier: Apache-2.0
#include "cli/prepare_release.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/edit/compose_edit.h"
#include "milvus_upgrade/edit/standby_edit.h"
#include "milvus_upgrade/observe/rolling_observer.h"
#include "milvus_upgrade/plan/plan_rolling.h"
#include "milvus_upgrade/rules/checks.h"
#include "milvus_upgrade/rules/version_path.h"

namespace mu::cli {
namespace {

using model::MilvusWorkload;
using model::Role;

// -w, or the repository that runs with the tag of the wanted version; never a default.
Result<model::ImageRef> WantedImage(const config::Config& config,
                                    const model::ObservedRelease& observed,
                                    const model::Version& to) {
  if (!config.image.empty()) return model::ParseImageRef(config.image);
  std::set<std::string> derived;
  for (const MilvusWorkload& workload : observed.milvus) {
    if (workload.tag_version && workload.image.digest.empty())
      derived.insert(workload.image.WithTag(model::TagForVersion(workload.image.tag, to)).Text());
    else
      derived.insert("");
  }
  if (derived.size() == 1 && !derived.begin()->empty())
    return model::ParseImageRef(*derived.begin());
  return Fail(ErrorCode::kUsage,
              "-w IMAGE is not given, and what runs does not tell which image it would be",
              fmt::format("for example: -w milvusdb/milvus:v{}", to.Text()));
}

// The lowest of the versions that are still to change: where a rolling update was left in the
// middle, that is where the rest comes from.
Result<model::Version> RunningVersion(const config::Config& config,
                                      const model::ObservedRelease& observed,
                                      const model::ImageRef& image, const model::Version& to) {
  if (!config.from.empty()) return model::ParseVersion(config.from);
  std::optional<model::Version> lowest;
  for (const MilvusWorkload& workload : observed.milvus) {
    if (workload.image == image) continue;
    if (!workload.tag_version)
      return Fail(ErrorCode::kVersionUnknown,
                  fmt::format("the running version of {} cannot be read from {}", workload.Name(),
                              workload.image.Text()),
                  "name it with --from, for example --from 2.2.16");
    if (!lowest || *workload.tag_version < *lowest) lowest = workload.tag_version;
  }
  return lowest.value_or(to);
}

model::MessageQueue QueueOf(const model::ObservedRelease& observed) {
  for (const MilvusWorkload& workload : observed.milvus) {
    if (workload.settings.queue != model::MessageQueue::kUnknown) return workload.settings.queue;
  }
  return model::MessageQueue::kUnknown;
}

struct Standby {
  std::vector<plan::EditConfigMap> edits;
  std::map<std::string, std::string> refused;  // Deployment -> why
  std::vector<std::string> diffs;
};

const model::ConfigMap* Find(const model::ObservedRelease& observed, const std::string& name) {
  const auto it = std::find_if(observed.config_maps.begin(), observed.config_maps.end(),
                               [&](const model::ConfigMap& map) { return map.meta.name == name; });
  return it == observed.config_maps.end() ? nullptr : &*it;
}

// What switches standby on, in the file that wins among those that the pods really mount.
Standby StandbyFor(const config::Config& config, const model::ObservedRelease& observed,
                   const model::ImageRef& image, const model::Version& to) {
  struct Need {
    std::vector<std::string> sections;
    std::vector<std::string> workloads;
  };
  Standby standby;
  std::map<std::pair<std::string, std::string>, Need> needs;  // ConfigMap, key
  for (const MilvusWorkload& workload : observed.milvus) {
    const std::vector<std::string> missing = rules::SectionsWithoutStandby(workload, to);
    const bool stops = config.allows_downtime && workload.role == Role::kStandalone;
    if (missing.empty() || stops || workload.image == image) continue;
    if (workload.configs.empty()) {
      standby.refused[workload.Name()] = "its pods mount no ConfigMap with Milvus's configuration";
      continue;
    }
    const model::MountedFile& last = workload.configs.back();
    Need& need = needs[{last.config_map, last.key}];
    need.workloads.push_back(workload.Name());
    for (const std::string& section : missing) {
      if (std::find(need.sections.begin(), need.sections.end(), section) == need.sections.end())
        need.sections.push_back(section);
    }
  }
  for (const auto& [place, need] : needs) {
    const auto& [name, key] = place;
    const auto refuse = [&, &workloads = need.workloads](const std::string& why) {
      for (const std::string& workload : workloads) standby.refused[workload] = why;
    };
    const model::ConfigMap* map = Find(observed, name);
    if (map == nullptr || map->is_immutable) {
      refuse(fmt::format("the ConfigMap {} {}", name,
                         map == nullptr ? "is not there" : "is immutable"));
      continue;
    }
    const auto text = map->data.find(key);
    const std::string before = text == map->data.end() ? std::string() : text->second;
    const std::string where = fmt::format("{} of the ConfigMap {}", key, name);
    const auto splices = edit::EnableStandby(where, before, need.sections);
    const auto after = splices ? edit::Apply(before, *splices) : Result<std::string>(before);
    if (!splices || !after) {
      refuse(splices ? after.error().message : splices.error().message);
      continue;
    }
    standby.edits.push_back({name, map->meta.uid, key, Sha256(before), Sha256(*after), *splices});
    standby.diffs.push_back(edit::UnifiedDiff(where, before, *after));
  }
  return standby;
}

}  // namespace

Result<Proposal> PrepareRelease(ports::Kube& kube, const config::Config& config) {
  Proposal prepared;
  MU_TRY(const model::Version to, model::ParseVersion(config.to));
  MU_TRY(const model::ObservedRelease observed, observe::ObserveRelease(kube, config.release));
  prepared.plan.kind = plan::PlanKind::kRolling;
  prepared.plan.instance = observed.release;
  prepared.plan.kube = {config.kubeconfig, observed.cluster.context, observed.cluster.server,
                        observed.cluster.name_space};
  MU_TRY(const model::ImageRef image, WantedImage(config, observed, to));
  MU_TRY(const model::Version from, RunningVersion(config, observed, image, to));
  prepared.from = from.Text();
  prepared.to = to.Text();

  std::vector<Role> roles;
  for (const MilvusWorkload& workload : observed.milvus) roles.push_back(workload.role);
  MU_TRY(const rules::OrderRow* const order, rules::FindOrder(config.order, roles));
  const bool stops =
      config.allows_downtime && rules::TopologyOf(roles) == rules::Topology::kStandalone;
  const auto path = rules::FindPath(
      from, to, stops ? rules::Platform::kKubernetesStop : rules::Platform::kKubernetes,
      QueueOf(observed), false);
  Standby standby = StandbyFor(config, observed, image, to);
  MU_TRY(prepared.findings, rules::RunChecks({config, observed, path ? &*path : nullptr, order,
                                              &image, &standby.refused}));
  if (!path) {
    prepared.refusal = path.error();
    prepared.findings.push_back(
        FindingOf(path.error(), "version-path", from.Text() + " to " + to.Text()));
    return prepared;
  }
  std::set<std::string> off;
  for (const auto& [workload, why] : standby.refused) off.insert(workload);
  prepared.plan = plan::PlanRolling(
      {config, observed, *path, *order, image, std::move(standby.edits), std::move(off),
       prepared.findings, observe::FingerprintOf(observed), observe::SelectorOf(config.release)});
  if (config.image.empty() && prepared.plan.HasSteps())
    prepared.plan.notes.push_back(
        fmt::format("the image {} follows from what runs and -t: -w was not given", image.Text()));
  prepared.diffs = std::move(standby.diffs);
  return prepared;
}

}  // namespace mu::cli
