// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/model/kube.h"

#include <algorithm>
#include <charconv>

#include "milvus_upgrade/base/digest.h"

namespace mu::model {
namespace {

template <class T>
const T* FindNamed(const std::vector<T>& all, const std::string& name) {
  for (const T& one : all) {
    if constexpr (requires { one.meta; }) {
      if (one.meta.name == name) return &one;
    } else {
      if (one.name == name) return &one;
    }
  }
  return nullptr;
}

struct Suffix {
  std::string_view text;
  std::int64_t millis;
};
// Of a quantity, in thousandths. "n" and "u" are the metrics API's only and round to nothing here.
constexpr Suffix kSuffixes[] = {
    {"m", 1},
    {"", 1000},
    {"k", 1000'000},
    {"M", 1000'000'000},
    {"G", 1000'000'000'000},
    {"T", 1000'000'000'000'000},
    {"Ki", 1000ll << 10},
    {"Mi", 1000ll << 20},
    {"Gi", 1000ll << 30},
    {"Ti", 1000ll << 40},
};

}  // namespace

const KubeCondition* FindCondition(const std::vector<KubeCondition>& conditions,
                                   const std::string& type) {
  const auto it = std::find_if(conditions.begin(), conditions.end(),
                               [&](const KubeCondition& one) { return one.type == type; });
  return it == conditions.end() ? nullptr : &*it;
}

const PodContainer* PodTemplate::Find(const std::string& container) const {
  return FindNamed(containers, container);
}

std::string Deployment::TemplateHash() const { return Sha256(template_json); }
std::string Deployment::StrategyHash() const { return Sha256(strategy_json); }

const ContainerStatus* Pod::Find(const std::string& container) const {
  return FindNamed(containers, container);
}

bool Pod::IsReady() const {
  const KubeCondition* ready = FindCondition(conditions, "Ready");
  return ready != nullptr && ready->status == "True";
}

std::string ConfigMap::DataHash() const {
  std::string bytes;
  for (const auto& [key, value] : data)
    bytes += key + '\0' + std::to_string(value.size()) + '\0' + value;
  return Sha256(bytes);
}

const Deployment* KubeObjects::FindDeployment(const std::string& name) const {
  return FindNamed(deployments, name);
}

const ConfigMap* KubeObjects::FindConfigMap(const std::string& name) const {
  return FindNamed(config_maps, name);
}

std::vector<const ReplicaSet*> KubeObjects::ReplicaSetsOf(const Deployment& deployment) const {
  std::vector<const ReplicaSet*> found;
  for (const ReplicaSet& one : replica_sets) {
    if (one.meta.owner_uid == deployment.meta.uid) found.push_back(&one);
  }
  std::stable_sort(found.begin(), found.end(), [](const ReplicaSet* a, const ReplicaSet* b) {
    return a->revision > b->revision;
  });
  return found;
}

std::vector<const Pod*> KubeObjects::PodsOf(const ReplicaSet& replica_set) const {
  std::vector<const Pod*> found;
  for (const Pod& pod : pods) {
    if (pod.meta.owner_uid == replica_set.meta.uid) found.push_back(&pod);
  }
  return found;
}

std::optional<std::int64_t> QuantityMillis(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number < 0) return std::nullopt;
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text != std::string_view(rest, static_cast<std::size_t>(end - rest))) continue;
    const double millis = number * static_cast<double>(suffix.millis);
    if (millis > 9e18) return std::nullopt;
    return static_cast<std::int64_t>(millis);
  }
  return std::nullopt;
}

bool Matches(const std::map<std::string, std::string>& selector,
             const std::map<std::string, std::string>& labels) {
  return std::all_of(selector.begin(), selector.end(), [&](const auto& wanted) {
    const auto it = labels.find(wanted.first);
    return it != labels.end() && it->second == wanted.second;
  });
}

}  // namespace mu::model
