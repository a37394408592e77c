// SPDX-License-Identifier: Apache-2.0
#include "scenario/story.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "milvus_upgrade/rules/checks.h"

namespace mu::scenario {

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

Ending Story::Go() {
  return Work([&](run::Course& course) -> Result<Ending> {
    // Reading the plan again is most of the time of a run in this world.
    MU_TRY(const auto has_rollback, stage.files.Stat(files_.RollbackPath()));
    if (!has_rollback) return course.Follow(std::nullopt);
    MU_TRY(const run::StoredRun stored, store_.Load(files_.id));
    return course.Follow(stored.rollback);
  });
}

Ending Story::GoBack() {
  return Work([&](run::Course& course) -> Result<Ending> {
    MU_TRY(const run::StoredRun stored, store_.Load(files_.id));
    if (stored.rollback) return course.Follow(stored.rollback);
    MU_TRY(const plan::Plan back,
           course.way_back.PlanBack({plan_, stored.records, files_.id, true}));
    return course.GoBack(back);
  });
}

Ending Story::Work(const std::function<Result<Ending>(run::Course&)>& work) {
  auto journal = run::Journal::Open(stage.files, stage.clock, files_.JournalPath());
  if (!journal) return {"needs-person", ExitCode::kNeedsPerson, journal.error()};
  cli::EngineLock lock(stage.docker, plan_.instance);
  if (const Status taken = lock.Take(fakes::Stage::kOld, {files_.id, "here", store_.StateDir()});
      !taken) {
    return {"failed-untouched", ExitCode::kLocked, taken.error()};
  }
  const auto effects =
      effects::MakeEffects({stage.docker, stage.compose, stage.etcd, stage.etcd_clients,
                            stage.files, runner_, stage.clock, stage.http});
  cli::ComposeWayBack way_back(stage.docker);
  run::Course course{plan_,
                     files_,
                     store_,
                     way_back,
                     {*effects, **journal, stage.clock, stage.interrupts, silence_, files_.folder},
                     staging};
  auto ending = work(course);
  if (!ending) return {"needs-person", ExitCode::kNeedsPerson, ending.error()};
  if (ending->IsOver()) (void)lock.Release(files_.id);
  return *ending;
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
