// SPDX-License-Identifier: Apache-2.0
// Story: one upgrade of a fake stack from the plan to its end, with the product's own planner,
// executor, effects and rollback over the fake world. What decides between forward and back is
// cli/run_flow.cc's rule, told again here without a console.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/engine_lock.h"
#include "cli/prepare.h"
#include "fakes/stage.h"
#include "milvus_upgrade/effects/effects.h"
#include "milvus_upgrade/run/executor.h"
#include "milvus_upgrade/run/run_store.h"

namespace mu::scenario {

struct Ending {
  std::string outcome;  // "done", "rolled-back", "needs-person", "failed-untouched"
  std::optional<Error> error;
};

class Story {
 public:
  explicit Story(const std::string& file, const std::string& restart = "always");

  // Observes, checks, edits, proves and plans. Fails the test when there are errors.
  void Plan(const std::string& to);
  Result<cli::Prepared> Prepare(const std::string& to);
  void UsePlan(plan::Plan plan) { plan_ = std::move(plan); }
  const plan::Plan& ThePlan() const { return plan_; }
  // Makes the run folder; from here on the power may go.
  void Begin();
  // Runs to an end from wherever the journal stands.
  Ending Go();
  Ending BeginAndGo() {
    Begin();
    return Go();
  }
  // After a PowerCut: the disk keeps what it kept, some seconds pass.
  void PowerOn(fakes::UnsyncedFiles::Keep keep);
  // The world as it is a minute later.
  std::string Describe();
  std::string Read(const std::string& path) { return stage.files.Read(path).value(); }
  model::Container Look(const std::string& name);
  std::vector<run::Record> Records();

  fakes::Stage stage;
  config::Config config;
  // Called once, just before the first effect point whose name starts so.
  void Before(const std::string& call, std::function<void()> action);
  // What the effect points answer; all truly when unset.
  std::function<fakes::Answer(const std::string& call, int number)> answer;

 private:
  class NoRunner : public ports::Runner {
   public:
    Result<ports::CommandResult> Run(const ports::Command& command) override {
      return Fail(ErrorCode::kCommandNotFound, command.argv.front() + " is not in this world");
    }
  };
  class Silence : public run::Progress {
   public:
    void Tell(const run::ProgressEvent&) override {}
  };
  observe::World World();
  run::Outcome Execute(const plan::Plan& plan, const std::string& phase, run::Journal& journal);
  Result<Ending> Decide(run::Journal& journal);
  Result<Ending> Undo(Error error, run::Journal& journal);

  NoRunner runner_;
  Silence silence_;
  plan::Plan plan_;
  run::RunStore store_;
  run::RunFiles files_;
  std::vector<std::pair<std::string, std::function<void()>>> before_;
};

}  // namespace mu::scenario
