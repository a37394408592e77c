// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/plan/migration_input.h"

namespace mu::plan {

Result<config::MigrateYaml> MigrateYamlOf(const Migration& migration) {
  config::MigrateYaml yaml;
  MU_TRY(yaml.source, model::ParseVersion(migration.source_version));
  MU_TRY(yaml.target, model::ParseVersion(migration.target_version));
  yaml.runs_with_backup = migration.has_tool_backup;
  yaml.backup_file = kToolBackup;
  yaml.endpoints = migration.endpoints;
  yaml.root_path = migration.root_path;
  yaml.meta_path = migration.meta_path;
  yaml.kv_path = migration.kv_path;
  return yaml;
}

}  // namespace mu::plan
