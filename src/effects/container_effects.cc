// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>

#include "effects/parts.h"
#include "milvus_upgrade/base/text.h"

namespace mu::effects {
namespace {

class PolicyEffect : public run::Effect {
 public:
  explicit PolicyEffect(ports::Docker& docker) : docker_(docker) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step, run::StepScope&) override {
    const auto& changes = std::get<plan::SetRestartPolicy>(step.args).changes;
    std::vector<std::string> names;
    for (const auto& change : changes) names.push_back(change.container.name);
    MU_TRY(const auto containers, InspectAll(docker_, names));
    run::Evidence evidence;
    for (std::size_t i = 0; i < changes.size(); ++i) {
      const std::string& now =
          containers[i].restart_policy.empty() ? "no" : containers[i].restart_policy;
      if (now != changes[i].after) return std::nullopt;
      evidence[names[i]] = now;
    }
    return evidence;
  }

  Status Act(const plan::Step& step, run::StepScope&) override {
    std::map<std::pair<std::string, int>, std::vector<std::string>> groups;
    for (const auto& change : std::get<plan::SetRestartPolicy>(step.args).changes) {
      const int retries = change.after == "on-failure" ? change.max_retries : 0;
      groups[{change.after, retries}].push_back(change.container.name);
    }
    for (const auto& [policy, names] : groups)
      MU_CHECK(docker_.SetRestartPolicy(names, policy.first, policy.second));
    return {};
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override {
    MU_TRY(auto seen, Seen(step, scope));
    if (seen) return *seen;
    return Fail(ErrorCode::kContainerFailed,
                "the engine accepted the restart policy but does not show it");
  }

 private:
  ports::Docker& docker_;
};

class StopEffect : public run::Effect {
 public:
  explicit StopEffect(ports::Docker& docker) : docker_(docker) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step, run::StepScope&) override {
    const auto& args = std::get<plan::StopContainers>(step.args);
    MU_TRY(const auto containers, InspectAll(docker_, NamesOf(args.containers)));
    run::Evidence evidence;
    for (std::size_t i = 0; i < containers.size(); ++i) {
      const model::Container& container = containers[i];
      if (!args.containers[i].id.empty() && container.id != args.containers[i].id) {
        return Fail(
            ErrorCode::kStalePlan,
            fmt::format("{} is another container than when the plan was made", container.name));
      }
      if (container.IsRunning() || container.status == "restarting" || container.status == "paused")
        return std::nullopt;
      evidence[container.name] = fmt::format("{}, exit code {}, at {}", container.status,
                                             container.exit_code, container.finished_at);
    }
    return evidence;
  }

  Status Act(const plan::Step& step, run::StepScope&) override {
    const auto& args = std::get<plan::StopContainers>(step.args);
    return docker_.Stop(NamesOf(args.containers), args.grace);
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override {
    MU_TRY(auto seen, Seen(step, scope));
    if (seen) return *seen;
    return Fail(ErrorCode::kContainerFailed,
                "a container still runs after it was stopped: something starts it again");
  }

 private:
  ports::Docker& docker_;
};

class StartEffect : public run::Effect {
 public:
  explicit StartEffect(ports::Docker& docker) : docker_(docker) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step, run::StepScope&) override {
    const auto names = NamesOf(std::get<plan::StartContainers>(step.args).containers);
    MU_TRY(const auto containers, InspectAll(docker_, names));
    run::Evidence evidence;
    for (const model::Container& container : containers) {
      if (!container.IsRunning()) return std::nullopt;
      evidence[container.name] = "running since " + container.started_at;
    }
    return evidence;
  }

  Status Act(const plan::Step& step, run::StepScope&) override {
    return docker_.Start(NamesOf(std::get<plan::StartContainers>(step.args).containers));
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override {
    MU_TRY(auto seen, Seen(step, scope));
    if (seen) return *seen;
    return Fail(ErrorCode::kContainerFailed, "a container that was started does not run");
  }

 private:
  ports::Docker& docker_;
};

}  // namespace

void AddContainerEffects(const EffectPorts& ports, EffectMap* effects) {
  (*effects)[plan::StepKind::kSetRestartPolicy] = std::make_unique<PolicyEffect>(ports.docker);
  (*effects)[plan::StepKind::kStopContainers] = std::make_unique<StopEffect>(ports.docker);
  (*effects)[plan::StepKind::kStartContainers] = std::make_unique<StartEffect>(ports.docker);
}

}  // namespace mu::effects
