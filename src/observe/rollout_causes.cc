// SPDX-License-Identifier: Apache-2.0
// Why a rollout is stuck: one table, asked from top to bottom. What kubelet, scheduler, quota and
// admission say is given on as they say it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/observe/rollout.h"

namespace mu::observe {
namespace {

using model::ContainerStatus;
using model::KubeCondition;
using model::KubeEvent;
using model::Pod;
using Events = std::span<const KubeEvent>;
using Found = std::optional<StuckCause>;

// A node that is added, a volume that is bound, a registry that recovers take some seconds; what is
// visible for longer is said to be stuck within the 5 s that a person was promised.
constexpr Millis kSettle{3'000};
constexpr Millis kGraceMargin{15'000};
constexpr int kCrashLoop = 2;  // restarts after which waiting cannot help

Found Of(std::string text, const Pod* pod = nullptr, const ContainerStatus* container = nullptr) {
  StuckCause cause;
  cause.text = Printable(text);
  if (pod != nullptr && container != nullptr) {
    cause.pod = pod->meta.name;
    cause.container = container->name;
  }
  return cause;
}

std::string Words(const std::string& reason, const std::string& message) {
  return message.empty() ? reason : fmt::format("{}: {}", reason, message);
}

// The first container of a new pod, init containers included, of which `test` is true.
Found AnyContainer(const Rollout& rollout,
                   const std::function<Found(const Pod&, const ContainerStatus&)>& test) {
  for (const Pod* pod : rollout.new_pods) {
    for (const auto* list : {&pod->init_containers, &pod->containers}) {
      for (const ContainerStatus& status : *list) {
        if (Found found = test(*pod, status)) return found;
      }
    }
  }
  return std::nullopt;
}

bool IsOneOf(const std::string& reason, std::initializer_list<std::string_view> reasons) {
  return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
}

const KubeEvent* EventOf(const Pod& pod, Events events,
                         std::initializer_list<std::string_view> reasons) {
  const KubeEvent* last = nullptr;
  for (const KubeEvent& event : events) {
    if (event.about_uid == pod.meta.uid && IsOneOf(event.reason, reasons) &&
        (last == nullptr || last->last_at <= event.last_at))
      last = &event;
  }
  return last;
}

Found ImagePull(const Rollout& rollout, Events) {
  return AnyContainer(rollout, [](const Pod& pod, const ContainerStatus& status) -> Found {
    const std::string& reason = status.now.reason;
    const bool is_sure =
        IsOneOf(reason, {"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"});
    if (!is_sure && !IsOneOf(reason, {"ErrImagePull", "RegistryUnavailable"})) return {};
    Found found = Of(fmt::format("pod {}: the image {} cannot be pulled: {}", pod.meta.name,
                                 status.image, Words(reason, status.now.message)));
    if (!is_sure) found->patience = kSettle;
    return found;
  });
}

Found OutOfMemory(const Rollout& rollout, Events) {
  return AnyContainer(rollout, [](const Pod& pod, const ContainerStatus& status) -> Found {
    if (status.now.reason != "OOMKilled" && status.last.reason != "OOMKilled") return {};
    return Of(fmt::format("pod {}: {} ran out of memory and was killed (OOMKilled), {} restarts",
                          pod.meta.name, status.name, status.restart_count));
  });
}

Found CrashLoop(const Rollout& rollout, Events) {
  return AnyContainer(rollout, [](const Pod& pod, const ContainerStatus& status) -> Found {
    const bool is_down = status.now.state == "terminated" && status.now.exit_code != 0;
    if (status.now.reason != "CrashLoopBackOff" && status.restart_count < kCrashLoop) return {};
    const model::ContainerState& end = is_down ? status.now : status.last;
    Found found =
        Of(fmt::format("pod {}: {} ends again and again: exit code {}{}, {} restarts",
                       pod.meta.name, status.name, end.exit_code,
                       end.reason.empty() ? "" : " (" + end.reason + ")", status.restart_count),
           &pod, &status);
    found->is_previous = !is_down;
    return found;
  });
}

Found CannotStart(const Rollout& rollout, Events) {
  return AnyContainer(rollout, [](const Pod& pod, const ContainerStatus& status) -> Found {
    if (!IsOneOf(status.now.reason, {"CreateContainerConfigError", "CreateContainerError",
                                     "RunContainerError", "StartError"}))
      return {};
    Found found = Of(fmt::format("pod {}: {} cannot start: {}", pod.meta.name, status.name,
                                 Words(status.now.reason, status.now.message)));
    found->patience = kSettle;
    return found;
  });
}

Found Unscheduled(const Rollout& rollout, Events events, bool wants_claim) {
  for (const Pod* pod : rollout.new_pods) {
    const KubeCondition* scheduled = model::FindCondition(pod->conditions, "PodScheduled");
    if (scheduled == nullptr || scheduled->status != "False") continue;
    const bool is_claim =
        ToLower(scheduled->message).find("persistentvolumeclaim") != std::string::npos;
    if (is_claim != wants_claim) continue;
    Found found = Of(fmt::format("pod {}: {}: {}", pod->meta.name,
                                 is_claim ? "its volume is not there" : "no node takes it",
                                 Words(scheduled->reason, scheduled->message)));
    found->patience = kSettle;
    found->is_final = EventOf(*pod, events, {"TriggeredScaleUp"}) == nullptr;
    return found;
  }
  return {};
}
Found VolumePending(const Rollout& rollout, Events events) {
  return Unscheduled(rollout, events, true);
}
Found Unschedulable(const Rollout& rollout, Events events) {
  return Unscheduled(rollout, events, false);
}

// No pod could be made at all.
Found Refused(const Rollout& rollout, std::initializer_list<std::string_view> words,
              std::string_view who) {
  const KubeCondition* failure =
      model::FindCondition(rollout.deployment->conditions, "ReplicaFailure");
  if (failure == nullptr || failure->status != "True") return {};
  const std::string message = ToLower(failure->message);
  const bool has_word = std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return message.find(word) != std::string::npos;
  });
  if (!has_word && words.size() > 0) return {};
  Found found = Of(fmt::format("{} no new pod: {}", who, Words(failure->reason, failure->message)));
  found->patience = kSettle;  // a condition of the rollout before may stand for a moment
  return found;
}
Found Quota(const Rollout& rollout, Events) {
  return Refused(rollout, {"exceeded quota", "forbidden: maximum", "forbidden: minimum"},
                 "a quota allows");
}
Found Admission(const Rollout& rollout, Events) {
  return Refused(rollout,
                 {"denied the request", "admission webhook", "validatingadmissionpolicy",
                  "violates podsecurity"},
                 "the cluster's admission allows");
}
Found CannotCreate(const Rollout& rollout, Events) {
  return Refused(rollout, {}, "the controller can make");
}

Found VolumeMount(const Rollout& rollout, Events events) {
  for (const Pod* pod : rollout.new_pods) {
    if (pod->IsReady()) continue;
    const KubeEvent* event = EventOf(*pod, events, {"FailedMount", "FailedAttachVolume"});
    if (event == nullptr) continue;
    Found found = Of(fmt::format("pod {}: a volume cannot be mounted: {}", pod->meta.name,
                                 Words(event->reason, event->message)));
    found->is_final = event->count > 2;
    return found;
  }
  return {};
}

// The node's controller marks the pods not ready, without a reason in them, and tells of it in an
// event; minutes later it deletes them.
Found NodeLost(const Rollout& rollout, Events events) {
  for (const auto* pods : {&rollout.new_pods, &rollout.old_pods}) {
    for (const Pod* pod : *pods) {
      const KubeCondition* ready = model::FindCondition(pod->conditions, "Ready");
      const KubeCondition* target = model::FindCondition(pod->conditions, "DisruptionTarget");
      const bool is_deleted = target != nullptr && target->status == "True" &&
                              target->reason == "DeletionByTaintManager";
      const bool is_told = ready != nullptr && ready->status != "True" &&
                           EventOf(*pod, events, {"NodeNotReady"}) != nullptr;
      const bool is_lost = pod->phase == "Unknown" || is_deleted || is_told;
      if (!is_lost) continue;
      Found found = Of(
          fmt::format("pod {}: its node {} does not report any more", pod->meta.name, pod->node));
      found->patience = kSettle;
      return found;
    }
  }
  return {};
}

Found Evicted(const Rollout& rollout, Events) {
  for (const Pod* pod : rollout.new_pods) {
    if (pod->phase != "Failed" || pod->reason.empty()) continue;
    Found found = Of(fmt::format("pod {}: {}", pod->meta.name, Words(pod->reason, pod->message)));
    found->patience = kSettle;
    return found;
  }
  return {};
}

Found Terminating(const Rollout& rollout, Events) {
  for (const Pod* pod : rollout.old_pods) {
    if (!pod->IsTerminating()) continue;
    const int grace = pod->meta.delete_grace_seconds.value_or(pod->grace_seconds);
    Found found = Of(fmt::format(
        "old pod {} on {} is terminating since {} (grace period {} s) and "
        "does not go",
        pod->meta.name, pod->node.empty() ? "no node" : pod->node, pod->meta.deleted_at, grace));
    found->patience = std::chrono::seconds(grace) + kGraceMargin;
    return found;
  }
  return {};
}

Found Paused(const Rollout& rollout, Events) {
  if (!rollout.deployment->is_paused) return {};
  return Of("the Deployment is paused: its controller does nothing");
}

Found Probe(const Rollout& rollout, Events events) {
  for (const Pod* pod : rollout.new_pods) {
    if (pod->IsReady()) continue;
    const KubeEvent* event = EventOf(*pod, events, {"Unhealthy", "ProbeWarning"});
    if (event == nullptr) continue;
    Found found = Of(fmt::format("pod {}: its probe fails: {}", pod->meta.name, event->message));
    found->is_final = false;  // every start begins so
    return found;
  }
  return {};
}

Found Deadline(const Rollout& rollout, Events events) {
  const KubeCondition* progress =
      model::FindCondition(rollout.deployment->conditions, "Progressing");
  if (progress == nullptr || progress->reason != "ProgressDeadlineExceeded" || !rollout.is_seen)
    return {};
  const Found probe = Probe(rollout, events);
  Found found = Of(fmt::format("{}{}", Words(progress->reason, progress->message),
                               probe ? "; " + probe->text : ""));
  found->patience = kSettle;
  for (const Pod* pod : rollout.new_pods) {
    if (pod->IsReady() || pod->containers.empty()) continue;
    found->pod = pod->meta.name;
    found->container = pod->containers.front().name;
  }
  return found;
}

struct Row {
  StuckRow row;
  Found (*find)(const Rollout&, Events);
};
constexpr Row kRows[] = {
    {{"paused", "spec.paused", "kubectl rollout resume"}, Paused},
    {{"image-pull", "container waiting: ErrImagePull, ImagePullBackOff",
      "correct the image, or the pull secret"},
     ImagePull},
    {{"out-of-memory", "container terminated: OOMKilled", "raise its memory limit"}, OutOfMemory},
    {{"crash-loop", "container waiting: CrashLoopBackOff, or restarted twice",
      "read the log's last lines in the message"},
     CrashLoop},
    {{"cannot-start", "container waiting: CreateContainerConfigError, RunContainerError",
      "correct what the message names"},
     CannotStart},
    {{"volume-pending", "condition PodScheduled: an unbound PersistentVolumeClaim",
      "bind it, or free it"},
     VolumePending},
    {{"unschedulable", "condition PodScheduled: Unschedulable",
      "make room for one more pod, or roll with less surge"},
     Unschedulable},
    {{"quota", "condition ReplicaFailure: exceeded quota", "raise the quota by one pod"}, Quota},
    {{"admission", "condition ReplicaFailure: denied by a webhook or policy",
      "satisfy what the message names"},
     Admission},
    {{"cannot-create", "condition ReplicaFailure", "correct what the message names"}, CannotCreate},
    {{"volume-mount", "event FailedMount, FailedAttachVolume", "free the volume"}, VolumeMount},
    {{"node-lost", "event NodeNotReady, condition DisruptionTarget: DeletionByTaintManager",
      "bring the node back, or remove it"},
     NodeLost},
    {{"evicted", "pod phase Failed", "see why in the message"}, Evicted},
    {{"terminating", "an old pod past its grace period", "see what holds it: kubectl describe pod"},
     Terminating},
    {{"deadline", "condition Progressing: ProgressDeadlineExceeded",
      "see why its pods do not become ready"},
     Deadline},
    {{"probe", "event Unhealthy", "wait, or see its log"}, Probe},
};

constexpr auto kStuckRows = [] {
  std::array<StuckRow, std::size(kRows)> rows{};
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = kRows[i].row;
  return rows;
}();

}  // namespace

std::span<const StuckRow> StuckTable() { return kStuckRows; }

std::optional<StuckCause> CauseOf(const Rollout& rollout, Events events) {
  if (rollout.deployment == nullptr) return std::nullopt;
  for (const Row& row : kRows) {
    Found found = row.find(rollout, events);
    if (!found) continue;
    found->id = row.row.id;
    return found;
  }
  return std::nullopt;
}

}  // namespace mu::observe
