// SPDX-License-Identifier: Apache-2.0
#include "cli/compose_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "milvus_upgrade/plan/plan_compose.h"
#include "milvus_upgrade/run/standing.h"

namespace mu::cli {
namespace {

using run::Record;

// The services of the hop whose container of the new image has really started. What earlier hops
// started is what this one goes back to.
Result<std::vector<std::string>> StartedServices(ports::Docker& docker, const plan::Plan& plan,
                                                 const std::vector<Record>& records, int hop) {
  std::vector<std::string> started;
  std::set<std::string> ups;
  for (const plan::Step& step : plan.steps) {
    const auto* up = std::get_if<plan::UpServices>(&step.args);
    if (up == nullptr || step.hop != hop) continue;
    if (run::StateOf(records, "forward", step.id).last == run::StepState::Last::kNone) continue;
    ups.insert(step.id);
    for (const std::string& service : up->services) {
      const std::string& reference = up->images.at(service);
      MU_TRY(const auto image, docker.InspectImage(reference));
      MU_TRY(const auto containers, docker.Inspect({up->containers.at(service)}));
      if (!containers.front() || !containers.front()->HasEverStarted()) continue;
      // By its own word as well: someone may have removed or moved the tag since.
      const bool is_called_so =
          containers.front()->image == reference && up->images_before.at(service) != reference;
      if (is_called_so || (image && containers.front()->image_id == image->id))
        started.push_back(service);
    }
  }
  // A container that started and was then removed is in the journal.
  for (const Record& record : records) {
    if (record.event == "first-start" && started.empty() && ups.contains(record.step)) {
      for (const auto& [name, time] : record.evidence) started.push_back(name);
    }
  }
  return started;
}

// Whether someone has removed a container of the hop. An engine that does not answer is waited for
// by the steps of the way back.
bool HasLost(ports::Docker& docker, const plan::Plan& plan, int hop) {
  std::vector<std::string> names;
  for (const plan::Step& step : plan.steps) {
    const auto* up = std::get_if<plan::UpServices>(&step.args);
    if (up == nullptr || step.hop != hop) continue;
    for (const auto& [service, name] : up->containers) names.push_back(name);
  }
  const auto found = docker.Inspect(names);
  return found && std::any_of(found->begin(), found->end(),
                              [](const auto& container) { return !container; });
}

// Whether the hop has a migration: of another one the snapshot is no way back.
bool HasMigration(const plan::Plan& plan, int hop) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const plan::Step& step) {
    return step.kind == plan::StepKind::kMigrateMetadata && step.hop == hop;
  });
}

class ComposeTarget : public RunTarget {
 public:
  ComposeTarget(Wiring& wiring, const plan::Plan& plan)
      : wiring_(wiring),
        plan_(plan),
        lock_(wiring.Docker(), plan.instance),
        probes_(wiring, plan),
        way_back_(wiring.Docker()) {}

  Status Take(const LockHolder& holder) override { return lock_.Take(LockImage(), holder); }
  // The engine's lock is a container: nothing but a person removes it.
  Status BeforeChange(const plan::Step&) override { return {}; }
  Status Release(const std::string& run) override { return lock_.Release(run); }
  Status CheckFree() override { return lock_.CheckFree(); }
  Result<std::optional<LockHolder>> Holder() override { return lock_.Holder(); }
  std::string LockName() const override { return "the container " + lock_.Name(); }

  Status StartProbes(run::Journal& journal, bool is_down) override {
    return probes_.Start(journal, is_down);
  }
  Status EndProbes(run::Journal& journal) override { return probes_.End(journal); }

  Result<plan::Plan> PlanBack(const run::BackRequest& request) override {
    return way_back_.PlanBack(request);
  }

  std::vector<ui::ObservedLine> Look() override {
    std::vector<ui::ObservedLine> lines;
    std::vector<std::string> names;
    for (const plan::Step& step : plan_.steps) {
      const auto* up = std::get_if<plan::UpServices>(&step.args);
      if (up == nullptr || step.hop != 0) continue;
      for (const auto& [service, name] : up->containers) names.push_back(name);
    }
    if (names.empty()) return lines;
    const auto containers = wiring_.Docker().Inspect(names);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!containers) {
        lines.push_back({names[i], "not known: " + containers.error().message});
      } else if (!(*containers)[i]) {
        lines.push_back({names[i], "does not exist"});
      } else {
        const model::Container& container = *(*containers)[i];
        lines.push_back(
            {names[i], container.status +
                           (container.health.status.empty() ? "" : ", " + container.health.status) +
                           ", " + container.image});
      }
    }
    if (plan_.probe_url.empty()) return lines;
    const auto answer = wiring_.Http().Get(plan_.probe_url, kProbeTimeout);
    lines.push_back({"healthz", answer ? std::to_string(answer->status)
                                       : "no answer: " + answer.error().message});
    return lines;
  }

 private:
  // Any image of the stack that is on the engine: the lock is never started.
  std::string LockImage() const {
    for (const plan::Step& step : plan_.steps) {
      if (const auto* up = std::get_if<plan::UpServices>(&step.args);
          up != nullptr && !up->images_before.empty()) {
        return up->images_before.begin()->second;
      }
    }
    return {};
  }

  Wiring& wiring_;
  const plan::Plan& plan_;
  EngineLock lock_;
  Probes probes_;
  ComposeWayBack way_back_;
};

}  // namespace

Result<plan::Plan> ComposeWayBack::PlanBack(const run::BackRequest& request) {
  const run::Standing standing = run::StandingOf(request.plan, request.records);
  MU_TRY(const auto started, StartedServices(docker_, request.plan, request.records, standing.hop));
  plan::RollbackInput input{
      request.plan, standing.done,        standing.touched,      started,
      request.run,  request.is_asked_for, request.from_snapshot, request.accepts_data_loss};
  input.has_lost = HasLost(docker_, request.plan, standing.hop);
  for (const Record& record : request.records) {
    const bool is_done = record.type == run::RecordType::kDone;
    if (is_done && record.step.ends_with("backup/snapshot")) input.snapshot_time = record.time;
    if (record.phase != "rollback" || record.step.find("/up/") == std::string::npos) continue;
    input.has_served_since = true;
    if (is_done && record.step.starts_with("back/") && request.from_snapshot)
      return Fail(ErrorCode::kNoSuchRun,
                  fmt::format("the snapshot of run {} was put back already", request.run),
                  "run `milvus-upgrade report` to see what happened");
  }
  auto back = plan::PlanRollback(input);
  if (back || back.error().code != ErrorCode::kIrreversible) return back;
  Error error = std::move(back).error();
  error.hint = request.is_asked_for
                   ? "nothing was touched; where the run is not over, `milvus-upgrade resume` "
                     "finishes it. The old files and the backups are in the run folder"
                   : "read the container's log (docker logs), mend the cause and run "
                     "`milvus-upgrade resume`. The old files and the backups are in the run folder";
  if (HasMigration(request.plan, standing.hop))
    error.hint +=
        ". The last resort, which loses what was written since: `milvus-upgrade rollback "
        "--from-snapshot --accept-data-loss`";
  return Fail(std::move(error));
}

std::unique_ptr<RunTarget> MakeComposeTarget(Wiring& wiring, const plan::Plan& plan) {
  return std::make_unique<ComposeTarget>(wiring, plan);
}

}  // namespace mu::cli
