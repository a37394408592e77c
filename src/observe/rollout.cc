// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/observe/rollout.h"

#include <fmt/format.h>

#include <algorithm>

#include "milvus_upgrade/base/text.h"

namespace mu::observe {
namespace {

using model::Deployment;
using model::Pod;

constexpr char kRevision[] = "deployment.kubernetes.io/revision";

std::string Count(std::string_view what, int have, int want) {
  return fmt::format("{} of {} {}", have, want, what);
}

}  // namespace

int Rollout::Restarts() const {
  int restarts = 0;
  for (const Pod* pod : new_pods) {
    for (const model::ContainerStatus& status : pod->containers) restarts += status.restart_count;
  }
  return restarts;
}

bool Rollout::HasReadyPod() const {
  const auto is_ready = [](const Pod* pod) { return pod->IsReady() && !pod->IsTerminating(); };
  return std::any_of(new_pods.begin(), new_pods.end(), is_ready) ||
         std::any_of(old_pods.begin(), old_pods.end(), is_ready);
}

Rollout RolloutOf(const model::KubeObjects& objects, const std::string& deployment) {
  Rollout rollout;
  rollout.deployment = objects.FindDeployment(deployment);
  if (rollout.deployment == nullptr) return rollout;
  const Deployment& found = *rollout.deployment;
  const std::vector<const model::ReplicaSet*> sets = objects.ReplicaSetsOf(found);
  const model::ReplicaSet* newest = sets.empty() ? nullptr : sets.front();
  // Kinds are watched each for itself: a Deployment can be told before its new ReplicaSet.
  rollout.is_seen = newest != nullptr && found.observed_generation >= found.meta.generation &&
                    found.meta.Annotation(kRevision) == std::to_string(newest->revision);
  for (const Pod& pod : objects.pods) {
    // By label, not by owner: a ReplicaSet may be gone before its last pod is.
    if (!model::Matches(found.selector, pod.meta.labels)) continue;
    const bool is_new = rollout.is_seen && pod.TemplateHash() == newest->template_hash;
    (is_new ? rollout.new_pods : rollout.old_pods).push_back(&pod);
  }
  return rollout;
}

bool HasRun(const model::Pod& pod, const std::string& container, const std::string& image) {
  const auto used = pod.images.find(container);
  const model::ContainerStatus* status = pod.Find(container);
  return used != pod.images.end() && used->second == image && status != nullptr &&
         (!status->now.started_at.empty() || !status->last.started_at.empty());
}

std::string MissingOf(const Rollout& rollout, const std::string& container,
                      const std::string& image, bool waits_for_gone) {
  if (rollout.deployment == nullptr) return "the Deployment is not there";
  if (!rollout.is_seen) return "the controller has not taken it up yet";
  const Deployment& found = *rollout.deployment;
  const int want = found.replicas;
  int running = 0;
  int ready = 0;
  for (const Pod* pod : rollout.new_pods) {
    if (pod->IsTerminating()) continue;
    const auto wanted = pod->images.find(container);
    const model::ContainerStatus* status = pod->Find(container);
    const bool has_image = wanted != pod->images.end() && wanted->second == image;
    if (!has_image || status == nullptr || status->image_id.empty()) continue;
    ++running;
    if (pod->IsReady()) ++ready;
  }
  if (running != want || found.updated_replicas != want)
    return Count("updated", std::min(running, found.updated_replicas), want);
  if (ready != want || found.ready_replicas < want)
    return Count("ready", std::min(ready, found.ready_replicas), want);
  if (found.available_replicas < want) return Count("available", found.available_replicas, want);
  const auto terminating = std::count_if(rollout.old_pods.begin(), rollout.old_pods.end(),
                                         [](const Pod* pod) { return pod->IsTerminating(); });
  const auto old = static_cast<std::ptrdiff_t>(rollout.old_pods.size());
  if (old > terminating || found.status_replicas != want)
    return fmt::format("{} old pods left", std::max<std::ptrdiff_t>(old - terminating, 1));
  if (waits_for_gone && terminating > 0) return fmt::format("{} old pods terminating", terminating);
  return {};
}

}  // namespace mu::observe
