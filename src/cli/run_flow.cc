// SPDX-License-Identifier: Apache-2.0
#include "cli/run_flow.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/compose_target.h"
#include "cli/kube_target.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/standing.h"
#include "ui/plan_view.h"
#include "ui/report.h"

namespace mu::cli {
namespace {

// Locks, measures, follows the course of the run and reports.
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
        target_(MakeTarget(wiring, plan)) {}

  // `rollback`: one that was begun, or, with `is_new`, one that a person has just asked for.
  int Run(const std::optional<plan::Plan>& rollback, bool is_new = false) {
    auto ending = Go(rollback, is_new);
    wiring_.SetCommandLog({});
    if (!ending) {
      progress_.reset();
      // The store failed, not the upgrade (a full disk): if the stack was touched, no code that
      // says otherwise.
      Error error = ending.error();
      if (!is_held_ || !run::StandingOf(plan_, journal_->Records()).has_touched)
        return console_.Fail(error);
      error.hint = fmt::format("{}; then run `milvus-upgrade resume`", error.Hint());
      return console_.Fail(error, ExitCode::kNeedsPerson, {});
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
  Result<run::Ending> Go(const std::optional<plan::Plan>& rollback, bool is_new) {
    MU_TRY(journal_, run::Journal::Open(wiring_.Files(), wiring_.Clock(), files_.JournalPath()));
    MU_CHECK(target_->Take({files_.id, wiring_.HostName(), store_.StateDir()}));
    is_held_ = true;
    if (journal_->Records().empty()) {
      MU_CHECK(run::Begin(*journal_, plan::HashOf(plan_)));
    }
    // An error there shows at the next record of the executor, before the next effect.
    wiring_.SetCommandLog(run::CommandLogInto(*journal_));
    progress_ = console_.MakeProgress();
    MU_CHECK(target_->StartProbes(*journal_,
                                  run::StandingOf(plan_, journal_->Records()).is_outage_open));
    const auto effects = effects::MakeEffects(wiring_.Effects());
    run::Course course{
        plan_,
        files_,
        store_,
        *target_,
        {*effects, *journal_, wiring_.Clock(), wiring_.Interrupts(), *progress_, files_.folder,
         run::kPatience, [this](const plan::Step& step) { return target_->BeforeChange(step); }},
        {config_.pause_before, config_.until},
        RollsBack()};
    MU_TRY(run::Ending ending, is_new ? course.GoBack(*rollback) : course.Follow(rollback));
    if (ending.code == ExitCode::kInterrupted) ending.code = wiring_.InterruptedExit();
    MU_CHECK(target_->EndProbes(*journal_));
    // A run that can go on keeps its lock: nobody else may touch the stack meanwhile. The run's end
    // is its last record.
    if (ending.IsOver() || !run::StandingOf(plan_, journal_->Records()).has_touched) {
      if (const Status released = target_->Release(files_.id); !released) {
        console_.Warn(target_->LockName() + " could not be removed: " + released.error().message);
      }
    }
    if (ending.IsOver()) MU_CHECK(store_.GiveRoom(files_).map([](bool) {}));
    MU_CHECK(run::Finish(*journal_, ending.outcome, ending.code));
    progress_.reset();
    return ending;
  }

  // Half of a release in the new version serves as well as all of it: there a person decides, where
  // nothing was said.
  bool RollsBack() const {
    const auto source = config_.sources.find("on-failure");
    const bool is_said = source != config_.sources.end() && source->second != "default";
    return config_.rolls_back_on_failure && (is_said || plan_.kind != plan::PlanKind::kRolling);
  }

  Wiring& wiring_;
  const config::Config& config_;
  ui::Console& console_;
  run::RunStore& store_;
  run::RunFiles files_;
  const plan::Plan& plan_;
  std::unique_ptr<RunTarget> target_;
  std::unique_ptr<run::Journal> journal_;
  std::unique_ptr<run::Progress> progress_;
  bool is_held_ = false;  // the lock is ours: from here on the stack may be touched
};

// A step that is named and does not exist would be passed by without a word.
Status CheckStaging(const config::Config& config, const plan::Plan& plan) {
  for (const std::string& id : {config.pause_before, config.until}) {
    if (id.empty()) continue;
    std::vector<std::string> ids;
    for (const plan::Step& step : plan.steps) ids.push_back(step.id);
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) continue;
    const std::string near = Nearest(id, ids);
    return Fail(ErrorCode::kUsage, fmt::format("the plan has no step \"{}\"", Printable(id)),
                (near.empty() ? std::string() : fmt::format("did you mean {}? ", near)) +
                    "its steps are: " + Join(ids, ", "));
  }
  return {};
}

}  // namespace

std::unique_ptr<RunTarget> MakeTarget(Wiring& wiring, const plan::Plan& plan) {
  return plan.kind == plan::PlanKind::kRolling ? MakeKubeTarget(wiring, plan)
                                               : MakeComposeTarget(wiring, plan);
}

int StartRun(Wiring& wiring, const config::Config& config, ui::Console& console,
             run::RunStore& store, const plan::Plan& plan) {
  if (const Status staged = CheckStaging(config, plan); !staged)
    return console.Fail(staged.error());
  auto files = store.Create(plan);
  if (!files) return console.Fail(files.error());
  return Flow(wiring, config, console, store, *files, plan).Run(std::nullopt);
}

int ContinueRun(Wiring& wiring, const config::Config& config, ui::Console& console,
                run::RunStore& store, const run::StoredRun& stored) {
  if (const Status staged = CheckStaging(config, stored.plan); !staged)
    return console.Fail(staged.error());
  return Flow(wiring, config, console, store, stored.files, stored.plan).Run(stored.rollback);
}

int RollBackRun(Wiring& wiring, const config::Config& config, ui::Console& console,
                run::RunStore& store, const run::StoredRun& stored, const BackOptions& options) {
  const auto back = MakeTarget(wiring, stored.plan)
                        ->PlanBack({stored.plan, stored.records, stored.files.id, true,
                                    options.from_snapshot, options.accepts_data_loss, config.only});
  if (!back) {
    // A run that is over is well: that there is no way back from it is no call for a person.
    const bool is_refusal = back.error().code == ErrorCode::kIrreversible && !stored.IsOpen();
    return console.Fail(back.error(),
                        is_refusal ? ExitCode::kPathRefused : RowOf(back.error().code).exit, {});
  }
  console.Show(ui::PlanView(*back, {}, console.ErrStyle()));
  if (const auto over =
          console.AskOrEnd(options.from_snapshot
                               ? fmt::format("Put the metadata of {} back to {} from the snapshot?",
                                             back->instance, back->to)
                               : fmt::format("Put {} back to {}?", back->instance, back->to),
                           config.is_yes, wiring.Interrupts()))
    return *over;
  return Flow(wiring, config, console, store, stored.files, stored.plan).Run(*back, true);
}

}  // namespace mu::cli
