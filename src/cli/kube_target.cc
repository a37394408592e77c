// SPDX-License-Identifier: Apache-2.0
#include "cli/kube_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/lease_lock.h"
#include "cli/run_copy.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/observe/rollout.h"
#include "milvus_upgrade/plan/plan_compose.h"
#include "milvus_upgrade/plan/plan_rolling.h"
#include "milvus_upgrade/run/standing.h"

namespace mu::cli {
namespace {

using model::KubeKind;

// The patches of the plan whose step was entered.
std::vector<const plan::PatchDeployment*> Entered(const plan::Plan& plan,
                                                  const std::vector<run::Record>& records) {
  std::vector<const plan::PatchDeployment*> entered;
  for (const plan::Step& step : plan.steps) {
    const auto* patch = std::get_if<plan::PatchDeployment>(&step.args);
    if (patch != nullptr &&
        run::StateOf(records, "forward", step.id).last != run::StepState::Last::kNone)
      entered.push_back(patch);
  }
  return entered;
}

// The Deployments of which a pod has really run the new image.
Result<std::vector<std::string>> StartedDeployments(ports::Kube& kube, const plan::Plan& plan,
                                                    const std::vector<run::Record>& records) {
  std::set<std::string> started;
  // A pod that ran and is gone is in the journal.
  for (const run::Record& record : records) {
    if (record.event != "first-start" || record.phase == "rollback") continue;
    for (const auto& [deployment, pod] : record.evidence) started.insert(deployment);
  }
  const auto entered = Entered(plan, records);
  if (!entered.empty()) {
    MU_TRY(const model::KubeObjects objects,
           kube.List({KubeKind::kDeployment, KubeKind::kPod}, entered.front()->selector));
    for (const plan::PatchDeployment* patch : entered) {
      const model::Deployment* deployment = objects.FindDeployment(patch->deployment);
      if (deployment == nullptr) continue;
      for (const model::Pod& pod : objects.pods) {
        if (observe::HasRun(pod, patch->container, patch->image) &&
            model::Matches(deployment->selector, pod.meta.labels))
          started.insert(patch->deployment);
      }
    }
  }
  return std::vector<std::string>(started.begin(), started.end());
}

class KubeTarget : public RunTarget {
 public:
  KubeTarget(Wiring& wiring, const plan::Plan& plan)
      : wiring_(wiring),
        plan_(plan),
        kube_(wiring.Kube(plan.kube)),
        lock_(kube_, wiring.RenewingKube(), wiring.Clock(), plan.instance),
        copy_(kube_, plan.instance),
        way_back_(kube_) {}

  Status Take(const LockHolder& holder) override {
    MU_CHECK(lock_.Take(holder));
    lock_.KeepRenewing();
    holder_ = holder;
    return {};
  }

  // Before the first change the run is copied, and again once it goes back: what is cut from then
  // on can be gone on with elsewhere.
  Status BeforeChange(const plan::Step& step) override {
    MU_CHECK(lock_.Check());
    const bool is_back = step.id.starts_with(plan::kUndoPrefix);
    const bool changes = step.undo != plan::Undo::kNone || is_back;
    if (!changes || copied_ == (is_back ? Copied::kWithWayBack : Copied::kForward)) return {};
    MU_TRY(const CopiedRun copy, CopyOf(wiring_.Files(), holder_, plan_));
    MU_CHECK(copy_.Save(copy));
    copied_ = is_back ? Copied::kWithWayBack : Copied::kForward;
    return {};
  }

  Status Release(const std::string& run) override {
    MU_CHECK(copy_.Remove(run));
    return lock_.Release(run);
  }
  Status CheckFree() override { return lock_.CheckFree(); }
  Result<std::optional<LockHolder>> Holder() override { return lock_.Holder(); }
  std::string LockName() const override { return "the Lease " + lock_.Name(); }

  // The gates measure, from the pods.
  Status StartProbes(run::Journal&, bool) override { return {}; }
  Status EndProbes(run::Journal&) override { return {}; }

  Result<plan::Plan> PlanBack(const run::BackRequest& request) override {
    return way_back_.PlanBack(request);
  }

  std::vector<ui::ObservedLine> Look() override {
    std::vector<ui::ObservedLine> lines;
    std::vector<const plan::PatchDeployment*> patches;
    for (const plan::Step& step : plan_.steps) {
      if (const auto* patch = std::get_if<plan::PatchDeployment>(&step.args))
        patches.push_back(patch);
    }
    if (patches.empty()) return lines;
    const auto objects = kube_.List({KubeKind::kDeployment, KubeKind::kReplicaSet, KubeKind::kPod},
                                    patches.front()->selector);
    if (!objects) return {{plan_.instance, "not known: " + objects.error().message}};
    for (const plan::PatchDeployment* patch : patches)
      lines.push_back({patch->deployment, StateOf(*objects, *patch)});
    if (const auto holder = lock_.Holder(); holder && *holder)
      lines.push_back({"lock", fmt::format("run {} of host {}, by {}", (*holder)->run,
                                           (*holder)->host, LockName())});
    return lines;
  }

 private:
  enum class Copied { kNot, kForward, kWithWayBack };

  static std::string StateOf(const model::KubeObjects& objects,
                             const plan::PatchDeployment& patch) {
    const observe::Rollout rollout = observe::RolloutOf(objects, patch.deployment);
    if (rollout.deployment == nullptr) return "does not exist";
    const model::PodContainer* container = rollout.deployment->pod.Find(patch.container);
    const std::string image = container == nullptr ? "no " + patch.container : container->image;
    const std::string missing =
        observe::MissingOf(rollout, patch.container, image, /*waits_for_gone=*/false);
    const auto cause = observe::CauseOf(rollout, {});
    return fmt::format("{}, {}{}", image, missing.empty() ? "ready" : missing,
                       missing.empty() || !cause ? "" : fmt::format(" ({})", cause->text));
  }

  Wiring& wiring_;
  const plan::Plan& plan_;
  ports::Kube& kube_;
  LeaseLock lock_;
  RunCopy copy_;
  KubeWayBack way_back_;
  LockHolder holder_;
  Copied copied_ = Copied::kNot;
};

// Of these step ids those of the components that are to go back.
std::vector<std::string> Only(const std::vector<std::string>& ids,
                              const std::vector<std::string>& only) {
  if (only.empty()) return ids;
  std::vector<std::string> kept;
  for (const std::string& component : only) {
    const std::string id = plan::kRollPrefix + component;
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) kept.push_back(id);
  }
  return kept;
}

}  // namespace

Result<plan::Plan> KubeWayBack::PlanBack(const run::BackRequest& request) {
  if (request.from_snapshot)
    return Fail(ErrorCode::kUsage, "a rolling run makes no snapshot of etcd",
                "run `milvus-upgrade rollback` without --from-snapshot");
  MU_TRY(const auto started, StartedDeployments(kube_, request.plan, request.records));
  const run::Standing standing = run::StandingOf(request.plan, request.records);
  const std::vector<std::string> done = Only(standing.done, request.only);
  const std::vector<std::string> touched = Only(standing.touched, request.only);
  if (!request.only.empty() && done.size() + touched.size() < request.only.size())
    return Fail(ErrorCode::kUsage,
                fmt::format("not all of {} were rolled by this run", Join(request.only, ", ")),
                "`milvus-upgrade status` tells which were");
  plan::RollbackInput input{request.plan, done,
                            touched,      started,
                            request.run,  request.is_asked_for,
                            false,        request.accepts_data_loss};
  auto back = plan::PlanRollback(input);
  if (back || back.error().code != ErrorCode::kIrreversible) return back;
  Error error = std::move(back).error();
  error.hint =
      "read the pods' logs (kubectl logs), mend the cause and run `milvus-upgrade resume`; "
      "`milvus-upgrade rollback --accept-data-loss` puts the old templates back all the same";
  return Fail(std::move(error));
}

std::unique_ptr<RunTarget> MakeKubeTarget(Wiring& wiring, const plan::Plan& plan) {
  return std::make_unique<KubeTarget>(wiring, plan);
}

}  // namespace mu::cli
