// SPDX-License-Identifier: Apache-2.0
// Story: one upgrade of a fake stack from the plan to its end, with the product's own planner,
// executor, course and effects over the fake world, without a console. What stands around the
// course (locks, first and last record, which run is gone on with) is the rule of cli/run_flow.cc
// and cli/compose_flow.cc, told again.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/compose_target.h"
#include "cli/engine_lock.h"
#include "cli/prepare.h"
#include "fakes/faulty_ports.h"
#include "fakes/stage.h"
#include "milvus_upgrade/effects/effects.h"
#include "milvus_upgrade/run/course.h"
#include "milvus_upgrade/run/run_store.h"
#include "scenario/idle.h"

namespace mu::scenario {

using run::Ending;

std::string Told(const Ending& ending);

// Whether there is time (./test --long).
bool IsLong();
// Of what a test chooses by chance: MU_SEED, or the same each time. Printed.
unsigned Seed();

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
  // As `compose` and `apply` begin a run: where nothing stands in its way, and the world is still
  // the plan's.
  Ending BeginAndGo();
  // As `resume`: one that was cut before it touched anything starts again as a new run.
  Ending Resume();
  // As `rollback` of the newest run. "untouched": there was nothing to go back from.
  Ending RollBack();
  // After a PowerCut: the disk keeps what it kept, some seconds pass.
  void PowerOn(fakes::UnsyncedFiles::Keep keep);
  // The world as it is a minute later.
  std::string Describe();
  std::string Read(const std::string& path) { return stage.files.Read(path).value(); }
  model::Container Look(const std::string& name);
  std::vector<run::Record> Records();
  Result<run::StoredRun> Newest() { return store_.Find(""); }

  fakes::Stage stage;
  fakes::Sites sites;  // what the product's calls of its ports meet
  config::Config config;
  // Called once, just before the first effect point whose name starts so.
  void Before(const std::string& call, std::function<void()> action);
  run::Staging staging;
  // What the effect points answer; all truly when unset.
  std::function<fakes::Answer(const std::string& call, int number)> answer;

 private:
  observe::World World();
  Ending Work(const std::function<Result<Ending>(run::Course&)>& work);
  // The engine-side lock of a run that is over, or was cut before it touched anything.
  Status ReleaseOwnLock(cli::EngineLock& lock);

  NoRunner no_runner_;
  Silence silence_;
  fakes::FaultyDocker docker_;
  fakes::FaultyCompose compose_;
  fakes::FaultyEtcd etcd_;
  fakes::FaultyEtcdClients etcd_clients_;
  fakes::FaultyFiles disk_;
  fakes::FaultyRunner runner_;
  fakes::FaultyHttp http_;
  plan::Plan plan_;
  run::RunStore store_;
  run::RunFiles files_;
  std::vector<std::pair<std::string, std::function<void()>>> before_;
};

}  // namespace mu::scenario
