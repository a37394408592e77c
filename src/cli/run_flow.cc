// SPDX-License-Identifier: Apache-2.0
#include "cli/run_flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/engine_lock.h"
#include "cli/probes.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/plan/plan_compose.h"
#include "milvus_upgrade/run/executor.h"
#include "ui/plan_view.h"
#include "ui/report.h"

namespace mu::cli {
namespace {

// How a run ended, for its last record and the exit code.
struct Ending {
  std::string outcome;  // "done", "rolled-back", "needs-person", "paused", "interrupted",
                        // "failed-untouched"
  ExitCode code = ExitCode::kDone;
  std::optional<Error> error;
  bool IsOver() const { return outcome != "paused" && outcome != "interrupted"; }
};

class Flow {
 public:
  Flow(Wiring& wiring, const config::Config& config, ui::Console& console, run::RunStore& store,
       run::RunFiles files, const plan::Plan& plan)
      : wiring_(wiring),
        config_(config),
        console_(console),
        store_(store),
        files_(std::move(files)),
        plan_(plan),
        lock_(wiring.Docker(), plan.instance),
        probes_(wiring, plan) {}

  // The way back from the snapshot, as a person asks for it: planned from where the journal stands.
  Result<plan::Plan> PlanBack(bool accepts_data_loss) {
    MU_TRY(journal_, run::Journal::Open(wiring_.Files(), wiring_.Clock(), files_.JournalPath()));
    MU_TRY(const auto started, StartedServices());
    plan::RollbackInput input{plan_,
                              Ids(run::StepState::Last::kDone),
                              Touched(),
                              started,
                              files_.id,
                              true,
                              accepts_data_loss};
    for (const run::Record& record : journal_->Records()) {
      const bool is_done = record.type == run::RecordType::kDone;
      if (is_done && record.step.ends_with("backup/snapshot")) input.snapshot_time = record.time;
      if (record.phase != "rollback" || record.step.find("/up/") == std::string::npos) continue;
      input.has_served_since = true;
      if (is_done && record.step.starts_with("back/"))
        return Fail(ErrorCode::kNoSuchRun,
                    fmt::format("the snapshot of run {} was put back already", files_.id),
                    "run `milvus-upgrade report` to see what happened");
    }
    MU_TRY(plan::Plan back, plan::PlanRollback(input));
    journal_.reset();
    return back;
  }

  int RunBack(const plan::Plan& back) {
    if (const Status saved = store_.SaveRollback(files_, back); !saved)
      return console_.Fail(saved.error());
    is_asked_for_ = true;
    return Run(back);
  }

  int Run(const std::optional<plan::Plan>& stored_rollback) {
    auto ending = Go(stored_rollback);
    wiring_.SetCommandLog({});
    if (!ending) {
      progress_.reset();
      // The store failed, not the upgrade (a full disk): if the stack was touched, no code that
      // says otherwise.
      const ExitCode code = RowOf(ending.error().code).exit;
      return console_.Fail(ending.error(), is_held_ && HasTouched() ? ExitCode::kNeedsPerson : code,
                           {});
    }
    auto stored = store_.Load(files_.id);
    if (!stored) return console_.Fail(stored.error());
    const ui::Report report = ui::MakeReport(*stored);
    console_.AppendStepSummary(ui::ReportMarkdown(report));
    const ui::View view = ui::ReportView(report, console_.OutStyle());
    return ending->error ? console_.Fail(*ending->error, ending->code, view)
                         : console_.End(ending->code, view);
  }

 private:
  Result<Ending> Go(const std::optional<plan::Plan>& stored_rollback) {
    MU_TRY(journal_, run::Journal::Open(wiring_.Files(), wiring_.Clock(), files_.JournalPath()));
    MU_CHECK(lock_.Take(LockImage(), {files_.id, wiring_.HostName(), store_.StateDir()}));
    is_held_ = true;
    if (journal_->Records().empty()) {
      MU_CHECK(run::Begin(*journal_, plan::HashOf(plan_)));
    }
    // An error there shows at the next record of the executor, before the next effect.
    wiring_.SetCommandLog(run::CommandLogInto(*journal_));
    progress_ = console_.MakeProgress();
    MU_CHECK(probes_.Start(*journal_, IsDown()));
    MU_TRY(Ending ending, Decide(stored_rollback));
    MU_CHECK(probes_.End(*journal_));
    // A run that can go on keeps its lock: nobody else may touch the stack meanwhile. The run's end
    // is its last record.
    if (ending.IsOver() || !HasTouched()) {
      if (const Status released = lock_.Release(files_.id); !released) {
        console_.Warn("the lock container " + lock_.Name() +
                      " could not be removed: " + released.error().message);
      }
    }
    MU_CHECK(run::Finish(*journal_, ending.outcome, ending.code));
    progress_.reset();
    return ending;
  }

  Result<Ending> Decide(const std::optional<plan::Plan>& stored_rollback) {
    if (stored_rollback) return RollBack(*stored_rollback, std::nullopt);
    const run::Outcome outcome = Execute(plan_, "forward");
    switch (outcome.kind) {
      case run::Outcome::Kind::kDone:
        return Ending{"done", ExitCode::kDone, std::nullopt};
      case run::Outcome::Kind::kInterrupted:
        return Interrupted(outcome);
      case run::Outcome::Kind::kPaused:
        if (!HasTouched()) return Ending{"paused", ExitCode::kPaused, outcome.error};
        break;
      case run::Outcome::Kind::kFailed:
        break;
    }
    if (!HasTouched()) {
      const ErrorRow& row = RowOf(outcome.error->code);
      return Ending{"failed-untouched",
                    row.exit == ExitCode::kNeedsPerson ? ExitCode::kUnexpected : row.exit,
                    outcome.error};
    }
    return Undo(*outcome.error);
  }

  // The upgrade has failed with the service down or changed: back to the old version, or say why
  // not.
  Result<Ending> Undo(Error error) {
    if (!config_.rolls_back_on_failure)
      return Ending{"needs-person", ExitCode::kNeedsPerson, std::move(error)};
    const auto started = StartedServices();
    if (!started)
      return Ending{"needs-person", ExitCode::kNeedsPerson,
                    std::move(error).WithContext("looking for the way back")};
    auto rollback = plan::PlanRollback(
        {plan_, Ids(run::StepState::Last::kDone), Touched(), *started, files_.id});
    if (!rollback) {
      console_.Warn(rollback.error().Text());
      error.hint = NextSteps(rollback.error());
      return Ending{"needs-person", ExitCode::kNeedsPerson, std::move(error)};
    }
    MU_CHECK(store_.SaveRollback(files_, *rollback));
    return RollBack(*rollback, std::move(error));
  }

  Result<Ending> RollBack(const plan::Plan& rollback, std::optional<Error> error) {
    journal_->SetPhase("rollback");
    run::ProgressEvent event;
    event.kind = run::ProgressEvent::Kind::kRollbackStarted;
    event.text = error ? error->Text() : "going on with the rollback";
    progress_->Tell(event);
    // What was waited for in vain a moment ago is not waited for again.
    const bool is_away = error && (error->code == ErrorCode::kDockerDown ||
                                   error->code == ErrorCode::kEtcdUnreachable);
    const run::Outcome outcome =
        Execute(rollback, "rollback", is_away ? Millis(0) : run::kPatience);
    if (outcome.kind == run::Outcome::Kind::kInterrupted) return Interrupted(outcome);
    if (outcome.kind == run::Outcome::Kind::kDone && is_asked_for_)
      return Ending{"rolled-back", ExitCode::kDone, std::nullopt};
    if (outcome.kind == run::Outcome::Kind::kDone) {
      if (!error) error = FirstFailure();
      if (error) {
        error->hint = fmt::format("{} is up again; mend the cause and run the same command again{}",
                                  rollback.to, error->hint.empty() ? "" : " (" + error->hint + ")");
      }
      return Ending{"rolled-back", ExitCode::kRolledBack, std::move(error)};
    }
    Error failed =
        outcome.error.value_or(Error{ErrorCode::kInternal, "the rollback stopped", "", {}});
    failed = std::move(failed).WithContext("rolling back");
    if (HasMigration(rollback))
      failed.hint = fmt::format(
          "nothing was deleted: the backups are named with their SHA-256 in the report, in {}. "
          "Mend "
          "the cause and run `milvus-upgrade resume`; if the backup itself cannot be put back, "
          "`milvus-upgrade rollback --from-snapshot` takes the keys from the etcd snapshot",
          files_.folder);
    return Ending{"needs-person", ExitCode::kNeedsPerson, std::move(failed)};
  }

  Ending Interrupted(const run::Outcome& outcome) {
    Error error = outcome.error.value_or(
        Error{ErrorCode::kInterrupted,
              outcome.step.empty() ? std::string("stopped by a signal")
                                   : "stopped by a signal before step " + outcome.step,
              "",
              {}});
    error.hint = "run `milvus-upgrade resume` to go on from there";
    if (IsDown()) error.hint += "; until then the outage lasts";
    return {"interrupted", wiring_.InterruptedExit(), std::move(error)};
  }

  run::Outcome Execute(const plan::Plan& plan, const std::string& phase,
                       Millis patience = run::kPatience) {
    const auto effects = effects::MakeEffects(wiring_.Effects());
    return run::Execute(plan, phase,
                        {*effects, *journal_, wiring_.Clock(), wiring_.Interrupts(), *progress_,
                         files_.folder, patience},
                        "");
  }

  // Whether the outage has begun and not ended.
  bool IsDown() const {
    bool is_open = false;
    for (const run::Record& record : journal_->Records()) {
      if (record.event == "outage-opened") is_open = true;
      if (record.event == "outage-closed") is_open = false;
    }
    return is_open;
  }

  // Whether a step that changes the stack was entered.
  bool HasTouched() const {
    return std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const plan::Step& step) {
      return step.undo != plan::Undo::kNone &&
             run::StateOf(journal_->Records(), "forward", step.id).last !=
                 run::StepState::Last::kNone;
    });
  }

  std::vector<std::string> Ids(run::StepState::Last last) const {
    std::vector<std::string> ids;
    for (const plan::Step& step : plan_.steps) {
      if (run::StateOf(journal_->Records(), "forward", step.id).last == last)
        ids.push_back(step.id);
    }
    return ids;
  }

  // Steps that were not done and may have changed something. One that failed before its effect (a
  // file that someone else had changed) has left nothing to undo.
  std::vector<std::string> Touched() const {
    std::vector<std::string> ids;
    for (const plan::Step& step : plan_.steps) {
      const run::StepState state = run::StateOf(journal_->Records(), "forward", step.id);
      if (state.last != run::StepState::Last::kDone && state.acted) ids.push_back(step.id);
    }
    return ids;
  }

  // The hop of the last step that was entered.
  int CurrentHop() const {
    int hop = 0;
    for (const plan::Step& step : plan_.steps) {
      if (run::StateOf(journal_->Records(), "forward", step.id).last != run::StepState::Last::kNone)
        hop = std::max(hop, step.hop);
    }
    return hop;
  }

  // The services whose container of the new image has really started: the point of no return is an
  // event, so the world is asked, not the plan.
  // Of the hop that the run is in: what earlier hops started is what this one goes back to.
  Result<std::vector<std::string>> StartedServices() {
    std::vector<std::string> started;
    std::set<std::string> ups;
    const int hop = CurrentHop();
    for (const plan::Step& step : plan_.steps) {
      const auto* up = std::get_if<plan::UpServices>(&step.args);
      if (up == nullptr || step.hop != hop) continue;
      if (run::StateOf(journal_->Records(), "forward", step.id).last == run::StepState::Last::kNone)
        continue;
      ups.insert(step.id);
      for (const std::string& service : up->services) {
        MU_TRY(const auto image, wiring_.Docker().InspectImage(up->images.at(service)));
        MU_TRY(const auto containers, wiring_.Docker().Inspect({up->containers.at(service)}));
        if (image && containers.front() && containers.front()->image_id == image->id &&
            containers.front()->HasEverStarted()) {
          started.push_back(service);
        }
      }
    }
    // A container that started and was then removed is in the journal.
    for (const run::Record& record : journal_->Records()) {
      if (record.event == "first-start" && started.empty() && ups.contains(record.step)) {
        for (const auto& [name, time] : record.evidence) started.push_back(name);
      }
    }
    return started;
  }

  static bool HasMigration(const plan::Plan& plan) {
    return std::any_of(plan.steps.begin(), plan.steps.end(), [](const plan::Step& step) {
      return step.kind == plan::StepKind::kMigrateMetadata ||
             step.kind == plan::StepKind::kRestoreMetadata;
    });
  }

  // Whether the hop that the run is in has a migration: of another one the snapshot is no way back.
  bool MigratedNow() const {
    const int hop = CurrentHop();
    return std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const plan::Step& step) {
      return step.kind == plan::StepKind::kMigrateMetadata && step.hop == hop;
    });
  }

  std::string NextSteps(const Error& why_no_way_back) const {
    const std::string last_resort =
        MigratedNow() ? ". The last resort, which loses what was written since: "
                        "`milvus-upgrade rollback --from-snapshot --accept-data-loss`"
                      : "";
    return fmt::format(
        "{}. Read the container's log (docker logs), mend the cause and run `milvus-upgrade "
        "resume`. The old "
        "files and the backups are in {}{}",
        why_no_way_back.message, files_.folder, last_resort);
  }

  std::optional<Error> FirstFailure() const {
    for (const run::Record& record : journal_->Records()) {
      if (record.type == run::RecordType::kFailed && record.error &&
          record.error->code != ErrorCode::kInterrupted)
        return record.error;
    }
    return std::nullopt;
  }

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
  const config::Config& config_;
  ui::Console& console_;
  run::RunStore& store_;
  run::RunFiles files_;
  const plan::Plan& plan_;
  EngineLock lock_;
  std::unique_ptr<run::Journal> journal_;
  std::unique_ptr<run::Progress> progress_;
  Probes probes_;
  bool is_asked_for_ = false;  // the rollback, by a person: its end is a success
  bool is_held_ = false;  // the lock on the engine is ours: from here on the stack may be touched
};

}  // namespace

int StartRun(Wiring& wiring, const config::Config& config, ui::Console& console,
             run::RunStore& store, const plan::Plan& plan) {
  auto files = store.Create(plan);
  if (!files) return console.Fail(files.error());
  return Flow(wiring, config, console, store, *files, plan).Run(std::nullopt);
}

int RollBackRun(Wiring& wiring, const config::Config& config, ui::Console& console,
                run::RunStore& store, const run::StoredRun& stored, bool accepts_data_loss) {
  Flow flow(wiring, config, console, store, stored.files, stored.plan);
  const auto back = flow.PlanBack(accepts_data_loss);
  if (!back) return console.Fail(back.error());
  console.Show(ui::PlanView(*back, {}, console.ErrStyle()));
  const auto answer = console.Ask(
      fmt::format("Put the metadata of {} back to {} from the snapshot?", back->instance, back->to),
      config.is_yes, wiring.Interrupts());
  if (!answer) return console.Fail(answer.error());
  if (!*answer) {
    console.Note("nothing was touched");
    return console.End(ExitCode::kDone, {});
  }
  return flow.RunBack(*back);
}

int ContinueRun(Wiring& wiring, const config::Config& config, ui::Console& console,
                run::RunStore& store, const run::StoredRun& stored) {
  return Flow(wiring, config, console, store, stored.files, stored.plan).Run(stored.rollback);
}

}  // namespace mu::cli
