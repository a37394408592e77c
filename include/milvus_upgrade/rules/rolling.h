// SPDX-License-Identifier: Apache-2.0
// What is known of updating a Milvus on Kubernetes component by component: in which order, which
// old pods must be gone before the next component, which configuration lets a coordinator hand
// over. Tables with their sources (milvus.md 3.1, 4.1, 8). Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/model/release.h"
#include "milvus_upgrade/model/role.h"
#include "milvus_upgrade/model/version.h"

namespace mu::rules {

enum class Topology { kCoordinators = 1, kMixCoord = 2, kStreaming = 3, kStandalone = 4 };
std::string_view NameOf(Topology topology);
// Of the roles that a release has: by its standalone, its streamingnode, its mixcoord.
Topology TopologyOf(std::span<const model::Role> roles);

struct OrderRow {
  config::RollingOrder order;  // never kAuto
  Topology topology;
  std::span<const model::Role> roles;  // first to last
  std::string_view source;
};
// One row an order and topology, in the order in which kAuto tries them.
std::span<const OrderRow> OrderTable();

// The row that was asked for; kAuto: the first that has a place for every role, else the last that
// was tried, whose missing roles then are a finding. Errors: kUsage when that order knows nothing
// of the topology.
Result<const OrderRow*> FindOrder(config::RollingOrder order, std::span<const model::Role> roles);
// Those of `roles` that have no place in the row.
std::vector<model::Role> RolesWithoutPlace(const OrderRow& row, std::span<const model::Role> roles);

// One row a role.
struct RolloutRow {
  model::Role role;
  // The next component starts only when no old pod is left, terminating ones included. Of the
  // others this is seen to at the end.
  bool waits_for_gone;
  std::string_view why;
  std::string_view source;
};
std::span<const RolloutRow> RolloutTable();
const RolloutRow& RolloutOf(model::Role role);

// The section of Milvus's configuration ("rootCoord") whose enableActiveStandby must be true so
// that a second process of this role waits instead of dying.
struct StandbyRow {
  model::Role role;
  model::Version since;            // of the version that runs
  std::string_view section;        // "rootCoord"
  std::string_view falls_back_to;  // the section that counts where this one says nothing; or ""
  std::string_view source;
};
std::span<const StandbyRow> StandbyTable();
// The rows of a role at a version: those of the newest `since` that is not above it. None for roles
// that need no standby.
std::vector<const StandbyRow*> StandbyOf(model::Role role, const model::Version& version);
// The component as people and step ids name it: "querynode", "querynode-rg1".
std::string ComponentOf(const model::MilvusWorkload& workload);
// The sections in which standby is not on for a workload that starts as `version`.
std::vector<std::string> SectionsWithoutStandby(const model::MilvusWorkload& workload,
                                                const model::Version& version);

}  // namespace mu::rules
