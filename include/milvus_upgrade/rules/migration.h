// SPDX-License-Identifier: Apache-2.0
// A migration of metadata before it runs: whether there is one on the way, and what the upgrade
// changes for clients. Pure; made from what was observed, so that the plan can show it.
#pragma once

#include <string>
#include <vector>

#include "milvus_upgrade/model/observed.h"
#include "milvus_upgrade/rules/version_path.h"

namespace mu::rules {

// The hop that migrates metadata, or null.
const HopRule* MigrationHopOf(const VersionPath& path);

// What clients of 2.1 will see otherwise on 2.2, a sentence each, with the collections by name.
// Source: ground.md 3, measured.
std::vector<std::string> ClientChanges(const model::Observed& observed);

}  // namespace mu::rules
