// SPDX-License-Identifier: Apache-2.0
// Reads what a migration of metadata would find: migrate.yaml, the metadata in etcd, converted here
// without a write, and the network that leads to etcd. What cannot be read becomes a fact.
#pragma once

#include <optional>
#include <vector>

#include "milvus_upgrade/observe/compose_observer.h"
#include "milvus_upgrade/rules/version_path.h"

namespace mu::observe {

// The way from the version that runs to --to; nullopt where there is none or either is not known.
// REQUIRES: versions, roles and settings are observed.
std::optional<rules::VersionPath> PathOf(const config::Config& config,
                                         const model::Observed& observed);

// Fills observed->migration but for what ReadEtcdFacts has seen. REQUIRES: the etcd is observed.
// `containers`: all of the engine.
void ReadMigrationFacts(const World& world, const config::Config& config,
                        const std::vector<model::Container>& containers,
                        const std::optional<rules::VersionPath>& path, model::Observed* observed);

}  // namespace mu::observe
