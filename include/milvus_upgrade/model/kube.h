// SPDX-License-Identifier: Apache-2.0
// What a Kubernetes API says of the objects that a rolling upgrade reads, reduced to what we use.
// Plain values; names and meanings are those of the API reference (apps/v1, core/v1, policy/v1,
// autoscaling/v2, coordination.k8s.io/v1). Times are the API's own texts: they compare with each
// other, never with our clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mu::model {

// Explicit numbers, never renumbered: plans and journals hold names of objects, not these.
enum class KubeKind : int {
  kDeployment = 1,
  kStatefulSet = 2,
  kReplicaSet = 3,
  kPod = 4,
  kEvent = 5,
  kConfigMap = 6,
  kDisruptionBudget = 7,
  kAutoscaler = 8,
  kResourceQuota = 9,
  kLease = 10,
  kSecret = 11,  // metadata only: what is in it is never asked for
};

// The cluster and the namespace that a Kube port works in.
struct KubeCluster {
  std::string context;  // of the kubeconfig; "" in a pod without one
  std::string server;   // "https://10.0.0.1:6443", as the kubeconfig has it
  std::string name_space;
  std::string version;  // "v1.33.13"
  bool operator==(const KubeCluster&) const = default;
};

struct KubeMeta {
  std::string name;
  std::string uid;
  std::string resource_version;  // moves with every change, status included
  std::int64_t generation = 0;   // moves with the spec only
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::string created_at;
  std::string deleted_at;                   // since when it is being deleted; "" when it is not
  std::optional<int> delete_grace_seconds;  // with deleted_at
  std::string owner_kind;                   // its controller: "ReplicaSet", "Milvus", ...; "": none
  std::string owner_name;
  std::string owner_uid;
  bool operator==(const KubeMeta&) const = default;

  std::string Label(const std::string& name_of_label) const {
    const auto it = labels.find(name_of_label);
    return it == labels.end() ? std::string() : it->second;
  }
  std::string Annotation(const std::string& name_of_annotation) const {
    const auto it = annotations.find(name_of_annotation);
    return it == annotations.end() ? std::string() : it->second;
  }
};

struct KubeCondition {
  std::string type;    // "Progressing", "PodScheduled", ...
  std::string status;  // "True", "False", "Unknown"
  std::string reason;  // "ProgressDeadlineExceeded", "Unschedulable", ...
  std::string message;
  std::string changed_at;
  bool operator==(const KubeCondition&) const = default;
};
// Null when there is none of that type.
const KubeCondition* FindCondition(const std::vector<KubeCondition>& conditions,
                                   const std::string& type);

// A volume of a pod that is a ConfigMap (a projected volume gives one for each of its sources).
struct ConfigVolume {
  std::string volume;
  std::string config_map;
  std::map<std::string, std::string> items;  // key -> file in the volume; empty: every key
  bool operator==(const ConfigVolume&) const = default;
};

struct VolumeMount {
  std::string volume;
  std::string path;      // in the container
  std::string sub_path;  // "": the whole volume. With one, a running pod never sees a change
  bool operator==(const VolumeMount&) const = default;
};

struct PodContainer {
  std::string name;
  std::string image;
  std::vector<std::string> command;                // command and args joined; empty: the image's
  std::map<std::string, std::string> environment;  // literal values; secret ones as "***"
  std::vector<std::string> config_environment;     // ConfigMaps read as a whole or by key
  std::vector<VolumeMount> mounts;
  std::int64_t cpu_request_millis = 0;
  std::int64_t memory_request_bytes = 0;
  bool operator==(const PodContainer&) const = default;
};

struct PodTemplate {
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::vector<PodContainer> containers;
  std::vector<PodContainer> init_containers;
  std::vector<ConfigVolume> config_volumes;
  std::vector<std::string> claims;  // PersistentVolumeClaims that it mounts
  int grace_seconds = 30;           // terminationGracePeriodSeconds
  bool operator==(const PodTemplate&) const = default;

  const PodContainer* Find(const std::string& container) const;  // null when there is none
};

struct Deployment {
  KubeMeta meta;
  std::map<std::string, std::string> selector;  // its match labels
  int replicas = 1;
  bool is_paused = false;
  int min_ready_seconds = 0;
  int progress_deadline_seconds = 600;
  std::string strategy;         // "RollingUpdate", "Recreate"
  std::string max_surge;        // "25%", "1"; "" with Recreate
  std::string max_unavailable;  // likewise
  PodTemplate pod;
  // Canonical JSON (CanonicalJson) of spec.template and spec.strategy as the server has them: their
  // hash tells whether someone changed them, they themselves are the way back.
  std::string template_json;
  std::string strategy_json;
  std::int64_t observed_generation = 0;
  int status_replicas = 0;  // pods of all its ReplicaSets, those that terminate not counted
  int updated_replicas = 0;
  int ready_replicas = 0;
  int available_replicas = 0;
  int unavailable_replicas = 0;
  std::vector<KubeCondition> conditions;
  bool operator==(const Deployment&) const = default;

  std::string TemplateHash() const;  // SHA-256 of template_json
  std::string StrategyHash() const;  // SHA-256 of strategy_json
};

struct StatefulSet {
  KubeMeta meta;
  int replicas = 1;
  PodTemplate pod;
  bool operator==(const StatefulSet&) const = default;
};

struct ReplicaSet {
  KubeMeta meta;  // its owner is the Deployment
  std::int64_t revision = 0;
  std::string template_hash;  // label pod-template-hash: which pods are its own
  int replicas = 0;           // wanted
  int status_replicas = 0;
  int ready_replicas = 0;
  std::vector<KubeCondition> conditions;  // ReplicaFailure: quota, admission
  bool operator==(const ReplicaSet&) const = default;
};

struct ContainerState {
  std::string state;    // "waiting", "running", "terminated"; "": not known yet
  std::string reason;   // "ImagePullBackOff", "CrashLoopBackOff", "OOMKilled", "Error", ...
  std::string message;  // of the registry, of the runtime
  int exit_code = 0;    // of a terminated one
  std::string started_at;
  std::string finished_at;
  bool operator==(const ContainerState&) const = default;
};

struct ContainerStatus {
  std::string name;
  std::string image;     // as asked for or as the runtime names it
  std::string image_id;  // "docker.io/milvusdb/milvus@sha256:..."; "" before it was pulled
  bool is_ready = false;
  bool has_started = false;
  int restart_count = 0;
  ContainerState now;
  ContainerState last;  // the run before: why it was restarted
  bool operator==(const ContainerStatus&) const = default;
};

struct Pod {
  KubeMeta meta;       // its owner is the ReplicaSet
  std::string phase;   // "Pending", "Running", "Succeeded", "Failed", "Unknown"
  std::string reason;  // "Evicted", "NodeLost", ...
  std::string message;
  std::string node;        // "" until it is scheduled
  std::string started_at;  // "" until a kubelet took it
  int grace_seconds = 30;
  std::map<std::string, std::string> images;  // container -> image as wanted by its spec
  std::vector<ContainerStatus> containers;
  std::vector<ContainerStatus> init_containers;
  std::vector<KubeCondition> conditions;
  bool operator==(const Pod&) const = default;

  const ContainerStatus* Find(const std::string& container) const;  // null when there is none
  bool IsReady() const;                                             // its condition Ready is True
  bool IsTerminating() const { return !meta.deleted_at.empty(); }
  std::string TemplateHash() const { return meta.Label("pod-template-hash"); }
};

struct KubeEvent {
  KubeMeta meta;
  std::string about_kind;  // "Pod", "ReplicaSet", ...
  std::string about_name;
  std::string about_uid;
  std::string type;    // "Normal", "Warning"
  std::string reason;  // "FailedScheduling", "Unhealthy", "FailedCreate", "FailedMount", ...
  std::string message;
  int count = 1;
  std::string last_at;
  bool operator==(const KubeEvent&) const = default;
};

struct ConfigMap {
  KubeMeta meta;
  std::map<std::string, std::string> data;
  bool is_immutable = false;
  bool operator==(const ConfigMap&) const = default;

  std::string DataHash() const;  // SHA-256 over its keys and values
};

struct DisruptionBudget {
  KubeMeta meta;
  std::map<std::string, std::string> selector;
  std::string min_available;    // "1", "50%"; "" when not set
  std::string max_unavailable;  // likewise
  int disruptions_allowed = 0;
  bool operator==(const DisruptionBudget&) const = default;
};

struct Autoscaler {
  KubeMeta meta;
  std::string target_kind;
  std::string target_name;
  int min_replicas = 1;
  int max_replicas = 0;
  bool operator==(const Autoscaler&) const = default;
};

struct ResourceQuota {
  KubeMeta meta;
  std::map<std::string, std::string> hard;  // "pods" -> "10", "requests.cpu" -> "4"
  std::map<std::string, std::string> used;
  bool operator==(const ResourceQuota&) const = default;
};

struct KubeLease {
  KubeMeta meta;
  std::string holder;
  int duration_seconds = 0;
  std::string acquired_at;
  std::string renewed_at;
  int transitions = 0;
  bool operator==(const KubeLease&) const = default;
};

// A right as RBAC knows it.
struct KubeRight {
  std::string verb;      // "list", "watch", "patch", ...
  std::string group;     // "apps"; "" for core
  std::string resource;  // "deployments", "pods/log"
  bool operator==(const KubeRight&) const = default;
};

// Objects of several kinds; those of a kind that was not asked for are empty. Sorted by name.
struct KubeObjects {
  std::vector<Deployment> deployments;
  std::vector<StatefulSet> stateful_sets;
  std::vector<ReplicaSet> replica_sets;
  std::vector<Pod> pods;
  std::vector<KubeEvent> events;
  std::vector<ConfigMap> config_maps;
  std::vector<DisruptionBudget> disruption_budgets;
  std::vector<Autoscaler> autoscalers;
  std::vector<ResourceQuota> quotas;
  std::vector<KubeLease> leases;
  std::vector<KubeMeta> secrets;
  bool operator==(const KubeObjects&) const = default;

  const Deployment* FindDeployment(const std::string& name) const;  // null when there is none
  const ConfigMap* FindConfigMap(const std::string& name) const;
  // Those of this Deployment, newest revision first.
  std::vector<const ReplicaSet*> ReplicaSetsOf(const Deployment& deployment) const;
  // Those of this ReplicaSet, terminating ones included.
  std::vector<const Pod*> PodsOf(const ReplicaSet& replica_set) const;
};

// "500m" -> 500, "2" -> 2000, "1Gi" -> 1073741824000: a quantity of the API in thousandths; nullopt
// when it is none or does not fit.
std::optional<std::int64_t> QuantityMillis(const std::string& text);

// Whether an object with these labels has all of `selector`'s. An empty selector matches all.
bool Matches(const std::map<std::string, std::string>& selector,
             const std::map<std::string, std::string>& labels);

}  // namespace mu::model
