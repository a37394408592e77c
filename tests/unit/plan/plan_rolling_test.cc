// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/plan/plan_rolling.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/plan/plan_compose.h"
#include "unit/plan/golden.h"
#include "unit/rules/release_samples.h"

namespace mu::plan {
namespace {

constexpr char kSelector[] = "app.kubernetes.io/instance=r";

EditConfigMap StandbyEdit() {
  const std::string after = "rootCoord:\n  enableActiveStandby: true\n";
  return {"r-milvus", "uid-config", "user.yaml", Sha256(""), Sha256(after), {{0, "", after}}};
}

struct Asked {
  config::Config config;
  std::vector<EditConfigMap> edits = {};
  std::set<std::string> standby_off = {};
  std::map<std::string, LeftBehind> left = {};
  std::vector<EditConfigMap> made = {};
};

Plan PlanFor(const model::ObservedRelease& observed, const Asked& asked) {
  const model::Version to = model::ParseVersion(asked.config.to).value();
  const auto platform = asked.config.allows_downtime ? rules::Platform::kKubernetesStop
                                                     : rules::Platform::kKubernetes;
  std::vector<model::Role> roles;
  for (const auto& workload : observed.milvus) roles.push_back(workload.role);
  const auto path = rules::FindPath(*observed.milvus.front().tag_version, to, platform,
                                    observed.milvus.front().settings.queue, false);
  EXPECT_TRUE(path) << path.error().Text();
  const auto order = rules::FindOrder(asked.config.order, roles);
  EXPECT_TRUE(order) << order.error().Text();
  return PlanRolling({asked.config,
                      observed,
                      *path,
                      **order,
                      {"milvusdb/milvus", "v" + asked.config.to, ""},
                      asked.edits,
                      asked.standby_off,
                      {},
                      "fingerprint",
                      kSelector,
                      asked.left,
                      asked.made});
}

std::vector<std::string> Ids(const Plan& plan, const std::string& prefix) {
  std::vector<std::string> ids;
  for (const Step& step : plan.steps) {
    if (step.id.starts_with(prefix)) ids.push_back(step.id.substr(prefix.size()));
  }
  return ids;
}

const PatchDeployment& PatchIn(const Plan& plan, const std::string& id) {
  for (const Step& step : plan.steps) {
    if (step.id == id) return std::get<PatchDeployment>(step.args);
  }
  throw std::runtime_error(id);
}

TEST(PlanRolling, IsTheGoldenTextForChart40) {
  auto config = samples::RollingTo("2.2.4");
  config.verify_command = {"check", "--all"};
  ExpectGolden("rolling-chart-4.0-2.2.3-2.2.4.txt",
               PlanText(PlanFor(samples::Chart40(), {config, {StandbyEdit()}})));
}

TEST(PlanRolling, IsTheGoldenTextForChart50) {
  auto observed = samples::Chart50();
  samples::SwitchStandbyOn(observed);
  ExpectGolden("rolling-chart-5.0-2.6.1-2.6.2.txt",
               PlanText(PlanFor(observed, {samples::RollingTo("2.6.2")})));
}

TEST(PlanRolling, IsTheGoldenTextForAStandaloneThatStops) {
  auto config = samples::RollingTo("2.4.2");
  config.allows_downtime = true;
  ExpectGolden("rolling-standalone-2.4.1-2.4.2.txt",
               PlanText(PlanFor(samples::KubeStandalone(), {config})));
}

TEST(PlanRolling, TellsTheOrderAndItsSource) {
  auto config = samples::RollingTo("2.2.4");
  const std::vector<std::string> notes = PlanFor(samples::Chart40(), {config}).notes;
  EXPECT_TRUE(std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
    return note.starts_with("order script: rootcoord, ") && note.ends_with("(rollingUpdate.sh)");
  }));
  config.order = config::RollingOrder::kOperator;
  EXPECT_EQ(Ids(PlanFor(samples::Chart40(), {config}), "roll/").front(), "indexnode");
}

TEST(PlanRolling, ChangesTheStrategyOnlyWhereTheRolloutNeedsIt) {
  auto observed = samples::Chart40();
  samples::SwitchStandbyOn(observed);
  const Plan plan = PlanFor(observed, {samples::RollingTo("2.2.4")});
  EXPECT_EQ(PatchIn(plan, "roll/proxy").strategy, "");
  EXPECT_NE(PatchIn(plan, "roll/rootcoord").strategy.find("\"maxUnavailable\":0"),
            std::string::npos);
  EXPECT_EQ(Ids(plan, "strategy/"),
            (std::vector<std::string>{"rootcoord", "datacoord", "indexcoord", "querycoord"}));
}

TEST(PlanRolling, KeepsAStrategyOnlyWhenAskedTo) {
  auto config = samples::RollingTo("2.2.4");
  config.keeps_strategy = true;
  EXPECT_TRUE(Ids(PlanFor(samples::Chart40(), {config}), "strategy/").empty());
}

TEST(PlanRolling, NeverStartsASecondCoordinatorWithoutStandby) {
  auto observed = samples::Chart40();
  for (auto& workload : observed.milvus) {
    workload.deployment.strategy = "RollingUpdate";
    workload.deployment.strategy_json = samples::kRolling;
  }
  const Plan plan = PlanFor(observed, {samples::RollingTo("2.2.4"), {}, {"r-milvus-rootcoord"}});
  EXPECT_EQ(PatchIn(plan, "roll/rootcoord").strategy, samples::kRecreated);
}

TEST(PlanRolling, LeavesOutWhatRunsTheImageAndWhatWasNotAskedFor) {
  auto observed = samples::Chart40();
  for (auto& workload : observed.milvus) {
    if (workload.role == model::Role::kRootCoord) workload.image.tag = "v2.2.4";
  }
  auto config = samples::RollingTo("2.2.4");
  EXPECT_EQ(Ids(PlanFor(observed, {config}), "roll/").front(), "datacoord");
  config.only = {"proxy", "rootcoord"};
  EXPECT_EQ(Ids(PlanFor(observed, {config}), "roll/"), (std::vector<std::string>{"proxy"}));
  config.only = {"rootcoord"};
  EXPECT_FALSE(PlanFor(observed, {config}).HasSteps());
}

// Stuck there with a strategy for the time of its rollout, and standby switched on.
TEST(PlanRolling, GoesBackBeforeTheRunThatHasLeftADeployment) {
  auto observed = samples::Chart40();
  samples::SwitchStandbyOn(observed);
  for (auto& workload : observed.milvus) {
    if (workload.role != model::Role::kRootCoord) continue;
    workload.image.tag = "v2.2.4-bad";
    workload.deployment.strategy = "RollingUpdate";
    workload.deployment.strategy_json = samples::kRolling;
  }
  const Plan plan = PlanFor(observed, {samples::RollingTo("2.2.4"),
                                       {},
                                       {},
                                       {{"r-milvus-rootcoord",
                                         {"run-a", "2.2.3", "milvusdb/milvus:v2.2.3",
                                          samples::kRolling, Sha256("t"), Sha256("s")}}},
                                       {StandbyEdit()}});
  const auto& kept = std::get<KeepRelease>(plan.steps.front().args).deployments.front();
  EXPECT_EQ(kept, (KeepRelease::Kept{"r-milvus-rootcoord", kept.uid, Sha256("t"), Sha256("s")}));
  const PatchDeployment& patch = PatchIn(plan, "roll/rootcoord");
  EXPECT_EQ(patch.image_before, "milvusdb/milvus:v2.2.3");
  EXPECT_EQ(patch.strategy, samples::kRolling);
  EXPECT_EQ(Ids(plan, "strategy/").front(), "rootcoord");
  // Tried is what is still to be made.
  EXPECT_TRUE(std::get<TryPatches>(plan.steps[1].args).config_maps.empty());
  const auto back = PlanRollback({plan, {"config/user.yaml"}, {"roll/rootcoord"}, {}});
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(Ids(*back, "undo/"),
            (std::vector<std::string>{"roll/rootcoord", "wait/rootcoord", "strategy/rootcoord",
                                      "config/user.yaml", "wait/all"}));
  const auto& gate = std::get<WaitRollout>(back->steps[1].args);
  EXPECT_EQ(gate.deployments.front().image, "milvusdb/milvus:v2.2.3");
}

TEST(PlanRolling, IsReadBackAndHoldsNoTemplate) {
  const auto observed = samples::Chart40();
  const Plan plan = PlanFor(observed, {samples::RollingTo("2.2.4"), {StandbyEdit()}});
  const std::string text = FormatPlan(plan);
  EXPECT_EQ(text.find("\"of\\\""), std::string::npos);
  const auto back = ParsePlan(text);
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(*back, plan);
}

TEST(PlanRollback, GoesBackInReverseToTheOldTemplates) {
  const Plan plan = PlanFor(samples::Chart40(), {samples::RollingTo("2.2.4"), {StandbyEdit()}});
  const std::vector<std::string> done = {"keep/release",   "try/patches",    "config/user.yaml",
                                         "roll/rootcoord", "wait/rootcoord", "strategy/rootcoord"};
  const auto back = PlanRollback({plan, done, {"roll/datacoord"}, {}});
  ASSERT_TRUE(back) << back.error().Text();
  ExpectGolden("rolling-back-2.2.4-2.2.3.txt", PlanText(*back));
  // Each of them has stayed well before.
  EXPECT_EQ(std::get<WaitRollout>(back->steps.back().args).stable_for, Millis(0));
  EXPECT_EQ(back->kube, plan.kube);
}

// The old version may not be able to run on what the new one has written.
TEST(PlanRollback, RefusesWhereTheNewVersionHasRunAndCannotGoBack) {
  auto observed = samples::Chart40("2.3.21");
  const Plan plan = PlanFor(observed, {samples::RollingTo("2.4.1")});
  ASSERT_FALSE(plan.hops.front().is_reversible);
  EXPECT_EQ(plan.point_of_no_return, "wait/rootcoord");
  EXPECT_TRUE(PlanRollback({plan, {"keep/release"}, {"roll/rootcoord"}, {}}));
  const auto back = PlanRollback({plan, {"keep/release"}, {"roll/rootcoord"}, {"rootcoord"}});
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, ErrorCode::kIrreversible);
}

}  // namespace
}  // namespace mu::plan
