// SPDX-License-Identifier: Apache-2.0
#include "scenario/story.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "milvus_upgrade/rules/checks.h"
#include "milvus_upgrade/run/helper_container.h"
#include "milvus_upgrade/run/standing.h"

namespace mu::scenario {

std::string Told(const Ending& ending) {
  return ending.outcome + (ending.error ? ": " + ending.error->Text() : "");
}

bool IsLong() { return std::getenv("MU_LONG") != nullptr; }

unsigned Seed() {
  const char* const said = std::getenv("MU_SEED");
  const auto seed = said == nullptr ? 7U : static_cast<unsigned>(std::strtoul(said, nullptr, 10));
  std::cout << "MU_SEED=" << seed << "\n";
  return seed;
}

Story::Story(const std::string& file, const std::string& restart)
    : stage(file, restart),
      docker_(stage.docker, sites),
      compose_(stage.compose, sites),
      etcd_(stage.etcd, sites),
      etcd_clients_(stage.etcd_clients, sites),
      disk_(stage.files, sites),
      runner_(no_runner_, sites),
      http_(stage.http, sites),
      store_(disk_, stage.clock, "/srv/milvus/.milvus-upgrade") {
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
  return {docker_, compose_, etcd_, disk_, http_, {}, "/srv/milvus"};
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
  const auto refused = [](const Error& error) {
    return Ending{"refused", RowOf(error.code).exit, error};
  };
  const auto held = store_.Lock("here");
  if (!held) return refused(held.error());
  auto journal = run::Journal::Open(disk_, stage.clock, files_.JournalPath());
  if (!journal) return {"needs-person", ExitCode::kNeedsPerson, journal.error()};
  cli::EngineLock lock(docker_, plan_.instance);
  if (const Status taken =
          lock.Take("quay.io/coreos/etcd:v3.5.5", {files_.id, "here", store_.StateDir()});
      !taken) {
    return refused(taken.error());
  }
  (void)run::RemoveLeftHelpers(docker_, plan_.instance);
  const auto failed = [&](const Error& error) {
    return run::StandingOf(plan_, (*journal)->Records()).has_touched
               ? Ending{"needs-person", ExitCode::kNeedsPerson, error}
               : Ending{"failed-untouched", RowOf(error.code).exit, error};
  };
  if ((*journal)->Records().empty()) {
    if (const Status begun = run::Begin(**journal, plan::HashOf(plan_)); !begun)
      return failed(begun.error());
  }
  const auto effects = effects::MakeEffects(
      {docker_, compose_, etcd_, etcd_clients_, disk_, runner_, stage.clock, http_});
  cli::ComposeWayBack way_back(docker_);
  run::Course course{plan_,
                     files_,
                     store_,
                     way_back,
                     {*effects, **journal, stage.clock, stage.interrupts, silence_, files_.folder},
                     staging};
  auto ending = work(course);
  if (!ending) return failed(ending.error());
  if (ending->IsOver() || !run::StandingOf(plan_, (*journal)->Records()).has_touched)
    (void)lock.Release(files_.id);
  if (const Status finished = run::Finish(**journal, ending->outcome, ending->code); !finished)
    return failed(finished.error());
  return *ending;
}

Ending Story::BeginAndGo() {
  const auto refused = [](const Error& error) {
    return Ending{"refused", RowOf(error.code).exit, error};
  };
  {
    const auto held = store_.Lock("here");
    if (!held) return refused(held.error());
    cli::EngineLock lock(docker_, plan_.instance);
    if (const Status released = ReleaseOwnLock(lock); !released) return refused(released.error());
    if (const Status is_free = lock.CheckFree(); !is_free) return refused(is_free.error());
    config::Config again = config;
    again.selectors = plan_.selectors;
    again.to = plan_.to;
    const auto view = observe::ObserveCompose(World(), again);
    if (!view) return refused(view.error());
    if (observe::FingerprintOf(view->observed) != plan_.fingerprint)
      return refused(Error{ErrorCode::kStalePlan, "the stack is no longer the plan's", "", {}});
    auto files = store_.Create(plan_);
    if (!files) return refused(files.error());
    files_ = *std::move(files);
  }
  return Go();
}

Status Story::ReleaseOwnLock(cli::EngineLock& lock) {
  MU_TRY(const auto holder, lock.Holder());
  if (!holder) return {};
  const auto other = store_.Load(holder->run);
  return other && !other->IsOpen() ? lock.Release(holder->run) : Status();
}

Ending Story::Resume() {
  auto stored = store_.Find("");
  if (stored && stored->damage) stored = Fail(*stored->damage);
  if (!stored) return {"refused", RowOf(stored.error().code).exit, stored.error()};
  const std::string state = stored->EndState();
  files_ = stored->files;
  plan_ = stored->plan;
  if (!stored->HasTouched() &&
      (state == "unfinished" || state == "interrupted" || state == "paused")) {
    return BeginAndGo();
  }
  return stored->IsOpen() ? Go() : Ending{state, ExitCode::kDone, std::nullopt};
}

Ending Story::RollBack() {
  auto stored = store_.Find("");
  if (stored && stored->damage) stored = Fail(*stored->damage);
  if (!stored) return {"refused", RowOf(stored.error().code).exit, stored.error()};
  files_ = stored->files;
  plan_ = stored->plan;
  const std::string state = stored->EndState();
  if (state == "rolled-back") return {state, ExitCode::kDone, std::nullopt};
  if (!stored->HasTouched()) {
    cli::EngineLock lock(docker_, plan_.instance);
    if (const Status released = ReleaseOwnLock(lock); !released)
      return {"refused", RowOf(released.error().code).exit, released.error()};
    return {"untouched", ExitCode::kDone, std::nullopt};
  }
  if (stored->rollback && stored->IsOpen()) return Go();
  // Planned before anything is taken or written.
  cli::ComposeWayBack way_back(docker_);
  const auto back = way_back.PlanBack({plan_, stored->records, files_.id, true});
  if (!back) return {"refused", RowOf(back.error().code).exit, back.error()};
  return Work([&](run::Course& course) { return course.GoBack(*back); });
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
