// SPDX-License-Identifier: Apache-2.0
#include "adapters/kube_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

using model::KubeKind;

constexpr KubeKindRow kKinds[] = {
    {KubeKind::kDeployment, "Deployment", "apps/v1", "deployments", true},
    {KubeKind::kStatefulSet, "StatefulSet", "apps/v1", "statefulsets", true},
    {KubeKind::kReplicaSet, "ReplicaSet", "apps/v1", "replicasets", true},
    {KubeKind::kPod, "Pod", "v1", "pods", true},
    {KubeKind::kEvent, "Event", "v1", "events", false},
    {KubeKind::kConfigMap, "ConfigMap", "v1", "configmaps", true},
    {KubeKind::kDisruptionBudget, "PodDisruptionBudget", "policy/v1", "poddisruptionbudgets", true},
    {KubeKind::kAutoscaler, "HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers",
     true},
    {KubeKind::kResourceQuota, "ResourceQuota", "v1", "resourcequotas", true},
    {KubeKind::kLease, "Lease", "coordination.k8s.io/v1", "leases", true},
    {KubeKind::kSecret, "Secret", "v1", "secrets", true},
};

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

int Integer(const json::value& value, JsonPath path, int fallback = 0) {
  const json::value* found = FindJson(value, path);
  return found == nullptr || found->is_null() ? fallback
                                              : static_cast<int>(JsonInteger(value, path));
}

// IntOrString: 1, "25%".
std::string TextOrNumber(const json::value& value, JsonPath path) {
  const json::value* found = FindJson(value, path);
  if (found == nullptr || found->is_null()) return "";
  return found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
}

void AppendCanonical(const json::value& value, std::string& out) {
  if (const json::object* object = value.if_object()) {
    std::vector<const json::key_value_pair*> pairs;
    for (const json::key_value_pair& pair : *object) pairs.push_back(&pair);
    std::sort(pairs.begin(), pairs.end(),
              [](const auto* a, const auto* b) { return a->key() < b->key(); });
    out += '{';
    for (const auto* pair : pairs) {
      if (out.back() != '{') out += ',';
      out += json::serialize(json::string(pair->key()));
      out += ':';
      AppendCanonical(pair->value(), out);
    }
    out += '}';
  } else if (const json::array* array = value.if_array()) {
    out += '[';
    for (const json::value& element : *array) {
      if (&element != array->data()) out += ',';
      AppendCanonical(element, out);
    }
    out += ']';
  } else {
    out += json::serialize(value);
  }
}

std::vector<model::KubeCondition> ConditionsOf(const json::value& object) {
  std::vector<model::KubeCondition> conditions;
  for (const json::value& one : JsonArray(object, {"status", "conditions"})) {
    conditions.push_back({JsonText(one, {"type"}), JsonText(one, {"status"}),
                          JsonText(one, {"reason"}), JsonText(one, {"message"}),
                          JsonText(one, {"lastTransitionTime"})});
  }
  return conditions;
}

std::int64_t Quantity(const json::value& container, std::string_view resource) {
  return model::QuantityMillis(TextOrNumber(container, {"resources", "requests", resource}))
      .value_or(0);
}

model::PodContainer ContainerOf(const json::value& one) {
  model::PodContainer container;
  container.name = JsonText(one, {"name"});
  container.image = JsonText(one, {"image"});
  container.command = JsonTexts(one, {"command"});
  for (std::string& word : JsonTexts(one, {"args"})) container.command.push_back(std::move(word));
  for (const json::value& variable : JsonArray(one, {"env"})) {
    const std::string name = JsonText(variable, {"name"});
    if (FindJson(variable, {"value"}) != nullptr)
      container.environment[name] = IsSecretName(name) ? "***" : JsonText(variable, {"value"});
    const std::string map = JsonText(variable, {"valueFrom", "configMapKeyRef", "name"});
    if (!map.empty()) container.config_environment.push_back(map);
  }
  for (const json::value& source : JsonArray(one, {"envFrom"})) {
    const std::string map = JsonText(source, {"configMapRef", "name"});
    if (!map.empty()) container.config_environment.push_back(map);
  }
  for (const json::value& mount : JsonArray(one, {"volumeMounts"})) {
    container.mounts.push_back(
        {JsonText(mount, {"name"}), JsonText(mount, {"mountPath"}), JsonText(mount, {"subPath"})});
  }
  container.cpu_request_millis = Quantity(one, "cpu");
  container.memory_request_bytes = Quantity(one, "memory") / 1000;
  return container;
}

void AddConfigVolume(const std::string& volume, const json::value& source,
                     model::PodTemplate& pod) {
  model::ConfigVolume config{volume, JsonText(source, {"name"}), {}};
  for (const json::value& item : JsonArray(source, {"items"}))
    config.items[JsonText(item, {"key"})] = JsonText(item, {"path"});
  if (!config.config_map.empty()) pod.config_volumes.push_back(std::move(config));
}

model::PodTemplate TemplateOf(const json::value& pod_template) {
  model::PodTemplate pod;
  pod.labels = JsonTextMap(pod_template, {"metadata", "labels"});
  pod.annotations = JsonTextMap(pod_template, {"metadata", "annotations"});
  for (const json::value& one : JsonArray(pod_template, {"spec", "containers"}))
    pod.containers.push_back(ContainerOf(one));
  for (const json::value& one : JsonArray(pod_template, {"spec", "initContainers"}))
    pod.init_containers.push_back(ContainerOf(one));
  for (const json::value& volume : JsonArray(pod_template, {"spec", "volumes"})) {
    const std::string name = JsonText(volume, {"name"});
    if (const json::value* source = FindJson(volume, {"configMap"}))
      AddConfigVolume(name, *source, pod);
    for (const json::value& source : JsonArray(volume, {"projected", "sources"})) {
      if (const json::value* map = FindJson(source, {"configMap"}))
        AddConfigVolume(name, *map, pod);
    }
    const std::string claim = JsonText(volume, {"persistentVolumeClaim", "claimName"});
    if (!claim.empty()) pod.claims.push_back(claim);
  }
  pod.grace_seconds = Integer(pod_template, {"spec", "terminationGracePeriodSeconds"}, 30);
  return pod;
}

model::StatefulSet StatefulSetOf(const json::value& object) {
  model::StatefulSet set;
  set.meta = MetaOfJson(object);
  set.replicas = Integer(object, {"spec", "replicas"}, 1);
  if (const json::value* pod = FindJson(object, {"spec", "template"})) set.pod = TemplateOf(*pod);
  return set;
}

model::ReplicaSet ReplicaSetOf(const json::value& object) {
  model::ReplicaSet set;
  set.meta = MetaOfJson(object);
  const std::string revision = set.meta.Annotation("deployment.kubernetes.io/revision");
  std::from_chars(revision.data(), revision.data() + revision.size(), set.revision);
  set.template_hash = set.meta.Label("pod-template-hash");
  set.replicas = Integer(object, {"spec", "replicas"}, 1);
  set.status_replicas = Integer(object, {"status", "replicas"});
  set.ready_replicas = Integer(object, {"status", "readyReplicas"});
  set.conditions = ConditionsOf(object);
  return set;
}

model::ContainerState StateOf(const json::value& status, std::string_view which) {
  model::ContainerState state;
  for (const auto& [name, value] : JsonObject(status, {which})) {
    state.state = std::string(name);
    state.reason = JsonText(value, {"reason"});
    state.message = JsonText(value, {"message"});
    state.exit_code = Integer(value, {"exitCode"});
    state.started_at = JsonText(value, {"startedAt"});
    state.finished_at = JsonText(value, {"finishedAt"});
  }
  return state;
}

std::vector<model::ContainerStatus> StatusesOf(const json::value& object, std::string_view which) {
  std::vector<model::ContainerStatus> statuses;
  for (const json::value& one : JsonArray(object, {"status", which})) {
    model::ContainerStatus status;
    status.name = JsonText(one, {"name"});
    status.image = JsonText(one, {"image"});
    status.image_id = JsonText(one, {"imageID"});
    status.is_ready = JsonFlag(one, {"ready"});
    status.has_started = JsonFlag(one, {"started"});
    status.restart_count = Integer(one, {"restartCount"});
    status.now = StateOf(one, "state");
    status.last = StateOf(one, "lastState");
    statuses.push_back(std::move(status));
  }
  return statuses;
}

model::Pod PodOf(const json::value& object) {
  model::Pod pod;
  pod.meta = MetaOfJson(object);
  pod.phase = JsonText(object, {"status", "phase"});
  pod.reason = JsonText(object, {"status", "reason"});
  pod.message = JsonText(object, {"status", "message"});
  pod.node = JsonText(object, {"spec", "nodeName"});
  pod.started_at = JsonText(object, {"status", "startTime"});
  pod.grace_seconds = Integer(object, {"spec", "terminationGracePeriodSeconds"}, 30);
  for (const json::value& one : JsonArray(object, {"spec", "containers"}))
    pod.images[JsonText(one, {"name"})] = JsonText(one, {"image"});
  pod.containers = StatusesOf(object, "containerStatuses");
  pod.init_containers = StatusesOf(object, "initContainerStatuses");
  pod.conditions = ConditionsOf(object);
  return pod;
}

model::KubeEvent EventOf(const json::value& object) {
  model::KubeEvent event;
  event.meta = MetaOfJson(object);
  event.about_kind = JsonText(object, {"involvedObject", "kind"});
  event.about_name = JsonText(object, {"involvedObject", "name"});
  event.about_uid = JsonText(object, {"involvedObject", "uid"});
  event.type = JsonText(object, {"type"});
  event.reason = JsonText(object, {"reason"});
  event.message = JsonText(object, {"message"});
  // Those of the newer events API have a series instead.
  event.count = Integer(object, {"count"}, Integer(object, {"series", "count"}, 1));
  for (const JsonPath path :
       {JsonPath{"lastTimestamp"}, JsonPath{"series", "lastObservedTime"}, JsonPath{"eventTime"}}) {
    if (event.last_at.empty()) event.last_at = JsonText(object, path);
  }
  return event;
}

model::DisruptionBudget BudgetOf(const json::value& object) {
  return {MetaOfJson(object), JsonTextMap(object, {"spec", "selector", "matchLabels"}),
          TextOrNumber(object, {"spec", "minAvailable"}),
          TextOrNumber(object, {"spec", "maxUnavailable"}),
          Integer(object, {"status", "disruptionsAllowed"})};
}

model::Autoscaler AutoscalerOf(const json::value& object) {
  return {MetaOfJson(object), JsonText(object, {"spec", "scaleTargetRef", "kind"}),
          JsonText(object, {"spec", "scaleTargetRef", "name"}),
          Integer(object, {"spec", "minReplicas"}, 1), Integer(object, {"spec", "maxReplicas"})};
}

model::ResourceQuota QuotaOf(const json::value& object) {
  return {MetaOfJson(object), JsonTextMap(object, {"status", "hard"}),
          JsonTextMap(object, {"status", "used"})};
}

template <class T>
const model::KubeMeta& MetaOf(const T& object) {
  return object.meta;
}
const model::KubeMeta& MetaOf(const model::KubeMeta& meta) { return meta; }

std::uint64_t Number(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

template <class T>
auto PlaceOf(std::vector<T>& all, const std::string& name) {
  return std::lower_bound(
      all.begin(), all.end(), name,
      [](const T& one, const std::string& wanted) { return MetaOf(one).name < wanted; });
}

template <class T>
void Put(T object, std::vector<T>& all) {
  const auto place = PlaceOf(all, MetaOf(object).name);
  if (place == all.end() || MetaOf(*place).name != MetaOf(object).name) {
    all.insert(place, std::move(object));
  } else if (Number(MetaOf(object).resource_version) >= Number(MetaOf(*place).resource_version)) {
    *place = std::move(object);
  }
}

// Calls `act` with the vector of this kind.
template <class Act>
void WithKind(KubeKind kind, model::KubeObjects& objects, Act act) {
  switch (kind) {
    case KubeKind::kDeployment:
      return act(objects.deployments, DeploymentOfJson);
    case KubeKind::kStatefulSet:
      return act(objects.stateful_sets, StatefulSetOf);
    case KubeKind::kReplicaSet:
      return act(objects.replica_sets, ReplicaSetOf);
    case KubeKind::kPod:
      return act(objects.pods, PodOf);
    case KubeKind::kEvent:
      return act(objects.events, EventOf);
    case KubeKind::kConfigMap:
      return act(objects.config_maps, ConfigMapOfJson);
    case KubeKind::kDisruptionBudget:
      return act(objects.disruption_budgets, BudgetOf);
    case KubeKind::kAutoscaler:
      return act(objects.autoscalers, AutoscalerOf);
    case KubeKind::kResourceQuota:
      return act(objects.quotas, QuotaOf);
    case KubeKind::kLease:
      return act(objects.leases, LeaseOfJson);
    case KubeKind::kSecret:
      return act(objects.secrets, MetaOfJson);
  }
}

json::object MapOf(const std::map<std::string, std::optional<std::string>>& values) {
  json::object object;
  for (const auto& [name, value] : values) object[name] = value ? json::value(*value) : nullptr;
  return object;
}

json::object TextsOf(const std::map<std::string, std::string>& values) {
  json::object object;
  for (const auto& [name, value] : values) object[name] = value;
  return object;
}

// Of an object that is written whole.
json::object Whole(KubeKind kind, const model::KubeMeta& meta) {
  const KubeKindRow& row = RowOf(kind);
  json::object metadata{{"name", meta.name}};
  if (!meta.labels.empty()) metadata["labels"] = TextsOf(meta.labels);
  if (!meta.annotations.empty()) metadata["annotations"] = TextsOf(meta.annotations);
  if (!meta.uid.empty()) metadata["uid"] = meta.uid;
  if (!meta.resource_version.empty()) metadata["resourceVersion"] = meta.resource_version;
  return {{"apiVersion", row.api_version}, {"kind", row.name}, {"metadata", std::move(metadata)}};
}

// The API takes exactly six digits there.
std::string MicroTime(std::string text) {
  const auto dot = text.find('.');
  if (dot == std::string::npos || !text.ends_with('Z')) return text;
  text.pop_back();
  text.resize(dot + 7, '0');
  return text + "Z";
}

// A merge patch would keep what the new value does not name; this one is the whole value.
json::value Replaced(const std::string& text) {
  json::value value = json::parse(text);
  value.as_object()["$patch"] = "replace";
  return value;
}

}  // namespace

std::span<const KubeKindRow> KubeKindTable() { return kKinds; }

const KubeKindRow& RowOf(KubeKind kind) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds),
                       [&](const KubeKindRow& row) { return row.kind == kind; });
}

std::string KubePath(KubeKind kind, const std::string& name_space, const std::string& name) {
  const KubeKindRow& row = RowOf(kind);
  return fmt::format("/{}/{}/namespaces/{}/{}{}{}", Contains(row.api_version, "/") ? "apis" : "api",
                     row.api_version, UrlValue(name_space), row.resource, name.empty() ? "" : "/",
                     UrlValue(name));
}

std::string UrlValue(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string CanonicalJson(const json::value& value) {
  std::string out;
  AppendCanonical(value, out);
  return out;
}

model::KubeMeta MetaOfJson(const json::value& object) {
  model::KubeMeta meta;
  meta.name = JsonText(object, {"metadata", "name"});
  meta.uid = JsonText(object, {"metadata", "uid"});
  meta.resource_version = JsonText(object, {"metadata", "resourceVersion"});
  meta.generation = JsonInteger(object, {"metadata", "generation"});
  meta.labels = JsonTextMap(object, {"metadata", "labels"});
  meta.annotations = JsonTextMap(object, {"metadata", "annotations"});
  meta.created_at = JsonText(object, {"metadata", "creationTimestamp"});
  meta.deleted_at = JsonText(object, {"metadata", "deletionTimestamp"});
  if (FindJson(object, {"metadata", "deletionGracePeriodSeconds"}) != nullptr)
    meta.delete_grace_seconds = Integer(object, {"metadata", "deletionGracePeriodSeconds"});
  for (const json::value& owner : JsonArray(object, {"metadata", "ownerReferences"})) {
    if (!JsonFlag(owner, {"controller"})) continue;
    meta.owner_kind = JsonText(owner, {"kind"});
    meta.owner_name = JsonText(owner, {"name"});
    meta.owner_uid = JsonText(owner, {"uid"});
  }
  return meta;
}

model::Deployment DeploymentOfJson(const json::value& object) {
  model::Deployment deployment;
  deployment.meta = MetaOfJson(object);
  deployment.selector = JsonTextMap(object, {"spec", "selector", "matchLabels"});
  deployment.replicas = Integer(object, {"spec", "replicas"}, 1);
  deployment.is_paused = JsonFlag(object, {"spec", "paused"});
  deployment.min_ready_seconds = Integer(object, {"spec", "minReadySeconds"});
  deployment.progress_deadline_seconds = Integer(object, {"spec", "progressDeadlineSeconds"}, 600);
  deployment.strategy = JsonText(object, {"spec", "strategy", "type"});
  deployment.max_surge = TextOrNumber(object, {"spec", "strategy", "rollingUpdate", "maxSurge"});
  deployment.max_unavailable =
      TextOrNumber(object, {"spec", "strategy", "rollingUpdate", "maxUnavailable"});
  if (const json::value* pod = FindJson(object, {"spec", "template"})) {
    deployment.pod = TemplateOf(*pod);
    deployment.template_json = CanonicalJson(*pod);
  }
  if (const json::value* strategy = FindJson(object, {"spec", "strategy"}))
    deployment.strategy_json = CanonicalJson(*strategy);
  deployment.observed_generation = JsonInteger(object, {"status", "observedGeneration"});
  deployment.status_replicas = Integer(object, {"status", "replicas"});
  deployment.updated_replicas = Integer(object, {"status", "updatedReplicas"});
  deployment.ready_replicas = Integer(object, {"status", "readyReplicas"});
  deployment.available_replicas = Integer(object, {"status", "availableReplicas"});
  deployment.unavailable_replicas = Integer(object, {"status", "unavailableReplicas"});
  deployment.conditions = ConditionsOf(object);
  return deployment;
}

model::ConfigMap ConfigMapOfJson(const json::value& object) {
  return {MetaOfJson(object), JsonTextMap(object, {"data"}), JsonFlag(object, {"immutable"})};
}

model::KubeLease LeaseOfJson(const json::value& object) {
  return {MetaOfJson(object),
          JsonText(object, {"spec", "holderIdentity"}),
          Integer(object, {"spec", "leaseDurationSeconds"}),
          JsonText(object, {"spec", "acquireTime"}),
          JsonText(object, {"spec", "renewTime"}),
          Integer(object, {"spec", "leaseTransitions"})};
}

void PutObject(KubeKind kind, const json::value& object, model::KubeObjects& objects) {
  WithKind(kind, objects, [&](auto& all, const auto& parse) { Put(parse(object), all); });
}

void ReplaceObject(KubeKind kind, const json::value& object, model::KubeObjects& objects) {
  WithKind(kind, objects, [&](auto& all, const auto& parse) {
    auto fresh = parse(object);
    const auto place = PlaceOf(all, MetaOf(fresh).name);
    if (place != all.end() && MetaOf(*place).name == MetaOf(fresh).name) Put(std::move(fresh), all);
  });
}

void RemoveObject(KubeKind kind, const std::string& name, model::KubeObjects& objects) {
  WithKind(kind, objects, [&](auto& all, const auto&) {
    const auto place = PlaceOf(all, name);
    if (place != all.end() && MetaOf(*place).name == name) all.erase(place);
  });
}

void RemoveObjects(KubeKind kind, model::KubeObjects& objects) {
  WithKind(kind, objects, [](auto& all, const auto&) { all.clear(); });
}

std::string BodyOf(const ports::DeploymentPatch& patch) {
  json::object metadata{{"uid", patch.uid}, {"resourceVersion", patch.resource_version}};
  if (!patch.labels.empty()) metadata["labels"] = MapOf(patch.labels);
  if (!patch.annotations.empty()) metadata["annotations"] = MapOf(patch.annotations);
  json::object spec;
  if (patch.template_json) spec["template"] = Replaced(*patch.template_json);
  if (!patch.images.empty()) {
    json::array containers;
    for (const auto& [name, image] : patch.images)
      containers.push_back({{"name", name}, {"image", image}});
    spec["template"] = {{"spec", {{"containers", std::move(containers)}}}};
  }
  if (patch.min_ready_seconds) spec["minReadySeconds"] = *patch.min_ready_seconds;
  if (patch.strategy_json) spec["strategy"] = Replaced(*patch.strategy_json);
  json::object body{{"metadata", std::move(metadata)}};
  if (!spec.empty()) body["spec"] = std::move(spec);
  return json::serialize(body);
}

std::string BodyOf(const ports::ConfigMapPatch& patch) {
  return json::serialize(
      json::object{{"metadata", {{"uid", patch.uid}, {"resourceVersion", patch.resource_version}}},
                   {"data", MapOf(patch.data)}});
}

std::string BodyOf(const model::KubeLease& lease) {
  json::object body = Whole(KubeKind::kLease, lease.meta);
  json::object spec{{"holderIdentity", lease.holder},
                    {"leaseDurationSeconds", lease.duration_seconds},
                    {"leaseTransitions", lease.transitions}};
  if (!lease.acquired_at.empty()) spec["acquireTime"] = MicroTime(lease.acquired_at);
  if (!lease.renewed_at.empty()) spec["renewTime"] = MicroTime(lease.renewed_at);
  body["spec"] = std::move(spec);
  return json::serialize(body);
}

std::string BodyOf(const model::ConfigMap& config_map) {
  json::object body = Whole(KubeKind::kConfigMap, config_map.meta);
  body["data"] = TextsOf(config_map.data);
  if (config_map.is_immutable) body["immutable"] = true;
  return json::serialize(body);
}

Error KubeError(const std::string& asked, int status, std::string_view body) {
  const auto parsed = ParseJson(body, "the Kubernetes API");
  const bool is_status = parsed && JsonText(*parsed, {"kind"}) == "Status";
  const std::string reason = is_status ? JsonText(*parsed, {"reason"}) : "";
  // What is no Status is the proxy's own word: the API was not reached.
  std::string words = Printable(is_status ? JsonText(*parsed, {"message"}) : Trim(body));
  if (words.size() > 2000) words = words.substr(0, 2000) + "...";
  if (words.empty()) words = fmt::format("HTTP status {}", status);
  const auto error = [&](ErrorCode code) {
    return Error{code, fmt::format("{}: {}", asked, words), {}, {}};
  };
  const bool is_webhook =
      Contains(words, "admission webhook") || Contains(words, "calling webhook");
  if (is_webhook && Contains(words, "dry run")) return error(ErrorCode::kKubeNoDryRun);
  if (status == 401 || Contains(words, "getting credentials")) return error(ErrorCode::kKubeDenied);
  if (!is_status && Contains(words, "x509:")) return error(ErrorCode::kKubeConfig);
  if (is_webhook) return error(ErrorCode::kKubeRefused);
  switch (status) {
    case 403:
      // RBAC names the verb; everything else that is forbidden is admission: quota, policies.
      return error(Contains(words, " cannot ") && Contains(words, " resource ")
                       ? ErrorCode::kKubeDenied
                       : ErrorCode::kKubeRefused);
    case 404:
      return error(ErrorCode::kKubeGone);
    case 409:
      // So is one replaced that is gone: there is no uid to compare ours with.
      return error(Trim(words).ends_with("UID in object meta:") ? ErrorCode::kKubeGone
                                                                : ErrorCode::kKubeConflict);
    case 422:
      // Another object of that name: its uid is not for changing.
      return error(Contains(words, "metadata.uid") ? ErrorCode::kKubeConflict
                                                   : ErrorCode::kKubeRefused);
    case 429:
      return error(ErrorCode::kKubeDown);
    default:
      return error(status >= 500 ? ErrorCode::kKubeDown : ErrorCode::kKubeFailed);
  }
}

}  // namespace mu::adapters
