// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/plan/plan_compose.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "milvus_upgrade/rules/version_path.h"
#include "unit/plan/golden.h"
#include "unit/rules/observed_samples.h"

namespace mu::plan {
namespace {

FileChange TagChange() {
  const std::string folder = samples::kFolder;
  return {folder + "/docker-compose.yml",
          samples::HexId(7),
          samples::HexId(8),
          {{100, "v2.2.16", "v2.3.5"}},
          {"docker-compose.yml:27: image of standalone"}};
}

Plan PlanFor(const model::Observed& observed, const config::Config& config,
             rules::Platform platform) {
  auto path =
      rules::FindPath({2, 2, 16, ""}, {2, 3, 5, ""}, platform, observed.settings.queue, false);
  EXPECT_TRUE(path) << path.error().Text();
  return PlanCompose({config,
                      observed,
                      *path,
                      {{TagChange()}},
                      {},
                      "fingerprint",
                      "http://127.0.0.1:9091/healthz",
                      ""});
}

int IndexOf(const Plan& plan, const std::string& id) {
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (plan.steps[i].id == id) return static_cast<int>(i);
  }
  return -1;
}

std::vector<std::string> Ids(const Plan& plan) {
  std::vector<std::string> ids;
  for (const Step& step : plan.steps) ids.push_back(step.id);
  return ids;
}

TEST(PlanCompose, IsTheGoldenTextForAStandaloneStack) {
  auto config = samples::ConfigTo("2.3.5");
  config.verify_command = {"check", "--all"};
  const Plan plan =
      PlanFor(samples::HealthyStandalone(), config, rules::Platform::kComposeStandalone);
  ExpectGolden("standalone-2.2.16-2.3.5.txt", PlanText(plan));
}

TEST(PlanCompose, IsTheGoldenTextForACluster) {
  const Plan plan = PlanFor(samples::HealthyCluster(), samples::ConfigTo("2.3.5"),
                            rules::Platform::kComposeCluster);
  ExpectGolden("cluster-2.2.16-2.3.5.txt", PlanText(plan));
}

TEST(PlanCompose, GivesTheSameBytesForTheSameInput) {
  const auto config = samples::ConfigTo("2.3.5");
  const auto observed = samples::HealthyCluster();
  EXPECT_EQ(FormatPlan(PlanFor(observed, config, rules::Platform::kComposeCluster)),
            FormatPlan(PlanFor(observed, config, rules::Platform::kComposeCluster)));
}

// The same stack as it was before its migration.
model::Observed Standalone21() {
  auto observed = samples::HealthyStandalone();
  model::MilvusService& milvus = observed.milvus.front();
  milvus.image = milvus.image.WithTag("v2.1.0");
  milvus.container->image = milvus.image.Text();
  milvus.tag_version = model::Version{2, 1, 0, ""};
  observed.migration.network = "milvus";
  observed.migration.endpoints = {"etcd:2379"};
  return observed;
}

Plan PlanFrom21(const model::Observed& observed, const config::Config& config,
                const model::Version& to) {
  auto path = rules::FindPath({2, 1, 0, ""}, to, rules::Platform::kComposeStandalone,
                              observed.settings.queue, false);
  EXPECT_TRUE(path) << path.error().Text();
  std::vector<std::vector<FileChange>> changes;
  for (const rules::HopRule& hop : path->hops) {
    changes.push_back({TagChange()});
    changes.back().front().splices = {{100, "v" + hop.from.Text(), "v" + hop.to.Text()}};
  }
  return PlanCompose({config, observed, *path, changes, {}, "fingerprint", "", ""});
}

TEST(PlanCompose, IsTheGoldenTextForAMigration) {
  ExpectGolden("standalone-2.1.0-2.2.16.txt",
               PlanText(PlanFrom21(Standalone21(), samples::ConfigTo("2.2.16"), {2, 2, 16, ""})));
}

TEST(PlanCompose, IsTheGoldenTextForAMigrationAndAHopAfterIt) {
  auto config = samples::ConfigTo("2.3.5");
  config.migration_engine = config::MigrationEngine::kBuiltin;
  ExpectGolden("standalone-2.1.0-2.3.5-builtin.txt",
               PlanText(PlanFrom21(Standalone21(), config, {2, 3, 5, ""})));
}

TEST(PlanCompose, RehearsesBeforeAnythingIsStoppedUnlessItIsToldNotTo) {
  auto config = samples::ConfigTo("2.2.16");
  const Plan plan = PlanFrom21(Standalone21(), config, {2, 2, 16, ""});
  ASSERT_GE(IndexOf(plan, "meta/rehearse"), 0);
  EXPECT_LT(IndexOf(plan, "backup/snapshot"), IndexOf(plan, "meta/rehearse"));
  EXPECT_LT(IndexOf(plan, "meta/rehearse"), IndexOf(plan, "stop/standalone"));
  config.rehearses = false;
  EXPECT_EQ(IndexOf(PlanFrom21(Standalone21(), config, {2, 2, 16, ""}), "meta/rehearse"), -1);
}

TEST(PlanCompose, TakesFromMigrateYamlWhatItSays) {
  auto observed = Standalone21();
  observed.migration.file.path = "/srv/milvus/migrate.yaml";
  observed.migration.file.sha256 = samples::HexId(5);
  observed.migration.file.endpoints = {"milvus-etcd:2379"};
  observed.migration.file.runs_with_backup = true;
  const Plan plan = PlanFrom21(observed, samples::ConfigTo("2.2.16"), {2, 2, 16, ""});
  const auto& migrate = std::get<MigrateMetadata>(
      plan.steps[static_cast<std::size_t>(IndexOf(plan, "meta/migrate"))].args);
  EXPECT_EQ(migrate.migration.endpoints, std::vector<std::string>{"milvus-etcd:2379"});
  EXPECT_EQ(migrate.migration.migrate_file, "/srv/milvus/migrate.yaml");
  EXPECT_TRUE(migrate.migration.has_tool_backup);
}

TEST(PlanCompose, StopsProxyThenNodesThenCoordinatorsAndStartsTheOtherWayRound) {
  const Plan plan = PlanFor(samples::HealthyCluster(), samples::ConfigTo("2.3.5"),
                            rules::Platform::kComposeCluster);
  EXPECT_LT(IndexOf(plan, "stop/proxy"), IndexOf(plan, "stop/node"));
  EXPECT_LT(IndexOf(plan, "stop/node"), IndexOf(plan, "stop/coordinator"));
  EXPECT_LT(IndexOf(plan, "stop/coordinator"), IndexOf(plan, "up/coordinator"));
  EXPECT_LT(IndexOf(plan, "up/coordinator"), IndexOf(plan, "up/node"));
  EXPECT_LT(IndexOf(plan, "up/node"), IndexOf(plan, "up/proxy"));
}

TEST(PlanCompose, NeverTouchesEtcdOrTheObjectStoreOrTheQueue) {
  const Plan plan = PlanFor(samples::HealthyCluster(), samples::ConfigTo("2.3.5"),
                            rules::Platform::kComposeCluster);
  for (const Step& step : plan.steps) {
    if (const auto* up = std::get_if<UpServices>(&step.args)) {
      for (const std::string& service : up->services) {
        EXPECT_TRUE(service != "etcd" && service != "minio" && service != "kafka") << service;
      }
    }
    if (const auto* stop = std::get_if<StopContainers>(&step.args)) {
      for (const ContainerRef& container : stop->containers) {
        EXPECT_TRUE(container.service != "etcd" && container.service != "minio" &&
                    container.service != "kafka");
      }
    }
  }
}

TEST(PlanCompose, BacksUpBeforeAnythingIsStopped) {
  const Plan plan = PlanFor(samples::HealthyStandalone(), samples::ConfigTo("2.3.5"),
                            rules::Platform::kComposeStandalone);
  const int stop = IndexOf(plan, "stop/standalone");
  ASSERT_GE(stop, 0);
  EXPECT_LT(IndexOf(plan, "backup/snapshot"), stop);
  EXPECT_LT(IndexOf(plan, "backup/keys"), stop);
  EXPECT_EQ(plan.steps[static_cast<std::size_t>(stop)].outage, OutageMark::kOpens);
}

TEST(PlanCompose, NamesTheServicesInTheCauseOfUp) {
  const Plan plan = PlanFor(samples::HealthyStandalone(), samples::ConfigTo("2.3.5"),
                            rules::Platform::kComposeStandalone);
  const auto& up = plan.steps[static_cast<std::size_t>(IndexOf(plan, "up/standalone"))];
  EXPECT_NE(up.cause.find("recreates standalone with 2.3.5"), std::string::npos) << up.cause;
}

TEST(PlanCompose, PullsAMissingImageFirst) {
  auto observed = samples::HealthyStandalone();
  observed.images[samples::kNewImage] = std::nullopt;
  const Plan plan =
      PlanFor(observed, samples::ConfigTo("2.3.5"), rules::Platform::kComposeStandalone);
  EXPECT_EQ(plan.steps.front().id, "pull/" + samples::kNewImage);
}

TEST(PlanCompose, HonoursTheStopGracePeriodOfTheFile) {
  auto observed = samples::HealthyStandalone();
  observed.project.services["standalone"].stop_grace_period = Millis(120'000);
  const Plan plan =
      PlanFor(observed, samples::ConfigTo("2.3.5"), rules::Platform::kComposeStandalone);
  const auto& step = plan.steps[static_cast<std::size_t>(IndexOf(plan, "stop/standalone"))];
  EXPECT_EQ(std::get<StopContainers>(step.args).grace, Millis(120'000));
}

TEST(PlanCompose, GivesAnUnmeasuredVersionItsFullGraceAndItsLeases) {
  auto observed = samples::HealthyStandalone();
  observed.settings.queue = model::MessageQueue::kNatsmq;  // no row of the stop table
  const Plan plan =
      PlanFor(observed, samples::ConfigTo("2.3.5"), rules::Platform::kComposeStandalone);
  const auto& stop = plan.steps[static_cast<std::size_t>(IndexOf(plan, "stop/standalone"))];
  EXPECT_GE(std::get<StopContainers>(stop.args).grace, Millis(10'000));
  const auto& release = plan.steps[static_cast<std::size_t>(IndexOf(plan, "sessions/release"))];
  EXPECT_FALSE(std::get<ReleaseSessions>(release.args).may_revoke);
}

TEST(PlanCompose, HoldsDownWhatHasARestartPolicy) {
  auto observed = samples::HealthyStandalone();
  observed.milvus.front().container->restart_policy = "always";
  const Plan plan =
      PlanFor(observed, samples::ConfigTo("2.3.5"), rules::Platform::kComposeStandalone);
  const int hold = IndexOf(plan, "hold/restart-policy");
  ASSERT_GE(hold, 0);
  EXPECT_LT(hold, IndexOf(plan, "stop/standalone"));
  observed.milvus.front().container->restart_policy = "no";
  EXPECT_EQ(
      IndexOf(PlanFor(observed, samples::ConfigTo("2.3.5"), rules::Platform::kComposeStandalone),
              "hold/restart-policy"),
      -1);
}

TEST(PlanRollback, UndoesFilesThenContainersThenPolicies) {
  auto observed = samples::HealthyStandalone();
  observed.milvus.front().container->restart_policy = "always";
  const Plan plan =
      PlanFor(observed, samples::ConfigTo("2.3.5"), rules::Platform::kComposeStandalone);
  const auto back = PlanRollback({plan,
                                  {"hold/restart-policy", "stop/standalone", "sessions/release"},
                                  {"files/docker-compose.yml"},
                                  {},
                                  "20261125-120000-ab12"});
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->rolls_back, "20261125-120000-ab12");
  EXPECT_EQ(Ids(*back), (std::vector<std::string>{"undo/files/docker-compose.yml",
                                                  "undo/up/standalone", "undo/hold/restart-policy",
                                                  "undo/wait/services", "undo/wait/sessions"}));
  EXPECT_EQ(std::get<UpServices>(back->steps[1].args).images.at("standalone"), samples::kOldImage);
  EXPECT_EQ(std::get<SetRestartPolicy>(back->steps[2].args).changes.front().after, "always");
}

TEST(PlanRollback, HasNothingToStartWhenNothingWasStopped) {
  auto observed = samples::HealthyStandalone();
  observed.milvus.front().container->restart_policy = "always";
  const Plan plan =
      PlanFor(observed, samples::ConfigTo("2.3.5"), rules::Platform::kComposeStandalone);
  const auto back = PlanRollback({plan, {"hold/restart-policy"}, {}, {}});
  ASSERT_TRUE(back);
  EXPECT_EQ(Ids(*back), std::vector<std::string>{"undo/hold/restart-policy"});
}

TEST(PlanRollback, RefusesAfterTheFirstRealStartWhereTheOldVersionCannotReadTheData) {
  const Plan plan = PlanFor(samples::HealthyStandalone(), samples::ConfigTo("2.3.5"),
                            rules::Platform::kComposeStandalone);
  const auto back = PlanRollback({plan, Ids(plan), {}, {"standalone"}});
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, ErrorCode::kIrreversible);
}

TEST(PlanRollback, RestoresTheMetadataBeforeTheOldVersionComesUp) {
  const Plan plan = PlanFrom21(Standalone21(), samples::ConfigTo("2.2.16"), {2, 2, 16, ""});
  const auto back =
      PlanRollback({plan, {"stop/standalone", "sessions/release"}, {"meta/migrate"}, {}});
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(Ids(*back), (std::vector<std::string>{"undo/stop/standalone", "undo/meta/migrate",
                                                  "undo/up/standalone", "undo/wait/services",
                                                  "undo/wait/sessions"}));
  EXPECT_EQ(back->steps[1].kind, StepKind::kRestoreMetadata);
  EXPECT_EQ(std::get<RestoreMetadata>(back->steps[1].args).backup, "backup/metadata.bak");
}

TEST(PlanRollback, FromTheSnapshotReadsItThenBringsAllDown) {
  const Plan plan = PlanFrom21(Standalone21(), samples::ConfigTo("2.2.16"), {2, 2, 16, ""});
  RollbackInput input{plan, Ids(plan), {},   {"standalone"}, "20261125-120000-ab12",
                      true, true,      false};
  EXPECT_EQ(PlanRollback(input).error().code, ErrorCode::kCheckFailed);
  input.started.clear();
  input.has_served_since = true;
  EXPECT_EQ(PlanRollback(input).error().code, ErrorCode::kCheckFailed);
  input.accepts_data_loss = true;
  const auto back = PlanRollback(input);
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(Ids(*back), (std::vector<std::string>{
                            "back/meta/extract", "back/stop/standalone", "back/sessions/release",
                            "back/meta/restore", "back/files/docker-compose.yml",
                            "back/up/standalone", "back/wait/services", "back/wait/sessions"}));
  EXPECT_EQ(std::get<RestoreMetadata>(back->steps[3].args).backup, "backup/from-snapshot.bak");
  EXPECT_EQ(std::get<ExtractKeys>(back->steps[0].args).snapshot, "backup/etcd.snap");
}

TEST(PlanRollback, FromTheSnapshotIsForAMigrationOnly) {
  const Plan plan = PlanFor(samples::HealthyStandalone(), samples::ConfigTo("2.3.5"),
                            rules::Platform::kComposeStandalone);
  const auto back = PlanRollback({plan, Ids(plan), {}, {}, "", true, true, true});
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, ErrorCode::kUsage);
}

TEST(PlanRollback, RevertsSplicesOfDifferentLengths) {
  const Plan plan = PlanFor(samples::HealthyStandalone(), samples::ConfigTo("2.3.5"),
                            rules::Platform::kComposeStandalone);
  Plan two = plan;
  auto& replace = std::get<ReplaceFile>(
      two.steps[static_cast<std::size_t>(IndexOf(two, "files/docker-compose.yml"))].args);
  replace.splices = {{2, "aaa", "b"}, {8, "c", "dddd"}};
  const auto back = PlanRollback({two, {"files/docker-compose.yml"}, {}, {}});
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<ReplaceFile>(back->steps.front().args).splices,
            (std::vector<model::Splice>{{2, "b", "aaa"}, {6, "dddd", "c"}}));
}

}  // namespace
}  // namespace mu::plan
