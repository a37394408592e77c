// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/plan/plan_rolling.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "milvus_upgrade/base/text.h"

namespace mu::plan {
namespace {

using model::MilvusWorkload;
using model::Role;

constexpr char kKeptFile[] = "release.json";
// The new pod first, and the old one stays until it is ready (milvus-operator has the same).
constexpr char kSurge[] =
    R"({"rollingUpdate":{"maxSurge":1,"maxUnavailable":0},"type":"RollingUpdate"})";
constexpr char kRecreate[] = R"({"type":"Recreate"})";

// For the prediction only: the API's own time for one change, and a Milvus process' until it is
// ready (ground.md 3, 5).
constexpr Millis kPatchCost{20};
constexpr Millis kReadyCost{10'000};
// On the way back waiting costs nothing more: a short --timeout of the way forward does not cut it.
constexpr Millis kPatience{300'000};

// Of the chart: activeStandby.enabled of each coordinator came with 4.0.7; milvus-io/milvus-helm
// was archived at 4.0.31 (milvus.md 5).
const model::Version kFirstWithStandbyValues{4, 0, 7, ""};
const model::Version kLastOfOldRepository{4, 0, 32, ""};

// How many pods "25%" or "1" are of so many: maxUnavailable is rounded down.
int Unavailable(const std::string& text, int replicas) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return 0;
  return end != text.data() + text.size() && *end == '%' ? replicas * number / 100 : number;
}

class Builder {
 public:
  explicit Builder(const RollingPlanInput& input) : in_(input) {}

  Plan Build() {
    FillHeader();
    const std::vector<const MilvusWorkload*> rolled = Rolled();
    if (rolled.empty()) return std::move(plan_);
    AddFirst(rolled);
    for (const EditConfigMap& edit : Edits()) AddEdit(edit);
    for (const MilvusWorkload* workload : rolled) AddRoll(*workload);
    AddLast(rolled);
    AddAfterwards();
    return std::move(plan_);
  }

 private:
  void FillHeader() {
    const model::ObservedRelease& observed = in_.observed;
    plan_.tool_version = MU_VERSION;
    plan_.kind = PlanKind::kRolling;
    plan_.instance = observed.release;
    plan_.engine = fmt::format(
        "{} at {} (Kubernetes {})",
        observed.cluster.context.empty() ? std::string("this cluster") : observed.cluster.context,
        observed.cluster.server, observed.cluster.version);
    plan_.kube = {in_.config.kubeconfig, observed.cluster.context, observed.cluster.server,
                  observed.cluster.name_space};
    plan_.fingerprint = in_.fingerprint;
    plan_.findings = in_.findings;
    plan_.probe_reason = "the gap of each component is measured by its pods";
    for (const rules::HopRule& rule : in_.path.hops) {
      plan_.hops.push_back({rule.from.Text(), rule.to.Text(), rule.rule, "image", rule.reason,
                            rule.is_reversible, rule.irreversible_reason});
    }
    if (plan_.hops.empty())
      plan_.hops = {{in_.config.to, in_.config.to, "R2", "image",
                     "the version stays, its image is another one", true, ""}};
    plan_.from = plan_.hops.front().from;
    plan_.to = plan_.hops.back().to;
    plan_.not_backed_up = {
        "the metadata in etcd, the objects and the messages: no step touches them, "
        "the new version writes there as it runs"};
    plan_.notes = in_.path.warnings;
    plan_.notes.push_back(OrderNote());
  }

  std::string OrderNote() const {
    std::vector<std::string> names;
    for (const Role role : in_.order.roles) names.emplace_back(model::NameOf(role));
    return fmt::format("order {}: {} ({})",
                       in_.order.order == config::RollingOrder::kScript ? "script" : "operator",
                       Join(names, ", "), in_.order.source);
  }

  // In the order of the roles; of one role by name. Those that run the image already are left out.
  std::vector<const MilvusWorkload*> Rolled() const {
    std::vector<const MilvusWorkload*> rolled;
    const std::vector<std::string>& only = in_.config.only;
    for (const Role role : in_.order.roles) {
      for (const MilvusWorkload& workload : in_.observed.milvus) {
        const bool is_wanted =
            only.empty() ||
            std::find(only.begin(), only.end(), rules::ComponentOf(workload)) != only.end();
        if (workload.role == role && is_wanted && workload.image != in_.image)
          rolled.push_back(&workload);
      }
    }
    return rolled;
  }

  Step& Add(std::string id, StepKind kind, std::string rule, std::string cause, StepArgs args) {
    Step step;
    step.id = std::move(id);
    step.kind = kind;
    step.rule = std::move(rule);
    step.cause = std::move(cause);
    step.args = std::move(args);
    step.timeout = in_.config.timeout;
    if (!plan_.steps.empty()) step.needs = {plan_.steps.back().id};
    plan_.steps.push_back(std::move(step));
    return plan_.steps.back();
  }

  // Made by a run that was given up, or still to make.
  std::vector<EditConfigMap> Edits() const {
    std::vector<EditConfigMap> edits = in_.made;
    edits.insert(edits.end(), in_.edits.begin(), in_.edits.end());
    return edits;
  }

  const LeftBehind* LeftOf(const MilvusWorkload& workload) const {
    const auto it = in_.left.find(workload.Name());
    return it == in_.left.end() ? nullptr : &it->second;
  }

  PatchDeployment PatchOf(const MilvusWorkload& workload) const {
    const LeftBehind* left = LeftOf(workload);
    return {in_.selector,
            workload.Name(),
            workload.deployment.meta.uid,
            workload.container,
            left == nullptr ? workload.image.Text() : left->image_before,
            in_.image.Text(),
            plan_.to,
            workload.deployment.TemplateHash(),
            StrategyOf(workload).json};
  }

  static WaitRollout::Wanted WantedOf(const MilvusWorkload& workload, const std::string& image,
                                      bool waits_for_gone) {
    return {workload.Name(), workload.deployment.meta.uid, workload.container, image,
            waits_for_gone};
  }

  struct Strategy {
    std::string json;  // "" keeps what is there
    std::string why;
  };

  // Where a run was given up, what is there now may be what that one needed.
  Strategy StrategyOf(const MilvusWorkload& workload) const {
    Strategy needed = NeededStrategy(workload);
    const LeftBehind* left = LeftOf(workload);
    if (!needed.json.empty() || left == nullptr || left->strategy.empty()) return needed;
    return {left->strategy, fmt::format("run {} has changed its strategy", left->run)};
  }

  // Only what the rollout cannot do without.
  Strategy NeededStrategy(const MilvusWorkload& workload) const {
    const model::Deployment& deployment = workload.deployment;
    const bool is_recreate = deployment.strategy == "Recreate";
    if (IsStopStart(workload)) {
      return is_recreate ? Strategy{}
                         : Strategy{kRecreate, "two processes cannot share one message queue"};
    }
    if (in_.standby_off.contains(workload.Name())) {
      return is_recreate ? Strategy{}
                         : Strategy{kRecreate, "a second coordinator without standby would die"};
    }
    if (is_recreate) return {kSurge, "the old pod serves until the new one is ready"};
    if (Unavailable(deployment.max_unavailable, deployment.replicas) >= deployment.replicas)
      return {kSurge, "maxUnavailable would stop all its pods at once"};
    return {};
  }

  bool IsStopStart(const MilvusWorkload& workload) const {
    return in_.config.allows_downtime && workload.role == Role::kStandalone;
  }

  void AddFirst(const std::vector<const MilvusWorkload*>& rolled) {
    KeepRelease keep;
    keep.selector = in_.selector;
    keep.file = kKeptFile;
    TryPatches tries;
    tries.config_maps = in_.edits;
    std::set<std::string> given_up;
    for (const MilvusWorkload* workload : rolled) {
      const model::Deployment& deployment = workload->deployment;
      const LeftBehind* left = LeftOf(*workload);
      if (left != nullptr) given_up.insert(left->run);
      keep.deployments.push_back(
          {workload->Name(), deployment.meta.uid,
           left == nullptr ? deployment.TemplateHash() : left->template_hash,
           left == nullptr ? deployment.StrategyHash() : left->strategy_hash});
      tries.deployments.push_back(PatchOf(*workload));
    }
    for (const std::string& run : given_up)
      plan_.notes.push_back(
          fmt::format("run {} is given up in its middle: of what it has left, the way back leads "
                      "to what was before it",
                      run));
    Add("keep/release", StepKind::kKeepRelease, "K1",
        "the way back is the exact old template: the history of a Deployment may be limited to 0",
        std::move(keep))
        .estimate = kPatchCost;
    Add("try/patches", StepKind::kTryPatches, "K2",
        "a quota, a policy or a webhook that refuses one shows before the first is made",
        std::move(tries))
        .estimate = kPatchCost * static_cast<int>(rolled.size());
    if (!in_.config.verify_command.empty()) {
      Add("verify/before", StepKind::kVerifyData, "B3",
          "the client's answer before the upgrade, to compare with",
          VerifyData{in_.config.verify_command, true, in_.config.verify_compares_output});
    }
  }

  void AddEdit(const EditConfigMap& edit) {
    Step& step = Add("config/" + edit.key, StepKind::kEditConfigMap, "K3",
                     "with enableActiveStandby a new coordinator waits for the old one to end "
                     "instead of dying; only pods that start from here on see it",
                     edit);
    step.undo = Undo::kInverse;
    step.estimate = kPatchCost;
    plan_.notes.emplace_back(
        "coordinators ran without standby: the first roll of each has a gap, until the new one has "
        "taken over");
  }

  void AddRoll(const MilvusWorkload& workload) {
    const std::string component = rules::ComponentOf(workload);
    const rules::RolloutRow& row = rules::RolloutOf(workload.role);
    const Strategy strategy = StrategyOf(workload);
    const bool is_stop = strategy.json == kRecreate ||
                         (strategy.json.empty() && workload.deployment.strategy == "Recreate");
    const bool is_outage = is_stop && workload.role == Role::kStandalone;
    std::string cause = fmt::format("{} -> {}", workload.image.Text(), in_.image.Text());
    if (!strategy.why.empty()) cause += "; " + strategy.why;
    if (const LeftBehind* left = LeftOf(workload))
      cause += fmt::format("; before run {}, which has left it so, it was {}", left->run,
                           left->image_before);
    Step& roll = Add(kRollPrefix + component, StepKind::kPatchDeployment, plan_.hops.front().rule,
                     std::move(cause), PatchOf(workload));
    roll.undo = Undo::kInverse;
    roll.estimate = kPatchCost;
    if (is_outage) roll.outage = OutageMark::kOpens;
    Step& wait = Add(
        "wait/" + component, StepKind::kWaitRollout, "G4",
        row.waits_for_gone
            ? fmt::format("the next component starts after it, and its old pods gone: {}", row.why)
            : "the next component starts after it",
        WaitRollout{in_.selector,
                    {WantedOf(workload, in_.image.Text(), row.waits_for_gone)},
                    in_.config.stable_for});
    wait.estimate = kReadyCost * std::max(workload.deployment.replicas, 1) + in_.config.stable_for;
    wait.timeout = in_.config.timeout + in_.config.stable_for;
    if (is_outage) wait.outage = OutageMark::kCloses;
    if (plan_.point_of_no_return.empty() && !plan_.hops.front().is_reversible)
      plan_.point_of_no_return = wait.id;
    if (is_stop && !is_outage)
      plan_.notes.push_back(
          fmt::format("{} stops before it starts again: it is away for that time", component));
    if (strategy.json.empty() || in_.config.keeps_strategy) return;
    Add("strategy/" + component, StepKind::kRestoreDeployment, "K4",
        "its strategy was another one for the time of the rollout",
        RestoreDeployment{in_.selector, workload.Name(), workload.deployment.meta.uid, kKeptFile,
                          true, ""})
        .estimate = kPatchCost;
  }

  void AddLast(const std::vector<const MilvusWorkload*>& rolled) {
    if (!in_.config.verify_command.empty()) {
      Add("verify/after", StepKind::kVerifyData, "B3",
          "the client's answer must be the one from before",
          VerifyData{in_.config.verify_command, false, in_.config.verify_compares_output})
          .estimate = Millis(2000);
    }
    WaitRollout all{in_.selector, {}, Millis(0)};
    for (const MilvusWorkload* workload : rolled)
      all.deployments.push_back(WantedOf(*workload, in_.image.Text(), true));
    Step& step =
        Add("wait/all", StepKind::kWaitRollout, "G5",
            "all of them at once: on the image, ready, and no old pod left", std::move(all));
    step.estimate = kPatchCost;
  }

  // Helm's next upgrade of anything would put back what it does not know of.
  void AddAfterwards() {
    const model::HelmFacts& helm = in_.observed.helm;
    if (!helm.is_managed || helm.chart_version.empty() || !in_.config.only.empty()) return;
    const auto chart = model::ParseVersion(helm.chart_version);
    std::vector<std::string> words = {
        "helm",
        "upgrade",
        in_.observed.release,
        fmt::format("{}/{}", chart && *chart < kLastOfOldRepository ? "milvus" : "zilliztech",
                    helm.chart),
        "--version",
        helm.chart_version,
        "-n",
        in_.observed.cluster.name_space,
        "--reset-then-reuse-values",
        "--set",
        "image.all.tag=" + in_.image.tag,
        "--set",
        "image.all.repository=" + in_.image.repository};
    const bool has_standby_values = chart && !(*chart < kFirstWithStandbyValues);
    std::set<std::string> values;
    const std::vector<EditConfigMap> edits = Edits();
    if (!edits.empty() && has_standby_values) {
      for (const MilvusWorkload& workload : in_.observed.milvus) {
        const std::string_view value = HelmValueOf(workload.role);
        if (!value.empty()) values.insert(fmt::format("{}.activeStandby.enabled=true", value));
      }
    }
    for (const std::string& value : values) {
      words.emplace_back("--set");
      words.push_back(value);
    }
    plan_.afterwards.push_back("Helm (3.14 or later) does not know of this yet: " +
                               ShellLine(words));
    if (edits.empty()) return;
    plan_.afterwards.push_back(
        values.empty()
            ? fmt::format("enableActiveStandby was switched on in {} of the ConfigMap {}: put it "
                          "into extraConfigFiles of the chart's values as well",
                          edits.front().key, edits.front().config_map)
            : "Helm writes the configuration anew: its checksum in the pod templates changes, so "
              "that helm upgrade rolls every Deployment once more, in no order; choose a quiet "
              "hour");
  }

  static std::string_view HelmValueOf(Role role) {
    switch (role) {
      case Role::kRootCoord:
        return "rootCoordinator";
      case Role::kDataCoord:
        return "dataCoordinator";
      case Role::kIndexCoord:
        return "indexCoordinator";
      case Role::kQueryCoord:
        return "queryCoordinator";
      case Role::kMixCoord:
        return "mixCoordinator";
      default:
        return "";
    }
  }

  const RollingPlanInput& in_;
  Plan plan_;
};

}  // namespace

Plan PlanRolling(const RollingPlanInput& input) { return Builder(input).Build(); }

std::vector<Step> StepsBack(const Plan& plan, const std::set<std::string>& entered) {
  std::vector<Step> steps;
  WaitRollout all{{}, {}, Millis(0)};  // each of them has shown that it stays
  const auto add = [&](std::string id, StepKind kind, std::string cause, StepArgs args,
                       Millis timeout) {
    Step step;
    step.id = std::move(id);
    step.kind = kind;
    step.rule = "B7";
    step.cause = std::move(cause);
    step.args = std::move(args);
    step.timeout = timeout;
    if (!steps.empty()) step.needs = {steps.back().id};
    steps.push_back(std::move(step));
  };
  for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
    const auto* patch = std::get_if<PatchDeployment>(&step->args);
    if (patch == nullptr || !entered.contains(step->id)) continue;
    const std::string component = step->id.substr(step->id.find('/') + 1);
    const WaitRollout::Wanted wanted{patch->deployment, patch->uid, patch->container,
                                     patch->image_before, true};
    const auto gate = std::find_if(plan.steps.begin(), plan.steps.end(), [&](const Step& other) {
      return other.id == "wait/" + component;
    });
    RestoreDeployment restore{patch->selector, patch->deployment, patch->uid, kKeptFile,
                              false,           patch->strategy};
    add(kUndoPrefix + step->id, StepKind::kRestoreDeployment,
        fmt::format("{} goes back to {}, with its exact old template", component,
                    patch->image_before),
        restore, step->timeout);
    WaitRollout wait{patch->selector, {wanted}, Millis(0)};
    if (gate != plan.steps.end()) {
      const auto& forward = std::get<WaitRollout>(gate->args);
      wait.deployments.front().waits_for_gone = forward.deployments.front().waits_for_gone;
      wait.stable_for = forward.stable_for;
    }
    add(kUndoPrefix + ("wait/" + component), StepKind::kWaitRollout,
        "the one before goes back only after it", wait, std::max(step->timeout, kPatience));
    if (!patch->strategy.empty()) {
      restore.is_strategy_only = true;
      restore.strategy.clear();
      add(kUndoPrefix + ("strategy/" + component), StepKind::kRestoreDeployment,
          "its strategy was another one for the time of the rollout", restore, step->timeout);
    }
    all.selector = patch->selector;
    all.deployments.push_back(wanted);
  }
  for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
    const auto* edit = std::get_if<EditConfigMap>(&step->args);
    if (edit == nullptr || !entered.contains(step->id)) continue;
    add(kUndoPrefix + step->id, StepKind::kEditConfigMap,
        "the configuration was another one; what runs does not see it", Inverse(*edit),
        step->timeout);
  }
  if (!all.deployments.empty())
    add("undo/wait/all", StepKind::kWaitRollout,
        "all of them at once: on the old image, ready, and no new pod left", all, kPatience);
  return steps;
}

std::vector<std::string> Reopened(const Plan& plan, const Plan& back,
                                  const std::set<std::string>& entered) {
  std::vector<std::string> reopened;
  if (plan.kind != PlanKind::kRolling) return reopened;
  bool is_all = true;
  for (const Step& step : plan.steps) {
    const bool is_undone = std::any_of(back.steps.begin(), back.steps.end(), [&](const Step& undo) {
      return undo.id == kUndoPrefix + step.id;
    });
    const auto* verify = std::get_if<VerifyData>(&step.args);
    if (is_undone || (verify != nullptr && !verify->is_baseline)) reopened.push_back(step.id);
    is_all = is_all && (is_undone || step.undo == Undo::kNone || !entered.contains(step.id));
  }
  return is_all ? std::vector<std::string>() : reopened;
}

}  // namespace mu::plan
