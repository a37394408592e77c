// SPDX-License-Identifier: Apache-2.0
// migrate.yaml, the input file of Milvus's meta-migration tool, understood once for everyone who
// needs it. Same keys and meaning as there (ground.md 4 "Config"); what that tool panics on or
// silently ignores is an error or a warning with words here. Pure: the text is an input.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/migration.h"
#include "milvus_upgrade/model/version.h"

namespace mu::config {

enum class MigrateCommand { kRun = 1, kBackup = 2, kRollback = 3 };

using model::EtcdTls;

struct MigrateYaml {
  MigrateCommand command = MigrateCommand::kRun;
  bool runs_with_backup = false;
  model::Version source;
  std::optional<model::Version> target;  // always there but for a backup
  std::string backup_file;               // "" only for a run without backup
  std::vector<std::string> endpoints;    // "milvus-etcd:2379", "https://10.0.0.5:2379"
  std::string root_path;
  std::string meta_path;
  std::string kv_path;
  EtcdTls tls;
  std::string user;  // "" without etcd.auth.enabled
  std::string password;
  std::vector<std::string> warnings;  // with the place, for people
  std::map<std::string, int> lines;   // "etcd.rootPath" -> line of its value, from 1; as read
};

// Every problem of the file at once, one per line: FILE:LINE:COLUMN: key: what was expected. With
// `tool_exit`, the exit code that Milvus's own tool gives the first of them: 1 where it looks at
// the value, 2 where it panics. Errors: kYamlSyntax, kInvalidInput.
Result<MigrateYaml> ParseMigrateYaml(std::string_view text, const std::string& file,
                                     int* tool_exit = nullptr);

// The file that Milvus's own tool takes for the same: every key that it panics without, and what it
// would misread quoted. Read by ParseMigrateYaml it gives the same values (of kWritten).
enum class Secrets { kMasked = 1, kWritten = 2 };  // etcd.auth.password
std::string FormatMigrateYaml(const MigrateYaml& yaml, Secrets secrets);

// The keys, for docs/migrate-yaml.md.
struct MigrateKey {
  std::string_view path;
  std::string_view value;    // what may stand there
  std::string_view meaning;  // with the default and the trap
};
std::span<const MigrateKey> MigrateKeys();

}  // namespace mu::config
