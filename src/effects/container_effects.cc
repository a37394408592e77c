// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>
#include <set>

#include "effects/parts.h"
#include "milvus_upgrade/base/text.h"

namespace mu::effects {
namespace {

constexpr char kGone[] = "gone";

// A container that someone has removed is held down as well as can be, and has no policy: it is
// made anew from the project's file, with the policy there, when its services are brought up. One
// that only has another name now, and may run, is not gone. The id, where the plan names it, tells.
Result<std::vector<std::optional<model::Container>>> InspectKnown(
    ports::Docker& docker, const std::vector<plan::ContainerRef>& containers) {
  MU_TRY(auto found, docker.Inspect(NamesOf(containers)));
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] || containers[i].id.empty()) continue;
    MU_TRY(const auto by_id, docker.Inspect({containers[i].id}));
    if (by_id.front())
      return Fail(ErrorCode::kStalePlan,
                  fmt::format("{} is called {} now", containers[i].name, by_id.front()->name));
  }
  return found;
}

class PolicyEffect : public run::Effect {
 public:
  explicit PolicyEffect(ports::Docker& docker) : docker_(docker) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step, run::StepScope&) override {
    const auto& changes = std::get<plan::SetRestartPolicy>(step.args).changes;
    std::vector<plan::ContainerRef> refs;
    for (const auto& change : changes) refs.push_back(change.container);
    MU_TRY(const auto containers, InspectKnown(docker_, refs));
    run::Evidence evidence;
    gone_.clear();
    bool is_so = true;
    for (std::size_t i = 0; i < changes.size(); ++i) {
      const std::string& name = refs[i].name;
      if (!containers[i]) {
        gone_.insert(name);
        evidence[name] = kGone;
        continue;
      }
      const std::string& policy = containers[i]->restart_policy;
      evidence[name] = policy.empty() ? "no" : policy;
      is_so = is_so && evidence[name] == changes[i].after;
    }
    return is_so ? std::optional(std::move(evidence)) : std::nullopt;
  }

  // Of those that Seen has just found.
  Status Act(const plan::Step& step, run::StepScope&) override {
    std::map<std::pair<std::string, int>, std::vector<std::string>> groups;
    for (const auto& change : std::get<plan::SetRestartPolicy>(step.args).changes) {
      if (gone_.contains(change.container.name)) continue;
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
  std::set<std::string> gone_;
};

class StopEffect : public run::Effect {
 public:
  explicit StopEffect(ports::Docker& docker) : docker_(docker) {}

  Result<std::optional<run::Evidence>> Seen(const plan::Step& step, run::StepScope&) override {
    const auto& args = std::get<plan::StopContainers>(step.args);
    MU_TRY(const auto containers, InspectKnown(docker_, args.containers));
    run::Evidence evidence;
    there_.clear();
    bool is_so = true;
    for (std::size_t i = 0; i < containers.size(); ++i) {
      const plan::ContainerRef& ref = args.containers[i];
      if (!containers[i]) {
        evidence[ref.name] = kGone;
        continue;
      }
      const model::Container& container = *containers[i];
      if (!ref.id.empty() && container.id != ref.id) {
        return Fail(
            ErrorCode::kStalePlan,
            fmt::format("{} is another container than when the plan was made", container.name));
      }
      there_.push_back(ref.name);
      is_so = is_so && !container.IsRunning() && container.status != "restarting" &&
              container.status != "paused";
      evidence[ref.name] = fmt::format("{}, exit code {}, at {}", container.status,
                                       container.exit_code, container.finished_at);
    }
    return is_so ? std::optional(std::move(evidence)) : std::nullopt;
  }

  // Of those that Seen has just found.
  Status Act(const plan::Step& step, run::StepScope&) override {
    return docker_.Stop(there_, std::get<plan::StopContainers>(step.args).grace);
  }

  Result<run::Evidence> Confirm(const plan::Step& step, run::StepScope& scope) override {
    MU_TRY(auto seen, Seen(step, scope));
    if (seen) return *seen;
    return Fail(ErrorCode::kContainerFailed,
                "a container still runs after it was stopped: something starts it again");
  }

 private:
  ports::Docker& docker_;
  std::vector<std::string> there_;
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
