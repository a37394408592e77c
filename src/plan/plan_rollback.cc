// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/plan/plan_compose.h"
#include "milvus_upgrade/plan/plan_rolling.h"

namespace mu::plan {
namespace {

// On the way back waiting costs nothing more: a short --timeout of the way forward does not cut it.
constexpr Millis kPatience{300'000};
// Of the steps of a rollback from the snapshot: another rollback may have been tried before it.
constexpr std::string_view kBack = "back/";
constexpr char kExtracted[] = "backup/from-snapshot.bak";

// The same step the other way round, with nothing that held for the way forward.
Step Undoing(const Step& step, std::string cause, std::string_view prefix = "undo/") {
  Step undo = step;
  undo.id = std::string(prefix) + step.id;
  undo.rule = "B7";
  undo.cause = std::move(cause);
  undo.expects.clear();
  undo.needs.clear();
  undo.outage = OutageMark::kNone;
  undo.undo = Undo::kNone;
  undo.hop = 0;
  undo.timeout = std::max(step.timeout, kPatience);
  return undo;
}

SetRestartPolicy Inverse(SetRestartPolicy policy) {
  for (SetRestartPolicy::Change& change : policy.changes) {
    std::swap(change.before, change.after);
    change.container.id.clear();  // it may have been recreated since: by name
  }
  return policy;
}

// Brings everything of the hop down again, whatever version it is.
std::vector<Step> DownSteps(const std::vector<const Step*>& mine) {
  std::vector<Step> steps;
  for (const Step* step : mine) {
    Step down =
        Undoing(*step, "what runs now is stopped in order before the old version comes up", kBack);
    if (auto* policy = std::get_if<SetRestartPolicy>(&down.args)) {
      for (SetRestartPolicy::Change& change : policy->changes) change.container.id.clear();
    } else if (auto* stop = std::get_if<StopContainers>(&down.args)) {
      for (ContainerRef& ref : stop->containers) ref.id.clear();
    } else if (auto* release = std::get_if<ReleaseSessions>(&down.args)) {
      // Those that were recorded are of the old version, and long gone: the new one's run out.
      release->may_revoke = false;
    } else {
      continue;
    }
    steps.push_back(std::move(down));
  }
  return steps;
}

// Brings everything of the hop down again and takes the keys out of the snapshot.
std::vector<Step> SnapshotSteps(const std::vector<const Step*>& mine) {
  std::vector<Step> steps = DownSteps(mine);
  std::string snapshot;
  std::optional<Migration> migration;
  for (const Step* step : mine) {
    if (const auto* save = std::get_if<SaveSnapshot>(&step->args)) snapshot = save->file;
    if (const auto* migrate = std::get_if<MigrateMetadata>(&step->args))
      migration = migrate->migration;
  }
  if (!migration || snapshot.empty()) return {};
  Step extract =
      Undoing(*mine.front(), "the snapshot from before the hop is the last resort", kBack);
  extract.id = std::string(kBack) + "meta/extract";
  extract.kind = StepKind::kExtractKeys;
  extract.args = ExtractKeys{*migration, snapshot, kExtracted};
  // First of all: what cannot be read leaves everything as it is.
  steps.insert(steps.begin(), extract);
  extract.id = std::string(kBack) + "meta/restore";
  extract.kind = StepKind::kRestoreMetadata;
  extract.cause = "only this instance's keys are written back, by compared transactions";
  extract.args = RestoreMetadata{*migration, kExtracted};
  steps.push_back(std::move(extract));
  return steps;
}

}  // namespace

Result<Plan> PlanRollback(const RollbackInput& input) {
  const Plan& plan = input.plan;
  std::set<std::string> entered(input.done.begin(), input.done.end());
  entered.insert(input.touched.begin(), input.touched.end());

  // Only the hop that the run is in can be undone: the versions of earlier ones have run for real.
  int current = 0;
  for (const Step& step : plan.steps) {
    if (entered.contains(step.id)) current = std::max(current, step.hop);
  }
  if (current >= static_cast<int>(plan.hops.size())) {
    return Fail(ErrorCode::kPlanDamaged, "the plan has steps but no hops");
  }
  const Hop& hop = plan.hops[static_cast<std::size_t>(current)];
  if (input.from_snapshot && !input.accepts_data_loss &&
      (!input.started.empty() || input.has_served_since)) {
    return Fail(ErrorCode::kCheckFailed,
                fmt::format("Milvus has run since the snapshot was made ({}): what was written "
                            "since is lost on the way back, and files that its garbage collection "
                            "has removed do not come back",
                            input.snapshot_time),
                "say --accept-data-loss if that is what you want");
  }
  const bool is_accepted = plan.kind == PlanKind::kRolling && input.accepts_data_loss;
  if (!input.from_snapshot && !is_accepted && !input.started.empty() && !hop.is_reversible) {
    return Fail(ErrorCode::kIrreversible,
                fmt::format("{} has started as {}, and {} cannot run on what it wrote: {}",
                            Join(input.started, ", "), hop.to, hop.from, hop.irreversible_reason));
  }

  Plan back;
  back.tool_version = MU_VERSION;
  back.kind = PlanKind::kRollback;
  back.instance = plan.instance;
  back.engine = plan.engine;
  back.project_directory = plan.project_directory;
  back.selectors = plan.selectors;
  back.kube = plan.kube;
  back.from = hop.to;
  back.to = hop.from;
  back.hops = {{hop.to, hop.from, "B7", "image", "the way back", true, ""}};
  back.fingerprint = plan.fingerprint;
  back.rolls_back = input.run;
  if (plan.kind == PlanKind::kRolling) {
    back.steps = StepsBack(plan, entered);
    return back;
  }
  const auto add = [&](Step step) {
    if (!back.steps.empty()) step.needs = {back.steps.back().id};
    back.steps.push_back(std::move(step));
  };

  std::vector<const Step*> mine;
  for (const Step& step : plan.steps) {
    if (step.hop == current) mine.push_back(&step);
  }
  const std::string_view prefix = input.from_snapshot ? kBack : "undo/";
  if (input.from_snapshot) {
    std::vector<Step> steps = SnapshotSteps(mine);
    if (steps.empty())
      return Fail(ErrorCode::kUsage,
                  fmt::format("the hop from {} to {} has no migration of the metadata to undo",
                              hop.from, hop.to),
                  "run `milvus-upgrade status` to see where the run stands");
    for (Step& step : steps) add(std::move(step));
    back.notes = {fmt::format("what was written since the snapshot was made ({}) is not in it",
                              input.snapshot_time)};
  } else if (input.is_asked_for && !input.started.empty()) {
    for (Step& step : DownSteps(mine)) add(std::move(step));
  }
  const bool is_down =
      input.has_lost || std::any_of(mine.begin(), mine.end(), [&](const Step* step) {
        return step->kind == StepKind::kStopContainers && entered.contains(step->id);
      });

  // A stop that was begun goes on in the engine whatever became of our call: it is brought to its
  // end first, or what was seen running would go down after the rollback. And what someone has
  // started meanwhile goes down before the metadata is put back under it.
  const std::set<std::string> cut(input.touched.begin(), input.touched.end());
  const bool restores = std::any_of(mine.begin(), mine.end(), [&](const Step* step) {
    return step->kind == StepKind::kMigrateMetadata && entered.contains(step->id);
  });
  for (const Step* step : mine) {
    if (step->kind != StepKind::kStopContainers || input.from_snapshot) continue;
    if (!cut.contains(step->id) && !restores) continue;
    Step finish = Undoing(*step, restores ? "nothing may run on the metadata while it is put back"
                                          : "a stop that was begun is brought to its end first");
    for (ContainerRef& ref : std::get<StopContainers>(finish.args).containers) ref.id.clear();
    add(std::move(finish));
  }

  // Files first, in reverse; then the containers; the policies last, when the containers exist
  // again.
  for (auto it = mine.rbegin(); it != mine.rend(); ++it) {
    const auto* replace = std::get_if<ReplaceFile>(&(*it)->args);
    if (replace == nullptr || !entered.contains((*it)->id)) continue;
    Step undo = Undoing(**it, "the file named the new image", prefix);
    undo.args = Inverse(*replace);
    add(std::move(undo));
  }
  for (const Step* step : mine) {
    const auto* migrate = std::get_if<MigrateMetadata>(&step->args);
    if (migrate == nullptr || !entered.contains(step->id) || input.from_snapshot) continue;
    Step undo = Undoing(*step, "the metadata is 2.2's, or half of it is");
    undo.kind = StepKind::kRestoreMetadata;
    undo.on_crash = OnCrash::kReobserve;
    undo.args = RestoreMetadata{migrate->migration, migrate->backup};
    add(std::move(undo));
  }
  std::map<std::string, std::string> images;
  for (const Step* step : mine) {
    const auto* up = std::get_if<UpServices>(&step->args);
    if (up == nullptr || !is_down) continue;
    // With the old file: starts the old container where it still exists, creates it anew where it
    // was replaced or removed.
    Step undo = Undoing(
        *step, fmt::format("brings {} up again as {}", Join(up->services, ", "), hop.from), prefix);
    auto& args = std::get<UpServices>(undo.args);
    std::swap(args.images, args.images_before);
    images.insert(args.images.begin(), args.images.end());
    add(std::move(undo));
  }
  for (const Step* step : mine) {
    const auto* policy = std::get_if<SetRestartPolicy>(&step->args);
    if (policy == nullptr || !entered.contains(step->id)) continue;
    Step undo = Undoing(*step, "the restart policy was off for the upgrade", prefix);
    if (input.from_snapshot) undo.id += "/undo";
    undo.args = Inverse(*policy);
    add(std::move(undo));
  }
  for (const Step* step : mine) {
    if (!is_down) break;
    if (const auto* wait = std::get_if<WaitServices>(&step->args)) {
      Step undo = Undoing(*step, "the old version is running and healthy", prefix);
      WaitServices args = *wait;
      for (WaitServices::Wanted& wanted : args.services) {
        wanted.image = images[wanted.service];
        wanted.image_id.clear();
      }
      undo.args = std::move(args);
      add(std::move(undo));
    } else if (const auto* sessions = std::get_if<WaitSessions>(&step->args)) {
      Step undo = Undoing(*step, "each role has registered again", prefix);
      WaitSessions args = *sessions;
      const auto version = model::ParseVersion(hop.from);
      args.version = version ? SessionVersionOf(*version) : hop.from;
      undo.args = std::move(args);
      undo.outage = OutageMark::kCloses;
      add(std::move(undo));
    }
  }
  // What the old version comes up from is proven to be there before anything is stopped.
  if (input.is_asked_for && !back.steps.empty()) {
    for (const auto& [service, image] : images)
      back.steps.front().expects.push_back({Expectation::Kind::kImagePresent, {image, ""}, ""});
  }
  return back;
}

}  // namespace mu::plan
