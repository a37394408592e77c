// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/run/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/run/boundary.h"
#include "milvus_upgrade/run/standing.h"

namespace mu::run {
namespace {

using Kind = ProgressEvent::Kind;

constexpr Millis kRetryPause{1'000};
constexpr Millis kSignalLook{250};

class Execution {
 public:
  Execution(const plan::Plan& plan, const std::string& phase, const ExecutorPorts& ports)
      : plan_(plan), ports_(ports) {
    ports_.journal.SetPhase(phase);
    for (const plan::Step& step : plan.steps)
      states_[step.id] = StateOf(ports_.journal.Records(), phase, step.id);
    is_outage_open_ = StandingOf(plan, ports_.journal.Records()).is_outage_open;
    has_touched_ = phase == "rollback" ||
                   std::any_of(plan.steps.begin(), plan.steps.end(), [&](const plan::Step& step) {
                     return step.undo != plan::Undo::kNone && states_[step.id].acted;
                   });
  }

  Outcome Run(const Staging& staging) {
    bool is_until_over = false;
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      const plan::Step& step = plan_.steps[i];
      index_ = static_cast<int>(i) + 1;
      step_ = &step;
      started_ = ports_.clock.Monotonic();
      if (is_until_over ||
          (step.id == staging.pause_before && states_[step.id].last != StepState::Last::kDone))
        return {Outcome::Kind::kPaused, std::nullopt, step.id};
      if (ports_.interrupts.Pending() != ports::Interrupt::kNone)
        return {Outcome::Kind::kInterrupted, std::nullopt, step.id};
      ports_.journal.SetStep(step.id);
      const Status status = Advance();
      ports_.journal.SetStep("");
      if (!status) return OutcomeOf(status.error());
      is_until_over = step.id == staging.until;
    }
    return {};
  }

 private:
  class Scope : public StepScope {
   public:
    explicit Scope(Execution& run) : run_(run) {}
    void Waiting(const std::string& observed) override { run_.Tell(Kind::kWaiting, observed); }
    Status Event(const std::string& name, const Evidence& evidence) override {
      if (run_.HasEvent(name, evidence)) return {};
      MU_CHECK(run_.RecordEvent(name, evidence));
      const bool is_no_return =
          name == "first-start" && run_.step_->id == run_.plan_.point_of_no_return;
      run_.Tell(is_no_return ? Kind::kPointOfNoReturn : Kind::kNote, TextOf(name, evidence));
      return {};
    }
    // A gate may be left at any time: it has changed nothing. An effect is finished first, until a
    // second signal.
    bool IsInterrupted() override {
      const ports::Interrupt pending = run_.ports_.interrupts.Pending();
      return plan::RowOf(run_.step_->kind).is_read_only ? pending != ports::Interrupt::kNone
                                                        : pending == ports::Interrupt::kStopNow;
    }
    const std::string& RunFolder() const override { return run_.ports_.run_folder; }

   private:
    static std::string TextOf(const std::string& name, const Evidence& evidence) {
      std::vector<std::string> facts;
      for (const auto& [key, value] : evidence) facts.push_back(key + " " + value);
      return facts.empty() ? name : name + ": " + Join(facts, ", ");
    }

    Execution& run_;
  };

  // The resume table's move for this step.
  Status Advance() {
    const StepState& state = states_[step_->id];
    switch (NextMove(state, step_->on_crash)) {
      case Move::kStart:
      case Move::kReobserve:
        return Enter(state, Restores::kNo);
      case Move::kCheckDone:
        return CheckDone(state);
      case Move::kRestoreThenRetry:
        return Enter(state, Restores::kYes);
      case Move::kAsk:
        return Fail(ErrorCode::kDrift,
                    fmt::format("step {} was cut in the middle; only a person can tell how far it "
                                "came",
                                step_->id));
      case Move::kLoopGuard:
        return Fail(ErrorCode::kLoopGuard, fmt::format("step {} was entered {} times and never got "
                                                       "done",
                                                       step_->id, state.attempts));
    }
    return Fail(ErrorCode::kInternal, "a move that is not in the resume table");
  }

  // A step that is done must still be so, unless a later step has undone it on purpose. What a gate
  // has seen holds as long as nothing before it was done again.
  Status CheckDone(const StepState& state) {
    const plan::StepKindRow& row = plan::RowOf(step_->kind);
    if (IsSuperseded()) return SkipDone();
    if (row.is_read_only) return was_done_again_ ? Enter(state, Restores::kNo) : SkipDone();
    Scope scope(*this);
    Effect& effect = ports_.effects.For(step_->kind);
    MU_TRY(const auto seen, effect.Seen(*step_, scope));
    if (seen) return SkipDone();
    const std::string what = fmt::format("step {} ({}: {}) was done, and the world is no longer so",
                                         step_->id, row.title, plan::DescribeArgs(*step_));
    if (row.on_drift == plan::OnDrift::kAgain) {
      was_done_again_ = true;
      Tell(Kind::kNote, what + ": it is done again");
      return Enter(state, Restores::kNo);
    }
    std::vector<std::string> facts;
    for (const auto& [key, value] : state.evidence)
      facts.push_back(fmt::format("{} = {}", key, value));
    const std::string difference = effect.Difference();
    return Fail(ErrorCode::kDrift, fmt::format("{}; recorded then: {}{}", what,
                                               facts.empty() ? "nothing" : Join(facts, ", "),
                                               difference.empty() ? "" : "; now: " + difference));
  }

  Status SkipDone() {
    Tell(Kind::kStepSkipped, "done before");
    return {};
  }

  bool IsSuperseded() const {
    for (std::size_t i = static_cast<std::size_t>(index_); i < plan_.steps.size(); ++i) {
      const plan::Step& later = plan_.steps[i];
      if (states_.at(later.id).acted && plan::Supersedes(later, *step_)) return true;
    }
    return false;
  }

  enum class Restores { kNo, kYes };  // first what the cut attempt has half done

  Status Enter(const StepState& state, Restores restores) {
    Tell(Kind::kStepStarted, "");
    Record intent = RecordOf(RecordType::kIntent);
    intent.attempt = attempt_ = state.attempts + 1;
    MU_CHECK(ports_.journal.Append(std::move(intent)));

    bool may_have_acted = state.acted;
    bool acted = false;
    std::optional<Millis> away_since;
    for (;;) {
      Attempt attempt;
      if (restores == Restores::kYes) attempt.error = Restore();
      if (!attempt.error) {
        restores = Restores::kNo;
        MU_TRY(attempt, Try(may_have_acted));
      }
      acted = acted || attempt.acted;
      may_have_acted = may_have_acted || acted;
      has_touched_ = has_touched_ || (acted && step_->undo != plan::Undo::kNone);
      if (!attempt.error) {
        if (away_since) MU_CHECK(RecordEvent("back", {{"after", Since(*away_since)}}));
        return Done(std::move(attempt.evidence), acted ? Skipped::kNo : attempt.skipped);
      }
      if (!MayWaitOut(*attempt.error, acted, away_since))
        return Failed(*std::move(attempt.error), acted ? Acted::kYes : Acted::kNo);
      if (!away_since) {
        away_since = ports_.clock.Monotonic();
        MU_CHECK(RecordEvent("away", {{"what", attempt.error->Text()}}));
      }
      Tell(Kind::kWaiting, fmt::format("{}; tried again for up to {}", attempt.error->message,
                                       FormatDuration(Patience())));
      if (Status waited = SleepUnlessInterrupted(); !waited)
        return Failed(std::move(waited).error(), acted ? Acted::kYes : Acted::kNo);
    }
  }

  enum class Acted { kNo, kYes };
  enum class Skipped { kNo, kYes };

  struct Attempt {
    Evidence evidence;
    Skipped skipped = Skipped::kNo;
    bool acted = false;
    std::optional<Error> error;  // of the effect
  };

  std::optional<Error> Restore() {
    Scope scope(*this);
    Status restored = ports_.effects.For(step_->kind).Restore(*step_, scope);
    if (restored) restored = scope.Event("restored", {{"attempt", std::to_string(attempt_)}});
    return restored ? std::nullopt : std::optional(std::move(restored).error());
  }

  // Already so? -> expectations -> act -> prove. Errors: those of the journal only.
  Result<Attempt> Try(bool may_have_acted) {
    Scope scope(*this);
    Effect& effect = ports_.effects.For(step_->kind);
    Attempt attempt;
    auto seen = effect.Seen(*step_, scope);
    if (!seen) {
      attempt.error = std::move(seen).error();
      return attempt;
    }
    if (*seen) {
      MU_CHECK(MarkOutage(plan::OutageMark::kOpens));
      attempt.evidence = **std::move(seen);
      attempt.skipped = Skipped::kYes;
      return attempt;
    }
    for (const plan::Expectation& expectation : step_->expects) {
      if (may_have_acted && plan::Breaks(*step_, expectation.kind)) continue;
      if (Status holds = ports_.effects.Check(expectation); !holds) {
        attempt.error = std::move(holds).error();
        return attempt;
      }
    }
    MU_CHECK(MarkOutage(plan::OutageMark::kOpens));
    // A child's record that could not be written counts as well: nothing may be done unrecorded.
    if (auto broken = ports_.journal.Broken()) return Fail(*std::move(broken));
    if (Status may = MayAct(); !may) {
      attempt.error = std::move(may).error();
      return attempt;
    }

    attempt.acted = true;
    Reach(Boundary::kBeforeEffect);
    Status acted = effect.Act(*step_, scope);
    Reach(Boundary::kAfterEffect);
    if (!acted) {
      attempt.error = std::move(acted).error();
      return attempt;
    }
    auto evidence = effect.Confirm(*step_, scope);
    if (evidence) {
      attempt.evidence = *std::move(evidence);
    } else {
      attempt.error = std::move(evidence).error();
    }
    return attempt;
  }

  Status MayAct() const {
    const bool changes = !plan::RowOf(step_->kind).is_read_only;
    return changes && ports_.may_act ? ports_.may_act(*step_) : Status();
  }

  // Once the stack is touched, an engine, an etcd or a cluster that is away is waited for: giving
  // up would leave the service down for nothing. Each try looks first, as `resume` would; a step
  // that must not be repeated is not.
  bool MayWaitOut(const Error& error, bool acted, const std::optional<Millis>& away_since) const {
    if (!IsAway(error.code) || !(has_touched_ || is_outage_open_)) return false;
    if (acted && step_->on_crash != plan::OnCrash::kReobserve) return false;
    return !away_since || ports_.clock.Monotonic() - *away_since < Patience();
  }

  Millis Patience() const { return std::min(ports_.patience, step_->timeout); }

  Status SleepUnlessInterrupted() {
    for (Millis slept{0}; slept < kRetryPause; slept += kSignalLook) {
      // Nothing runs now: this is as good a place to stop as between two steps.
      if (ports_.interrupts.Pending() != ports::Interrupt::kNone)
        return Fail(ErrorCode::kInterrupted,
                    fmt::format("stopped by a signal in step {}", step_->id));
      ports_.clock.Sleep(kSignalLook);
    }
    return {};
  }

  std::string Since(Millis start) const { return FormatDuration(ports_.clock.Monotonic() - start); }

  Status Done(Evidence evidence, Skipped skipped) {
    // Before the done record: a crash between the two finds the step open and comes here again.
    MU_CHECK(MarkOutage(plan::OutageMark::kCloses));
    Record done = RecordOf(RecordType::kDone);
    done.is_skipped = skipped == Skipped::kYes;
    done.evidence = std::move(evidence);
    done.took = ports_.clock.Monotonic() - started_;
    MU_CHECK(ports_.journal.Append(std::move(done)));
    Tell(skipped == Skipped::kYes ? Kind::kStepSkipped : Kind::kStepDone, "");
    return {};
  }

  tl::unexpected<Error> Failed(Error error, Acted acted) {
    const bool is_interrupted = error.code == ErrorCode::kInterrupted;
    is_interrupted ? Tell(Kind::kStepInterrupted, error.message)
                   : Tell(Kind::kStepFailed, error.Text(), std::string(error.Hint()));
    Record failed = RecordOf(RecordType::kFailed);
    failed.error = error;
    failed.took = ports_.clock.Monotonic() - started_;
    if (acted == Acted::kNo) failed.evidence["not_acted"] = "true";
    if (Status written = ports_.journal.Append(std::move(failed)); !written)
      return Fail(std::move(written).error());
    return Fail(std::move(error).WithContext("step " + step_->id));
  }

  Status MarkOutage(plan::OutageMark mark) {
    const bool opens = mark == plan::OutageMark::kOpens;
    if (step_->outage != mark || is_outage_open_ == opens) return {};
    MU_CHECK(RecordEvent(opens ? "outage-opened" : "outage-closed", {}));
    is_outage_open_ = opens;
    Tell(opens ? Kind::kOutageOpened : Kind::kOutageClosed, "");
    return {};
  }

  Status RecordEvent(const std::string& name, const Evidence& evidence) {
    Record event = RecordOf(RecordType::kEvent);
    event.event = name;
    event.evidence = evidence;
    return ports_.journal.Append(std::move(event));
  }

  bool HasEvent(const std::string& name, const Evidence& evidence) const {
    const std::vector<Record>& records = ports_.journal.Records();
    return std::any_of(records.begin(), records.end(), [&](const Record& record) {
      return record.event == name && record.step == step_->id && record.evidence == evidence;
    });
  }

  Record RecordOf(RecordType type) const {
    Record record;
    record.type = type;
    record.step = step_->id;
    record.attempt = type == RecordType::kIntent ? attempt_ : 0;
    return record;
  }

  void Tell(Kind kind, const std::string& text, std::string hint = {}) {
    ProgressEvent event;
    event.kind = kind;
    event.step = step_;
    event.index = index_;
    event.count = static_cast<int>(plan_.steps.size());
    event.elapsed = ports_.clock.Monotonic() - started_;
    event.text = text;
    event.hint = std::move(hint);
    ports_.progress.Tell(event);
  }

  Outcome OutcomeOf(const Error& error) const {
    Outcome::Kind kind = Outcome::Kind::kFailed;
    if (error.code == ErrorCode::kInterrupted) {
      kind = Outcome::Kind::kInterrupted;
    } else if (mu::RowOf(error.code).exit == ExitCode::kPaused) {
      kind = Outcome::Kind::kPaused;
    }
    return {kind, error, step_->id};
  }

  const plan::Plan& plan_;
  const ExecutorPorts& ports_;
  std::map<std::string, StepState> states_;
  bool is_outage_open_ = false;
  bool was_done_again_ = false;  // a step that someone else had undone
  bool has_touched_ = false;     // a step that changes the stack may have reached its effect
  const plan::Step* step_ = nullptr;
  int index_ = 0;
  int attempt_ = 0;
  Millis started_{0};
};

}  // namespace

Outcome Execute(const plan::Plan& plan, const std::string& phase, const ExecutorPorts& ports,
                const Staging& staging) {
  return Execution(plan, phase, ports).Run(staging);
}

}  // namespace mu::run
