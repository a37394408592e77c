// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/plan/plan_compose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "milvus_upgrade/rules/version_path.h"
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

// Compares with tests/data/plans/NAME; MU_UPDATE_GOLDEN=1 writes it.
void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = std::string(MU_TEST_DATA) + "/plans/" + name;
  if (std::getenv("MU_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(golden.str(), text) << path;
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
