// SPDX-License-Identifier: Apache-2.0
#include "scenario/rolling_story.h"

#include <gtest/gtest.h>

#include "cli/prepare_release.h"

namespace mu::scenario {
namespace {

constexpr char kHere[] = "/state/my-release";

}  // namespace

RollingStory::RollingStory()
    : stage(fakes::kStandaloneFile),
      cluster(stage.fuse, stage.clock),
      kube(cluster),
      store_(std::in_place, stage.files, stage.clock, kHere) {
  config.release = fakes::FakeCluster::kRelease;
  config.name_space = fakes::FakeCluster::kNamespace;
  config.stable_for = Millis(200);
  cluster.ready_after = Millis(300);
  cluster.ends_after = Millis(200);
}

Result<cli::Proposal> RollingStory::Prepare(const std::string& to, const std::string& image) {
  config.to = to;
  config.image = image;
  MU_TRY(const auto runs, store_->NewestFirst());
  return cli::PrepareRelease(kube, config, runs);
}

void RollingStory::Plan(const std::string& to, const std::string& image) {
  auto prepared = Prepare(to, image);
  ASSERT_TRUE(prepared) << prepared.error().Text();
  ASSERT_FALSE(prepared->refusal) << prepared->refusal->Text();
  for (const model::Finding& finding : prepared->findings) {
    EXPECT_TRUE(finding.severity != model::Severity::kError || finding.is_skipped)
        << finding.id << ": " << finding.subject << ": " << finding.message;
  }
  ASSERT_TRUE(prepared->plan.HasSteps());
  plan_ = std::move(prepared->plan);
}

void RollingStory::Begin() {
  auto files = store_->Create(plan_);
  ASSERT_TRUE(files) << files.error().Text();
  files_ = *files;
}

void RollingStory::GiveUp() { ASSERT_TRUE(store_->Abandon(files_, "for another image")); }

run::Ending RollingStory::Go() {
  return Work([&](run::Course& course) -> Result<run::Ending> {
    MU_TRY(const run::StoredRun stored, store_->Load(files_.id));
    return course.Follow(stored.rollback);
  });
}

run::Ending RollingStory::GoBack(const std::vector<std::string>& only) {
  return Work([&](run::Course& course) -> Result<run::Ending> {
    MU_TRY(const run::StoredRun stored, store_->Load(files_.id));
    if (stored.rollback) return course.Follow(stored.rollback);
    MU_TRY(const plan::Plan back,
           course.way_back.PlanBack({plan_, stored.records, files_.id, true, false, false, only}));
    return course.GoBack(back);
  });
}

run::Ending RollingStory::Work(const std::function<Result<run::Ending>(run::Course&)>& work) {
  auto journal = run::Journal::Open(stage.files, stage.clock, files_.JournalPath());
  if (!journal) return {"needs-person", ExitCode::kNeedsPerson, journal.error()};
  const auto effects =
      effects::MakeEffects({stage.docker, stage.compose, stage.etcd, stage.etcd_clients,
                            stage.files, client, stage.clock, stage.http, &kube});
  cli::KubeWayBack way_back(kube);
  run::Course course{plan_,
                     files_,
                     *store_,
                     way_back,
                     {*effects, **journal, stage.clock, stage.interrupts, silence_, files_.folder},
                     {},
                     rolls_back_on_failure};
  auto ending = work(course);
  if (!ending) return {"needs-person", ExitCode::kNeedsPerson, ending.error()};
  const Status finished = run::Finish(**journal, ending->outcome, ending->code);
  EXPECT_TRUE(finished) << finished.error().Text();
  return *ending;
}

void RollingStory::PowerOn(fakes::UnsyncedFiles::Keep keep) {
  stage.fuse.CutAt(0);
  stage.files.PowerOn(keep);
  stage.clock.Advance(Millis(3'000));
}

cli::CopiedRun RollingStory::Copy() {
  return cli::CopyOf(stage.files, {files_.id, "host-a", kHere}, plan_).value();
}

void RollingStory::MoveElsewhere(const cli::CopiedRun& copy) {
  store_.emplace(stage.files, stage.clock, "/elsewhere");
  const Status adopted = cli::Adopt(stage.files, stage.clock, *store_, copy);
  ASSERT_TRUE(adopted) << adopted.error().Text();
  auto stored = store_->Load(copy.holder.run);
  ASSERT_TRUE(stored && !stored->damage);
  EXPECT_TRUE(stored->IsOpen());
  files_ = stored->files;
  plan_ = stored->plan;
}

std::string RollingStory::Describe() {
  stage.clock.Advance(Millis(60'000));
  return cluster.Describe();
}

std::vector<run::Record> RollingStory::Records() { return store_->Load(files_.id).value().records; }

model::Deployment& RollingStory::Look(const std::string& component) {
  return cluster.Find("my-release-milvus-" + component)->facts;
}

std::string RollingStory::ImageOf(const std::string& component) {
  const model::PodContainer* container = Look(component).pod.Find(component);
  return container == nullptr ? std::string() : container->image;
}

}  // namespace mu::scenario
