// SPDX-License-Identifier: Apache-2.0
// Checks of a release on Kubernetes.
#include <fmt/format.h>

#include <algorithm>

#include "milvus_upgrade/base/text.h"
#include "rules/check_support.h"

namespace mu::rules {
namespace {

using model::Deployment;
using model::MilvusWorkload;
using model::Role;
using In = RollingCheckInput;

// A querynode hands its segments over while it stops; 30 s are the default of Kubernetes and the
// charts.
constexpr int kShortGrace = 30;

std::optional<model::Version> TargetOf(const In& in) {
  if (const auto version = model::ParseVersion(in.config.to)) return *version;
  return std::nullopt;
}

std::vector<Role> RolesOf(const In& in) {
  std::vector<Role> roles;
  for (const MilvusWorkload& workload : in.observed.milvus) roles.push_back(workload.role);
  return roles;
}

bool IsUpToDate(const In& in, const MilvusWorkload& workload) {
  return in.image != nullptr && workload.image == *in.image;
}

bool IsRecreated(const Deployment& deployment) { return deployment.strategy == "Recreate"; }

void CheckRights(const In& in, Findings& out) {
  if (in.observed.lacking.empty()) return;
  std::vector<std::string> rights;
  for (const model::KubeRight& right : in.observed.lacking)
    rights.push_back(fmt::format("{} {}{}", right.verb, right.resource,
                                 right.group.empty() ? "" : "." + right.group));
  AddError(out, in.observed.cluster.name_space,
           fmt::format("this user may not: {}", Join(rights, ", ")),
           "the upgrade would stop in the middle",
           "have these rights granted in the namespace (a Role and a RoleBinding)");
}

void CheckReadable(const In& in, Findings& out) {
  for (const auto& [resource, words] : in.observed.unreadable) {
    AddInfo(out, resource, fmt::format("they may not be read: {}", words),
            "what they would say is not known to these checks", "");
  }
}

void CheckOperator(const In& in, Findings& out) {
  if (in.observed.operator_name.empty()) return;
  AddError(
      out, in.observed.operator_name, "milvus-operator made this release and looks after it",
      "it would put back every change of its Deployments",
      fmt::format("upgrade by the operator: kubectl patch milvus {} -n {} --type merge -p "
                  "'{{\"spec\":{{\"components\":{{\"image\":\"{}\"}}}}}}'",
                  in.observed.operator_name, in.observed.cluster.name_space,
                  in.image == nullptr ? "milvusdb/milvus:v" + in.config.to : in.image->Text()));
}

void CheckPlaces(const In& in, Findings& out) {
  for (const model::OtherWorkload& other : in.observed.unplaced) {
    AddError(out, fmt::format("{} {}", other.kind, other.name),
             fmt::format("it runs {} and has no place in the order: {}", other.image, other.reason),
             "it would stay on the old version while the others change",
             "upgrade this release by Helm, or remove or label that workload");
  }
  if (in.order == nullptr) return;
  for (const Role role : RolesWithoutPlace(*in.order, RolesOf(in))) {
    AddError(out, std::string(model::NameOf(role)),
             fmt::format("a release with {} has no place for it in the order of {}",
                         NameOf(in.order->topology), in.order->source),
             "it would stay on the old version while the others change",
             in.config.order == config::RollingOrder::kAuto
                 ? "upgrade this release by Helm"
                 : "use --order auto, or upgrade this release by Helm");
  }
}

void CheckOnly(const In& in, Findings& out) {
  for (const std::string& name : in.config.only) {
    const bool is_there =
        std::any_of(in.observed.milvus.begin(), in.observed.milvus.end(),
                    [&](const MilvusWorkload& workload) { return name == ComponentOf(workload); });
    if (is_there) continue;
    std::vector<std::string> names;
    for (const MilvusWorkload& workload : in.observed.milvus)
      names.push_back(ComponentOf(workload));
    AddError(out, name, "the release has no such component", "nothing would be done for it",
             "its components are: " + Join(names, ", "));
  }
}

void CheckVersions(const In& in, Findings& out) {
  std::map<std::string, std::vector<std::string>> by_version;
  for (const MilvusWorkload& workload : in.observed.milvus) {
    if (!workload.tag_version && in.config.from.empty())
      AddError(out, workload.Name(),
               fmt::format("the running version cannot be read from {}", workload.image.Text()),
               "the way to a version depends on the one that runs, and it is never guessed (R0)",
               "say which version runs: --from VERSION");
    by_version[workload.tag_version ? workload.tag_version->Text() : workload.image.Text()]
        .push_back(ComponentOf(workload));
  }
  if (by_version.size() < 2) return;
  std::vector<std::string> parts;
  for (const auto& [version, names] : by_version)
    parts.push_back(fmt::format("{}: {}", version, Join(names, ", ")));
  AddWarning(out, in.observed.release,
             fmt::format("its components do not have one version ({})", Join(parts, "; ")),
             "a rolling update was left in the middle; this one goes on with those that are not on "
             "the wanted image",
             "");
}

void CheckImage(const In& in, Findings& out) {
  if (in.image == nullptr) return;
  const auto tag = model::VersionOfTag(in.image->tag);
  const auto target = TargetOf(in);
  if (!tag) {
    AddWarning(out, in.image->Text(), "its tag tells no version",
               fmt::format("that it is {} cannot be seen", in.config.to),
               "name the image by the tag of a version");
  } else if (target && *tag != *target) {
    AddError(out, in.image->Text(),
             fmt::format("-t says {} and the tag of the image {}", target->Text(), tag->Text()),
             "one of the two is a mistake: the label would say one version and another would run",
             fmt::format("use -t {}, or the image of {}", tag->Text(), target->Text()));
  }
  for (const MilvusWorkload& workload : in.observed.milvus) {
    if (workload.image.repository == in.image->repository) continue;
    AddWarning(out, workload.Name(),
               fmt::format("it runs {} and will run {}: another registry or repository",
                           workload.image.Text(), in.image->Text()),
               "the nodes must be able to pull from there", "");
    return;
  }
}

void CheckHops(const In& in, Findings& out) {
  if (in.path == nullptr) return;
  for (const HopRule& hop : in.path->hops) {
    if (hop.action != Action::kMetadataMigration) continue;
    AddError(
        out, hop.from.Text() + " to " + hop.to.Text(),
        "the metadata must be migrated, with every component stopped", hop.reason,
        "scale the release to 0, run `milvus-upgrade migrate`, and start it with the image of " +
            hop.to.Text());
    return;
  }
  if (in.path->hops.size() < 2) return;
  const HopRule& first = in.path->hops.front();
  AddError(
      out, first.from.Text() + " to " + in.config.to,
      fmt::format("the way leads through {} ({})", first.to.Text(), first.rule), first.reason,
      fmt::format("roll to {} first, see that it is well, then run this again", first.to.Text()));
}

void CheckIndexNode(const In& in, Findings& out) {
  const auto target = TargetOf(in);
  if (!target || !IsAtLeastMinor(*target, 3, 0)) return;
  for (const MilvusWorkload& workload : in.observed.milvus) {
    if (workload.role != Role::kIndexNode) continue;
    AddError(out, workload.Name(), "3.0 has no indexnode, and this release still has one",
             "it was not fully moved to the roles of 2.6 (R14)",
             "get a plan that Milvus's engineers have approved");
  }
}

void CheckStandalone(const In& in, Findings& out) {
  for (const MilvusWorkload& workload : in.observed.milvus) {
    if (workload.role != Role::kStandalone) continue;
    const model::MessageQueue queue = workload.settings.queue;
    const bool is_embedded = queue == model::MessageQueue::kRocksmq ||
                             queue == model::MessageQueue::kNatsmq ||
                             queue == model::MessageQueue::kUnknown;
    const bool has_volume = !workload.deployment.pod.claims.empty();
    if (in.config.allows_downtime) {
      AddWarning(out, workload.Name(),
                 "its old pod stops before the new one starts, as asked for with --allow-downtime",
                 "there is no service from then until the new one is ready", "");
    } else if (is_embedded) {
      AddError(out, workload.Name(),
               fmt::format("its message queue is {}: one process writes it",
                           queue == model::MessageQueue::kUnknown ? "not known" : NameOf(queue)),
               "two pods cannot have it at the same time, so there is no rolling (R19)",
               "say --allow-downtime to stop the old pod before the new one starts");
    } else if (has_volume) {
      AddError(out, workload.Name(),
               fmt::format("it mounts the volume {}", workload.deployment.pod.claims.front()),
               "the new pod may wait for the volume, and the old one for the new pod (R20)",
               "say --allow-downtime to stop the old pod before the new one starts");
    }
  }
}

void CheckReady(const In& in, Findings& out) {
  for (const MilvusWorkload& workload : in.observed.milvus) {
    const Deployment& deployment = workload.deployment;
    const bool is_taken_up = deployment.observed_generation >= deployment.meta.generation;
    const bool is_whole = deployment.updated_replicas == deployment.replicas &&
                          deployment.status_replicas == deployment.replicas;
    if (deployment.ready_replicas < deployment.replicas ||
        deployment.available_replicas < deployment.replicas) {
      AddError(
          out, workload.Name(),
          fmt::format("{} of {} pods are ready", deployment.ready_replicas, deployment.replicas),
          "faults from before cannot be told from faults of the upgrade",
          "bring it to its normal state first");
    } else if (!is_taken_up || !is_whole) {
      AddWarning(out, workload.Name(), "a rollout of it is not over",
                 "its old pods serve; a new image takes the place of the one that is not ready",
                 "");
    }
  }
}

void CheckPaused(const In& in, Findings& out) {
  for (const MilvusWorkload& workload : in.observed.milvus) {
    if (!workload.deployment.is_paused) continue;
    AddError(out, workload.Name(), "it is paused", "its controller would not roll it",
             fmt::format("kubectl rollout resume deployment/{} -n {}", workload.Name(),
                         in.observed.cluster.name_space));
  }
}

void CheckScaledDown(const In& in, Findings& out) {
  for (const MilvusWorkload& workload : in.observed.milvus) {
    if (workload.deployment.replicas > 0) continue;
    AddWarning(out, workload.Name(), "it is scaled to 0",
               "its image is changed, and nothing proves that it starts", "");
  }
}

void CheckAutoscalers(const In& in, Findings& out) {
  for (const MilvusWorkload& workload : in.observed.milvus) {
    if (workload.autoscaler.empty()) continue;
    AddInfo(out, workload.Name(),
            fmt::format("the autoscaler {} decides how many pods it has", workload.autoscaler),
            "the gates count what is wanted at the moment", "");
  }
}

void CheckBudgets(const In& in, Findings& out) {
  for (const model::DisruptionBudget& budget : in.observed.budgets) {
    if (budget.disruptions_allowed > 0) continue;
    AddInfo(out, budget.meta.name, "this PodDisruptionBudget allows no disruption now",
            "it does not hold a rollout up, but a node that is drained meanwhile", "");
  }
}

// What one more pod of each rolled workload needs, against what a quota has left.
void CheckQuotas(const In& in, Findings& out) {
  for (const MilvusWorkload& workload : in.observed.milvus) {
    if (IsUpToDate(in, workload) || workload.deployment.replicas == 0) continue;
    if (IsRecreated(workload.deployment) && StandbyOf(workload.role, {2, 2, 3, ""}).empty())
      continue;
    std::int64_t cpu = 0;
    std::int64_t memory = 0;
    for (const model::PodContainer& container : workload.deployment.pod.containers) {
      cpu += container.cpu_request_millis;
      memory += container.memory_request_bytes * 1000;
    }
    const std::map<std::string, std::int64_t> needs = {
        {"pods", 1000},        {"count/pods", 1000}, {"cpu", cpu},
        {"requests.cpu", cpu}, {"memory", memory},   {"requests.memory", memory}};
    for (const model::ResourceQuota& quota : in.observed.quotas) {
      for (const auto& [resource, need] : needs) {
        const auto hard = quota.hard.find(resource);
        const auto used = quota.used.find(resource);
        if (hard == quota.hard.end() || used == quota.used.end() || need == 0) continue;
        const auto limit = model::QuantityMillis(hard->second);
        const auto taken = model::QuantityMillis(used->second);
        if (!limit || !taken || *taken + need <= *limit) continue;
        AddError(out, workload.Name(),
                 fmt::format("the quota {} leaves no room for one more pod of it ({}: {} of {} "
                             "used)",
                             quota.meta.name, resource, used->second, hard->second),
                 "the new pod comes before the old one goes",
                 "raise the quota by one pod for the time of the upgrade");
      }
    }
  }
}

void CheckConfig(const In& in, Findings& out) {
  for (const std::string& name : in.observed.missing_config_maps) {
    AddError(out, name, "pods mount this ConfigMap, and it is not there",
             "a new pod could not start", "make it again, for example by helm upgrade");
  }
}

void CheckStandby(const In& in, Findings& out) {
  const auto target = TargetOf(in);
  if (!target) return;
  for (const MilvusWorkload& workload : in.observed.milvus) {
    const std::vector<std::string> missing = SectionsWithoutStandby(workload, *target);
    const bool stops = in.config.allows_downtime && workload.role == Role::kStandalone;
    if (missing.empty() || stops || IsUpToDate(in, workload)) continue;
    const std::string keys = Join(missing, ", ");
    if (in.standby_refused != nullptr && in.standby_refused->contains(workload.Name())) {
      AddError(out, workload.Name(),
               fmt::format("it runs without standby ({}.enableActiveStandby), and that cannot be "
                           "switched on: {}",
                           keys, in.standby_refused->at(workload.Name())),
               "a second coordinator would die, so the old one has to go first",
               "switch it on by Helm first, or take the gap of each with --skip-check "
               "active-standby");
    } else {
      AddWarning(
          out, workload.Name(),
          fmt::format("it runs without standby; enableActiveStandby of {} is switched on", keys),
          "one that runs without it cannot hand over: its first roll has a gap", "");
    }
  }
}

void CheckContainers(const In& in, Findings& out) {
  for (const MilvusWorkload& workload : in.observed.milvus) {
    const auto& containers = workload.deployment.pod.containers;
    if (containers.empty() || containers.front().name == workload.container) continue;
    AddInfo(out, workload.Name(),
            fmt::format("its first container is {}; the image of {} is changed",
                        containers.front().name, workload.container),
            "the others keep theirs", "");
  }
}

void CheckVolumes(const In& in, Findings& out) {
  for (const MilvusWorkload& workload : in.observed.milvus) {
    if (workload.role == Role::kStandalone || workload.deployment.pod.claims.empty()) continue;
    AddWarning(out, workload.Name(),
               fmt::format("it mounts the volume {}", workload.deployment.pod.claims.front()),
               "if one node only may have it, the new pod waits for the old one", "");
  }
}

void CheckGrace(const In& in, Findings& out) {
  for (const MilvusWorkload& workload : in.observed.milvus) {
    if (workload.role != Role::kQueryNode && workload.role != Role::kStreamingNode) continue;
    if (workload.deployment.pod.grace_seconds > kShortGrace || IsUpToDate(in, workload)) continue;
    AddWarning(out, workload.Name(),
               fmt::format("it has {} s to stop", workload.deployment.pod.grace_seconds),
               "it is killed before it has handed over what it holds, and searches fail meanwhile "
               "(milvus-helm#313)",
               "raise terminationGracePeriodSeconds by Helm before the upgrade");
  }
}

void CheckSelectors(const In& in, Findings& out) {
  for (const MilvusWorkload& one : in.observed.milvus) {
    for (const MilvusWorkload& other : in.observed.milvus) {
      if (one.Name() == other.Name() || one.deployment.selector.empty() ||
          !model::Matches(one.deployment.selector, other.deployment.pod.labels))
        continue;
      AddError(out, one.Name(),
               fmt::format("its selector also matches the pods of {}", other.Name()),
               "the two controllers would fight for pods, and old pods could not be told from new",
               "give each Deployment a selector of its own");
    }
  }
}

void CheckHelm(const In& in, Findings& out) {
  const model::HelmFacts& helm = in.observed.helm;
  if (helm.status.starts_with("pending")) {
    AddError(out, in.observed.release, fmt::format("its Helm release is {}", helm.status),
             "Helm is at work on it, or was cut in the middle: both would change the same objects",
             "let it end, or mend it with helm rollback");
  } else if (!helm.status.empty() && helm.status != "deployed") {
    AddWarning(out, in.observed.release, fmt::format("its Helm release is {}", helm.status),
               "what runs may not be what Helm believes", "");
  }
  if (!helm.is_managed && in.observed.operator_name.empty())
    AddWarning(out, in.observed.release, "its Deployments do not say that Helm made them",
               "whoever made them (GitOps, kubectl apply) will put the old image back unless it is "
               "told of the new one",
               "change the image there as well");
}

constexpr RollingCheckRow kRows[] = {
    {"rights", "the user may do all that the upgrade does", "it would stop in the middle",
     CheckRights},
    {"readable", "all that is of interest can be read", "some things would not be known",
     CheckReadable},
    {"operator", "no operator looks after the release", "it would put every change back",
     CheckOperator},
    {"helm", "Helm is not at work on the release", "both would change the same objects", CheckHelm},
    {"places", "every Milvus workload has a place in the order",
     "it would silently stay on the old version", CheckPlaces},
    {"only", "the components of --only are there", "nothing would be done for them", CheckOnly},
    {"versions", "the running version can be read, and is one",
     "a guessed version leads down a wrong path (R0)", CheckVersions},
    {"image", "the wanted image is of the wanted version", "another version would run than is said",
     CheckImage},
    {"hops", "one change of the image leads there",
     "a version that must run in between would be left out", CheckHops},
    {"indexnode", "no indexnode goes to 3.0", "it has no such role (R14)", CheckIndexNode},
    {"standalone", "a standalone can run twice for a moment",
     "two pods would wait for each other (R19, R20)", CheckStandalone},
    {"ready", "every Deployment is ready",
     "faults from before cannot be told from faults of the upgrade", CheckReady},
    {"paused", "no Deployment is paused", "its controller would not roll it", CheckPaused},
    {"scaled-down", "no Deployment is scaled to 0", "nothing proves that it starts",
     CheckScaledDown},
    {"autoscalers", "autoscalers are said", "the number of pods may change", CheckAutoscalers},
    {"budgets", "PodDisruptionBudgets are said", "they hold up who drains a node", CheckBudgets},
    {"quotas", "quotas have room for one more pod of each", "the new pod could not be made",
     CheckQuotas},
    {"config-maps", "what pods mount is there", "a new pod could not start", CheckConfig},
    {"active-standby", "coordinators can hand over",
     "a second one would die, or its first roll has a gap", CheckStandby},
    {"containers", "the component is told by its container's name, not its place",
     "a sidecar would get the image of Milvus", CheckContainers},
    {"volumes", "volumes of components are said", "the new pod may wait for the old one",
     CheckVolumes},
    {"grace", "nodes that hold data have time to stop", "they are killed, and searches fail",
     CheckGrace},
    {"selectors", "no selector matches the pods of another Deployment",
     "controllers would fight for pods", CheckSelectors},
};

}  // namespace

std::span<const RollingCheckRow> RollingCheckTable() { return kRows; }

Result<std::vector<model::Finding>> RunChecks(const RollingCheckInput& input) {
  return RunRows(RollingCheckTable(), input);
}

}  // namespace mu::rules
