// SPDX-License-Identifier: Apache-2.0
// The executor: for each step intent (synced) -> already so? -> expectations -> act -> confirm ->
// done (synced). It makes no decisions beyond the resume table below; it knows steps, not Docker.
// Once the stack is touched, an engine or etcd that is away is waited for, at most a minute a step:
// the same step from "already so?" on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "milvus_upgrade/plan/plan.h"
#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/run/effect.h"
#include "milvus_upgrade/run/journal.h"

namespace mu::run {

inline constexpr int kMaxAttempts = 5;  // entries into one step: the loop guard

// The next move for one step, from its records: the resume table of docs/architecture.md.
enum class Move { kStart, kReobserve, kRestoreThenRetry, kAsk, kCheckDone, kLoopGuard };
struct StepState {
  enum class Last { kNone, kIntent, kDone, kFailed } last = Last::kNone;
  int attempts = 0;
  int excused = 0;     // of them, those that a signal ended, or an engine or etcd that was away
  Evidence evidence;   // of the last done record
  bool acted = false;  // an attempt may have reached the effect: false when all failed before it
};
StepState StateOf(const std::vector<Record>& records, std::string_view phase,
                  std::string_view step_id);
Move NextMove(const StepState& state, plan::OnCrash on_crash);

// Whether an engine, an etcd or a cluster is away: it says nothing of the step, and may pass by
// itself.
bool IsAway(ErrorCode code);

struct Outcome {
  enum class Kind { kDone, kFailed, kInterrupted, kPaused } kind = Kind::kDone;
  std::optional<Error> error;
  std::string step;  // where it stopped
};

// How long a step waits for an engine or an etcd that is away: an engine restart takes seconds, an
// etcd's own some tens.
inline constexpr Millis kPatience{60'000};

struct ExecutorPorts {
  EffectTable& effects;
  Journal& journal;
  ports::Clock& clock;
  ports::Interrupts& interrupts;
  Progress& progress;
  std::string run_folder;
  Millis patience = kPatience;
  // Asked just before a step that changes the world acts; an error keeps it from acting.
  std::function<Status(const plan::Step&)> may_act = {};
};

// An upgrade in supervised parts: ids of steps, "" for none.
struct Staging {
  std::string pause_before;
  std::string until;  // this one is done still
};

// Runs the plan's steps in order, from where the journal's records of `phase` say it stands. A
// pause that was asked for is kPaused without an error, with the step that would be next.
Outcome Execute(const plan::Plan& plan, const std::string& phase, const ExecutorPorts& ports,
                const Staging& staging);

}  // namespace mu::run
