// SPDX-License-Identifier: Apache-2.0
#include "cli/upgrade_flow.h"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/engine_lock.h"
#include "cli/prepare.h"
#include "cli/prepare_release.h"
#include "cli/run_copy.h"
#include "cli/run_flow.h"
#include "cli/state_dir.h"
#include "cli/wiring.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/observe/rolling_observer.h"
#include "milvus_upgrade/rules/checks.h"
#include "milvus_upgrade/run/standing.h"
#include "ui/findings_view.h"
#include "ui/plan_view.h"
#include "ui/run_views.h"

namespace mu::cli {
namespace {

std::string Holder(Wiring& wiring) {
  return fmt::format("pid {} on {} since {}", getpid(), wiring.HostName(),
                     wiring.Clock().WallTime());
}

Error RefusalOf(const Proposal& prepared) {
  if (prepared.refusal) return *prepared.refusal;
  std::vector<std::string> ids;
  for (const model::Finding& finding : prepared.findings) {
    if (finding.severity == model::Severity::kError && !finding.is_skipped)
      ids.push_back(finding.id);
  }
  return {ErrorCode::kCheckFailed, "checks failed: " + Join(ids, ", "), "", {}};
}

bool IsRefused(const Proposal& prepared) {
  return prepared.refusal || rules::HasErrors(prepared.findings);
}

ui::View Joined(ui::View first, const ui::View& second) {
  first.text += second.text;
  for (const auto& member : second.json) first.json[member.key()] = member.value();
  return first;
}

ui::View ViewOf(const Proposal& prepared, const ui::Style& style) {
  if (prepared.refusal || rules::HasErrors(prepared.findings))
    return ui::FindingsView(prepared.findings, style);
  if (!prepared.plan.HasSteps()) {
    return Joined(ui::NothingToDoView(prepared.from, prepared.to, style),
                  ui::FindingsView(prepared.findings, style));
  }
  return ui::PlanView(prepared.plan, prepared.diffs, style);
}

bool IsRelease(const config::Config& config) { return !config.release.empty(); }

Result<Proposal> Propose(Wiring& wiring, const config::Config& config) {
  if (IsRelease(config)) {
    MU_TRY(const std::string state_dir, StateDirOf(wiring, config));
    run::RunStore store(wiring.Files(), wiring.Clock(), state_dir);
    MU_TRY(const auto runs, store.NewestFirst());
    return PrepareRelease(wiring.Kube(KubeOf(config)), config, runs);
  }
  MU_TRY(Prepared prepared, Prepare(wiring.World(), config));
  return std::move(static_cast<Proposal&>(prepared));
}

// Of the world of the plan as it is now.
Result<std::string> FingerprintNow(Wiring& wiring, const config::Config& config,
                                   const plan::Plan& plan) {
  if (plan.kind == plan::PlanKind::kRolling) {
    MU_TRY(const auto release, observe::ObserveRelease(wiring.Kube(plan.kube), plan.instance));
    return observe::FingerprintOf(release);
  }
  config::Config again = config;
  again.selectors = plan.selectors;
  again.to = plan.to;
  MU_TRY(const auto view, observe::ObserveCompose(wiring.World(), again));
  return observe::FingerprintOf(view.observed);
}

Error NotOver(const run::StoredRun& run) {
  return {ErrorCode::kLocked,
          fmt::format("run {} of this stack is not over ({}, {} to {})", run.files.id,
                      run.EndState(), run.plan.from, run.plan.to),
          "run `milvus-upgrade resume` to finish it, `milvus-upgrade rollback` to go back, or "
          "`milvus-upgrade status` to see where it stands",
          {}};
}

Status NoOpenRun(run::RunStore& store) {
  const auto newest = store.Find("");
  if (!newest || !newest->IsOpen()) return {};
  return Fail(NotOver(*newest));
}

// The run of this stack that is not over, if there is one. A stack in its middle fails checks whose
// advice would be wrong: the run is what matters.
Result<std::optional<run::StoredRun>> OpenRun(Wiring& wiring, const config::Config& config) {
  MU_TRY(const std::string state_dir, StateDirOf(wiring, config));
  run::RunStore store(wiring.Files(), wiring.Clock(), state_dir);
  auto newest = store.Find("");
  if (!newest || !newest->IsOpen()) return std::nullopt;
  MU_TRY(newest->is_live, store.IsLive(*newest));
  return *std::move(newest);
}

// Whether the run got stuck on an image, or some of it went back, and another one is asked for now.
bool IsWithOtherImage(const config::Config& config, const run::StoredRun& open) {
  const std::string state = open.EndState();
  if (open.damage || open.is_live || open.rollback ||
      (state != "needs-person" && state != "partly-rolled-back"))
    return false;
  const auto wanted = model::ParseImageRef(config.image);
  for (const plan::Step& step : open.plan.steps) {
    if (const auto* patch = std::get_if<plan::PatchDeployment>(&step.args))
      return wanted && wanted->Text() != patch->image;
  }
  return false;
}

// What is only looked at: in the middle of a run the advice of the checks would be harmful.
Result<Proposal> ProposeWhereNoneIsOpen(Wiring& wiring, const config::Config& config) {
  MU_TRY(const auto open, OpenRun(wiring, config));
  if (open && !IsWithOtherImage(config, *open)) return Fail(NotOver(*open));
  return Propose(wiring, config);
}

// Gives up the run that is open; nullopt when a new one may begin.
std::optional<int> GiveUp(Wiring& wiring, const config::Config& config, const run::StoredRun& open,
                          ui::Console& console) {
  if (const auto over = console.AskOrEnd(
          fmt::format(
              "Run {} to {} is not over ({}). Give it up, and go on from where it stands with {}?",
              open.files.id, open.plan.to, open.EndState(), config.image),
          config.is_yes, wiring.Interrupts()))
    return over;
  run::RunStore store(wiring.Files(), wiring.Clock(), StateDirOf(wiring, config, open.plan));
  const auto lock = store.Lock(Holder(wiring));
  if (!lock) return console.Fail(lock.error());
  const Status given_up = store.Abandon(
      open.files, fmt::format("given up for {} at {}", config.image, wiring.Clock().WallTime()));
  if (!given_up) return console.Fail(given_up.error());
  const Status released = MakeTarget(wiring, open.plan)->Release(open.files.id);
  if (!released) return console.Fail(released.error());
  return std::nullopt;
}

// Of a release that another run holds: why nothing can be made of what it has left in its middle.
std::optional<Error> HeldBy(Wiring& wiring, const config::Config& config) {
  if (!IsRelease(config)) return std::nullopt;
  plan::Plan plan;
  plan.kind = plan::PlanKind::kRolling;
  plan.instance = config.release;
  plan.kube = KubeOf(config);
  const Status free = MakeTarget(wiring, plan)->CheckFree();
  return free || free.error().code != ErrorCode::kLocked ? std::nullopt
                                                         : std::optional(free.error());
}

// The very same command again goes on with the run that it began; another one is refused.
int GoOnWith(Wiring& wiring, const config::Config& config, const run::StoredRun& open,
             ui::Console& console) {
  if (open.damage || open.is_live || open.plan.to != config.to || config.is_dry_run)
    return console.Fail(NotOver(open));
  if (const auto over = console.AskOrEnd(
          fmt::format("Run {} from {} to {} is not over ({}). Go on with it?", open.files.id,
                      open.plan.from, open.plan.to, open.EndState()),
          config.is_yes, wiring.Interrupts()))
    return *over;
  console.Note(fmt::format("going on with run {}, as `milvus-upgrade resume` does", open.files.id));
  return ResumeRun(config, open.files.id, console);
}

// The lock of a run of ours that is over, or that was cut before it touched anything.
// REQUIRES: the state folder's lock is held, so that no process of ours works on any of its runs.
// True when nobody holds it now.
Result<bool> ReleaseOwnLock(Wiring& wiring, run::RunStore& store, RunTarget& target) {
  MU_TRY(const auto holder, target.Holder());
  if (!holder) return true;
  if (holder->host != wiring.HostName() || holder->state_dir != store.StateDir()) return false;
  const auto stored = store.Load(holder->run);
  if (!stored || stored->IsOpen()) return false;
  MU_CHECK(target.Release(holder->run));
  return true;
}

enum class Age { kOld, kFresh };  // of a plan: made a moment ago, and nobody was asked since

// Refuses next to another run, looks again whether the world is still the plan's, and runs.
// REQUIRES: the state folder's lock is held.
int RunUnderLock(Wiring& wiring, const config::Config& config, ui::Console& console,
                 run::RunStore& store, const plan::Plan& plan, Age age) {
  // Another run makes the plan stale: that run is the news. The lock itself is taken by the flow.
  const auto target = MakeTarget(wiring, plan);
  const auto is_free = ReleaseOwnLock(wiring, store, *target);
  if (!is_free) return console.Fail(is_free.error());
  if (!*is_free) {
    if (const Status free = target->CheckFree(); !free) return console.Fail(free.error());
  }
  // Each step of a rolling plan looks at its own facts once more.
  if (age == Age::kFresh && plan.kind == plan::PlanKind::kRolling)
    return StartRun(wiring, config, console, store, plan);
  const auto fingerprint = FingerprintNow(wiring, config, plan);
  if (!fingerprint) return console.Fail(fingerprint.error());
  if (*fingerprint != plan.fingerprint) {
    return console.Fail(Error{ErrorCode::kStalePlan,
                              plan.kind == plan::PlanKind::kRolling
                                  ? "the release is no longer what the plan was made from (a "
                                    "Deployment's template or strategy, or its configuration)"
                                  : "the stack is no longer what the plan was made from (files, "
                                    "containers, sessions or engine)",
                              "",
                              {}});
  }
  return StartRun(wiring, config, console, store, plan);
}

int LockAndRun(Wiring& wiring, const config::Config& config, ui::Console& console,
               const plan::Plan& plan, Age age) {
  run::RunStore store(wiring.Files(), wiring.Clock(), StateDirOf(wiring, config, plan));
  const auto lock = store.Lock(Holder(wiring));
  if (!lock) return console.Fail(lock.error());
  if (const Status free = NoOpenRun(store); !free) return console.Fail(free.error());
  return RunUnderLock(wiring, config, console, store, plan, age);
}

int AskAndRun(Wiring& wiring, const config::Config& config, ui::Console& console,
              const plan::Plan& plan, Age age) {
  const std::string where =
      plan.kube.server.empty()
          ? std::string()
          : fmt::format(" in the namespace {} of {} at {}", plan.kube.name_space, plan.kube.context,
                        plan.kube.server);
  if (const auto over = console.AskOrEnd(
          fmt::format("Upgrade {}{} from {} to {}?", plan.instance, where, plan.from, plan.to),
          config.is_yes, wiring.Interrupts()))
    return *over;
  return LockAndRun(wiring, config, console, plan, config.is_yes ? age : Age::kOld);
}

}  // namespace

int RunUpgrade(const config::Config& config, ui::Console& console) {
  if (!config.is_dry_run) {
    if (const Status can_ask = console.CheckCanAsk(config.is_yes); !can_ask)
      return console.Fail(can_ask.error());
  }
  Wiring wiring;
  const auto open = OpenRun(wiring, config);
  if (!open) return console.Fail(open.error());
  if (*open && (config.is_dry_run || !IsWithOtherImage(config, **open)))
    return GoOnWith(wiring, config, **open, console);
  const auto prepared = Propose(wiring, config);
  if (!prepared && *open) return console.Fail(prepared.error());
  if (!prepared) return console.Fail(HeldBy(wiring, config).value_or(prepared.error()));
  if (IsRefused(*prepared) && !*open) {
    const Status free = MakeTarget(wiring, prepared->plan)->CheckFree();
    if (!free) return console.Fail(free.error());
  }
  if (config.is_dry_run || (!prepared->plan.HasSteps() && !IsRefused(*prepared))) {
    const ui::View view = ViewOf(*prepared, console.OutStyle());
    if (!IsRefused(*prepared)) return console.End(ExitCode::kDone, view);
    const Error refusal = RefusalOf(*prepared);
    return console.Fail(refusal, RowOf(refusal.code).exit, view);
  }
  if (IsRefused(*prepared)) {
    const Error refusal = RefusalOf(*prepared);
    return console.Fail(refusal, RowOf(refusal.code).exit, ViewOf(*prepared, console.OutStyle()));
  }
  console.Show(ViewOf(*prepared, console.ErrStyle()));
  if (*open) {
    if (const auto over = GiveUp(wiring, config, **open, console)) return *over;
    return LockAndRun(wiring, config, console, prepared->plan, Age::kOld);
  }
  return AskAndRun(wiring, config, console, prepared->plan, Age::kFresh);
}

int CheckUpgrade(const config::Config& config, ui::Console& console) {
  Wiring wiring;
  const auto prepared = ProposeWhereNoneIsOpen(wiring, config);
  if (!prepared) return console.Fail(prepared.error());
  const ui::View view = ui::FindingsView(prepared->findings, console.OutStyle());
  if (!IsRefused(*prepared)) return console.End(ExitCode::kDone, view);
  const Error refusal = RefusalOf(*prepared);
  return console.Fail(refusal, RowOf(refusal.code).exit, view);
}

int PlanUpgrade(const config::Config& config, ui::Console& console, const std::string& out_file,
                bool is_detailed) {
  Wiring wiring;
  const auto prepared = ProposeWhereNoneIsOpen(wiring, config);
  if (!prepared) return console.Fail(prepared.error());
  const ui::View view = ViewOf(*prepared, console.OutStyle());
  if (IsRefused(*prepared)) {
    const Error refusal = RefusalOf(*prepared);
    return console.Fail(refusal, RowOf(refusal.code).exit, view);
  }
  if (!out_file.empty()) {
    const std::string path = wiring.Files().Absolute(out_file);
    if (const Status saved = wiring.Files().Replace(path, plan::FormatPlan(prepared->plan), 0600);
        !saved) {
      return console.Fail(saved.error());
    }
    console.Note("the plan is in " + out_file + "; run it with: milvus-upgrade apply " +
                 ShellQuote(out_file));
  }
  const bool has_changes = prepared->plan.HasSteps();
  return console.End(is_detailed && has_changes ? ExitCode::kChanges : ExitCode::kDone, view);
}

int ApplyPlan(const config::Config& config, const std::string& plan_file, ui::Console& console) {
  if (const Status can_ask = console.CheckCanAsk(config.is_yes); !can_ask)
    return console.Fail(can_ask.error());
  Wiring wiring;
  const auto text = wiring.Files().Read(wiring.Files().Absolute(plan_file));
  if (!text) return console.Fail(text.error());
  const auto plan = plan::ParsePlan(*text);
  if (!plan) return console.Fail(Error(plan.error()).WithContext("reading " + plan_file));
  if (!plan->HasSteps())
    return console.End(ExitCode::kDone,
                       ui::NothingToDoView(plan->from, plan->to, console.OutStyle()));
  console.Show(ui::PlanView(*plan, {}, console.ErrStyle()));
  return AskAndRun(wiring, config, console, *plan, Age::kOld);
}

namespace {

// Of a release: the copy of its run in the namespace, where that is the run which is asked for.
Result<std::optional<CopiedRun>> CopyFor(Wiring& wiring, const config::Config& config,
                                         const std::string& run_id) {
  if (!IsRelease(config)) return std::nullopt;
  MU_TRY(auto copy, RunCopy(wiring.Kube(KubeOf(config)), config.release).Load());
  return copy && copy->holder.run.starts_with(run_id) ? std::move(copy) : std::nullopt;
}

// A run that is not in this state folder may be in another, or on another host: its lock on the
// engine says where.
Error WithPointer(Wiring& wiring, const config::Config& config, Error error) {
  if (error.code != ErrorCode::kNoSuchRun || IsRelease(config)) return error;
  const auto locks = EngineLock::All(wiring.Docker());
  if (!locks || locks->empty()) return error;
  std::vector<std::string> found;
  for (const HeldLock& lock : *locks)
    found.push_back(fmt::format("run {} of {}, on host {} in {}", lock.holder.run, lock.project,
                                lock.holder.host, lock.holder.state_dir));
  error.hint = fmt::format(
      "the engine knows of: {}. There, or with --state-dir where that folder is at hand",
      Join(found, "; "));
  return error;
}

// A run to go on with, under the lock of its state folder.
struct HeldRun {
  run::RunStore store;
  std::unique_ptr<ports::FileLock> lock;
  run::StoredRun run;
};

Result<HeldRun> HoldRun(Wiring& wiring, const config::Config& config, const std::string& run_id) {
  MU_TRY(const std::string state_dir, StateDirOf(wiring, config));
  run::RunStore store(wiring.Files(), wiring.Clock(), state_dir);
  // The lock makes the state folder: not where there is no run.
  const auto known = store.Find(run_id);
  MU_TRY(const auto copy, known ? std::nullopt : CopyFor(wiring, config, run_id));
  if (!known && !copy) return Fail(WithPointer(wiring, config, known.error()));
  if (copy) {
    // Not while it is held where it began.
    if (auto held = HeldBy(wiring, config)) return Fail(*std::move(held));
  }
  MU_TRY(auto lock, store.Lock(Holder(wiring)));
  if (copy) MU_CHECK(Adopt(wiring.Files(), wiring.Clock(), store, *copy));
  MU_TRY(run::StoredRun stored, store.Find(run_id));
  if (stored.damage) return Fail(*stored.damage);
  return HeldRun{std::move(store), std::move(lock), std::move(stored)};
}

}  // namespace

int ResumeRun(const config::Config& config, const std::string& run_id, ui::Console& console) {
  Wiring wiring;
  auto held = HoldRun(wiring, config, run_id);
  if (!held) return console.Fail(held.error());
  const run::StoredRun& stored = held->run;
  const std::string state = stored.EndState();
  if (!stored.HasTouched() &&
      (state == "unfinished" || state == "interrupted" || state == "paused")) {
    console.Note(
        fmt::format("run {} was cut before it touched anything: it starts again as a new run, with "
                    "backups of now",
                    stored.files.id));
    return RunUnderLock(wiring, config, console, held->store, stored.plan, Age::kOld);
  }
  if (!stored.IsOpen()) {
    return console.Fail(Error{ErrorCode::kNoSuchRun,
                              fmt::format("run {} is over ({}): there is nothing to resume",
                                          stored.files.id, stored.EndState()),
                              "run `milvus-upgrade report` to see what happened",
                              {}});
  }
  return ContinueRun(wiring, config, console, held->store, stored);
}

int RollBack(const config::Config& config, const std::string& run_id, const BackOptions& options,
             ui::Console& console) {
  if (const Status can_ask = console.CheckCanAsk(config.is_yes); !can_ask)
    return console.Fail(can_ask.error());
  Wiring wiring;
  auto held = HoldRun(wiring, config, run_id);
  if (!held) return console.Fail(held.error());
  const run::StoredRun& stored = held->run;
  const std::string& id = stored.files.id;
  if (!config.only.empty() && stored.plan.kind != plan::PlanKind::kRolling)
    return console.Fail(Error{ErrorCode::kUsage, "--only is for a release on Kubernetes", "", {}});
  const auto nothing = [&](const std::string& why) {
    const auto target = MakeTarget(wiring, stored.plan);
    if (const auto released = ReleaseOwnLock(wiring, held->store, *target); !released)
      return console.Fail(released.error());
    console.Note(fmt::format("run {} {}: there is nothing to go back from", id, why));
    return console.End(ExitCode::kDone, {});
  };
  if (!stored.HasTouched()) return nothing("touched nothing");
  if (options.from_snapshot)
    return RollBackRun(wiring, config, console, held->store, stored, options);
  if (stored.EndState() == "rolled-back") return nothing("was rolled back already");
  if (stored.rollback && stored.IsOpen()) {
    console.Note(fmt::format("run {} is on its way back already: it goes on", id));
    return ContinueRun(wiring, config, console, held->store, stored);
  }
  const auto ids = held->store.Ids();
  if (!ids) return console.Fail(ids.error());
  for (const std::string& later : *ids) {
    const auto other = held->store.Load(later);
    if (later <= id || !other || !other->HasTouched() || other->EndState() == "rolled-back")
      continue;
    return console.Fail(Error{
        ErrorCode::kUsage,
        fmt::format("run {} came after {}: the stack is no longer as that one left it", later, id),
        fmt::format("roll that one back first: milvus-upgrade rollback {}", later),
        {}});
  }
  return RollBackRun(wiring, config, console, held->store, stored, options);
}

namespace {

// The silent failure: healthy to look at, on metadata of another era, and every search fails. None
// where the stack cannot be looked at.
std::optional<model::Finding> EraOf(Wiring& wiring, const config::Config& config) {
  if (IsRelease(config)) return std::nullopt;
  const auto view = observe::ObserveCompose(wiring.World(), config);
  if (!view) return std::nullopt;
  const auto findings = rules::RunChecks({config, view->observed});
  if (!findings) return std::nullopt;
  for (const model::Finding& finding : *findings) {
    if (finding.id == "metadata-era") return finding;
  }
  return std::nullopt;
}

}  // namespace

int StatusOfRun(const config::Config& config, const std::string& run_id, ui::Console& console) {
  Wiring wiring;
  const auto state_dir = StateDirOf(wiring, config);
  if (!state_dir) return console.Fail(state_dir.error());
  run::RunStore store(wiring.Files(), wiring.Clock(), *state_dir);
  auto stored = store.Find(run_id);
  const bool is_here = stored.has_value();
  if (!is_here) {
    const auto copy = CopyFor(wiring, config, run_id);
    if (!copy) return console.Fail(copy.error());
    if (*copy) stored = StoredRunOf(**copy);
  }
  if (!stored) {
    Error error = stored.error();
    if (error.code == ErrorCode::kNoSuchRun && run_id.empty()) {
      if (const auto era = EraOf(wiring, config))
        error = {ErrorCode::kCheckFailed, era->message + ": " + era->cause, era->fix, {}};
    }
    return console.Fail(WithPointer(wiring, config, std::move(error)));
  }
  if (is_here) {
    const auto is_live = store.IsLive(*stored);
    if (!is_live) return console.Fail(is_live.error());
    stored->is_live = *is_live;
  }
  const auto target = MakeTarget(wiring, stored->plan);
  std::vector<ui::ObservedLine> observed = target->Look();
  // In the middle of a run the two eras are its own business.
  if (!stored->IsOpen() && !stored->is_live && stored->plan.kind != plan::PlanKind::kRolling) {
    if (const auto era = EraOf(wiring, config))
      observed.push_back({"metadata", era->message + "; " + era->fix});
  }
  ui::Prospects prospects;
  if (stored->IsOpen() && !stored->damage) {
    prospects.resume = stored->rollback
                           ? run::ResumeInWords(*stored->rollback, "rollback", stored->records)
                           : run::ResumeInWords(stored->plan, "forward", stored->records);
  }
  if (stored->HasTouched() && !stored->damage && stored->EndState() != "rolled-back" &&
      !stored->rollback) {
    auto back = target->PlanBack({stored->plan, stored->records, stored->files.id, true});
    back ? void(prospects.back = *std::move(back)) : void(prospects.no_way_back = back.error());
  }
  return console.End(ExitCode::kDone,
                     ui::StatusView(*stored, observed, prospects, console.OutStyle()));
}

}  // namespace mu::cli
