// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/course.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/plan/plan_rolling.h"
#include "milvus_upgrade/run/standing.h"

namespace mu::run {
namespace {

constexpr char kAskedFor[] = "rollback-asked-for";

bool WasAskedFor(const std::vector<Record>& records) {
  return std::any_of(records.begin(), records.end(),
                     [](const Record& record) { return record.event == kAskedFor; });
}

// What has made the run go back.
std::optional<Error> FirstFailure(const std::vector<Record>& records) {
  for (const Record& record : records) {
    if (record.type == RecordType::kFailed && record.error &&
        record.error->code != ErrorCode::kInterrupted)
      return record.error;
  }
  return std::nullopt;
}

bool RestoresMetadata(const plan::Plan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [](const plan::Step& step) {
    return step.kind == plan::StepKind::kRestoreMetadata;
  });
}

std::string Sentence(std::string_view hint, std::string_view more) {
  return hint.empty() ? std::string(more) : fmt::format("{}; {}", hint, more);
}

}  // namespace

Result<Ending> Course::Follow(const std::optional<plan::Plan>& rollback) {
  if (rollback) return RollBack(*rollback, std::nullopt, WasAskedFor(ports.journal.Records()));
  const Outcome outcome = Run(plan, "forward", ports.patience);
  if (outcome.kind == Outcome::Kind::kDone) return Ending{"done", ExitCode::kDone, std::nullopt};
  if (outcome.kind == Outcome::Kind::kInterrupted || !outcome.error) return Stopped(outcome);
  if (!StandingOf(plan, ports.journal.Records()).has_touched) {
    if (outcome.kind == Outcome::Kind::kPaused)
      return Ending{"paused", ExitCode::kPaused, outcome.error};
    const ExitCode exit = RowOf(outcome.error->code).exit;
    return Ending{"failed-untouched", exit == ExitCode::kNeedsPerson ? ExitCode::kUnexpected : exit,
                  outcome.error};
  }
  return Undo(*outcome.error);
}

Result<Ending> Course::GoBack(const plan::Plan& rollback) {
  MU_CHECK(store.SaveRollback(files, rollback));
  Record asked;
  asked.event = kAskedFor;
  MU_CHECK(ports.journal.Append(std::move(asked)));
  return RollBack(rollback, std::nullopt, true);
}

// The upgrade has failed with the service down or changed: back to the old version, or say why
// not.
Result<Ending> Course::Undo(Error error) {
  const auto stays = [&](const std::string& next) {
    error.hint = Sentence(error.Hint(), next);
    return Ending{"needs-person", ExitCode::kNeedsPerson, std::move(error)};
  };
  // Someone else is at work here: to go on over it, forward or back, is for a person to say.
  if (error.code == ErrorCode::kLocked) return stays("then run `milvus-upgrade resume`");
  if (error.code == ErrorCode::kDrift)
    return stays(
        "put it back as it was and run `milvus-upgrade resume`, or go back with `milvus-upgrade "
        "rollback`");
  if (!rolls_back_on_failure)
    return stays("`milvus-upgrade resume` tries again, `milvus-upgrade rollback` goes back");
  auto rollback = way_back.PlanBack({plan, ports.journal.Records(), files.id});
  if (!rollback) {
    ProgressEvent event;
    event.kind = ProgressEvent::Kind::kNote;
    event.text = "no way back: " + rollback.error().Text();
    ports.progress.Tell(event);
    error.hint = rollback.error().Hint();
    return Ending{"needs-person", ExitCode::kNeedsPerson, std::move(error)};
  }
  if (error.code == ErrorCode::kDiskFull) MU_CHECK(store.GiveRoom(files).map([](bool) {}));
  MU_CHECK(store.SaveRollback(files, *rollback));
  return RollBack(*rollback, std::move(error), false);
}

Result<Ending> Course::RollBack(const plan::Plan& rollback, std::optional<Error> error,
                                bool is_asked) {
  ports.journal.SetPhase("rollback");
  ProgressEvent event;
  event.kind = ProgressEvent::Kind::kRollbackStarted;
  event.text = error ? error->Text() : is_asked ? "as asked for" : "going on with the rollback";
  ports.progress.Tell(event);
  // What was waited for in vain a moment ago is not waited for again.
  const bool is_away = error && IsAway(error->code);
  const Outcome outcome = Run(rollback, "rollback", is_away ? Millis(0) : ports.patience);
  if (outcome.kind == Outcome::Kind::kInterrupted) return Stopped(outcome);
  if (outcome.kind == Outcome::Kind::kDone) {
    const Standing standing = StandingOf(plan, ports.journal.Records());
    std::set<std::string> entered(standing.done.begin(), standing.done.end());
    entered.insert(standing.touched.begin(), standing.touched.end());
    const auto reopened = plan::Reopened(plan, rollback, entered);
    if (!reopened.empty()) {
      MU_CHECK(Reopen(rollback, reopened));
      return Ending{"partly-rolled-back", ExitCode::kDone, std::nullopt};
    }
    if (is_asked) return Ending{"rolled-back", ExitCode::kDone, std::nullopt};
    if (!error) error = FirstFailure(ports.journal.Records());
    if (error) {
      error->hint = fmt::format("{} is up again; mend the cause and run the same command again{}",
                                rollback.to, error->hint.empty() ? "" : " (" + error->hint + ")");
    }
    return Ending{"rolled-back", ExitCode::kRolledBack, std::move(error)};
  }
  Error failed =
      outcome.error.value_or(Error{ErrorCode::kInternal, "the rollback stopped", "", {}});
  failed = std::move(failed).WithContext("rolling back");
  failed.hint = Sentence(failed.Hint(), "then run `milvus-upgrade resume`");
  if (RestoresMetadata(rollback))
    failed.hint += fmt::format(
        ". Nothing was deleted: the backups are named with their SHA-256 in the report, in {}. If "
        "the backup itself cannot be put back, `milvus-upgrade rollback --from-snapshot` takes the "
        "keys from the etcd snapshot",
        files.folder);
  return Ending{"needs-person", ExitCode::kNeedsPerson, std::move(failed)};
}

// A cut in the middle of it comes here again: the way back is dropped last.
Status Course::Reopen(const plan::Plan& rollback, const std::vector<std::string>& steps) {
  const auto undone = [&](const std::string& step, const Evidence& evidence) {
    Record record;
    record.event = kUndone;
    record.step = step;
    record.evidence = evidence;
    return ports.journal.Append(std::move(record));
  };
  ports.journal.SetPhase("forward");
  for (const std::string& step : steps) {
    const std::string undo = plan::kUndoPrefix + step;
    MU_CHECK(undone(step, StateOf(ports.journal.Records(), "rollback", undo).evidence));
  }
  ports.journal.SetPhase("rollback");
  for (const plan::Step& step : rollback.steps) MU_CHECK(undone(step.id, {}));
  MU_CHECK(store.DropRollback(files));
  ProgressEvent event;
  event.kind = ProgressEvent::Kind::kNote;
  event.text =
      "the run stays open: `milvus-upgrade rollback` puts the rest back as well, `milvus-upgrade "
      "resume` goes forward again";
  ports.progress.Tell(event);
  return {};
}

// By a signal, or before the step or after the step that was named.
Ending Course::Stopped(const Outcome& outcome) {
  const bool is_asked = outcome.kind == Outcome::Kind::kPaused;
  Error error = outcome.error.value_or(
      Error{ErrorCode::kInterrupted,
            outcome.step.empty() ? std::string("stopped by a signal")
                                 : "stopped by a signal before step " + outcome.step,
            "",
            {}});
  error.hint = "run `milvus-upgrade resume` to go on from there";
  if (StandingOf(plan, ports.journal.Records()).is_outage_open)
    error.hint += "; until then the outage lasts";
  if (!is_asked) return {"interrupted", ExitCode::kInterrupted, std::move(error)};
  ProgressEvent event;
  event.kind = ProgressEvent::Kind::kNote;
  event.text = fmt::format("paused before step {}, as asked for; {}", outcome.step, error.hint);
  ports.progress.Tell(event);
  return {"paused", ExitCode::kPaused, std::nullopt};
}

Outcome Course::Run(const plan::Plan& which, const std::string& phase, Millis patience) {
  ExecutorPorts with = ports;
  with.patience = patience;
  // The way back is not staged: it was begun because the old version is wanted up again.
  return Execute(which, phase, with, phase == "forward" ? staging : Staging{});
}

}  // namespace mu::run
