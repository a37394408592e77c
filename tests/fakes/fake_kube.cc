// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "adapters/kube_text.h"
#include "fakes/fake_cluster.h"
#include "milvus_upgrade/base/text.h"

namespace mu::fakes {
namespace {

using model::KubeKind;

// "a=b,c in (d,e),f": what the product uses of selectors.
bool Selects(const std::string& selector, const std::map<std::string, std::string>& labels) {
  std::string part;
  std::vector<std::string> parts;
  int depth = 0;
  for (const char c : selector + ",") {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c != ',' || depth > 0) {
      part += c;
    } else if (!part.empty()) {
      parts.push_back(std::exchange(part, {}));
    }
  }
  return std::all_of(parts.begin(), parts.end(), [&](const std::string& one) {
    const auto in = one.find(" in (");
    const auto equals = one.find('=');
    const std::string name = one.substr(0, in != std::string::npos ? in : equals);
    const auto it = labels.find(name);
    if (it == labels.end()) return false;
    if (in != std::string::npos) {
      const std::vector<std::string> values = Split(one.substr(in + 5, one.size() - in - 6), ',');
      return std::find(values.begin(), values.end(), it->second) != values.end();
    }
    return equals == std::string::npos || it->second == one.substr(equals + 1);
  });
}

template <class T>
const model::KubeMeta& MetaOf(const T& object) {
  return object.meta;
}
const model::KubeMeta& MetaOf(const model::KubeMeta& meta) { return meta; }

template <class T>
void Keep(std::vector<T>& all, bool is_wanted, const std::string& selector) {
  if (!is_wanted) return all.clear();
  std::erase_if(all, [&](const T& one) { return !Selects(selector, MetaOf(one).labels); });
}

model::KubeObjects Chosen(model::KubeObjects objects, const std::set<KubeKind>& kinds,
                          const std::string& selector) {
  Keep(objects.deployments, kinds.contains(KubeKind::kDeployment), selector);
  Keep(objects.stateful_sets, kinds.contains(KubeKind::kStatefulSet), selector);
  Keep(objects.replica_sets, kinds.contains(KubeKind::kReplicaSet), selector);
  Keep(objects.pods, kinds.contains(KubeKind::kPod), selector);
  Keep(objects.events, kinds.contains(KubeKind::kEvent), "");
  Keep(objects.config_maps, kinds.contains(KubeKind::kConfigMap), selector);
  Keep(objects.disruption_budgets, kinds.contains(KubeKind::kDisruptionBudget), selector);
  Keep(objects.autoscalers, kinds.contains(KubeKind::kAutoscaler), selector);
  Keep(objects.quotas, kinds.contains(KubeKind::kResourceQuota), selector);
  Keep(objects.leases, kinds.contains(KubeKind::kLease), selector);
  Keep(objects.secrets, kinds.contains(KubeKind::kSecret), selector);
  return objects;
}

template <class T>
Result<std::optional<T>> Named(const std::map<std::string, T>& all, const std::string& name) {
  const auto it = all.find(name);
  return it == all.end() ? std::optional<T>() : std::optional<T>(it->second);
}

template <class T>
Status Take(FakeCluster& cluster, std::map<std::string, T>& all, T& object) {
  if (all.contains(object.meta.name))
    return Fail(ErrorCode::kKubeConflict, object.meta.name + " already exists");
  object.meta.uid = cluster.NewUid();
  object.meta.resource_version = cluster.NextVersion();
  all[object.meta.name] = object;
  return {};
}

template <class T>
Status TakeInPlace(FakeCluster& cluster, std::map<std::string, T>& all, T& object) {
  const auto it = all.find(object.meta.name);
  if (it == all.end()) return Fail(ErrorCode::kKubeGone, object.meta.name + " not found");
  if (it->second.meta.uid != object.meta.uid ||
      it->second.meta.resource_version != object.meta.resource_version) {
    return Fail(ErrorCode::kKubeConflict, object.meta.name + " has been modified");
  }
  object.meta.resource_version = cluster.NextVersion();
  it->second = object;
  return {};
}

template <class T>
Status Drop(std::map<std::string, T>& all, const model::KubeMeta& meta) {
  const auto it = all.find(meta.name);
  if (it == all.end() || it->second.meta.uid != meta.uid) return {};
  if (it->second.meta.resource_version != meta.resource_version)
    return Fail(ErrorCode::kKubeConflict, meta.name + " has been modified");
  all.erase(it);
  return {};
}

}  // namespace

class FakeKubeView : public ports::KubeView {
 public:
  FakeKubeView(FakeKube& kube, std::set<KubeKind> kinds, std::string selector)
      : kube_(kube), kinds_(std::move(kinds)), selector_(std::move(selector)) {}

  Result<const model::KubeObjects*> Now() override {
    for (const KubeKind kind : kinds_)
      MU_CHECK(kube_.CheckApi("watch", std::string(adapters::RowOf(kind).resource)));
    // A list and a watch each, once.
    if (!has_listed_) kube_.cluster_.requests += 2 * static_cast<int>(kinds_.size());
    has_listed_ = true;
    objects_ = Chosen(kube_.cluster_.Objects(), kinds_, selector_);
    return &objects_;
  }

 private:
  FakeKube& kube_;
  std::set<KubeKind> kinds_;
  std::string selector_;
  model::KubeObjects objects_;
  bool has_listed_ = false;
};

Status FakeKube::CheckApi(const std::string& verb, const std::string& resource) {
  if (!cluster_.is_api_up)
    return Fail(ErrorCode::kKubeDown,
                fmt::format("{} {}: dial tcp 127.0.0.1:6443: connection refused", verb, resource));
  for (const model::KubeRight& right : cluster_.denied) {
    if (right.verb == verb && right.resource == resource)
      return Fail(ErrorCode::kKubeDenied,
                  fmt::format("{} is forbidden: User \"someone\" cannot {} resource \"{}\" in API "
                              "group \"{}\" in the namespace \"{}\"",
                              resource, verb, resource, right.group, FakeCluster::kNamespace));
  }
  return {};
}

Result<model::KubeCluster> FakeKube::Where() {
  return model::KubeCluster{"fake", "https://127.0.0.1:6443", FakeCluster::kNamespace, ""};
}

Result<model::KubeCluster> FakeKube::Cluster() {
  ++cluster_.requests;
  MU_CHECK(CheckApi("get", "version"));
  MU_TRY(model::KubeCluster cluster, Where());
  cluster.version = "v1.33.13";
  return cluster;
}

Result<model::KubeObjects> FakeKube::List(const std::set<KubeKind>& kinds,
                                          const std::string& selector) {
  for (const KubeKind kind : kinds) {
    ++cluster_.requests;
    MU_CHECK(CheckApi("list", std::string(adapters::RowOf(kind).resource)));
  }
  return Chosen(cluster_.Objects(), kinds, selector);
}

std::unique_ptr<ports::KubeView> FakeKube::Follow(const std::set<KubeKind>& kinds,
                                                  const std::string& selector) {
  return std::make_unique<FakeKubeView>(*this, kinds, selector);
}

Result<std::optional<model::Deployment>> FakeKube::GetDeployment(const std::string& name) {
  ++cluster_.requests;
  MU_CHECK(CheckApi("get", "deployments"));
  const FakeDeployment* found = cluster_.Find(name);
  return found == nullptr ? std::optional<model::Deployment>()
                          : std::optional<model::Deployment>(found->facts);
}

Result<std::optional<model::ConfigMap>> FakeKube::GetConfigMap(const std::string& name) {
  ++cluster_.requests;
  MU_CHECK(CheckApi("get", "configmaps"));
  return Named(cluster_.config_maps, name);
}

Result<std::optional<model::KubeLease>> FakeKube::GetLease(const std::string& name) {
  ++cluster_.requests;
  MU_CHECK(CheckApi("get", "leases"));
  return Named(cluster_.leases, name);
}

Result<model::Deployment> FakeKube::Patch(const ports::DeploymentPatch& patch,
                                          ports::DryRun dry_run) {
  const std::string name = "patch deployments/" + patch.name;
  MU_CHECK(cluster_.EnterWrite(name, dry_run));
  MU_CHECK(CheckApi("patch", "deployments"));
  auto changed = cluster_.Apply(patch, dry_run);
  if (changed && dry_run == ports::DryRun::kNo) MU_CHECK(cluster_.LeaveWrite(name));
  return changed;
}

Result<model::ConfigMap> FakeKube::Patch(const ports::ConfigMapPatch& patch,
                                         ports::DryRun dry_run) {
  const std::string name = "patch configmaps/" + patch.name;
  MU_CHECK(cluster_.EnterWrite(name, dry_run));
  MU_CHECK(CheckApi("patch", "configmaps"));
  const auto it = cluster_.config_maps.find(patch.name);
  if (it == cluster_.config_maps.end())
    return Fail(ErrorCode::kKubeGone, fmt::format("configmaps \"{}\" not found", patch.name));
  model::ConfigMap changed = it->second;
  for (const auto& [key, value] : patch.data) {
    if (value) {
      changed.data[key] = *value;
    } else {
      changed.data.erase(key);
    }
  }
  changed.meta.uid = patch.uid;
  changed.meta.resource_version = patch.resource_version;
  auto kept = cluster_.config_maps;
  MU_CHECK(
      TakeInPlace(cluster_, dry_run == ports::DryRun::kYes ? kept : cluster_.config_maps, changed));
  if (dry_run == ports::DryRun::kNo) MU_CHECK(cluster_.LeaveWrite(name));
  return changed;
}

namespace {

template <class T, class Act>
Result<T> Write(FakeCluster& cluster, const std::string& name, T object, Act act) {
  MU_CHECK(cluster.EnterWrite(name, ports::DryRun::kNo));
  MU_CHECK(act(object));
  MU_CHECK(cluster.LeaveWrite(name));
  return object;
}

}  // namespace

Result<model::KubeLease> FakeKube::Create(const model::KubeLease& lease) {
  return Write(cluster_, "create leases/" + lease.meta.name, lease,
               [&](auto& object) { return Take(cluster_, cluster_.leases, object); });
}

Result<model::ConfigMap> FakeKube::Create(const model::ConfigMap& config_map) {
  return Write(cluster_, "create configmaps/" + config_map.meta.name, config_map,
               [&](auto& object) { return Take(cluster_, cluster_.config_maps, object); });
}

Result<model::KubeLease> FakeKube::Replace(const model::KubeLease& lease) {
  return Write(cluster_, "update leases/" + lease.meta.name, lease,
               [&](auto& object) { return TakeInPlace(cluster_, cluster_.leases, object); });
}

Result<model::ConfigMap> FakeKube::Replace(const model::ConfigMap& config_map) {
  return Write(cluster_, "update configmaps/" + config_map.meta.name, config_map,
               [&](auto& object) { return TakeInPlace(cluster_, cluster_.config_maps, object); });
}

Status FakeKube::DeleteLease(const model::KubeMeta& lease) {
  MU_CHECK(cluster_.EnterWrite("delete leases/" + lease.name, ports::DryRun::kNo));
  MU_CHECK(Drop(cluster_.leases, lease));
  return cluster_.LeaveWrite("delete leases/" + lease.name);
}

Status FakeKube::DeleteConfigMap(const model::KubeMeta& config_map) {
  MU_CHECK(cluster_.EnterWrite("delete configmaps/" + config_map.name, ports::DryRun::kNo));
  MU_CHECK(Drop(cluster_.config_maps, config_map));
  return cluster_.LeaveWrite("delete configmaps/" + config_map.name);
}

Result<std::string> FakeKube::Logs(const ports::LogQuery& query) {
  ++cluster_.requests;
  MU_CHECK(CheckApi("get", "pods/log"));
  const std::string log = cluster_.LogOf(query.pod, query.is_previous);
  if (log.empty())
    return Fail(ErrorCode::kKubeGone, fmt::format("pods \"{}\" not found", query.pod));
  return log;
}

Result<std::vector<model::KubeRight>> FakeKube::Lacking(
    const std::vector<model::KubeRight>& rights) {
  ++cluster_.requests;
  MU_CHECK(CheckApi("create", "selfsubjectrulesreviews"));
  std::vector<model::KubeRight> lacking;
  for (const model::KubeRight& right : rights) {
    if (std::find(cluster_.denied.begin(), cluster_.denied.end(), right) != cluster_.denied.end())
      lacking.push_back(right);
  }
  return lacking;
}

}  // namespace mu::fakes
