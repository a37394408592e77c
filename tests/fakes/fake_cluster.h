// SPDX-License-Identifier: Apache-2.0
// FakeCluster: one namespace of a Kubernetes API in memory, on a hand clock, with the Deployment
// controller's behaviour as documented and as seen on a real one (ground.md 5): surge, Recreate,
// generations, ReplicaSets, pods that become ready, terminating pods that stay a while. How a pod
// behaves is told by its image's tag. FakeKube is the window on it; it owns the truth that tests
// compare. Every write is an effect point: a test can cut the power there or answer with an error.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fakes/fuse.h"
#include "fakes/hand_clock.h"
#include "milvus_upgrade/model/kube.h"
#include "milvus_upgrade/ports/kube.h"

namespace mu::fakes {

// What a Deployment, in the shape of the charts (milvus.md 5), is made from.
struct FakeWorkload {
  std::string component = "proxy";  // label, name of its container, argument of `milvus run`
  std::string image = "milvusdb/milvus:v2.2.3";
  int replicas = 1;
  std::string strategy = "RollingUpdate";
  std::string max_surge = "25%";
  std::string max_unavailable = "25%";
  int min_ready_seconds = 0;
  std::string name = {};                           // "": my-release-milvus-<component>
  std::map<std::string, std::string> labels = {};  // more, or others; "": without this one
  std::string config_map = "my-release-milvus";    // "": none is mounted
  std::vector<std::string> keys = {"default.yaml", "user.yaml"};
  std::vector<std::string> sidecars_first = {};  // containers before that of the component
  std::vector<std::string> command = {};         // {}: milvus run <component>
  std::map<std::string, std::string> environment = {};
  bool is_paused = false;
};

// The object as `kubectl apply` takes it.
std::string ManifestOf(const FakeWorkload& workload);

struct FakePod {
  model::KubeMeta meta;
  std::string image;  // of the container that the flaw of its tag is about
  std::map<std::string, std::string> images;
  int grace_seconds = 30;
  Millis created{0};
  std::optional<Millis> deleted;
};

struct FakeSet {
  model::KubeMeta meta;
  std::string template_json;
  std::string template_hash;
  std::int64_t revision = 0;
  std::vector<FakePod> pods;  // terminating ones included
};

struct FakeDeployment {
  model::Deployment facts;
  std::vector<FakeSet> sets;
  Millis observes_at{0};  // when its controller sees the newest spec
  Millis progressed_at{0};
  std::string seen_hash;  // of the template that the newest set is of
};

class FakeCluster {
 public:
  FakeCluster(Fuse& fuse, HandClock& clock);
  FakeCluster(const FakeCluster&) = delete;
  FakeCluster& operator=(const FakeCluster&) = delete;

  // --- Setting the stage, and outsiders acting. None of these is an effect point. ---
  static constexpr char kNamespace[] = "milvus";
  static constexpr char kRelease[] = "my-release";
  // Deployments come with their pods ready. The chart's 4.0 shape: eight components and attu.
  void AddChart4(const std::string& image, int replicas = 1);
  void AddDeployment(const FakeWorkload& workload);
  void AddStatefulSet(const std::string& name, const std::string& image,
                      const std::map<std::string, std::string>& labels);
  void AddConfigMap(const std::string& name, const std::map<std::string, std::string>& data);
  void RemoveDeployment(const std::string& name);
  // Someone else's kubectl: `change` gets the newest object, what it leaves is the new one.
  void Edit(const std::string& deployment, const std::function<void(model::Deployment&)>& change);
  void EditConfigMap(const std::string& name, const std::function<void(model::ConfigMap&)>& change);
  model::KubeObjects others;  // disruption budgets, autoscalers, quotas, secrets
  Millis ready_after{3'500};
  Millis ends_after{1'000};  // a pod, from its deletion
  Millis controller_lag{20};
  std::optional<int> pod_quota;  // of the namespace
  bool is_api_up = true;
  std::vector<model::KubeRight> denied;
  // Admission: nullopt lets it through.
  std::function<std::optional<Error>(const std::string& write, ports::DryRun)> admission;
  std::function<void(const std::string& write)> on_write;  // before each effect point
  void At(Millis time, std::function<void()> action);

  // --- The truth. ---
  FakeDeployment* Find(const std::string& name);
  std::map<std::string, FakeDeployment> deployments;
  std::map<std::string, model::ConfigMap> config_maps;
  std::map<std::string, model::KubeLease> leases;
  std::map<std::string, model::StatefulSet> stateful_sets;
  // All that a run may change, without what differs between two runs of the same story: names of
  // images, strategies, labels, data. Leases and what is of this tool are left out.
  std::string Describe() const;
  HandClock& Clock() { return clock_; }
  int requests = 0;  // as a real one would have counted them

  // --- For FakeKube. ---
  model::KubeObjects Objects() const;  // all of it, as the API would tell
  Status EnterWrite(const std::string& name, ports::DryRun dry_run);
  Status LeaveWrite(const std::string& name);
  Result<model::Deployment> Apply(const ports::DeploymentPatch& patch, ports::DryRun dry_run);
  std::string NextVersion() { return std::to_string(++version_); }
  std::string NewUid() { return "uid-" + std::to_string(++uids_); }
  std::string LogOf(const std::string& pod, bool is_previous) const;

 private:
  void OnTime(Millis now);
  std::optional<Millis> NextEvent() const;
  void Reconcile(FakeDeployment& deployment);
  void Roll(FakeDeployment& deployment, FakeSet& newest);
  void TakeStatus(FakeDeployment& deployment);
  FakeSet& NewestSet(FakeDeployment& deployment);
  bool MakePod(FakeDeployment& deployment, FakeSet& set);
  void DeletePods(FakeSet& set, int count, bool only_unavailable, const FakeDeployment& deployment);
  bool IsReady(const FakePod& pod) const;
  bool IsAvailable(const FakePod& pod, const FakeDeployment& deployment) const;
  model::Pod PodFacts(const FakePod& pod) const;
  std::vector<model::KubeEvent> EventsOf(const FakePod& pod) const;

  Fuse& fuse_;
  HandClock& clock_;
  Millis now_{0};
  bool is_applying_ = false;
  std::int64_t version_ = 1000;
  int uids_ = 0;
  int pods_made_ = 0;
  std::vector<std::pair<Millis, std::function<void()>>> actions_;
};

// The port over it.
class FakeKube : public ports::Kube {
 public:
  explicit FakeKube(FakeCluster& cluster) : cluster_(cluster) {}
  Result<model::KubeCluster> Where() override;
  Result<model::KubeCluster> Cluster() override;
  Result<model::KubeObjects> List(const std::set<model::KubeKind>& kinds,
                                  const std::string& selector) override;
  std::unique_ptr<ports::KubeView> Follow(const std::set<model::KubeKind>& kinds,
                                          const std::string& selector) override;
  Result<std::optional<model::Deployment>> GetDeployment(const std::string& name) override;
  Result<std::optional<model::ConfigMap>> GetConfigMap(const std::string& name) override;
  Result<std::optional<model::KubeLease>> GetLease(const std::string& name) override;
  Result<model::Deployment> Patch(const ports::DeploymentPatch& patch,
                                  ports::DryRun dry_run) override;
  Result<model::ConfigMap> Patch(const ports::ConfigMapPatch& patch,
                                 ports::DryRun dry_run) override;
  Result<model::KubeLease> Create(const model::KubeLease& lease) override;
  Result<model::ConfigMap> Create(const model::ConfigMap& config_map) override;
  Result<model::KubeLease> Replace(const model::KubeLease& lease) override;
  Result<model::ConfigMap> Replace(const model::ConfigMap& config_map) override;
  Status DeleteLease(const model::KubeMeta& lease) override;
  Status DeleteConfigMap(const model::KubeMeta& config_map) override;
  Result<std::string> Logs(const ports::LogQuery& query) override;
  Result<std::vector<model::KubeRight>> Lacking(
      const std::vector<model::KubeRight>& rights) override;

 private:
  friend class FakeKubeView;
  Status CheckApi(const std::string& verb, const std::string& resource);
  FakeCluster& cluster_;
};

}  // namespace mu::fakes
