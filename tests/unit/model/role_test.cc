// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/model/role.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace mu::model {
namespace {

TEST(RoleTable, HasOneRowForEachRole) {
  std::set<Role> roles;
  std::set<std::string_view> names;
  for (const RoleRow& row : RoleTable()) {
    EXPECT_TRUE(roles.insert(row.role).second);
    EXPECT_TRUE(names.insert(row.name).second);
    EXPECT_EQ(&RowOf(row.role), &row);
    EXPECT_EQ(RoleOfName(row.name), row.role);
    EXPECT_EQ(RoleOfCommand({"milvus", "run", std::string(row.name)}), row.role);
  }
  EXPECT_EQ(roles.size(), 12U);
}

// Stopping goes proxy, nodes, coordinators (ground.md 3: the other way round a querynode took 60
// s).
TEST(RoleTable, TiersFollowTheMeasuredStopOrder) {
  EXPECT_EQ(RowOf(Role::kProxy).tier, Tier::kProxy);
  for (const Role role : {Role::kDataNode, Role::kIndexNode, Role::kQueryNode}) {
    EXPECT_EQ(RowOf(role).tier, Tier::kNode);
    EXPECT_FALSE(RowOf(role).is_exclusive);
  }
  for (const Role role :
       {Role::kRootCoord, Role::kDataCoord, Role::kIndexCoord, Role::kQueryCoord}) {
    EXPECT_EQ(RowOf(role).tier, Tier::kCoordinator);
    EXPECT_TRUE(RowOf(role).is_exclusive);
  }
}

TEST(RoleOfCommand, FindsTheRoleInEveryFormOfACommand) {
  EXPECT_EQ(RoleOfCommand({"/tini", "--", "milvus", "run", "standalone"}), Role::kStandalone);
  EXPECT_EQ(RoleOfCommand({"milvus run querynode"}), Role::kQueryNode);
  EXPECT_EQ(RoleOfCommand({"/bin/sh", "-c", "exec milvus run proxy; sleep 1"}), Role::kProxy);
  EXPECT_EQ(RoleOfCommand({"sh", "-c", "milvus run 'datanode'"}), Role::kDataNode);
  EXPECT_EQ(RoleOfCommand({"/milvus/bin/milvus", "run", "rootCoord", "-alias", "x"}),
            Role::kRootCoord);
}

TEST(RoleOfCommand, SaysNothingOfOtherCommands) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {},
           {""},
           {"milvus"},
           {"milvus", "run"},
           {"milvus", "run", "mixture", "-rootcoord", "-querycoord"},
           {"etcd", "-advertise-client-urls=http://127.0.0.1:2379"},
           {"minio", "server", "/minio_data"},
           {"notmilvus", "run", "proxy"},
           {"run", "proxy"}}) {
    EXPECT_FALSE(RoleOfCommand(command));
  }
}

TEST(RoleOfSession, KnowsExclusiveNodeAndStandbyKeys) {
  EXPECT_EQ(RoleOfSession("rootcoord"), Role::kRootCoord);
  EXPECT_EQ(RoleOfSession("rootcoord-12"), Role::kRootCoord);
  EXPECT_EQ(RoleOfSession("querynode-5"), Role::kQueryNode);
  EXPECT_EQ(RoleOfSession("mixcoord"), Role::kMixCoord);
  for (const std::string name : {"id", "version", "", "querynode-", "querynode-5x", "migration",
                                 "querynode-5-6", "standalon"}) {
    EXPECT_FALSE(RoleOfSession(name)) << name;
  }
}

TEST(SessionRolesOf, StandaloneHoldsTheKeysOfAllItsRoles) {
  for (const int minor : {1, 2, 3}) {
    const std::vector<Role> roles = SessionRolesOf(Role::kStandalone, minor);
    EXPECT_EQ(
        std::set<Role>(roles.begin(), roles.end()),
        (std::set<Role>{Role::kRootCoord, Role::kDataCoord, Role::kIndexCoord, Role::kQueryCoord,
                        Role::kDataNode, Role::kIndexNode, Role::kQueryNode, Role::kProxy}));
    EXPECT_EQ(roles.size(), 8U);
  }
  EXPECT_EQ(SessionRolesOf(Role::kStandalone, 6),
            (std::vector<Role>{Role::kMixCoord, Role::kDataNode, Role::kStreamingNode,
                               Role::kQueryNode, Role::kProxy}));
}

TEST(SessionRolesOf, AClusterRoleHoldsItsOwn) {
  EXPECT_EQ(SessionRolesOf(Role::kQueryNode, 2), std::vector<Role>{Role::kQueryNode});
  EXPECT_EQ(SessionRolesOf(Role::kProxy, 6), std::vector<Role>{Role::kProxy});
  EXPECT_EQ(SessionRolesOf(Role::kMixCoord, 4).size(), 4U);
  EXPECT_EQ(SessionRolesOf(Role::kMixCoord, 6), std::vector<Role>{Role::kMixCoord});
  EXPECT_TRUE(SessionRolesOf(Role::kCdc, 6).empty());
}

}  // namespace
}  // namespace mu::model
