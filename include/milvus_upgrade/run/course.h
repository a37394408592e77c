// SPDX-License-Identifier: Apache-2.0
// The course of a run: from where its journal stands to an end, forward, or back when that fails
// and may. It decides between the two; what a step does is the effects' business, what the way back
// is the planner's, and how it looks the caller's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "milvus_upgrade/plan/plan.h"
#include "milvus_upgrade/run/executor.h"
#include "milvus_upgrade/run/run_store.h"

namespace mu::run {

// How a run ended, for its last record and the exit code.
struct Ending {
  std::string outcome;  // "done", "rolled-back", "partly-rolled-back", "needs-person", "paused",
                        // "interrupted", "failed-untouched"
  ExitCode code = ExitCode::kDone;  // kInterrupted for any signal
  std::optional<Error> error;
  // Whatever can be gone on with keeps its lock: nobody else may touch the stack meanwhile.
  bool IsOver() const {
    return outcome == "done" || outcome == "rolled-back" || outcome == "failed-untouched";
  }
};

// What is asked of the way back.
struct BackRequest {
  const plan::Plan& plan;
  const std::vector<Record>& records;
  std::string run;
  // By a person, and not because a step has just failed: what runs now may be well, and is brought
  // down in order.
  bool is_asked_for = false;
  // The last resort: the metadata out of the snapshot that was made before the hop.
  bool from_snapshot = false;
  bool accepts_data_loss = false;
  // Of a release: these components go back, the others stay as they are. Empty: all.
  std::vector<std::string> only = {};
};

class WayBack {
 public:
  virtual ~WayBack() = default;
  // The plan of it, from where the run stands and what the world shows. Errors: kIrreversible and
  // others, with what is left to do as their hint.
  virtual Result<plan::Plan> PlanBack(const BackRequest& request) = 0;
};

struct Course {
  const plan::Plan& plan;
  RunFiles files;
  RunStore& store;
  WayBack& way_back;
  ExecutorPorts ports;
  Staging staging = {};
  bool rolls_back_on_failure = true;

  // Forward from where the journal stands; `rollback` where a way back was begun already. Errors:
  // the store's and the journal's only.
  Result<Ending> Follow(const std::optional<plan::Plan>& rollback);
  // The way back that a person has asked for and seen.
  Result<Ending> GoBack(const plan::Plan& rollback);

 private:
  Result<Ending> Undo(Error error);
  Result<Ending> RollBack(const plan::Plan& rollback, std::optional<Error> error, bool is_asked);
  // The way back of some components is over: what it has undone may be done again, and the rest may
  // go back later.
  Status Reopen(const plan::Plan& rollback, const std::vector<std::string>& steps);
  Ending Stopped(const Outcome& outcome);
  Outcome Run(const plan::Plan& which, const std::string& phase, Millis patience);
};

}  // namespace mu::run
