// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/observe/rolling_observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"
#include "observe/settings.h"

namespace mu::observe {
namespace {

using model::KubeKind;
using model::MilvusWorkload;
using model::ObservedRelease;
using model::OtherWorkload;

constexpr char kInstance[] = "app.kubernetes.io/instance";
constexpr char kManagedBy[] = "app.kubernetes.io/managed-by";

// The files that Milvus reads in its folder of configurations, a later one over an earlier one.
constexpr std::array<std::string_view, 3> kConfigFiles = {"milvus.yaml", "default.yaml",
                                                          "user.yaml"};

// Charts label with `component`, the operator with the longer name.
std::string ComponentOf(const model::KubeMeta& meta) {
  const std::string component = meta.Label("component");
  return component.empty() ? meta.Label("app.kubernetes.io/component") : component;
}

bool IsMilvusImage(const std::string& image) {
  const auto parsed = model::ParseImageRef(image);
  return parsed && model::IsMilvusServer(*parsed);
}

// "querynode" of "querynode-rg1".
std::string RoleText(const std::string& component) {
  return component.substr(0, component.find('-'));
}

struct Place {
  std::optional<model::Role> role;
  const model::PodContainer* container = nullptr;
  std::string reason;  // why it has none
};

// Which container of a pod is the component: by its name, then by its command, then as the only one
// of Milvus; never by its position.
const model::PodContainer* ComponentContainer(const model::PodTemplate& pod,
                                              const std::string& component) {
  for (const std::string& name : {component, RoleText(component)}) {
    if (const model::PodContainer* found = pod.Find(name); found != nullptr && !name.empty())
      return found;
  }
  const model::PodContainer* only = nullptr;
  for (const model::PodContainer& one : pod.containers) {
    if (model::RoleOfCommand(one.command)) return &one;
  }
  for (const model::PodContainer& one : pod.containers) {
    if (!IsMilvusImage(one.image)) continue;
    if (only != nullptr) return nullptr;
    only = &one;
  }
  return only;
}

Place PlaceOf(const model::PodTemplate& pod, const std::string& component) {
  Place place;
  place.container = ComponentContainer(pod, component);
  if (place.container == nullptr) {
    place.reason = "which of its containers is Milvus cannot be told";
    return place;
  }
  const auto of_label = model::RoleOfName(RoleText(component));
  const auto of_command = model::RoleOfCommand(place.container->command);
  if (!component.empty() && !of_label) {
    place.reason = fmt::format("its label says {}, which is no component that is known", component);
  } else if (of_label && of_command && of_label != of_command) {
    place.reason =
        fmt::format("its label says {} and its command {}", component, model::NameOf(*of_command));
  } else if (of_label || of_command) {
    place.role = of_label ? of_label : of_command;
  } else {
    place.role = model::RoleOfName(place.container->name);
    if (!place.role) place.reason = "neither a label nor its command says which component it is";
  }
  return place;
}

// A labelled component counts whatever its image is called: mirrors have names of their own.
bool IsMilvus(const model::PodTemplate& pod, const std::string& component) {
  for (const model::PodContainer& container : pod.containers) {
    if (IsMilvusImage(container.image)) return true;
  }
  return model::RoleOfName(RoleText(component)).has_value() &&
         pod.Find(RoleText(component)) != nullptr;
}

std::string DecidingImage(const model::PodTemplate& pod) {
  for (const model::PodContainer& container : pod.containers) {
    if (IsMilvusImage(container.image)) return container.image;
  }
  return pod.containers.empty() ? "" : pod.containers.front().image;
}

// The resource group of "querynode-rg1", from the label or else from the end of the name.
std::string GroupOf(const std::string& component, const std::string& name,
                    const std::string& role) {
  if (component.size() > role.size() + 1) return component.substr(role.size() + 1);
  const auto at = name.rfind("-" + role + "-");
  return at == std::string::npos ? "" : name.substr(at + role.size() + 2);
}

// The configuration files that a container mounts from ConfigMaps, in Milvus's order.
std::vector<model::MountedFile> ConfigsOf(const model::PodTemplate& pod,
                                          const model::PodContainer& container,
                                          const std::vector<model::ConfigMap>& maps) {
  std::vector<model::MountedFile> found;
  const auto add = [&](const model::ConfigVolume& volume, const std::string& in_volume,
                       const std::string& file, bool is_sub_path) {
    if (std::find(kConfigFiles.begin(), kConfigFiles.end(), file) == kConfigFiles.end()) return;
    std::string key = volume.items.empty() ? in_volume : "";
    for (const auto& [name, path] : volume.items) {
      if (path == in_volume) key = name;
    }
    if (!key.empty()) found.push_back({volume.config_map, key, file, is_sub_path});
  };
  for (const model::VolumeMount& mount : container.mounts) {
    for (const model::ConfigVolume& volume : pod.config_volumes) {
      if (volume.volume != mount.volume) continue;
      if (!mount.sub_path.empty()) {
        add(volume, mount.sub_path, mount.path.substr(mount.path.rfind('/') + 1), true);
        continue;
      }
      for (const auto& [key, path] : volume.items) add(volume, path, path, false);
      if (!volume.items.empty()) continue;
      for (const model::ConfigMap& map : maps) {
        if (map.meta.name != volume.config_map) continue;
        for (const auto& [key, text] : map.data) add(volume, key, key, false);
      }
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::find(kConfigFiles.begin(), kConfigFiles.end(), a.file) <
           std::find(kConfigFiles.begin(), kConfigFiles.end(), b.file);
  });
  return found;
}

Status ReadSettings(MilvusWorkload& workload, const std::vector<model::ConfigMap>& maps) {
  const model::PodContainer& container = *workload.deployment.pod.Find(workload.container);
  workload.configs = ConfigsOf(workload.deployment.pod, container, maps);
  std::vector<NamedText> texts;
  for (const model::MountedFile& file : workload.configs) {
    for (const model::ConfigMap& map : maps) {
      if (map.meta.name != file.config_map || !map.data.contains(file.key)) continue;
      texts.push_back(
          {fmt::format("ConfigMap {} {}", file.config_map, file.key), map.data.at(file.key)});
    }
  }
  MU_TRY(workload.settings,
         SettingsOf(container.environment, texts, workload.role == model::Role::kStandalone));
  MU_TRY(workload.standby_on, StandbyOf(container.environment, texts));
  return {};
}

model::HelmFacts HelmOf(const ObservedRelease& observed,
                        const std::vector<model::KubeMeta>& secrets) {
  model::HelmFacts helm;
  for (const MilvusWorkload& workload : observed.milvus) {
    const model::KubeMeta& meta = workload.deployment.meta;
    helm.is_managed = helm.is_managed || meta.Label(kManagedBy) == "Helm";
    const std::string chart = meta.Label("helm.sh/chart");
    for (auto dash = chart.find('-'); helm.chart.empty() && dash != std::string::npos;
         dash = chart.find('-', dash + 1)) {
      if (dash + 1 >= chart.size() || chart[dash + 1] < '0' || chart[dash + 1] > '9') continue;
      helm.chart = chart.substr(0, dash);
      helm.chart_version = chart.substr(dash + 1);
    }
  }
  for (const model::KubeMeta& secret : secrets) {
    const std::string text = secret.Label("version");
    int revision = 0;
    std::from_chars(text.data(), text.data() + text.size(), revision);
    if (revision <= helm.revision) continue;
    helm.revision = revision;
    helm.status = secret.Label("status");
  }
  return helm;
}

// What may be forbidden or unknown to the API without harm.
Result<model::KubeObjects> ListOptional(ports::Kube& kube, KubeKind kind, const char* resource,
                                        const std::string& selector, ObservedRelease& observed) {
  auto listed = kube.List({kind}, selector);
  if (listed || (listed.error().code != ErrorCode::kKubeDenied &&
                 listed.error().code != ErrorCode::kKubeGone))
    return listed;
  observed.unreadable[resource] = listed.error().message;
  return model::KubeObjects();
}

Status ReadConfigMaps(ports::Kube& kube, const std::vector<model::PodTemplate>& pods,
                      ObservedRelease& observed) {
  std::set<std::string> names;
  for (const model::PodTemplate& pod : pods) {
    for (const model::ConfigVolume& volume : pod.config_volumes) names.insert(volume.config_map);
  }
  for (const std::string& name : names) {
    MU_TRY(auto map, kube.GetConfigMap(name));
    if (map) {
      observed.config_maps.push_back(*std::move(map));
    } else {
      observed.missing_config_maps.push_back(name);
    }
  }
  return {};
}

Status ReadSurroundings(ports::Kube& kube, ObservedRelease& observed) {
  MU_TRY(auto budgets,
         ListOptional(kube, KubeKind::kDisruptionBudget, "poddisruptionbudgets", "", observed));
  observed.budgets = std::move(budgets.disruption_budgets);
  MU_TRY(auto scalers,
         ListOptional(kube, KubeKind::kAutoscaler, "horizontalpodautoscalers", "", observed));
  observed.autoscalers = std::move(scalers.autoscalers);
  MU_TRY(auto quotas, ListOptional(kube, KubeKind::kResourceQuota, "resourcequotas", "", observed));
  observed.quotas = std::move(quotas.quotas);
  MU_TRY(const auto secrets, ListOptional(kube, KubeKind::kSecret, "secrets",
                                          "owner=helm,name=" + observed.release, observed));
  observed.helm = HelmOf(observed, secrets.secrets);
  MU_TRY(observed.lacking, kube.Lacking(RightsNeeded()));
  for (MilvusWorkload& workload : observed.milvus) {
    for (const model::Autoscaler& scaler : observed.autoscalers) {
      if (scaler.target_kind == "Deployment" && scaler.target_name == workload.Name())
        workload.autoscaler = scaler.meta.name;
    }
    for (const model::DisruptionBudget& budget : observed.budgets) {
      if (model::Matches(budget.selector, workload.deployment.pod.labels))
        workload.budgets.push_back(budget.meta.name);
    }
  }
  return {};
}

tl::unexpected<Error> NoRelease(const ObservedRelease& observed, const model::KubeObjects& all) {
  std::set<std::string> releases;
  for (const model::Deployment& deployment : all.deployments) {
    if (IsMilvus(deployment.pod, ComponentOf(deployment.meta)))
      releases.insert(deployment.meta.Label(kInstance));
  }
  releases.erase("");
  const std::vector<std::string> names(releases.begin(), releases.end());
  return Fail(ErrorCode::kNoRelease,
              fmt::format("there is no Deployment of a Milvus release {} in namespace {} of {}; {}",
                          observed.release, observed.cluster.name_space, observed.cluster.server,
                          names.empty() ? "it has no Milvus at all"
                                        : "the releases there are " + Join(names, ", ")));
}

void AddStatefulSets(const model::KubeObjects& all, ObservedRelease& observed) {
  for (const model::StatefulSet& set : all.stateful_sets) {
    const std::string instance = set.meta.Label(kInstance);
    const bool is_ours = instance == observed.release;
    const bool is_milvus = IsMilvus(set.pod, ComponentOf(set.meta));
    const OtherWorkload other{"StatefulSet", set.meta.name, ComponentOf(set.meta),
                              DecidingImage(set.pod),
                              is_milvus ? "it is a StatefulSet that runs Milvus" : ""};
    if (is_milvus && (is_ours || instance.empty())) observed.unplaced.push_back(other);
    if (!is_milvus && is_ours) observed.left_alone.push_back(other);
  }
}

// What a Deployment is to the release; nothing when it is another's.
void AddDeployment(const model::Deployment& deployment, ObservedRelease& observed) {
  const std::string instance = deployment.meta.Label(kInstance);
  const std::string component = ComponentOf(deployment.meta);
  const bool is_milvus = IsMilvus(deployment.pod, component);
  OtherWorkload other{"Deployment", deployment.meta.name, component, DecidingImage(deployment.pod),
                      ""};
  if (instance != observed.release) {
    if (!is_milvus || !instance.empty()) return;
    other.reason =
        fmt::format("it runs Milvus and has no label {}: whose it is cannot be told", kInstance);
    observed.unplaced.push_back(std::move(other));
    return;
  }
  if (!is_milvus) {
    observed.left_alone.push_back(std::move(other));
    return;
  }
  if (deployment.meta.owner_kind == "Milvus" ||
      deployment.meta.Label(kManagedBy) == "milvus-operator") {
    observed.operator_name =
        deployment.meta.owner_name.empty() ? instance : deployment.meta.owner_name;
  }
  const Place place = PlaceOf(deployment.pod, component);
  const auto image = place.container == nullptr
                         ? Result<model::ImageRef>(Fail(ErrorCode::kInvalidInput, ""))
                         : model::ParseImageRef(place.container->image);
  if (!place.role || !image) {
    other.reason = place.role ? image.error().message : place.reason;
    observed.unplaced.push_back(std::move(other));
    return;
  }
  MilvusWorkload workload;
  workload.deployment = deployment;
  workload.role = *place.role;
  workload.group =
      GroupOf(component, deployment.meta.name, std::string(model::NameOf(*place.role)));
  workload.container = place.container->name;
  workload.image = *image;
  if (const auto version = model::ParseVersion(image->tag)) workload.tag_version = *version;
  if (const auto version =
          model::ParseVersion(deployment.meta.Label("app.kubernetes.io/version"))) {
    workload.label_version = *version;
  }
  observed.milvus.push_back(std::move(workload));
}

}  // namespace

std::string SelectorOf(const std::string& release) { return kInstance + ("=" + release); }

const std::vector<model::KubeRight>& RightsNeeded() {
  static const std::vector<model::KubeRight> rights = {
      {"get", "apps", "deployments"},
      {"list", "apps", "deployments"},
      {"watch", "apps", "deployments"},
      {"patch", "apps", "deployments"},
      {"list", "apps", "statefulsets"},
      {"list", "apps", "replicasets"},
      {"watch", "apps", "replicasets"},
      {"list", "", "pods"},
      {"watch", "", "pods"},
      {"get", "", "pods/log"},
      {"list", "", "events"},
      {"watch", "", "events"},
      {"get", "", "configmaps"},
      {"create", "", "configmaps"},
      {"update", "", "configmaps"},
      {"patch", "", "configmaps"},
      {"delete", "", "configmaps"},
      {"get", "coordination.k8s.io", "leases"},
      {"create", "coordination.k8s.io", "leases"},
      {"update", "coordination.k8s.io", "leases"},
      {"delete", "coordination.k8s.io", "leases"},
  };
  return rights;
}

Result<ObservedRelease> ObserveRelease(ports::Kube& kube, const std::string& release) {
  ObservedRelease observed;
  observed.release = release;
  MU_TRY(observed.cluster, kube.Cluster());
  MU_TRY(const model::KubeObjects all,
         kube.List({KubeKind::kDeployment, KubeKind::kStatefulSet}, ""));
  for (const model::Deployment& deployment : all.deployments) AddDeployment(deployment, observed);
  AddStatefulSets(all, observed);
  const bool is_any_ours =
      !observed.milvus.empty() ||
      std::any_of(observed.unplaced.begin(), observed.unplaced.end(), [&](const auto& other) {
        const model::Deployment* found = all.FindDeployment(other.name);
        return found != nullptr && found->meta.Label(kInstance) == release;
      });
  if (!is_any_ours) return NoRelease(observed, all);

  std::vector<model::PodTemplate> pods;
  for (const MilvusWorkload& workload : observed.milvus) pods.push_back(workload.deployment.pod);
  MU_CHECK(ReadConfigMaps(kube, pods, observed));
  for (MilvusWorkload& workload : observed.milvus)
    MU_CHECK(ReadSettings(workload, observed.config_maps));

  MU_TRY(model::KubeObjects of_release, kube.List({KubeKind::kPod}, SelectorOf(release)));
  for (model::Pod& pod : of_release.pods) {
    for (const MilvusWorkload& workload : observed.milvus) {
      if (!model::Matches(workload.deployment.selector, pod.meta.labels)) continue;
      observed.pods.push_back(std::move(pod));
      break;
    }
  }
  MU_CHECK(ReadSurroundings(kube, observed));
  return observed;
}

std::string FingerprintOf(const ObservedRelease& observed) {
  std::string facts = fmt::format("cluster {} {} release {}\n", observed.cluster.server,
                                  observed.cluster.name_space, observed.release);
  for (const MilvusWorkload& workload : observed.milvus) {
    const model::Deployment& deployment = workload.deployment;
    facts +=
        fmt::format("deployment {} {} {} {} replicas {} min-ready {} paused {}\n", workload.Name(),
                    deployment.meta.uid, deployment.TemplateHash(), deployment.StrategyHash(),
                    deployment.replicas, deployment.min_ready_seconds, deployment.is_paused);
  }
  for (const model::ConfigMap& map : observed.config_maps)
    facts += fmt::format("configmap {} {} {}\n", map.meta.name, map.meta.uid, map.DataHash());
  for (const OtherWorkload& other : observed.unplaced)
    facts += fmt::format("unplaced {} {} {}\n", other.kind, other.name, other.image);
  return Sha256(facts);
}

}  // namespace mu::observe
