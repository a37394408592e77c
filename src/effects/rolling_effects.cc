// SPDX-License-Identifier: Apache-2.0
// What the steps of a rolling plan do. All of them read one view that the API keeps fresh, so that
// looking costs no request; a patch goes out on the resource version that was looked at.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>

#include "effects/kept_release.h"
#include "effects/parts.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/observe/log_tail.h"
#include "milvus_upgrade/observe/rollout.h"
#include "milvus_upgrade/plan/plan.h"
#include "milvus_upgrade/plan/plan_rolling.h"
#include "milvus_upgrade/run/wait.h"

namespace mu::effects {
namespace {

using model::Deployment;
using model::KubeKind;
using ports::DryRun;

constexpr Millis kLook{50};
// Those of a namespace are followed once a rollout takes longer; also the pause after a failure.
constexpr Millis kEventsAfter{4'800};
constexpr int kConflicts = 20;  // a status may move between our look and our patch, again and again

// The release as the API tells it, shared by all steps of a run.
class Watched {
 public:
  Watched(ports::Kube& kube, ports::Clock& clock) : kube_(kube), clock_(clock) {}

  Result<const model::KubeObjects*> Now(const std::string& selector) {
    if (view_ == nullptr || selector != selector_) {
      view_ =
          kube_.Follow({KubeKind::kDeployment, KubeKind::kReplicaSet, KubeKind::kPod}, selector);
      selector_ = selector;
    }
    return view_->Now();
  }

  // Errors: kKubeGone also when another Deployment has its name now.
  Result<Deployment> Find(const std::string& selector, const std::string& name,
                          const std::string& uid) {
    MU_TRY(const model::KubeObjects* const objects, Now(selector));
    const Deployment* found = objects->FindDeployment(name);
    if (found == nullptr)
      return Fail(ErrorCode::kKubeGone, fmt::format("the Deployment {} is gone", name));
    if (found->meta.uid != uid)
      return Fail(
          ErrorCode::kKubeGone,
          fmt::format("the Deployment {} is another one than the plan was made from (uid {} "
                      "instead of {})",
                      name, found->meta.uid, uid));
    return *found;
  }

  // `make` says what to patch, having looked at the Deployment as it is now. A conflict is looked
  // at again: it is someone's change only when `make` says so.
  template <class Make>
  Result<Deployment> Patch(const std::string& selector, const std::string& name,
                           const std::string& uid, DryRun dry_run, const Make& make) {
    for (int tries = 1;; ++tries) {
      MU_TRY(const Deployment now, Find(selector, name, uid));
      MU_TRY(ports::DeploymentPatch patch, make(now));
      patch.name = name;
      patch.uid = uid;
      patch.resource_version = now.meta.resource_version;
      auto patched = kube_.Patch(patch, dry_run);
      if (patched || patched.error().code != ErrorCode::kKubeConflict || tries == kConflicts)
        return patched;
      clock_.Sleep(kLook);
    }
  }

 private:
  ports::Kube& kube_;
  ports::Clock& clock_;
  std::unique_ptr<ports::KubeView> view_;
  std::string selector_;
};

std::string ImageOf(const Deployment& deployment, const std::string& container) {
  const model::PodContainer* found = deployment.pod.Find(container);
  return found == nullptr ? std::string() : found->image;
}

Result<Deployment> PatchPlanned(Watched& watched, const plan::PatchDeployment& args,
                                DryRun dry_run) {
  const auto make = [&](const Deployment& now) -> Result<ports::DeploymentPatch> {
    if (now.TemplateHash() != args.template_hash)
      return Fail(dry_run == DryRun::kYes ? ErrorCode::kStalePlan : ErrorCode::kDrift,
                  fmt::format("the Deployment {} was changed by someone since the plan was made "
                              "(its template has another hash, its image is {})",
                              args.deployment, ImageOf(now, args.container)));
    ports::DeploymentPatch patch;
    patch.images[args.container] = args.image;
    patch.labels[kVersionLabel] = args.version;
    if (!args.strategy.empty()) patch.strategy_json = args.strategy;
    return patch;
  };
  return watched.Patch(args.selector, args.deployment, args.uid, dry_run, make);
}

class KeepEffect : public run::Effect {
 public:
  KeepEffect(std::shared_ptr<Watched> watched, ports::Files& files)
      : watched_(std::move(watched)), files_(files) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step,
                                            run::StepScope& scope) override {
    const auto& args = std::get<plan::KeepRelease>(step.args);
    const std::string path = scope.RunFolder() + "/" + args.file;
    MU_TRY(const auto facts, files_.Stat(path));
    if (!facts) return std::nullopt;
    MU_TRY(const std::string text, files_.Read(path));
    const auto kept = ParseKept(text);
    if (!kept || kept->size() != args.deployments.size()) return std::nullopt;
    return run::Evidence{{"file", args.file}, {"sha256", Sha256(text)}};
  }

  Status Act(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::KeepRelease>(step.args);
    KeptRelease kept;
    for (const auto& wanted : args.deployments) {
      MU_TRY(const Deployment now, watched_->Find(args.selector, wanted.deployment, wanted.uid));
      std::optional<KeptDeployment> one = Keep(now);
      if (now.TemplateHash() != wanted.template_hash) {
        MU_TRY(one, KeptBefore(wanted, args.file, scope.RunFolder()));
      }
      if (!one || Sha256(one->strategy_json) != wanted.strategy_hash)
        return Fail(ErrorCode::kStalePlan,
                    fmt::format("the Deployment {} was changed by someone since the plan was made",
                                wanted.deployment));
      kept[wanted.deployment] = *std::move(one);
    }
    return files_.Replace(scope.RunFolder() + "/" + args.file, FormatKept(kept), 0600);
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override {
    MU_TRY(auto seen, Seen(step, scope));
    if (seen) return *std::move(seen);
    return Fail(ErrorCode::kBackupBad,
                "the file with the Deployments as they are does not read "
                "back");
  }

 private:
  // Of a Deployment that a run which was given up has left in its middle: as that one kept it, in
  // its folder beside this one's.
  Result<std::optional<KeptDeployment>> KeptBefore(const plan::KeepRelease::Kept& wanted,
                                                   const std::string& file,
                                                   const std::string& run_folder) {
    const std::string runs = run_folder.substr(0, run_folder.rfind('/'));
    MU_TRY(const std::vector<std::string> names, files_.List(runs));
    for (const std::string& name : names) {
      const std::string path = runs + "/" + name + "/" + file;
      MU_TRY(const auto facts, files_.Stat(path));
      if (!facts) continue;
      MU_TRY(const std::string text, files_.Read(path));
      const auto kept = ParseKept(text);
      if (!kept) continue;
      const auto it = kept->find(wanted.deployment);
      if (it != kept->end() && it->second.uid == wanted.uid &&
          it->second.TemplateHash() == wanted.template_hash &&
          Sha256(it->second.strategy_json) == wanted.strategy_hash)
        return it->second;
    }
    return std::nullopt;
  }

  std::shared_ptr<Watched> watched_;
  ports::Files& files_;
};

class ConfigEffect : public run::Effect {
 public:
  explicit ConfigEffect(ports::Kube& kube) : kube_(kube) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step, run::StepScope&) override {
    const auto& args = std::get<plan::EditConfigMap>(step.args);
    MU_TRY(now_, Read(kube_, args));
    if (HashOf(args) != args.sha256_after) return std::nullopt;
    return EvidenceOf(args);
  }

  Status Act(const plan::Step& step, run::StepScope&) override {
    const auto& args = std::get<plan::EditConfigMap>(step.args);
    MU_TRY(now_, Edit(kube_, now_, args, DryRun::kNo));
    return {};
  }

  // By the server's answer to the patch: what it stored.
  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope&) override {
    const auto& args = std::get<plan::EditConfigMap>(step.args);
    if (HashOf(args) == args.sha256_after) return EvidenceOf(args);
    return Fail(ErrorCode::kKubeConflict,
                fmt::format("{} of the ConfigMap {} was written, but the server has another text",
                            args.key, args.config_map));
  }

  static Result<model::ConfigMap> Read(ports::Kube& kube, const plan::EditConfigMap& args) {
    MU_TRY(const auto found, kube.GetConfigMap(args.config_map));
    if (!found || found->meta.uid != args.uid)
      return Fail(ErrorCode::kKubeGone,
                  fmt::format("the ConfigMap {} is {}", args.config_map,
                              found ? "another one than the plan was made from" : "gone"));
    return *found;
  }

  static Result<model::ConfigMap> Edit(ports::Kube& kube, const model::ConfigMap& now,
                                       const plan::EditConfigMap& args, DryRun dry_run) {
    const auto key = now.data.find(args.key);
    MU_TRY(std::string text,
           plan::ApplySplices(key == now.data.end() ? std::string_view() : key->second, args));
    return kube.Patch(
        ports::ConfigMapPatch{
            args.config_map, args.uid, now.meta.resource_version, {{args.key, std::move(text)}}},
        dry_run);
  }

 private:
  std::string HashOf(const plan::EditConfigMap& args) const {
    const auto key = now_.data.find(args.key);
    return Sha256(key == now_.data.end() ? std::string_view() : key->second);
  }
  run::Evidence EvidenceOf(const plan::EditConfigMap& args) const {
    return {{"config_map", args.config_map},
            {"key", args.key},
            {"sha256", args.sha256_after},
            {"resource_version", now_.meta.resource_version}};
  }

  ports::Kube& kube_;
  model::ConfigMap now_;  // as last read; the patch goes out on its resource version
};

class TryGate : public Gate {
 public:
  TryGate(ports::Kube& kube, std::shared_ptr<Watched> watched)
      : kube_(kube), watched_(std::move(watched)) {}

 private:
  Result<run::Evidence> Wait(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::TryPatches>(step.args);
    int accepted = 0;
    const auto judge = [&](const std::string& name, const Status& tried) -> Status {
      if (tried) {
        ++accepted;
        return {};
      }
      // It has side effects, says its owner: that is no refusal of the change itself.
      if (tried.error().code == ErrorCode::kKubeNoDryRun)
        return scope.Event("no-dry-run", {{name, tried.error().message}});
      return Fail(Error(tried.error()).WithContext("trying the change of " + name));
    };
    for (const plan::EditConfigMap& edit : args.config_maps) {
      MU_TRY(const model::ConfigMap now, ConfigEffect::Read(kube_, edit));
      const auto tried = ConfigEffect::Edit(kube_, now, edit, DryRun::kYes);
      MU_CHECK(judge(edit.config_map, tried ? Status() : Status(Fail(tried.error()))));
    }
    for (const plan::PatchDeployment& patch : args.deployments) {
      const auto tried = PatchPlanned(*watched_, patch, DryRun::kYes);
      MU_CHECK(judge(patch.deployment, tried ? Status() : Status(Fail(tried.error()))));
    }
    return run::Evidence{{"accepted", std::to_string(accepted)}};
  }

  ports::Kube& kube_;
  std::shared_ptr<Watched> watched_;
};

class PatchEffect : public run::Effect {
 public:
  explicit PatchEffect(std::shared_ptr<Watched> watched) : watched_(std::move(watched)) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step, run::StepScope&) override {
    const auto& args = std::get<plan::PatchDeployment>(step.args);
    MU_TRY(now_, watched_->Find(args.selector, args.deployment, args.uid));
    if (ImageOf(now_, args.container) != args.image) return std::nullopt;
    return EvidenceOf(args);
  }

  Status Act(const plan::Step& step, run::StepScope&) override {
    MU_TRY(now_, PatchPlanned(*watched_, std::get<plan::PatchDeployment>(step.args), DryRun::kNo));
    return {};
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope&) override {
    const auto& args = std::get<plan::PatchDeployment>(step.args);
    if (ImageOf(now_, args.container) == args.image) return EvidenceOf(args);
    return Fail(ErrorCode::kKubeConflict,
                fmt::format("{} was patched, and the server made {} of its image", args.deployment,
                            ImageOf(now_, args.container)),
                "an admission webhook rewrites images: name the image with -w as it writes it");
  }

 private:
  run::Evidence EvidenceOf(const plan::PatchDeployment& args) const {
    return {{"image", args.image},
            {plan::kTemplateHash, now_.TemplateHash()},
            {"generation", std::to_string(now_.meta.generation)},
            {"resource_version", now_.meta.resource_version}};
  }

  std::shared_ptr<Watched> watched_;
  Deployment now_;
};

class RestoreEffect : public run::Effect {
 public:
  RestoreEffect(std::shared_ptr<Watched> watched, ports::Files& files)
      : watched_(std::move(watched)), files_(files) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step,
                                            run::StepScope& scope) override {
    const auto& args = std::get<plan::RestoreDeployment>(step.args);
    MU_TRY(kept_, KeptOf(args, scope));
    MU_TRY(now_, watched_->Find(args.selector, args.deployment, args.uid));
    return IsSo(args) ? std::optional(EvidenceOf(args)) : std::nullopt;
  }

  Status Act(const plan::Step& step, run::StepScope&) override {
    const auto& args = std::get<plan::RestoreDeployment>(step.args);
    const auto make = [&](const Deployment&) -> Result<ports::DeploymentPatch> {
      ports::DeploymentPatch patch;
      if (args.is_strategy_only) {
        patch.strategy_json = kept_.strategy_json;
      } else {
        if (kept_.template_json.empty()) {
          patch.images[kept_.container] = kept_.image;
        } else {
          patch.template_json = kept_.template_json;
        }
        patch.labels[kVersionLabel] = kept_.version;
        if (!args.strategy.empty()) patch.strategy_json = args.strategy;
      }
      return patch;
    };
    MU_TRY(now_, watched_->Patch(args.selector, args.deployment, args.uid, DryRun::kNo, make));
    return {};
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope&) override {
    const auto& args = std::get<plan::RestoreDeployment>(step.args);
    if (IsSo(args)) return EvidenceOf(args);
    return Fail(ErrorCode::kKubeConflict,
                fmt::format("{} was put back, and the server has something else", args.deployment),
                kept_.template_json.empty()
                    ? "someone has changed more of its template than the image: the exact old one "
                      "is in the run folder of the machine that began the run"
                    : "an admission webhook or someone else changes it");
  }

 private:
  Result<KeptDeployment> KeptOf(const plan::RestoreDeployment& args, run::StepScope& scope) {
    MU_TRY(const std::string text, files_.Read(scope.RunFolder() + "/" + args.file));
    MU_TRY(const KeptRelease kept, ParseKept(text));
    const auto it = kept.find(args.deployment);
    if (it == kept.end() || it->second.uid != args.uid)
      return Fail(ErrorCode::kBackupBad,
                  fmt::format("{} does not hold the Deployment {}", args.file, args.deployment));
    return it->second;
  }
  bool IsSo(const plan::RestoreDeployment& args) const {
    if (args.is_strategy_only) return now_.strategy_json == kept_.strategy_json;
    return now_.TemplateHash() == kept_.TemplateHash();
  }
  run::Evidence EvidenceOf(const plan::RestoreDeployment& args) const {
    return {{args.is_strategy_only ? "strategy_hash" : plan::kTemplateHash,
             args.is_strategy_only ? now_.StrategyHash() : now_.TemplateHash()},
            {"generation", std::to_string(now_.meta.generation)}};
  }

  std::shared_ptr<Watched> watched_;
  ports::Files& files_;
  KeptDeployment kept_;
  Deployment now_;
};

// One Deployment while its rollout is waited for.
struct Waited {
  const plan::WaitRollout::Wanted* wanted = nullptr;
  Millis gap{0};  // time without a ready pod
  std::optional<Millis> no_pod_since;
  std::optional<Millis> whole_since;  // all is as wanted, and nothing has restarted
  std::vector<std::string> pods;      // of that state
  int restarts = 0;
  std::string cause;  // what is in the way now, since when, and how it was told then
  Millis cause_since{0};
  std::string first_words;
  bool has_told_start = false;
};

class RolloutGate : public Gate {
 public:
  RolloutGate(ports::Kube& kube, std::shared_ptr<Watched> watched, ports::Clock& clock)
      : kube_(kube), watched_(std::move(watched)), clock_(clock) {}

 private:
  Result<run::Evidence> Wait(const plan::Step& step, run::StepScope& scope) override {
    const auto& args = std::get<plan::WaitRollout>(step.args);
    std::vector<Waited> all;
    for (const auto& wanted : args.deployments) all.emplace_back().wanted = &wanted;
    events_from_ = clock_.Monotonic() + kEventsAfter;
    const auto look = [&]() -> Result<run::Observation> {
      MU_TRY(const model::KubeObjects* const objects, watched_->Now(args.selector));
      std::vector<std::string> waiting;
      for (Waited& one : all) {
        MU_TRY(const std::string missing, Look(*objects, args, one, scope));
        if (!missing.empty())
          waiting.push_back(all.size() == 1 ? missing : one.wanted->deployment + ": " + missing);
      }
      return run::Observation{waiting.empty(), Join(waiting, ", ")};
    };
    MU_TRY(const std::string last,
           run::WaitFor("the rollout", step.timeout, kLook, clock_, scope, look));
    MU_TRY(const model::KubeObjects* const objects, watched_->Now(args.selector));
    run::Evidence evidence;
    for (const Waited& one : all) {
      const std::string prefix = all.size() == 1 ? "" : one.wanted->deployment + ".";
      Tell(observe::RolloutOf(*objects, one.wanted->deployment), one, prefix, &evidence);
    }
    return evidence;
  }

  // "" when it is truly done. Errors: kGateStuck with the cause, kDrift when someone else has
  // changed its image.
  Result<std::string> Look(const model::KubeObjects& objects, const plan::WaitRollout& args,
                           Waited& one, run::StepScope& scope) {
    const auto& wanted = *one.wanted;
    const Millis now = clock_.Monotonic();
    const observe::Rollout rollout = observe::RolloutOf(objects, wanted.deployment);
    if (rollout.deployment == nullptr || rollout.deployment->meta.uid != wanted.uid)
      return Fail(ErrorCode::kKubeGone,
                  fmt::format("the Deployment {} was deleted", wanted.deployment));
    const std::string image = ImageOf(*rollout.deployment, wanted.container);
    if (image != wanted.image)
      return Fail(ErrorCode::kDrift,
                  fmt::format("someone changed the image of {} to {} while it was rolled to {}",
                              wanted.deployment, image, wanted.image));
    MeasureGap(rollout, now, one);
    // At the end all of them have told it, each in its own gate.
    if (args.deployments.size() == 1) MU_CHECK(TellStart(rollout, one, scope));
    std::string missing =
        observe::MissingOf(rollout, wanted.container, wanted.image, wanted.waits_for_gone);
    if (missing.empty()) return LookWhole(rollout, args, now, one);
    one.whole_since.reset();
    const auto cause = observe::CauseOf(rollout, Events());
    if (!cause) {
      one.cause.clear();
      return missing;
    }
    const std::string key = std::string(cause->id) + cause->pod;
    if (one.cause != key) {
      one.cause = key;
      one.cause_since = now;
      one.first_words = cause->text;
    }
    if (now - one.cause_since < cause->patience) return missing;
    if (cause->is_final) return Stuck(one, *cause);
    return missing + "; " + cause->text;
  }

  // All is there: now it must stay so without a restart.
  Result<std::string> LookWhole(const observe::Rollout& rollout, const plan::WaitRollout& args,
                                Millis now, Waited& one) {
    one.cause.clear();
    std::vector<std::string> pods;
    for (const model::Pod* pod : rollout.new_pods) pods.push_back(pod->meta.uid);
    const int restarts = rollout.Restarts();
    if (!one.whole_since || one.pods != pods || one.restarts != restarts) {
      one.whole_since = now;
      one.pods = std::move(pods);
      one.restarts = restarts;
    }
    if (now - *one.whole_since >= args.stable_for) return std::string();
    return "no restart so far, wanted for " + FormatDuration(args.stable_for);
  }

  tl::unexpected<Error> Stuck(const Waited& one, const observe::StuckCause& cause) {
    std::string text =
        fmt::format("{} is stuck ({}): {}", one.wanted->deployment, cause.id, cause.text);
    // A registry's own words are told once; after that the kubelet says that it waits.
    if (one.first_words != cause.text) text += "; at first: " + one.first_words;
    if (!cause.pod.empty()) {
      const auto log =
          kube_.Logs({cause.pod, cause.container, observe::kLogLines, cause.is_previous});
      if (log && !Trim(*log).empty())
        text += "; last lines of its log: " + std::string(Trim(observe::TellingLines(*log)));
    }
    const auto rows = observe::StuckTable();
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const observe::StuckRow& known) {
      return known.id == cause.id;
    });
    return Fail(ErrorCode::kGateStuck, Printable(text),
                row == rows.end() ? std::string() : std::string(row->fix));
  }

  static void MeasureGap(const observe::Rollout& rollout, Millis now, Waited& one) {
    if (!rollout.HasReadyPod()) {
      if (!one.no_pod_since) one.no_pod_since = now;
    } else if (one.no_pod_since) {
      one.gap += now - *one.no_pod_since;
      one.no_pod_since.reset();
    }
  }

  // A new version that has really run may have written: the way back is judged by this.
  static Status TellStart(const observe::Rollout& rollout, Waited& one, run::StepScope& scope) {
    if (one.has_told_start) return {};
    for (const model::Pod* pod : rollout.new_pods) {
      if (!observe::HasRun(*pod, one.wanted->container, one.wanted->image)) continue;
      one.has_told_start = true;
      return scope.Event("first-start", {{one.wanted->deployment, pod->meta.name}});
    }
    return {};
  }

  // They explain; without them the gate works as well.
  std::span<const model::KubeEvent> Events() {
    if (clock_.Monotonic() < events_from_) return {};
    if (events_ == nullptr) events_ = kube_.Follow({KubeKind::kEvent}, "");
    if (const auto now = events_->Now()) return (*now)->events;
    events_.reset();
    events_from_ = clock_.Monotonic() + kEventsAfter;
    return {};
  }

  static void Tell(const observe::Rollout& rollout, const Waited& one, const std::string& prefix,
                   run::Evidence* evidence) {
    std::string image_id;
    for (const model::Pod* pod : rollout.new_pods) {
      if (const model::ContainerStatus* status = pod->Find(one.wanted->container))
        image_id = status->image_id;
    }
    (*evidence)[prefix + "image"] = one.wanted->image;
    (*evidence)[prefix + "image_id"] = image_id;
    (*evidence)[prefix + "pods"] = std::to_string(rollout.new_pods.size());
    (*evidence)[prefix + "restarts"] = std::to_string(rollout.Restarts());
    (*evidence)[prefix + "gap_ms"] = std::to_string(one.gap.count());
  }

  ports::Kube& kube_;
  std::shared_ptr<Watched> watched_;
  ports::Clock& clock_;
  Millis events_from_{0};
  std::unique_ptr<ports::KubeView> events_;  // once they were wanted
};

}  // namespace

void AddRollingEffects(const EffectPorts& ports, EffectMap* effects) {
  using K = plan::StepKind;
  ports::Kube& kube = *ports.kube;
  const auto watched = std::make_shared<Watched>(kube, ports.clock);
  (*effects)[K::kKeepRelease] = std::make_unique<KeepEffect>(watched, ports.files);
  (*effects)[K::kTryPatches] = std::make_unique<TryGate>(kube, watched);
  (*effects)[K::kEditConfigMap] = std::make_unique<ConfigEffect>(kube);
  (*effects)[K::kPatchDeployment] = std::make_unique<PatchEffect>(watched);
  (*effects)[K::kRestoreDeployment] = std::make_unique<RestoreEffect>(watched, ports.files);
  (*effects)[K::kWaitRollout] = std::make_unique<RolloutGate>(kube, watched, ports.clock);
}

}  // namespace mu::effects
