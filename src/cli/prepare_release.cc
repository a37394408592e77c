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
#include "milvus_upgrade/run/executor.h"

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

bool IsGivenUp(const run::StoredRun& run) {
  return !run.damage && run.plan.kind == plan::PlanKind::kRolling &&
         (run.is_abandoned || run.IsOpen());
}

// What a run that was given up has left of the Deployment; nullopt where the newest run that had
// to do with it came to an end, or where someone has changed it since.
std::optional<plan::LeftBehind> LeftOf(const MilvusWorkload& workload,
                                       const std::vector<run::StoredRun>& runs) {
  const model::Deployment& now = workload.deployment;
  for (const run::StoredRun& run : runs) {
    if (run.damage) continue;
    for (const plan::Step& step : run.plan.steps) {
      const auto* patch = std::get_if<plan::PatchDeployment>(&step.args);
      if (patch == nullptr) continue;
      const std::string running = workload.image.Text();
      // It ran that image when the run was brought to its end: so it was meant.
      if (patch->image == running && run.EndState() == "done") return std::nullopt;
      if (patch->uid != now.meta.uid) continue;
      const run::StepState state = run::StateOf(run.records, "forward", step.id);
      if (!state.acted) continue;
      const auto given = state.evidence.find(plan::kTemplateHash);
      const bool is_as_left = given == state.evidence.end() ? patch->image == running
                                                            : given->second == now.TemplateHash();
      if (!IsGivenUp(run) || !is_as_left) return std::nullopt;
      for (const plan::Step& keep : run.plan.steps) {
        const auto* args = std::get_if<plan::KeepRelease>(&keep.args);
        if (args == nullptr) continue;
        for (const plan::KeepRelease::Kept& kept : args->deployments) {
          if (kept.uid == patch->uid)
            return plan::LeftBehind{run.files.id,    run.plan.from,      patch->image_before,
                                    patch->strategy, kept.template_hash, kept.strategy_hash};
        }
      }
    }
  }
  return std::nullopt;
}

// The edits of runs that were given up which still stand as they were made.
std::vector<plan::EditConfigMap> MadeIn(const model::ObservedRelease& observed,
                                        const std::vector<run::StoredRun>& runs,
                                        const std::map<std::string, plan::LeftBehind>& left,
                                        const std::vector<plan::EditConfigMap>& edits) {
  std::vector<plan::EditConfigMap> made;
  const auto is_known = [&](const plan::EditConfigMap& edit) {
    const auto has_key = [&](const plan::EditConfigMap& one) { return one.key == edit.key; };
    return std::any_of(edits.begin(), edits.end(), has_key) ||
           std::any_of(made.begin(), made.end(), has_key);
  };
  for (const run::StoredRun& run : runs) {
    const bool has_left = std::any_of(
        left.begin(), left.end(), [&](const auto& one) { return one.second.run == run.files.id; });
    if (!has_left) continue;
    for (const plan::Step& step : run.plan.steps) {
      const auto* edit = std::get_if<plan::EditConfigMap>(&step.args);
      const model::ConfigMap* map = edit == nullptr ? nullptr : Find(observed, edit->config_map);
      if (map == nullptr || map->meta.uid != edit->uid || is_known(*edit)) continue;
      const auto text = map->data.find(edit->key);
      if (text != map->data.end() && Sha256(text->second) == edit->sha256_after)
        made.push_back(*edit);
    }
  }
  return made;
}

}  // namespace

Result<Proposal> PrepareRelease(ports::Kube& kube, const config::Config& asked,
                                const std::vector<run::StoredRun>& runs) {
  Proposal prepared;
  MU_TRY(const model::Version to, model::ParseVersion(asked.to));
  MU_TRY(const model::ObservedRelease observed, observe::ObserveRelease(kube, asked.release));
  prepared.plan.kind = plan::PlanKind::kRolling;
  prepared.plan.instance = observed.release;
  prepared.plan.kube = {asked.kubeconfig, observed.cluster.context, observed.cluster.server,
                        observed.cluster.name_space};
  MU_TRY(const model::ImageRef image, WantedImage(asked, observed, to));
  std::map<std::string, plan::LeftBehind> left;
  for (const MilvusWorkload& workload : observed.milvus) {
    if (workload.image == image) continue;
    if (auto one = LeftOf(workload, runs)) left.emplace(workload.Name(), *std::move(one));
  }
  // What such a run has left is not ready, and its image may tell no version.
  config::Config config = asked;
  if (!left.empty()) {
    if (config.from.empty()) config.from = left.begin()->second.from;
    config.skipped_checks.emplace_back("ready");
  }
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
  std::vector<plan::EditConfigMap> made = MadeIn(observed, runs, left, standby.edits);
  prepared.plan =
      plan::PlanRolling({config, observed, *path, *order, image, std::move(standby.edits),
                         std::move(off), prepared.findings, observe::FingerprintOf(observed),
                         observe::SelectorOf(config.release), std::move(left), std::move(made)});
  if (config.image.empty() && prepared.plan.HasSteps())
    prepared.plan.notes.push_back(
        fmt::format("the image {} follows from what runs and -t: -w was not given", image.Text()));
  prepared.diffs = std::move(standby.diffs);
  return prepared;
}

}  // namespace mu::cli
