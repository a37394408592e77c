// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/rules/rolling.h"

#include <algorithm>
#include <iterator>

#include "milvus_upgrade/base/text.h"

namespace mu::rules {
namespace {

using config::RollingOrder;
using model::Role;
using model::Version;

constexpr Role kScriptCluster[] = {Role::kRootCoord,  Role::kDataCoord, Role::kIndexCoord,
                                   Role::kQueryCoord, Role::kIndexNode, Role::kDataNode,
                                   Role::kQueryNode,  Role::kProxy};
constexpr Role kOperatorCoordinators[] = {Role::kCdc,       Role::kIndexNode,  Role::kRootCoord,
                                          Role::kDataCoord, Role::kIndexCoord, Role::kQueryCoord,
                                          Role::kQueryNode, Role::kDataNode,   Role::kProxy};
constexpr Role kOperatorMixCoord[] = {Role::kCdc,       Role::kIndexNode, Role::kMixCoord,
                                      Role::kQueryNode, Role::kDataNode,  Role::kProxy};
constexpr Role kOperatorStreaming[] = {Role::kCdc,       Role::kMixCoord, Role::kStreamingNode,
                                       Role::kQueryNode, Role::kDataNode, Role::kProxy};
constexpr Role kStandalone[] = {Role::kCdc, Role::kStandalone};

constexpr std::string_view kScript = "rollingUpdate.sh";
constexpr std::string_view kOperator = "milvus-operator, dependency_graph.go";

constexpr OrderRow kOrders[] = {
    {RollingOrder::kScript, Topology::kCoordinators, kScriptCluster, kScript},
    {RollingOrder::kScript, Topology::kStandalone, std::span(kStandalone).subspan(1), kScript},
    {RollingOrder::kOperator, Topology::kCoordinators, kOperatorCoordinators, kOperator},
    {RollingOrder::kOperator, Topology::kMixCoord, kOperatorMixCoord, kOperator},
    {RollingOrder::kOperator, Topology::kStreaming, kOperatorStreaming, kOperator},
    {RollingOrder::kOperator, Topology::kStandalone, kStandalone, kOperator},
};

constexpr std::string_view kOneCoordinator =
    "the standby takes over only when the old one is gone; the next would meet both";

constexpr std::string_view kNoReport = "no report is known that asks for more";
constexpr std::string_view kIssues = "issues of milvus-io/milvus";

constexpr RolloutRow kRollouts[] = {
    {Role::kStandalone, true, "one process has all roles", "milvus-io/milvus#28867"},
    {Role::kRootCoord, true, kOneCoordinator, "milvus-io/milvus#44205, #42602"},
    {Role::kDataCoord, true, kOneCoordinator, "milvus-io/milvus#44205, #42602"},
    {Role::kIndexCoord, true, kOneCoordinator, "milvus-io/milvus#44205, #42602"},
    {Role::kQueryCoord, true, kOneCoordinator, "milvus-io/milvus#44205, #42602"},
    {Role::kMixCoord, true, kOneCoordinator, "milvus-io/milvus#44205, #42602"},
    {Role::kDataNode, false, kNoReport, kIssues},
    {Role::kIndexNode, false, kNoReport, kIssues},
    {Role::kQueryNode, true, "a proxy that is newer than a querynode gets no answer from it",
     "milvus-io/milvus#42492"},
    {Role::kStreamingNode, true, "channels were seen to refuse writes after an update",
     "milvus-io/milvus#47806"},
    {Role::kProxy, false, kNoReport, kIssues},
    {Role::kCdc, false, kNoReport, kIssues},
};

constexpr std::string_view kFour = "milvus-operator, GetDeploymentStrategy; rollingUpdate.sh";
constexpr std::string_view kOne = "upgrade FAQ of 2.6";

const StandbyRow kStandbys[] = {
    {Role::kRootCoord, {2, 2, 3, ""}, "rootCoord", "", kFour},
    {Role::kDataCoord, {2, 2, 3, ""}, "dataCoord", "", kFour},
    {Role::kIndexCoord, {2, 2, 3, ""}, "indexCoord", "", kFour},
    {Role::kQueryCoord, {2, 2, 3, ""}, "queryCoord", "", kFour},
    {Role::kMixCoord, {2, 2, 3, ""}, "rootCoord", "", kFour},
    {Role::kMixCoord, {2, 2, 3, ""}, "queryCoord", "", kFour},
    {Role::kMixCoord, {2, 2, 3, ""}, "dataCoord", "", kFour},
    {Role::kMixCoord, {2, 2, 3, ""}, "indexCoord", "", kFour},
    {Role::kMixCoord, {2, 6, 0, ""}, "mixCoord", "rootCoord", kOne},
    {Role::kStandalone, {2, 2, 3, ""}, "rootCoord", "", kFour},
    {Role::kStandalone, {2, 2, 3, ""}, "queryCoord", "", kFour},
    {Role::kStandalone, {2, 2, 3, ""}, "dataCoord", "", kFour},
    {Role::kStandalone, {2, 2, 3, ""}, "indexCoord", "", kFour},
    {Role::kStandalone, {2, 6, 0, ""}, "mixCoord", "rootCoord", kOne},
};

bool Has(std::span<const Role> roles, Role role) {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

}  // namespace

std::string_view NameOf(Topology topology) {
  switch (topology) {
    case Topology::kCoordinators:
      return "separate coordinators";
    case Topology::kMixCoord:
      return "mixcoord";
    case Topology::kStreaming:
      return "mixcoord and streamingnode";
    case Topology::kStandalone:
      return "standalone";
  }
  return "";
}

Topology TopologyOf(std::span<const Role> roles) {
  if (Has(roles, Role::kStandalone)) return Topology::kStandalone;
  if (Has(roles, Role::kStreamingNode)) return Topology::kStreaming;
  return Has(roles, Role::kMixCoord) ? Topology::kMixCoord : Topology::kCoordinators;
}

std::span<const OrderRow> OrderTable() { return kOrders; }

Result<const OrderRow*> FindOrder(RollingOrder order, std::span<const Role> roles) {
  const Topology topology = TopologyOf(roles);
  const OrderRow* last = nullptr;
  for (const OrderRow& row : kOrders) {
    if (row.topology != topology) continue;
    if (order != RollingOrder::kAuto && row.order != order) continue;
    last = &row;
    if (RolesWithoutPlace(row, roles).empty()) break;
  }
  if (last == nullptr)
    return Fail(ErrorCode::kUsage,
                "the order of rollingUpdate.sh knows nothing of a release with " +
                    std::string(NameOf(topology)) +
                    ": it would leave these components on the old version",
                "use --order operator, or leave it to --order auto");
  return last;
}

std::vector<Role> RolesWithoutPlace(const OrderRow& row, std::span<const Role> roles) {
  std::vector<Role> missing;
  for (const Role role : roles) {
    if (!Has(row.roles, role) && !Has(missing, role)) missing.push_back(role);
  }
  return missing;
}

std::span<const RolloutRow> RolloutTable() { return kRollouts; }

const RolloutRow& RolloutOf(Role role) {
  return *std::find_if(std::begin(kRollouts), std::end(kRollouts),
                       [&](const RolloutRow& row) { return row.role == role; });
}

std::span<const StandbyRow> StandbyTable() { return kStandbys; }

std::vector<const StandbyRow*> StandbyOf(Role role, const Version& version) {
  std::vector<const StandbyRow*> rows;
  for (const StandbyRow& row : kStandbys) {
    if (row.role != role || version < row.since) continue;
    if (!rows.empty() && rows.front()->since < row.since) rows.clear();
    rows.push_back(&row);
  }
  return rows;
}

std::string ComponentOf(const model::MilvusWorkload& workload) {
  std::string name(model::NameOf(workload.role));
  return workload.group.empty() ? name : name + "-" + workload.group;
}

std::vector<std::string> SectionsWithoutStandby(const model::MilvusWorkload& workload,
                                                const Version& version) {
  const auto is_on = [&](std::string_view section) {
    return !section.empty() && workload.standby_on.contains(ToLower(section));
  };
  std::vector<std::string> missing;
  for (const StandbyRow* row : StandbyOf(workload.role, version)) {
    if (!is_on(row->section) && !is_on(row->falls_back_to)) missing.emplace_back(row->section);
  }
  return missing;
}

}  // namespace mu::rules
