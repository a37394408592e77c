// SPDX-License-Identifier: Apache-2.0
// The Milvus roles as one table: name in `milvus run ROLE`, session keys, tier for stopping and
// starting. Source: session keys measured (ground.md 3), roles of 2.6 from milvus.md 5 and 9.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mu::model {

enum class Role {
  kStandalone = 1,
  kRootCoord = 2,
  kDataCoord = 3,
  kIndexCoord = 4,
  kQueryCoord = 5,
  kMixCoord = 6,
  kDataNode = 7,
  kIndexNode = 8,
  kQueryNode = 9,
  kStreamingNode = 10,
  kProxy = 11,
  kCdc = 12,
};

// Going down: proxy, nodes, coordinators (ground.md 3: with the coordinators first a querynode
// takes 60 s). Coming up: the reverse.
enum class Tier { kCoordinator = 1, kNode = 2, kProxy = 3 };

struct RoleRow {
  Role role;
  std::string_view name;  // "querynode": argument of `milvus run`, prefix of the session key
  Tier tier;
  bool is_exclusive;  // session key without "-<server id>" (until standby exists, 2.2.3)
};

std::span<const RoleRow> RoleTable();
const RoleRow& RowOf(Role role);
std::string_view NameOf(Role role);
std::string_view NameOf(Tier tier);
std::optional<Role> RoleOfName(std::string_view name);  // "indexcoord"; case is ignored
// The role of a container from its command: {"milvus","run","querynode"},
// {"/tini","--","milvus","run","standalone"}, also the one string form. Several roles in one
// process (`milvus run mixture`) and others: nullopt.
std::optional<Role> RoleOfCommand(const std::vector<std::string>& command);
// The role of a session key's last part: "rootcoord", "querynode-5", "rootcoord-12" (standby).
// "id", "version": nullopt.
std::optional<Role> RoleOfSession(std::string_view session_name);
// The roles whose session keys a process of this role holds, in Milvus 2.<minor>: all eight for
// standalone (ground.md 3), the four coordinators for mixcoord before 2.6, itself otherwise. From
// 2.6 the coordinators are one mixcoord, and a streamingnode takes the indexnode's place
// (milvus.md 5, 9; read, not measured). None for cdc: not known.
std::vector<Role> SessionRolesOf(Role role, int minor_of_2);

}  // namespace mu::model
