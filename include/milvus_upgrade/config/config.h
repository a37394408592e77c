// SPDX-License-Identifier: Apache-2.0
// Config: what was asked, resolved by precedence (flag, MILVUS_UPGRADE_*, file, default). Values
// only; which flag fills which field is the key table in config/keys.h.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/model/compose.h"

namespace mu::config {

enum class Output { kText, kJson };
enum class ProgressMode { kAuto, kTty, kPlain, kJson, kQuiet, kGithub };
enum class StopMode { kAuto, kFixed };
// kAuto: the script's where it has a place for every component, else the operator's.
enum class RollingOrder { kAuto = 1, kScript = 2, kOperator = 3 };
enum class MigrationEngine { kContainer = 1, kBuiltin = 2 };

// Known to exist, and without the panic of v2.2.0 after its delete (ground.md 4).
inline constexpr char kMigrationImage[] = "milvusdb/meta-migration:v2.2.0-bugfix-20230112";

struct Config {
  model::ComposeSelectors selectors;
  std::string to;
  std::string from;  // "": observed
  std::string state_dir;
  bool is_yes = false;
  bool is_dry_run = false;
  bool is_verbose = false;
  Output output = Output::kText;
  ProgressMode progress = ProgressMode::kAuto;
  std::vector<std::string> skipped_checks;
  StopMode stop_mode = StopMode::kAuto;
  Millis stop_timeout{0};                   // with kFixed
  Millis timeout{600'000};                  // of each gate
  Millis stable_for{5'000};                 // no restart for so long
  std::vector<std::string> verify_command;  // argv
  bool verify_compares_output = false;
  std::vector<std::string> probe_command;
  bool backs_up_queue = false;
  bool rolls_back_on_failure = true;
  std::string pause_before;  // id of a step; "": none
  std::string until;         // id of the last step of this part
  std::string migrate_file;  // "": looked for beside the compose file
  MigrationEngine migration_engine = MigrationEngine::kContainer;
  std::string migration_image = kMigrationImage;  // with kContainer
  bool rehearses = true;
  bool backs_up_with_tool = false;  // as well as by ourselves
  // Of a release on Kubernetes.
  std::string name_space = "default";
  std::string release;
  std::string image;  // "": derived from the one that runs and `to`
  std::string kubeconfig;
  std::string context;
  RollingOrder order = RollingOrder::kAuto;
  bool keeps_strategy = false;
  bool allows_downtime = false;
  std::vector<std::string> only;  // components: the others stay as they are
  std::map<std::string, std::string>
      sources;  // key -> "flag", "environment", "file PATH", "default"
};

}  // namespace mu::config
