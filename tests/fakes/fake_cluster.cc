// SPDX-License-Identifier: Apache-2.0
#include "fakes/fake_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "adapters/kube_text.h"
#include "milvus_upgrade/base/digest.h"

namespace mu::fakes {
namespace {

constexpr char kRevision[] = "deployment.kubernetes.io/revision";  // of its controller

namespace json = boost::json;

constexpr Millis kPullFails{200};
constexpr Millis kCrashes{500};  // after each start
constexpr int kMostRestarts = 40;

enum class Flaw { kNone, kNotReady, kCrash, kPullFail, kOom, kSlow, kUnschedulable };

Flaw FlawOf(const std::string& image) {
  constexpr std::pair<std::string_view, Flaw> kFlaws[] = {
      {"-notready", Flaw::kNotReady}, {"-crash", Flaw::kCrash},
      {"-pullfail", Flaw::kPullFail}, {"-oom", Flaw::kOom},
      {"-slow", Flaw::kSlow},         {"-unschedulable", Flaw::kUnschedulable}};
  for (const auto& [suffix, flaw] : kFlaws) {
    if (image.ends_with(suffix)) return flaw;
  }
  return Flaw::kNone;
}

json::object TextObject(const std::map<std::string, std::string>& texts) {
  json::object object;
  for (const auto& [name, value] : texts) object[name] = value;
  return object;
}

json::object TemplateOf(const FakeWorkload& workload,
                        const std::map<std::string, std::string>& labels) {
  std::vector<std::string> command = workload.command;
  if (command.empty()) command = {"milvus", "run", workload.component};
  json::array mounts;
  for (const std::string& key : workload.keys) {
    if (workload.config_map.empty()) break;
    mounts.push_back({{"name", "milvus-config"},
                      {"mountPath", "/milvus/configs/" + key},
                      {"readOnly", true},
                      {"subPath", key}});
  }
  json::array environment;
  for (const auto& [name, value] : workload.environment)
    environment.push_back({{"name", name}, {"value", value}});
  json::array containers;
  for (const std::string& sidecar : workload.sidecars_first)
    containers.push_back({{"name", sidecar}, {"image", "mesh.local/" + sidecar + ":1"}});
  json::object container{{"name", workload.component},
                         {"image", workload.image},
                         {"args", json::value_from(command)},
                         {"env", environment},
                         {"volumeMounts", mounts}};
  containers.push_back(std::move(container));
  json::array volumes;
  if (!workload.config_map.empty())
    volumes.push_back({{"name", "milvus-config"},
                       {"configMap", {{"name", workload.config_map}, {"defaultMode", 420}}}});
  return {
      {"metadata", {{"labels", TextObject(labels)}, {"annotations", {{"checksum/config", "c0"}}}}},
      {"spec",
       {{"containers", containers},
        {"volumes", volumes},
        {"terminationGracePeriodSeconds", 30},
        {"restartPolicy", "Always"}}}};
}

// Fills what follows from the two texts.
void ReadTexts(model::Deployment& deployment) {
  const json::value object = {{"spec",
                               {{"template", json::parse(deployment.template_json)},
                                {"strategy", json::parse(deployment.strategy_json)}}}};
  const model::Deployment read = adapters::DeploymentOfJson(object);
  deployment.pod = read.pod;
  deployment.template_json = read.template_json;
  deployment.strategy_json = read.strategy_json;
  deployment.strategy = read.strategy;
  deployment.max_surge = read.max_surge;
  deployment.max_unavailable = read.max_unavailable;
}

int Share(const std::string& text, int replicas, bool rounds_up) {
  if (text.empty()) return 0;
  const int number = std::stoi(text);
  if (!text.ends_with('%')) return number;
  const double exact = replicas * number / 100.0;
  return static_cast<int>(rounds_up ? std::ceil(exact) : std::floor(exact));
}

bool Follows(const FakePod& a, const FakePod& b) { return a.created < b.created; }

}  // namespace

FakeCluster::FakeCluster(Fuse& fuse, HandClock& clock) : fuse_(fuse), clock_(clock) {
  clock_.OnAdvance([this](Millis now) { OnTime(now); });
}

void FakeCluster::AddChart4(const std::string& image, int replicas) {
  AddConfigMap("my-release-milvus",
               {{"default.yaml",
                 "etcd:\n  endpoints: [my-release-etcd:2379]\n  rootPath: by-dev\n"
                 "messageQueue: pulsar\npulsar:\n  address: my-release-pulsar\n"},
                {"user.yaml", "# settings of ours\nlog:\n  level: info\n"}});
  for (const char* component : {"rootcoord", "datacoord", "indexcoord", "querycoord", "indexnode",
                                "datanode", "querynode", "proxy"}) {
    FakeWorkload workload;
    workload.component = component;
    workload.image = image;
    const bool is_coordinator = std::string_view(component).ends_with("coord");
    workload.replicas = is_coordinator ? 1 : replicas;
    if (is_coordinator) workload.strategy = "Recreate";
    AddDeployment(workload);
  }
  FakeWorkload attu;
  attu.component = "attu";
  attu.image = "zilliz/attu:v2.2.3";
  attu.command = {"attu"};
  attu.config_map = "";
  AddDeployment(attu);
}

namespace {

// As the API wants it: "25%" is a text, 1 is none.
json::value NumberOrPercent(const std::string& text) {
  if (text.ends_with('%')) return json::value(text);
  return std::stoi(text);
}

}  // namespace

std::string ManifestOf(const FakeWorkload& workload) {
  std::map<std::string, std::string> labels = {
      {"app.kubernetes.io/instance", FakeCluster::kRelease},
      {"app.kubernetes.io/name", "milvus"},
      {"component", workload.component}};
  for (const auto& [name, value] : workload.labels) labels[name] = value;
  std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
  std::map<std::string, std::string> of_all = {{"helm.sh/chart", "milvus-4.0.8"},
                                               {"app.kubernetes.io/managed-by", "Helm"},
                                               {"app.kubernetes.io/version", "2.2.3"}};
  of_all.insert(labels.begin(), labels.end());
  for (const auto& [name, value] : workload.labels) of_all[name] = value;
  std::erase_if(of_all, [](const auto& label) { return label.second.empty(); });
  json::object strategy{{"type", workload.strategy}};
  if (workload.strategy == "RollingUpdate")
    strategy["rollingUpdate"] = {{"maxSurge", NumberOrPercent(workload.max_surge)},
                                 {"maxUnavailable", NumberOrPercent(workload.max_unavailable)}};
  const std::string name =
      workload.name.empty() ? "my-release-milvus-" + workload.component : workload.name;
  return json::serialize(
      json::object{{"apiVersion", "apps/v1"},
                   {"kind", "Deployment"},
                   {"metadata", {{"name", name}, {"labels", TextObject(of_all)}}},
                   {"spec",
                    {{"replicas", workload.replicas},
                     {"paused", workload.is_paused},
                     {"minReadySeconds", workload.min_ready_seconds},
                     {"selector", {{"matchLabels", TextObject(labels)}}},
                     {"strategy", strategy},
                     {"template", TemplateOf(workload, labels)}}}});
}

void FakeCluster::AddDeployment(const FakeWorkload& workload) {
  FakeDeployment made;
  model::Deployment& facts = made.facts;
  facts = adapters::DeploymentOfJson(json::parse(ManifestOf(workload)));
  facts.meta.uid = NewUid();
  facts.meta.resource_version = NextVersion();
  facts.meta.generation = 1;
  facts.meta.created_at = HandClock::TextOf(now_);
  made.observes_at = now_;
  made.progressed_at = now_;
  FakeDeployment& deployment = deployments[facts.meta.name] = std::move(made);
  // Long since up.
  const bool was_paused = std::exchange(deployment.facts.is_paused, false);
  Reconcile(deployment);
  for (FakeSet& set : deployment.sets) {
    for (FakePod& pod : set.pods) pod.created = now_ - Millis(86'400'000);
  }
  deployment.facts.is_paused = was_paused;
  Reconcile(deployment);
}

void FakeCluster::AddStatefulSet(const std::string& name, const std::string& image,
                                 const std::map<std::string, std::string>& labels) {
  model::StatefulSet set;
  set.meta.name = name;
  set.meta.uid = NewUid();
  set.meta.resource_version = NextVersion();
  set.meta.labels = labels;
  set.pod.labels = labels;
  model::PodContainer container;
  container.name = name;
  container.image = image;
  set.pod.containers = {container};
  stateful_sets[name] = set;
}

void FakeCluster::AddConfigMap(const std::string& name,
                               const std::map<std::string, std::string>& data) {
  model::ConfigMap& map = config_maps[name];
  map.meta.name = name;
  map.meta.uid = NewUid();
  map.meta.resource_version = NextVersion();
  map.meta.labels = {{"app.kubernetes.io/instance", kRelease}};
  map.data = data;
}

void FakeCluster::RemoveDeployment(const std::string& name) { deployments.erase(name); }

void FakeCluster::Edit(const std::string& name,
                       const std::function<void(model::Deployment&)>& change) {
  FakeDeployment* deployment = Find(name);
  if (deployment == nullptr) return;
  change(deployment->facts);
  ReadTexts(deployment->facts);
  deployment->facts.meta.generation += 1;
  deployment->facts.meta.resource_version = NextVersion();
  deployment->observes_at = now_ + controller_lag;
}

void FakeCluster::EditConfigMap(const std::string& name,
                                const std::function<void(model::ConfigMap&)>& change) {
  change(config_maps[name]);
  config_maps[name].meta.resource_version = NextVersion();
}

void FakeCluster::At(Millis time, std::function<void()> action) {
  actions_.emplace_back(time, std::move(action));
}

FakeDeployment* FakeCluster::Find(const std::string& name) {
  const auto it = deployments.find(name);
  return it == deployments.end() ? nullptr : &it->second;
}

std::string FakeCluster::Describe() const {
  std::string text;
  for (const auto& [name, deployment] : deployments) {
    const model::Deployment& facts = deployment.facts;
    text += fmt::format("deployment {} version={} replicas={} paused={} minReady={} strategy={}\n",
                        name, facts.meta.Label("app.kubernetes.io/version"), facts.replicas,
                        facts.is_paused, facts.min_ready_seconds, facts.strategy_json);
    text += "  " + facts.template_json + "\n";
    for (const auto& [annotation, value] : facts.meta.annotations) {
      if (annotation != kRevision) text += fmt::format("  annotation {}={}\n", annotation, value);
    }
  }
  for (const auto& [name, map] : config_maps) {
    if (map.meta.labels.contains("app.kubernetes.io/managed-by")) continue;
    for (const auto& [key, value] : map.data)
      text += fmt::format("configmap {} {}:\n{}", name, key, value);
  }
  return text;
}

Status FakeCluster::EnterWrite(const std::string& name, ports::DryRun dry_run) {
  ++requests;
  if (on_write && dry_run == ports::DryRun::kNo) on_write(name);
  if (!is_api_up)
    return Fail(ErrorCode::kKubeDown, name + ": dial tcp 127.0.0.1:6443: connection refused");
  if (admission) {
    if (auto refusal = admission(name, dry_run)) return Fail(*std::move(refusal));
  }
  if (dry_run == ports::DryRun::kYes) return {};
  const Error* error = fuse_.Pass(name);
  return error == nullptr ? Status() : Fail(*error);
}

Status FakeCluster::LeaveWrite(const std::string& name) {
  const Error* error = fuse_.Pass("after " + name);
  return error == nullptr ? Status() : Fail(*error);
}

Result<model::Deployment> FakeCluster::Apply(const ports::DeploymentPatch& patch,
                                             ports::DryRun dry_run) {
  FakeDeployment* found = Find(patch.name);
  if (found == nullptr)
    return Fail(ErrorCode::kKubeGone, fmt::format("deployments.apps \"{}\" not found", patch.name));
  model::Deployment changed = found->facts;
  if (changed.meta.uid != patch.uid || changed.meta.resource_version != patch.resource_version)
    return Fail(ErrorCode::kKubeConflict,
                fmt::format("Operation cannot be fulfilled on deployments.apps \"{}\": the object "
                            "has been modified; please apply your changes to the latest version "
                            "and try again",
                            patch.name));
  const auto merge = [](auto& into, const auto& from) {
    for (const auto& [name, value] : from) {
      if (value) {
        into[name] = *value;
      } else {
        into.erase(name);
      }
    }
  };
  merge(changed.meta.labels, patch.labels);
  merge(changed.meta.annotations, patch.annotations);
  if (patch.template_json) changed.template_json = *patch.template_json;
  if (patch.strategy_json) changed.strategy_json = *patch.strategy_json;
  if (patch.min_ready_seconds) changed.min_ready_seconds = *patch.min_ready_seconds;
  json::value pod = json::parse(changed.template_json);
  json::array& containers = pod.at("spec").at("containers").as_array();
  for (const auto& [name, image] : patch.images) {
    if (image.empty())
      return Fail(
          ErrorCode::kKubeRefused,
          fmt::format("Deployment.apps \"{}\" is invalid: image: Required value", patch.name));
    const auto it = std::find_if(containers.begin(), containers.end(), [&](const json::value& one) {
      return one.at("name").as_string() == name;
    });
    // As the API does: one that is not there is added.
    if (it == containers.end()) {
      containers.push_back({{"name", name}, {"image", image}});
    } else {
      it->as_object()["image"] = image;
    }
  }
  changed.template_json = json::serialize(pod);
  ReadTexts(changed);
  const bool is_spec_same = changed.template_json == found->facts.template_json &&
                            changed.strategy_json == found->facts.strategy_json &&
                            changed.min_ready_seconds == found->facts.min_ready_seconds;
  if (!is_spec_same) changed.meta.generation += 1;
  if (changed == found->facts) return changed;  // nothing is stored
  if (dry_run == ports::DryRun::kYes) return changed;
  changed.meta.resource_version = NextVersion();
  found->facts = changed;
  if (!is_spec_same) found->observes_at = now_ + controller_lag;
  return changed;
}

void FakeCluster::OnTime(Millis now) {
  if (is_applying_) return;
  is_applying_ = true;
  while (now_ < now) {
    now_ = std::min(now, NextEvent().value_or(now));
    for (auto& [time, action] : actions_) {
      if (time <= now_ && action) std::exchange(action, nullptr)();
    }
    for (auto& [name, deployment] : deployments) Reconcile(deployment);
  }
  is_applying_ = false;
}

// The next time at which something changes by itself, after now.
std::optional<Millis> FakeCluster::NextEvent() const {
  std::optional<Millis> next;
  const auto consider = [&](Millis at) {
    if (at > now_ && (!next || at < *next)) next = at;
  };
  for (const auto& [time, action] : actions_) {
    if (action) consider(time);
  }
  for (const auto& [name, deployment] : deployments) {
    consider(deployment.observes_at);
    consider(deployment.progressed_at + Millis(deployment.facts.progress_deadline_seconds * 1000) +
             Millis(1));
    for (const FakeSet& set : deployment.sets) {
      for (const FakePod& pod : set.pods) {
        const Millis ready =
            pod.created + ready_after * (FlawOf(pod.image) == Flaw::kSlow ? 10 : 1);
        consider(ready);
        consider(ready + Millis(deployment.facts.min_ready_seconds * 1000));
        if (pod.deleted) consider(*pod.deleted + ends_after);
      }
    }
  }
  return next;
}

bool FakeCluster::IsReady(const FakePod& pod) const {
  const Flaw flaw = FlawOf(pod.image);
  if (flaw != Flaw::kNone && flaw != Flaw::kSlow) return false;
  return now_ >= pod.created + ready_after * (flaw == Flaw::kSlow ? 10 : 1);
}

bool FakeCluster::IsAvailable(const FakePod& pod, const FakeDeployment& deployment) const {
  const Millis ready = pod.created + ready_after * (FlawOf(pod.image) == Flaw::kSlow ? 10 : 1);
  return IsReady(pod) && now_ >= ready + Millis(deployment.facts.min_ready_seconds * 1000);
}

FakeSet& FakeCluster::NewestSet(FakeDeployment& deployment) {
  const std::string hash = Sha256(deployment.facts.template_json).substr(0, 10);
  std::string& annotation = deployment.facts.meta.annotations[kRevision];
  const auto newest = [&] {
    std::int64_t revision = 0;
    for (const FakeSet& set : deployment.sets) revision = std::max(revision, set.revision);
    return revision;
  };
  for (FakeSet& set : deployment.sets) {
    if (set.template_hash != hash) continue;
    if (set.revision != newest()) set.revision = newest() + 1;  // gone back to
    annotation = std::to_string(set.revision);
    return set;
  }
  FakeSet set;
  set.template_hash = hash;
  set.template_json = deployment.facts.template_json;
  set.revision = newest() + 1;
  annotation = std::to_string(set.revision);
  set.meta.name = deployment.facts.meta.name + "-" + hash;
  set.meta.uid = NewUid();
  set.meta.resource_version = NextVersion();
  set.meta.labels = deployment.facts.pod.labels;
  set.meta.labels["pod-template-hash"] = hash;
  set.meta.owner_kind = "Deployment";
  set.meta.owner_name = deployment.facts.meta.name;
  set.meta.owner_uid = deployment.facts.meta.uid;
  deployment.progressed_at = now_;
  deployment.sets.push_back(std::move(set));
  return deployment.sets.back();
}

bool FakeCluster::MakePod(FakeDeployment& deployment, FakeSet& set) {
  int pods = 0;
  for (const auto& [name, one] : deployments) {
    for (const FakeSet& each : one.sets) pods += static_cast<int>(each.pods.size());
  }
  if (pod_quota && pods >= *pod_quota) return false;
  FakePod pod;
  pod.meta.name = fmt::format("{}-{:05}", set.meta.name, ++pods_made_);
  pod.meta.uid = NewUid();
  pod.meta.resource_version = NextVersion();
  pod.meta.created_at = HandClock::TextOf(now_);
  pod.meta.labels = set.meta.labels;
  pod.meta.owner_kind = "ReplicaSet";
  pod.meta.owner_name = set.meta.name;
  pod.meta.owner_uid = set.meta.uid;
  pod.created = now_;
  for (const model::PodContainer& container : deployment.facts.pod.containers) {
    pod.images[container.name] = container.image;
    if (FlawOf(container.image) != Flaw::kNone || pod.image.empty()) pod.image = container.image;
  }
  pod.grace_seconds = deployment.facts.pod.grace_seconds;
  set.pods.push_back(std::move(pod));
  deployment.progressed_at = now_;
  return true;
}

void FakeCluster::DeletePods(FakeSet& set, int count, bool only_unavailable,
                             const FakeDeployment& deployment) {
  for (FakePod& pod : set.pods) {
    if (count <= 0) return;
    if (pod.deleted || (only_unavailable && IsAvailable(pod, deployment))) continue;
    pod.deleted = now_;
    pod.meta.deleted_at = HandClock::TextOf(now_);
    pod.meta.delete_grace_seconds = pod.grace_seconds;
    pod.meta.resource_version = NextVersion();
    --count;
  }
}

void FakeCluster::Reconcile(FakeDeployment& deployment) {
  for (FakeSet& set : deployment.sets) {
    std::erase_if(set.pods, [&](const FakePod& pod) {
      return pod.deleted && now_ >= *pod.deleted + ends_after;
    });
  }
  if (now_ >= deployment.observes_at) {
    deployment.facts.observed_generation = deployment.facts.meta.generation;
    if (!deployment.facts.is_paused) Roll(deployment, NewestSet(deployment));
  }
  TakeStatus(deployment);
}

void FakeCluster::Roll(FakeDeployment& deployment, FakeSet& newest) {
  const model::Deployment& facts = deployment.facts;
  const auto alive = [](const FakeSet& set) {
    return static_cast<int>(std::count_if(set.pods.begin(), set.pods.end(),
                                          [](const FakePod& pod) { return !pod.deleted; }));
  };
  const auto available = [&](const FakeSet& set) {
    return static_cast<int>(std::count_if(
        set.pods.begin(), set.pods.end(),
        [&](const FakePod& pod) { return !pod.deleted && IsAvailable(pod, deployment); }));
  };
  const auto sum = [&](const auto& count) {
    int all = 0;
    for (const FakeSet& set : deployment.sets) all += count(set);
    return all;
  };
  std::sort(newest.pods.begin(), newest.pods.end(), Follows);
  DeletePods(newest, alive(newest) - facts.replicas, false, deployment);
  if (facts.strategy == "Recreate") {
    bool is_any_old = false;
    for (FakeSet& set : deployment.sets) {
      if (&set == &newest) continue;
      DeletePods(set, alive(set), false, deployment);
      is_any_old = is_any_old || !set.pods.empty();
    }
    while (!is_any_old && alive(newest) < facts.replicas && MakePod(deployment, newest)) {
    }
    return;
  }
  const int surge = Share(facts.max_surge, facts.replicas, true);
  int unavailable = Share(facts.max_unavailable, facts.replicas, false);
  if (surge == 0 && unavailable == 0) unavailable = 1;
  while (alive(newest) < facts.replicas && sum(alive) < facts.replicas + surge &&
         MakePod(deployment, newest)) {
  }
  const int least = facts.replicas - unavailable;
  int may_go = sum(alive) - least - (alive(newest) - available(newest));
  for (FakeSet& set : deployment.sets) {
    if (&set == &newest || may_go <= 0) continue;
    const int unwell = std::min(may_go, alive(set) - available(set));
    DeletePods(set, unwell, true, deployment);
    may_go -= std::max(0, unwell);
  }
  may_go = std::min(may_go, sum(available) - least);
  for (FakeSet& set : deployment.sets) {
    if (&set == &newest || may_go <= 0) continue;
    const int going = std::min(may_go, alive(set));
    DeletePods(set, going, false, deployment);
    may_go -= going;
  }
}

void FakeCluster::TakeStatus(FakeDeployment& deployment) {
  model::Deployment facts = deployment.facts;
  const std::string hash = Sha256(facts.template_json).substr(0, 10);
  facts.status_replicas = facts.updated_replicas = facts.ready_replicas = 0;
  facts.available_replicas = 0;
  for (const FakeSet& set : deployment.sets) {
    for (const FakePod& pod : set.pods) {
      if (pod.deleted) continue;
      ++facts.status_replicas;
      facts.updated_replicas += set.template_hash == hash ? 1 : 0;
      facts.ready_replicas += IsReady(pod) ? 1 : 0;
      facts.available_replicas += IsAvailable(pod, deployment) ? 1 : 0;
    }
  }
  facts.unavailable_replicas =
      std::max(0, std::max(facts.replicas, facts.status_replicas) - facts.available_replicas);
  if (facts.available_replicas > deployment.facts.available_replicas)
    deployment.progressed_at = now_;
  const bool is_complete = facts.updated_replicas == facts.replicas &&
                           facts.status_replicas == facts.replicas &&
                           facts.available_replicas == facts.replicas;
  const bool is_late =
      !is_complete && !facts.is_paused &&
      now_ > deployment.progressed_at + Millis(facts.progress_deadline_seconds * 1000);
  const std::string set_name = facts.meta.name + "-" + hash;
  const std::string changed = HandClock::TextOf(deployment.progressed_at);
  model::KubeCondition progress{"Progressing", "True", "ReplicaSetUpdated",
                                fmt::format("ReplicaSet \"{}\" is progressing.", set_name),
                                changed};
  if (is_complete) {
    progress.reason = "NewReplicaSetAvailable";
    progress.message = fmt::format("ReplicaSet \"{}\" has successfully progressed.", set_name);
  } else if (is_late) {
    progress.status = "False";
    progress.reason = "ProgressDeadlineExceeded";
    progress.message = fmt::format("ReplicaSet \"{}\" has timed out progressing.", set_name);
  }
  facts.conditions = {progress};
  const bool is_short = pod_quota && facts.status_replicas < facts.replicas;
  if (is_short) {
    facts.conditions.push_back(
        {"ReplicaFailure", "True", "FailedCreate",
         fmt::format("pods \"{}-x\" is forbidden: exceeded quota: pods, requested: pods=1, used: "
                     "pods={}, limited: pods={}",
                     set_name, *pod_quota, *pod_quota),
         changed});
  }
  if (facts == deployment.facts) return;
  facts.meta.resource_version = NextVersion();
  deployment.facts = std::move(facts);
}

model::Pod FakeCluster::PodFacts(const FakePod& pod) const {
  model::Pod facts;
  facts.meta = pod.meta;
  facts.images = pod.images;
  facts.grace_seconds = pod.grace_seconds;
  const Flaw flaw = FlawOf(pod.image);
  const Millis age = now_ - pod.created;
  const bool is_ready = IsReady(pod);
  const std::string created = HandClock::TextOf(pod.created);
  if (flaw == Flaw::kUnschedulable) {
    facts.phase = "Pending";
    facts.conditions = {{"PodScheduled", "False", "Unschedulable",
                         "0/2 nodes are available: 2 Insufficient cpu.", created}};
    return facts;
  }
  facts.node = "node-1";
  facts.started_at = created;
  facts.phase = flaw == Flaw::kPullFail ? "Pending" : "Running";
  facts.conditions = {{"PodScheduled", "True", "", "", created},
                      {"Ready", is_ready ? "True" : "False", is_ready ? "" : "ContainersNotReady",
                       is_ready ? "" : "containers with unready status", created}};
  for (const auto& [name, image] : pod.images) {
    model::ContainerStatus status;
    status.name = name;
    status.image = image;
    status.is_ready = is_ready;
    status.has_started = true;
    status.now.state = "running";
    status.now.started_at = created;
    status.image_id = "docker.io/" + image.substr(0, image.find(':')) + "@sha256:" + Sha256(image);
    if (image == pod.image && flaw == Flaw::kPullFail) {
      status.image_id.clear();
      status.has_started = false;
      status.now = {"waiting",
                    age < kPullFails ? "ContainerCreating" : "ImagePullBackOff",
                    fmt::format("Back-off pulling image \"{}\": not found", image),
                    0,
                    "",
                    ""};
    }
    if (image == pod.image && (flaw == Flaw::kCrash || flaw == Flaw::kOom)) {
      const model::ContainerState end{"terminated", flaw == Flaw::kOom ? "OOMKilled" : "Error",
                                      "",           flaw == Flaw::kOom ? 137 : 1,
                                      created,      created};
      status.restart_count =
          static_cast<int>(std::min<std::int64_t>(age / (2 * kCrashes), kMostRestarts));
      if (status.restart_count > 0) status.last = end;
      if (age % (2 * kCrashes) >= kCrashes) {
        status.now =
            status.restart_count == 0
                ? end
                : model::ContainerState{
                      "waiting", "CrashLoopBackOff", "back-off restarting failed container", 0, "",
                      ""};
      }
    }
    facts.containers.push_back(std::move(status));
  }
  return facts;
}

std::vector<model::KubeEvent> FakeCluster::EventsOf(const FakePod& pod) const {
  std::string reason;
  std::string message;
  switch (FlawOf(pod.image)) {
    case Flaw::kNotReady:
      reason = "Unhealthy";
      message = "Readiness probe failed: HTTP probe failed with statuscode: 500";
      break;
    case Flaw::kUnschedulable:
      reason = "FailedScheduling";
      message = "0/2 nodes are available: 2 Insufficient cpu.";
      break;
    case Flaw::kPullFail:
      reason = "Failed";
      message = fmt::format("Failed to pull image \"{}\": not found", pod.image);
      break;
    default:
      return {};
  }
  model::KubeEvent event;
  event.meta.name = pod.meta.name + ".1";
  event.meta.uid = pod.meta.uid + ".1";
  event.meta.resource_version = pod.meta.resource_version;
  event.about_kind = "Pod";
  event.about_name = pod.meta.name;
  event.about_uid = pod.meta.uid;
  event.type = "Warning";
  event.reason = reason;
  event.message = message;
  event.last_at = HandClock::TextOf(now_);
  return {event};
}

model::KubeObjects FakeCluster::Objects() const {
  model::KubeObjects objects = others;
  for (const auto& [name, deployment] : deployments) {
    objects.deployments.push_back(deployment.facts);
    for (const FakeSet& set : deployment.sets) {
      model::ReplicaSet facts;
      facts.meta = set.meta;
      facts.revision = set.revision;
      facts.template_hash = set.template_hash;
      for (const FakePod& pod : set.pods) {
        if (!pod.deleted) ++facts.status_replicas;
        if (!pod.deleted && IsReady(pod)) ++facts.ready_replicas;
        objects.pods.push_back(PodFacts(pod));
        for (model::KubeEvent& event : EventsOf(pod)) objects.events.push_back(std::move(event));
      }
      facts.replicas = facts.status_replicas;
      for (const model::KubeCondition& condition : deployment.facts.conditions) {
        if (condition.type == "ReplicaFailure" &&
            set.template_hash == Sha256(deployment.facts.template_json).substr(0, 10)) {
          facts.conditions = {condition};
        }
      }
      objects.replica_sets.push_back(std::move(facts));
    }
  }
  for (const auto& [name, set] : stateful_sets) objects.stateful_sets.push_back(set);
  for (const auto& [name, map] : config_maps) objects.config_maps.push_back(map);
  for (const auto& [name, lease] : leases) objects.leases.push_back(lease);
  const auto by_name = [](const auto& a, const auto& b) { return a.meta.name < b.meta.name; };
  std::sort(objects.replica_sets.begin(), objects.replica_sets.end(), by_name);
  std::sort(objects.pods.begin(), objects.pods.end(), by_name);
  std::sort(objects.events.begin(), objects.events.end(), by_name);
  return objects;
}

std::string FakeCluster::LogOf(const std::string& pod, bool is_previous) const {
  for (const auto& [name, deployment] : deployments) {
    for (const FakeSet& set : deployment.sets) {
      for (const FakePod& one : set.pods) {
        if (one.meta.name != pod) continue;
        return FlawOf(one.image) == Flaw::kCrash
                   ? fmt::format("panic: version {} cannot be read{}", one.image,
                                 is_previous ? " (previous)" : "")
                   : "Milvus is up";
      }
    }
  }
  return "";
}

}  // namespace mu::fakes
