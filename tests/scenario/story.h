// SPDX-License-Identifier: Apache-2.0
// Story: one upgrade of a fake stack from the plan to its end, with the product's own planner,
// executor, course and effects over the fake world, without a console.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/compose_target.h"
#include "cli/engine_lock.h"
#include "cli/prepare.h"
#include "fakes/stage.h"
#include "milvus_upgrade/effects/effects.h"
#include "milvus_upgrade/run/course.h"
#include "milvus_upgrade/run/run_store.h"
#include "scenario/idle.h"

namespace mu::scenario {

using run::Ending;

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
  // Runs to an end from wherever the journal stands, as `compose` and `resume` do.
  Ending Go();
  // The way back that a person asks for, from wherever the journal stands, as `rollback` does.
  Ending GoBack();
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
  run::Staging staging;
  // What the effect points answer; all truly when unset.
  std::function<fakes::Answer(const std::string& call, int number)> answer;

 private:
  observe::World World();
  Ending Work(const std::function<Result<Ending>(run::Course&)>& work);

  NoRunner runner_;
  Silence silence_;
  plan::Plan plan_;
  run::RunStore store_;
  run::RunFiles files_;
  std::vector<std::pair<std::string, std::function<void()>>> before_;
};

}  // namespace mu::scenario
