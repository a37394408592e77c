// SPDX-License-Identifier: Apache-2.0
// What a step kind does, as seen by the executor. Implemented in effects/, one small class per
// kind; run/ knows the interface only, so that a new step never touches it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/plan/step.h"
#include "milvus_upgrade/run/journal.h"

namespace mu::run {

// Told to whoever shows progress; never influences what is done.
struct ProgressEvent {
  enum class Kind {
    kRunStarted,
    kStepStarted,
    kWaiting,
    kStepDone,
    kStepSkipped,
    kStepFailed,
    kStepInterrupted,  // left by a signal; resume enters it again
    kOutageOpened,
    kOutageClosed,
    kPointOfNoReturn,
    kRollbackStarted,
    kNote,
    kRunEnded
  };
  Kind kind = Kind::kNote;
  const plan::Step* step = nullptr;  // null for run events
  int index = 0;                     // of the step, from 1
  int count = 0;                     // of the steps
  Millis elapsed{0};                 // since the step started
  std::string text;  // kWaiting: what is waited for and its observed value; kNote: the note;
                     // kStepFailed, kStepInterrupted: the error
  std::string hint;
};

class Progress {
 public:
  virtual ~Progress() = default;
  virtual void Tell(const ProgressEvent& event) = 0;
};

// Given to an effect while it works on one step.
class StepScope {
 public:
  virtual ~StepScope() = default;
  // A gate's current observed value, for people.
  virtual void Waiting(const std::string& observed) = 0;
  // An event for the journal, synced: "first-start" and the like. The same again is not repeated.
  virtual Status Event(const std::string& name, const Evidence& evidence) = 0;
  virtual bool IsInterrupted() = 0;  // stop waiting as soon as it is safe; return kInterrupted
  virtual const std::string& RunFolder() const = 0;
};

class Effect {
 public:
  virtual ~Effect() = default;
  // Whether the world already is as this step wants it. Read-only kinds (gates) answer nullopt.
  virtual Result<std::optional<Evidence>> Seen(const plan::Step& step, StepScope& scope) = 0;
  // The one outside effect (or, for a gate, the wait).
  virtual Status Act(const plan::Step& step, StepScope& scope) = 0;
  // Proof, by reading the world again.
  virtual Result<Evidence> Confirm(const plan::Step& step, StepScope& scope) = 0;
  // What the last Seen found to be otherwise, for people; "" when it cannot tell.
  virtual std::string Difference() const { return {}; }
  // Where the step was cut in its middle and its kind cannot go on from there
  // (OnCrash::kRestoreThenRetry): the world as it was before the step, whatever the cut attempt has
  // left and whoever of it still works. Acting follows.
  virtual Status Restore(const plan::Step& step, StepScope&) {
    return Fail(ErrorCode::kInternal, "nothing restores what step " + step.id + " has begun");
  }
};

class EffectTable {
 public:
  virtual ~EffectTable() = default;
  virtual Effect& For(plan::StepKind kind) = 0;
  // Reads the facts that must hold just before a step acts. Errors: kFileChanged,
  // kContainerStarted, kSessionForeign, ...
  virtual Status Check(const plan::Expectation& expectation) = 0;
};

}  // namespace mu::run
