// SPDX-License-Identifier: Apache-2.0
// The input of Milvus's migration tool as a plan has it: what the tool gets, and what the plan
// shows. Pure.
#pragma once

#include "milvus_upgrade/config/migrate_yaml.h"
#include "milvus_upgrade/plan/step.h"

namespace mu::plan {

// Where the tool keeps its own backup, inside: beside its input.
inline constexpr char kToolBackup[] = "/milvus/configs/migration.bak";

// Of cmd.type run, without TLS and user, which are in the user's own file. Errors: kVersionUnknown,
// where a version of the plan is none.
Result<config::MigrateYaml> MigrateYamlOf(const Migration& migration);

}  // namespace mu::plan
