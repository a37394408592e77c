// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "milvus_upgrade/plan/plan.h"
#include "unit/plan/sample_plans.h"

namespace mu::plan {
namespace {

TEST(PlanText, OneLineAStep) {
  EXPECT_EQ(PlanText(samples::EveryKind()),
            R"(2.2.16 -> 2.3.5 (R24, image, no way back once started)
step/pull-image  pull-image  milvusdb/milvus:v2.3.5
step/save-snapshot  save-snapshot  milvus-etcd -> backup/etcd.snap
step/backup-keys  backup-keys  by-dev/ of milvus-etcd -> backup/keys.bak
step/verify-data  verify-data  python3 'check it.py' (record, exit code and output)
step/set-restart-policy  set-restart-policy  milvus-standalone: on-failure -> no
step/stop-containers  stop-containers  milvus-standalone, SIGKILL after 1.5s [opens the outage]
step/release-sessions  release-sessions  milvus-standalone under by-dev/meta/session/, wait for the leases
step/backup-queue  backup-queue  milvus-standalone:/var/lib/milvus/rdb_data -> backup/rocksmq.tar
step/replace-file  replace-file  /srv/milvus/docker-compose.yml: @23 v2.2.16 -> v2.3.5
step/up-services  up-services  standalone = milvusdb/milvus:v2.3.5 [point of no return]
step/start-containers  start-containers  milvus-standalone
step/wait-services  wait-services  standalone = milvusdb/milvus:v2.3.5
step/wait-sessions  wait-sessions  rootcoord, proxy of 2.3.5 under by-dev/meta/session/ [closes the outage]
step/wait-stable  wait-stable  milvus-standalone for 5s
step/migrate-metadata  migrate-metadata  by-dev/meta of milvus-etcd, 2.1.0 -> 2.2.16, by milvusdb/meta-migration:v2.2.0-bugfix-20230112
step/record-sessions  record-sessions  milvus-standalone under by-dev/meta/session/ -> sessions.json
step/rehearse-migration  rehearse-migration  by-dev/meta of milvus-etcd, 2.1.0 -> 2.2.16, by milvusdb/meta-migration:v2.2.0-bugfix-20230112 from backup/etcd.snap -> rehearsal.json
step/confirm-migration  confirm-migration  by-dev/meta of milvus-etcd is what backup/metadata.bak becomes in 2.2.16
step/restore-metadata  restore-metadata  by-dev/meta of milvus-etcd <- backup/metadata.bak
step/extract-keys  extract-keys  by-dev/meta of backup/etcd.snap -> backup/from-snapshot.bak
step/keep-release  keep-release  1 Deployment -> release.json
step/try-patches  try-patches  user.yaml of r-milvus, 1 Deployment
step/edit-config-map  edit-config-map  user.yaml of r-milvus: @0 rootCoord: enableActiveStandby: true
step/patch-deployment  patch-deployment  r-milvus-proxy: proxy = milvusdb/milvus:v2.2.4, strategy {"type":"Recreate"}
step/wait-rollout  wait-rollout  r-milvus-proxy, old pods gone; no restart for 5s
step/restore-deployment  restore-deployment  r-milvus-proxy, strategy <- release.json, strategy {"type":"Recreate"}
)");
}

TEST(EstimatedOutage, CountsFromOpensToCloses) {
  Plan plan = samples::EveryKind();
  EXPECT_EQ(plan.EstimatedOutage(), Millis(800));  // steps 6 to 13 of 100 ms each
  for (Step& step : plan.steps) step.outage = OutageMark::kNone;
  EXPECT_EQ(plan.EstimatedOutage(), Millis(0));
}

TEST(Splices, ThereAndBack) {
  const ReplaceFile replace = samples::SampleReplace();
  const std::string old_bytes = "image: milvusdb/milvus:v2.2.16\n";
  const auto changed = ApplySplices(old_bytes, replace);
  ASSERT_TRUE(changed) << changed.error().Text();
  EXPECT_EQ(*changed, "image: milvusdb/milvus:v2.3.5\n");
  EXPECT_EQ(*ApplySplices(*changed, Inverse(replace)), old_bytes);
}

TEST(Splices, SeveralWithOtherLengths) {
  const std::string before = "a: v2.2.16\nb: v2.2.16\nc: x\n";
  const std::string after = "a: v2.3.5\nb: v2.3.10-long\nc: \n";
  const ReplaceFile replace{
      "/f",
      Sha256(before),
      Sha256(after),
      {{3, "v2.2.16", "v2.3.5"}, {14, "v2.2.16", "v2.3.10-long"}, {25, "x", ""}},
      ""};
  EXPECT_EQ(*ApplySplices(before, replace), after);
  EXPECT_EQ(*ApplySplices(after, Inverse(replace)), before);
}

TEST(Splices, RefusesWhatChangedMeanwhile) {
  ReplaceFile replace = samples::SampleReplace();
  const auto other = ApplySplices("image: milvusdb/milvus:v2.2.17\n", replace);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kFileChanged);
  EXPECT_NE(other.error().message.find("/srv/milvus/docker-compose.yml"), std::string::npos);
  const auto twice = ApplySplices("image: milvusdb/milvus:v2.3.5\n", replace);
  EXPECT_FALSE(twice);
  replace.splices[0].offset = 24;
  EXPECT_EQ(ApplySplices("image: milvusdb/milvus:v2.2.16\n", replace).error().code,
            ErrorCode::kFileChanged);
  replace.splices[0].offset = 1'000'000;
  EXPECT_FALSE(ApplySplices("image: milvusdb/milvus:v2.2.16\n", replace));
  replace.splices[0].offset = ~0ull;
  EXPECT_FALSE(ApplySplices("image: milvusdb/milvus:v2.2.16\n", replace));
}

TEST(Supersedes, AStopIsOverWhenItsServicesComeUp) {
  const Plan plan = samples::EveryKind();
  const auto step = [&](StepKind kind) -> const Step& {
    return plan.steps[static_cast<std::size_t>(kind) - 1];
  };
  EXPECT_TRUE(Supersedes(step(StepKind::kUpServices), step(StepKind::kStopContainers)));
  EXPECT_TRUE(Supersedes(step(StepKind::kUpServices), step(StepKind::kSetRestartPolicy)));
  EXPECT_TRUE(Supersedes(step(StepKind::kUpServices), step(StepKind::kReleaseSessions)));
  EXPECT_TRUE(Supersedes(step(StepKind::kStopContainers), step(StepKind::kUpServices)));
  EXPECT_FALSE(Supersedes(step(StepKind::kReplaceFile), step(StepKind::kStopContainers)));
  EXPECT_FALSE(Supersedes(step(StepKind::kUpServices), step(StepKind::kReplaceFile)));
  EXPECT_FALSE(Supersedes(step(StepKind::kUpServices), step(StepKind::kPullImage)));
  // What is of before the hop cannot be had again in its middle.
  EXPECT_TRUE(Supersedes(step(StepKind::kUpServices), step(StepKind::kBackupKeys)));
  EXPECT_TRUE(Supersedes(step(StepKind::kMigrateMetadata), step(StepKind::kBackupKeys)));
  EXPECT_FALSE(Supersedes(step(StepKind::kReplaceFile), step(StepKind::kBackupKeys)));
  EXPECT_TRUE(Supersedes(step(StepKind::kStopContainers), step(StepKind::kVerifyData)));
  // Nor what a gate has seen of a version that was stopped, or of keys that the new one writes to.
  EXPECT_TRUE(Supersedes(step(StepKind::kStopContainers), step(StepKind::kWaitServices)));
  EXPECT_TRUE(Supersedes(step(StepKind::kUpServices), step(StepKind::kConfirmMigration)));
  EXPECT_FALSE(Supersedes(step(StepKind::kUpServices), step(StepKind::kWaitServices)));

  Step other = step(StepKind::kUpServices);
  std::get<UpServices>(other.args).services = {"proxy"};
  EXPECT_FALSE(Supersedes(other, step(StepKind::kStopContainers)));
  Step again = step(StepKind::kReplaceFile);
  EXPECT_TRUE(Supersedes(again, step(StepKind::kReplaceFile)));
  std::get<ReplaceFile>(again.args).path = "/srv/milvus/.env";
  EXPECT_FALSE(Supersedes(again, step(StepKind::kReplaceFile)));
}

}  // namespace
}  // namespace mu::plan
