// SPDX-License-Identifier: Apache-2.0
#include "scenario/story.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "milvus_upgrade/rules/checks.h"

namespace mu::scenario {

using run::StepState;

Story::Story(const std::string& file, const std::string& restart)
    : stage(file, restart), store_(stage.files, stage.clock, "/srv/milvus/.milvus-upgrade") {
  stage.Bring();
  config.selectors = stage.selectors;
  config.state_dir = store_.StateDir();
  stage.world.on_call = [this](const std::string& name, int number) {
    for (std::size_t i = 0; i < before_.size(); ++i) {
      if (!name.starts_with(before_[i].first)) continue;
      const auto action = std::move(before_[i].second);
      before_.erase(before_.begin() + static_cast<std::ptrdiff_t>(i));
      action();
      break;
    }
    return answer ? answer(name, number) : fakes::Answer::kTrue;
  };
}

void Story::Before(const std::string& call, std::function<void()> action) {
  before_.emplace_back(call, std::move(action));
}

observe::World Story::World() {
  return {stage.docker, stage.compose, stage.etcd, stage.files, stage.http, {}, "/srv/milvus"};
}

Result<cli::Prepared> Story::Prepare(const std::string& to) {
  config.to = to;
  return cli::Prepare(World(), config);
}

void Story::Plan(const std::string& to) {
  auto prepared = Prepare(to);
  ASSERT_TRUE(prepared) << prepared.error().Text();
  for (const model::Finding& finding : prepared->findings) {
    EXPECT_TRUE(finding.severity != model::Severity::kError || finding.is_skipped)
        << finding.id << ": " << finding.subject << ": " << finding.message;
  }
  ASSERT_TRUE(prepared->plan.HasSteps());
  plan_ = std::move(prepared->plan);
}

void Story::Begin() {
  auto files = store_.Create(plan_);
  ASSERT_TRUE(files) << files.error().Text();
  files_ = *files;
}

run::Outcome Story::Execute(const plan::Plan& plan, const std::string& phase,
                            run::Journal& journal) {
  const auto effects =
      effects::MakeEffects({stage.docker, stage.compose, stage.etcd, stage.etcd_clients,
                            stage.files, runner_, stage.clock, stage.http});
  return run::Execute(
      plan, phase, {*effects, journal, stage.clock, stage.interrupts, silence_, files_.folder}, "");
}

Ending Story::Go() {
  auto journal = run::Journal::Open(stage.files, stage.clock, files_.JournalPath());
  if (!journal) return {"needs-person", journal.error()};
  cli::EngineLock lock(stage.docker, plan_.instance);
  if (const Status taken = lock.Take(fakes::Stage::kOld, {files_.id, "here", store_.StateDir()});
      !taken) {
    return {"failed-untouched", taken.error()};
  }
  auto ending = Decide(**journal);
  if (!ending) return {"needs-person", ending.error()};
  (void)lock.Release(files_.id);
  return *ending;
}

Result<Ending> Story::Decide(run::Journal& journal) {
  MU_TRY(const auto has_rollback, stage.files.Stat(files_.RollbackPath()));
  if (has_rollback) {
    MU_TRY(const run::StoredRun stored, store_.Load(files_.id));
    if (stored.rollback) {
      const run::Outcome outcome = Execute(*stored.rollback, "rollback", journal);
      const bool is_done = outcome.kind == run::Outcome::Kind::kDone;
      return Ending{is_done ? "rolled-back" : "needs-person", outcome.error};
    }
  }
  const run::Outcome outcome = Execute(plan_, "forward", journal);
  if (outcome.kind == run::Outcome::Kind::kDone) return Ending{"done", std::nullopt};
  const bool has_touched =
      std::any_of(plan_.steps.begin(), plan_.steps.end(), [&](const plan::Step& step) {
        return step.undo != plan::Undo::kNone &&
               run::StateOf(journal.Records(), "forward", step.id).last != StepState::Last::kNone;
      });
  if (!has_touched) return Ending{"failed-untouched", outcome.error};
  return Undo(*outcome.error, journal);
}

Result<Ending> Story::Undo(Error error, run::Journal& journal) {
  plan::RollbackInput input{plan_, {}, {}, {}};
  int hop = 0;
  for (const plan::Step& step : plan_.steps) {
    if (run::StateOf(journal.Records(), "forward", step.id).last != StepState::Last::kNone)
      hop = std::max(hop, step.hop);
  }
  for (const plan::Step& step : plan_.steps) {
    const StepState state = run::StateOf(journal.Records(), "forward", step.id);
    if (state.last == StepState::Last::kDone) {
      input.done.push_back(step.id);
    } else if (state.acted) {
      input.touched.push_back(step.id);
    }
    const auto* up = std::get_if<plan::UpServices>(&step.args);
    if (up == nullptr || step.hop != hop || state.last == StepState::Last::kNone) continue;
    for (const std::string& service : up->services) {
      MU_TRY(const auto image, stage.docker.InspectImage(up->images.at(service)));
      MU_TRY(const auto found, stage.docker.Inspect({up->containers.at(service)}));
      if (image && found.front() && found.front()->image_id == image->id &&
          found.front()->HasEverStarted()) {
        input.started.push_back(service);
      }
    }
  }
  auto rollback = plan::PlanRollback(input);
  if (!rollback) return Ending{"needs-person", std::move(error)};
  MU_CHECK(store_.SaveRollback(files_, *rollback));
  const run::Outcome outcome = Execute(*rollback, "rollback", journal);
  if (outcome.kind == run::Outcome::Kind::kDone) return Ending{"rolled-back", std::move(error)};
  return Ending{"needs-person", outcome.error};
}

void Story::PowerOn(fakes::UnsyncedFiles::Keep keep) {
  stage.fuse.CutAt(0);
  stage.files.PowerOn(keep);
  stage.clock.Advance(Millis(3000));
}

std::string Story::Describe() {
  stage.clock.Advance(Millis(60'000));
  return stage.world.Describe();
}

model::Container Story::Look(const std::string& name) {
  const auto found = stage.docker.Inspect({name});
  EXPECT_TRUE(found && found->front()) << name;
  return found && found->front() ? *found->front() : model::Container{};
}

std::vector<run::Record> Story::Records() { return store_.Load(files_.id).value().records; }

}  // namespace mu::scenario
