// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/rules/rolling.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mu::rules {
namespace {

using config::RollingOrder;
using model::Role;

const std::vector<Role> kChart40 = {Role::kProxy,      Role::kRootCoord,  Role::kDataCoord,
                                    Role::kIndexCoord, Role::kQueryCoord, Role::kIndexNode,
                                    Role::kDataNode,   Role::kQueryNode};
const std::vector<Role> kChart42 = {Role::kMixCoord, Role::kIndexNode, Role::kDataNode,
                                    Role::kQueryNode, Role::kProxy};
const std::vector<Role> kChart50 = {Role::kMixCoord, Role::kStreamingNode, Role::kQueryNode,
                                    Role::kDataNode, Role::kProxy};

std::string OrderText(RollingOrder order, const std::vector<Role>& roles) {
  const auto row = FindOrder(order, roles);
  if (!row) return "refused";
  std::string text = (*row)->order == RollingOrder::kScript ? "script:" : "operator:";
  for (const Role role : (*row)->roles) text += " " + std::string(model::NameOf(role));
  return text;
}

TEST(FindOrder, TakesTheScriptsOrderWhereItHasAPlaceForAll) {
  const std::string script =
      "script: rootcoord datacoord indexcoord querycoord indexnode datanode querynode proxy";
  EXPECT_EQ(OrderText(RollingOrder::kAuto, kChart40), script);
  EXPECT_EQ(OrderText(RollingOrder::kScript, kChart40), script);
  EXPECT_EQ(
      OrderText(RollingOrder::kOperator, kChart40),
      "operator: cdc indexnode rootcoord datacoord indexcoord querycoord querynode datanode proxy");
  EXPECT_EQ(OrderText(RollingOrder::kAuto, {Role::kStandalone}), "script: standalone");
}

TEST(FindOrder, TakesTheOperatorsOrderForWhatTheScriptSkips) {
  EXPECT_EQ(OrderText(RollingOrder::kAuto, kChart42),
            "operator: cdc indexnode mixcoord querynode datanode proxy");
  EXPECT_EQ(OrderText(RollingOrder::kAuto, kChart50),
            "operator: cdc mixcoord streamingnode querynode datanode proxy");
  std::vector<Role> with_cdc = kChart40;
  with_cdc.push_back(Role::kCdc);
  EXPECT_EQ(OrderText(RollingOrder::kAuto, with_cdc).substr(0, 14), "operator: cdc ");
}

TEST(FindOrder, RefusesTheScriptsOrderWhereItWouldSkip) {
  EXPECT_EQ(OrderText(RollingOrder::kScript, kChart42), "refused");
  EXPECT_EQ(OrderText(RollingOrder::kScript, kChart50), "refused");
}

TEST(FindOrder, TellsWhatHasNoPlace) {
  std::vector<Role> odd = kChart50;
  odd.push_back(Role::kIndexNode);
  odd.push_back(Role::kIndexNode);
  const auto row = FindOrder(RollingOrder::kAuto, odd);
  ASSERT_TRUE(row);
  EXPECT_EQ(RolesWithoutPlace(**row, odd), std::vector<Role>{Role::kIndexNode});
}

TEST(RollingTables, HaveARowForEachRole) {
  for (const model::RoleRow& role : model::RoleTable()) {
    EXPECT_EQ(RolloutOf(role.role).role, role.role);
    bool has_place = false;
    for (const OrderRow& row : OrderTable())
      has_place = has_place || RolesWithoutPlace(row, std::vector<Role>{role.role}).empty();
    EXPECT_TRUE(has_place) << role.name;
  }
  EXPECT_EQ(RolloutTable().size(), model::RoleTable().size());
}

std::string StandbyText(Role role, std::string_view version) {
  std::string text;
  for (const StandbyRow* row : StandbyOf(role, model::ParseVersion(version).value()))
    text += (text.empty() ? "" : " ") + std::string(row->section);
  return text;
}

TEST(Standby, IsOneSectionOfACoordinatorAndAllFourOfOneProcess) {
  EXPECT_EQ(StandbyText(Role::kQueryCoord, "2.2.3"), "queryCoord");
  EXPECT_EQ(StandbyText(Role::kQueryCoord, "2.2.2"), "");
  EXPECT_EQ(StandbyText(Role::kMixCoord, "2.5.16"), "rootCoord queryCoord dataCoord indexCoord");
  EXPECT_EQ(StandbyText(Role::kMixCoord, "2.6.1"), "mixCoord");
  EXPECT_EQ(StandbyText(Role::kStandalone, "2.4.1"), "rootCoord queryCoord dataCoord indexCoord");
  EXPECT_EQ(StandbyText(Role::kProxy, "2.4.1"), "");
}

}  // namespace
}  // namespace mu::rules
