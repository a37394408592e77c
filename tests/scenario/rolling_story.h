// SPDX-License-Identifier: Apache-2.0
// RollingStory: one rolling upgrade of a fake release from the plan to its end, with the product's
// own planner, executor, effects and way back over a fake API.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/kube_target.h"
#include "cli/prepare.h"
#include "cli/run_copy.h"
#include "fakes/fake_cluster.h"
#include "fakes/stage.h"
#include "milvus_upgrade/effects/effects.h"
#include "milvus_upgrade/run/course.h"
#include "milvus_upgrade/run/run_store.h"
#include "scenario/idle.h"

namespace mu::scenario {

// The client's check of --verify-cmd.
class Client : public ports::Runner {
 public:
  Result<ports::CommandResult> Run(const ports::Command&) override {
    return ports::CommandResult{0, answer, "", Millis(1)};
  }
  std::string answer;
};

class RollingStory {
 public:
  RollingStory();

  // Observes, checks and plans. Fails the test when there are errors.
  void Plan(const std::string& to, const std::string& image = {});
  Result<cli::Proposal> Prepare(const std::string& to, const std::string& image = {});
  void UsePlan(plan::Plan plan) { plan_ = std::move(plan); }
  const plan::Plan& ThePlan() const { return plan_; }
  // Makes the run folder; from here on the power may go.
  void Begin();
  // Runs to an end from wherever the journal stands; GoBack: the way back that a person asks for.
  run::Ending Go();
  run::Ending GoBack(const std::vector<std::string>& only = {});
  // As for another image: its run is not gone on with.
  void GiveUp();
  run::Ending BeginAndGo() {
    Begin();
    return Go();
  }
  void PowerOn(fakes::UnsyncedFiles::Keep keep);
  // The run's copy, as its target makes it; and from here on the machine that has no more than
  // that.
  cli::CopiedRun Copy();
  void MoveElsewhere(const cli::CopiedRun& copy);
  // What a run may change, a minute later.
  std::string Describe();
  std::vector<run::Record> Records();
  std::string ImageOf(const std::string& component);
  model::Deployment& Look(const std::string& component);

  fakes::Stage stage;
  fakes::FakeCluster cluster;
  fakes::FakeKube kube;
  config::Config config;
  bool rolls_back_on_failure = false;
  Client client;

 private:
  run::Ending Work(const std::function<Result<run::Ending>(run::Course&)>& work);

  Silence silence_;
  plan::Plan plan_;
  std::optional<run::RunStore> store_;
  run::RunFiles files_;
};

}  // namespace mu::scenario
