// SPDX-License-Identifier: Apache-2.0
// A migration of metadata before it runs: the input that Milvus's own tool gets, and what the
// upgrade changes for clients. Pure; made from what was observed, so that the plan can show both.
#pragma once

#include <string>
#include <vector>

#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/config/migrate_yaml.h"
#include "milvus_upgrade/model/observed.h"
#include "milvus_upgrade/rules/version_path.h"

namespace mu::rules {

// The hop that migrates metadata, or null.
const HopRule* MigrationHopOf(const VersionPath& path);

// As the file that was given or found has it; what it leaves open, or all of it when there is none,
// as observed. For cmd.type run. Without a backup of the tool's unless config.backs_up_with_tool:
// then the caller names its file. User and password are not in it.
config::MigrateYaml MigrateYamlOf(const config::Config& config, const model::Observed& observed,
                                  const HopRule& hop);

// What clients of 2.1 will see otherwise on 2.2, a sentence each, with the collections by name.
// Source: ground.md 3, measured.
std::vector<std::string> ClientChanges(const model::Observed& observed);

}  // namespace mu::rules
