// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/config/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "config/put.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/model/image_ref.h"
#include "milvus_upgrade/model/version.h"

namespace mu::config {
namespace {

using Values = std::vector<std::string>;

void Assign(std::string& field, const Values& values) { field = values.back(); }
void Assign(Values& field, const Values& values) { field = values; }

template <auto Field>
Status SetText(Config& config, const Values& values) {
  Assign(config.*Field, values);
  return {};
}

template <auto Field>
Status SetSelector(Config& config, const Values& values) {
  Assign(config.selectors.*Field, values);
  return {};
}

template <auto Field>
Status SetVersion(Config& config, const Values& values) {
  MU_TRY(const auto version, model::ParseVersion(values.back()));
  config.*Field = version.Text();
  return {};
}

template <auto Field>
Status SetBool(Config& config, const Values& values) {
  const std::string text = ToLower(values.back());
  for (const std::string_view yes : {"true", "1", "yes", "on"}) {
    if (text == yes) return config.*Field = true, Status{};
  }
  for (const std::string_view no : {"false", "0", "no", "off"}) {
    if (text == no) return config.*Field = false, Status{};
  }
  return Fail(ErrorCode::kUsage, fmt::format("\"{}\" is neither true nor false", values.back()),
              "write true or false");
}

template <auto Field>
Status SetDuration(Config& config, const Values& values) {
  MU_TRY(config.*Field, ParseDuration(values.back()));
  return {};
}

template <auto Field>
Status SetCommand(Config& config, const Values& values) {
  MU_TRY(config.*Field, SplitWords(values.back()));
  if ((config.*Field).empty())
    return Fail(ErrorCode::kUsage, "the command is empty", "name a program, or leave the key out");
  return {};
}

Status SetStop(Config& config, const Values& values) {
  if (values.back() == "auto") {
    config.stop_mode = StopMode::kAuto;
    return {};
  }
  config.stop_mode = StopMode::kFixed;
  return SetDuration<&Config::stop_timeout>(config, values);
}

Status SetTimeout(Config& config, const Values& values) {
  MU_CHECK(SetDuration<&Config::timeout>(config, values));
  if (config.timeout == Millis(0))
    return Fail(ErrorCode::kUsage, "a timeout of 0 would fail every gate at once",
                "write how long a gate may take, such as 10m");
  return {};
}

Status SetOutput(Config& config, const Values& values) {
  config.output = values.back() == "json" ? Output::kJson : Output::kText;
  return {};
}

Status SetProgress(Config& config, const Values& values) {
  // In the order of the enumerators and of the row's choices.
  static constexpr std::string_view kNames[] = {"auto", "tty", "plain", "json", "quiet", "github"};
  const auto* const it = std::find(std::begin(kNames), std::end(kNames), values.back());
  config.progress = static_cast<ProgressMode>(it - std::begin(kNames));
  return {};
}

Status SetOnFailure(Config& config, const Values& values) {
  config.rolls_back_on_failure = values.back() == "rollback";
  return {};
}

Status SetOrder(Config& config, const Values& values) {
  config.order = values.back() == "script"     ? RollingOrder::kScript
                 : values.back() == "operator" ? RollingOrder::kOperator
                                               : RollingOrder::kAuto;
  return {};
}

Status SetImage(Config& config, const Values& values) {
  MU_CHECK(model::ParseImageRef(values.back()));
  return SetText<&Config::image>(config, values);
}

Status SetMigrationEngine(Config& config, const Values& values) {
  config.migration_engine =
      values.back() == "builtin" ? MigrationEngine::kBuiltin : MigrationEngine::kContainer;
  return {};
}

Status SetMigrationImage(Config& config, const Values& values) {
  MU_CHECK(model::ParseImageRef(values.back()));
  return SetText<&Config::migration_image>(config, values);
}

Status SetNoRehearsal(Config& config, const Values& values) {
  MU_CHECK(SetBool<&Config::rehearses>(config, values));
  config.rehearses = !config.rehearses;
  return {};
}

Status SetBackupEngine(Config& config, const Values& values) {
  config.backs_up_with_tool = values.back() == "tool";
  return {};
}

using S = model::ComposeSelectors;
using T = KeyType;
using G = Given;

// In the order of --help.
constexpr KeyRow kRows[] = {
    {"release", 'i', T::kText, G::kEverywhere, "", "RELEASE", "",
     "the Helm release of Milvus, as its label app.kubernetes.io/instance says",
     kRollingAll | kKubeRuns, SetText<&Config::release>},
    {"namespace", 'n', T::kText, G::kEverywhere, "default", "NAMESPACE", "",
     "the namespace of the release", kRollingAll | kKubeRuns, SetText<&Config::name_space>},
    {"to", 't', T::kText, G::kEverywhere, "", "VERSION", "", "the Milvus version to upgrade to",
     kCompose | kCheck | kPlan | kRollingAll, SetVersion<&Config::to>},
    {"image", 'w', T::kText, G::kEverywhere, "", "IMAGE", "",
     "the new image; without it the repository that runs, with the tag of --to", kRollingAll,
     SetImage},
    {"operation", 'o', T::kChoice, G::kFlagOnly, "update", "WHAT", "update",
     "what to do, as for rollingUpdate.sh", kRollingAll, nullptr},
    {"context", 0, T::kText, G::kEverywhere, "", "NAME", "",
     "context of the kubeconfig, as for kubectl", kRollingAll | kKubeRuns,
     SetText<&Config::context>},
    {"kubeconfig", 0, T::kPath, G::kEverywhere, "", "FILE", "", "as for kubectl",
     kRollingAll | kKubeRuns, SetText<&Config::kubeconfig>},
    {"order", 0, T::kChoice, G::kEverywhere, "auto", "WHAT", "auto script operator",
     "whose order of the components: that of rollingUpdate.sh, that of milvus-operator, or the "
     "first that has a place for all",
     kRollingAll, SetOrder},
    {"only", 0, T::kTextList, G::kFlagOnly, "", "COMPONENT", "",
     "roll this component only (back, with rollback), and leave the others as they are; may be "
     "repeated",
     kRollingAll | kRollback, SetText<&Config::only>},
    {"keep-strategy", 0, T::kFlag, G::kEverywhere, "false", "", "",
     "leave the strategy of a Deployment as the rollout needed it", kRollingAll,
     SetBool<&Config::keeps_strategy>},
    {"allow-downtime", 0, T::kFlag, G::kFlagAndEnvironment, "false", "", "",
     "stop a standalone before the new one starts, where two cannot run at a time", kRollingAll,
     SetBool<&Config::allows_downtime>},
    {"from", 0, T::kText, G::kEverywhere, "", "VERSION", "",
     "the version that runs now, where neither the image tag nor the sessions in etcd tell it",
     kPlanning | kRollingAll, SetVersion<&Config::from>},
    {"file", 'f', T::kPathList, G::kEverywhere, "", "FILE", "",
     "compose file, as for docker compose; may be repeated, later ones win", kFindsRuns,
     SetSelector<&S::files>},
    {"project-name", 'p', T::kText, G::kEverywhere, "", "NAME", "",
     "compose project name, as for docker compose", kPlanning, SetSelector<&S::project_name>},
    {"project-directory", 0, T::kPath, G::kEverywhere, "", "DIR", "",
     "compose project folder, as for docker compose", kFindsRuns,
     SetSelector<&S::project_directory>},
    {"env-file", 0, T::kPathList, G::kEverywhere, "", "FILE", "",
     "environment file, as for docker compose; may be repeated", kPlanning,
     SetSelector<&S::env_files>},
    {"profile", 0, T::kTextList, G::kEverywhere, "", "NAME", "",
     "compose profile, as for docker compose; may be repeated", kPlanning,
     SetSelector<&S::profiles>},
    {"yes", 'y', T::kFlag, G::kFlagAndEnvironment, "false", "", "",
     "answer yes to the question before the run",
     kRunning | kRolling | kRollback | kMigrate | kUnlock | kPrune, SetBool<&Config::is_yes>},
    {"dry-run", 0, T::kFlag, G::kFlagAndEnvironment, "false", "", "",
     "show what would be done and write nothing, not even the state folder",
     kCompose | kRolling | kMigrate | kPrune, SetBool<&Config::is_dry_run>},
    {"skip-check", 0, T::kTextList, G::kEverywhere, "", "NAME", "",
     "go on although this check fails; may be repeated, and only by name", kPlanning | kRollingAll,
     SetText<&Config::skipped_checks>},
    {"stop-timeout", 0, T::kDurationOrAuto, G::kEverywhere, "auto", "DURATION|auto", "",
     "how long a Milvus container may take to stop; auto waits as long as waiting was measured to "
     "help",
     kPlanning, SetStop},
    {"timeout", 0, T::kDuration, G::kEverywhere, "10m", "DURATION", "",
     "how long each gate may wait", kPlanning | kRollingAll, SetTimeout},
    {"stable-for", 0, T::kDuration, G::kEverywhere, "5s", "DURATION", "",
     "how long the new containers must run without a restart", kPlanning | kRollingAll,
     SetDuration<&Config::stable_for>},
    {"verify-cmd", 0, T::kCommand, G::kEverywhere, "", "COMMAND", "",
     "a client's check, run before and after: its exit code must be the same; one text, split into "
     "words without a shell",
     kPlanning | kRollingAll, SetCommand<&Config::verify_command>},
    {"verify-output", 0, T::kFlag, G::kEverywhere, "false", "", "",
     "what --verify-cmd prints must be the same, too", kPlanning | kRollingAll,
     SetBool<&Config::verify_compares_output>},
    {"probe-cmd", 0, T::kCommand, G::kEverywhere, "", "COMMAND", "",
     "a client's request, run again and again to measure the outage: exit 0 is an answer",
     kPlanning, SetCommand<&Config::probe_command>},
    {"backup-mq", 0, T::kFlag, G::kEverywhere, "false", "", "",
     "with rocksmq, copy its folder as well; this is part of the outage", kPlanning,
     SetBool<&Config::backs_up_queue>},
    {"on-failure", 0, T::kChoice, G::kEverywhere, "rollback", "WHAT", "rollback stop",
     "when the new version does not come up: put the old one back where that is possible, or stop "
     "there",
     kRunning | kRolling, SetOnFailure},
    {"pause-before", 0, T::kText, G::kFlagOnly, "", "STEP", "",
     "stop before this step of the plan, with exit 8; resume goes on", kRunning | kRolling,
     SetText<&Config::pause_before>},
    {"until", 0, T::kText, G::kFlagOnly, "", "STEP", "",
     "stop after this step of the plan, with exit 8; resume goes on", kRunning | kRolling,
     SetText<&Config::until>},
    {"migrate-file", 'c', T::kPath, G::kEverywhere, "", "FILE", "",
     "migrate.yaml, the input file of Milvus's meta-migration tool; compose finds it beside the "
     "compose file and can do without",
     kPlanning | kMigrate, SetText<&Config::migrate_file>},
    {"migration-engine", 0, T::kChoice, G::kEverywhere, "container", "WHAT", "container builtin",
     "who migrates metadata on the way from 2.1 to 2.2: Milvus's own tool in its container, or "
     "this program",
     kPlanning, SetMigrationEngine},
    {"migration-image", 0, T::kText, G::kEverywhere, kMigrationImage, "IMAGE", "",
     "the image of Milvus's own tool", kPlanning | kMigrate, SetMigrationImage},
    {"no-rehearsal", 0, T::kFlag, G::kEverywhere, "false", "", "",
     "do not try the migration on a copy before anything is stopped", kPlanning, SetNoRehearsal},
    {"backup-engine", 0, T::kChoice, G::kEverywhere, "own", "WHAT", "own tool",
     "who backs up metadata in the outage of a migration: this program, or Milvus's own tool as "
     "well",
     kPlanning, SetBackupEngine},
    {"engine", 0, T::kChoice, G::kFlagOnly, "builtin", "WHAT", "builtin container",
     "who migrates: this program, or Milvus's own tool in its container", kMigrate, nullptr},
    {"new-keys", 0, T::kChoice, G::kFlagOnly, "refuse", "WHAT", "refuse keep remove",
     "at a rollback, what becomes of keys that a started 2.2 has written", kMigrate, nullptr},
    {"etcd-container", 0, T::kText, G::kFlagOnly, "", "NAME", "",
     "reach etcd by the etcdctl in this container, not by its endpoints", kMigrate, nullptr},
    {"network", 0, T::kText, G::kFlagOnly, "", "NAME", "",
     "with --engine container, the engine's network on which the endpoints are known", kMigrate,
     nullptr},
    {"etcd-patience", 0, T::kDuration, G::kFlagOnly, "60s", "DURATION", "",
     "how long etcd may be away before the migration gives up", kMigrate, nullptr},
    {"from-snapshot", 0, T::kFlag, G::kFlagOnly, "false", "", "",
     "write the keys back from the etcd snapshot that the run made before it migrated", kRollback,
     nullptr},
    {"accept-data-loss", 0, T::kFlag, G::kFlagOnly, "false", "", "",
     "go back although the new version has started: what was written since is lost", kRollback,
     nullptr},
    {"keep", 0, T::kText, G::kFlagOnly, "10", "COUNT", "", "how many of the newest runs stay",
     kPrune, nullptr},
    {"out", 0, T::kPath, G::kFlagOnly, "", "FILE", "", "save the plan for apply",
     kPlan | kPlanRolling, nullptr},
    {"detailed-exitcode", 0, T::kFlag, G::kFlagOnly, "false", "", "",
     "exit 10 when the plan has something to do, 0 when it has not", kPlan | kPlanRolling, nullptr},
    {"format", 0, T::kChoice, G::kFlagOnly, "text", "FORMAT", "text md json", "form of the report",
     kReport, nullptr},
    {"platform", 0, T::kChoice, G::kFlagOnly, "standalone", "WHAT", "standalone cluster kubernetes",
     "the kind of install that the path is for", kVersions, nullptr},
    {"mq", 0, T::kChoice, G::kFlagOnly, "unknown", "WHAT",
     "unknown rocksmq pulsar kafka natsmq woodpecker", "the message queue that Milvus uses",
     kVersions, nullptr},
    {"allow-downgrade", 0, T::kFlag, G::kFlagOnly, "false", "", "", "ask for the way down as well",
     kVersions, nullptr},
    {"state-dir", 0, T::kPath, G::kEverywhere, ".milvus-upgrade in the project folder", "DIR", "",
     "where runs are kept: plans, journals, backups", kOfRuns, SetText<&Config::state_dir>},
    {"config", 0, T::kPath, G::kFlagAndEnvironment, "", "FILE", "",
     "configuration file; without it ./.milvus-upgrade.yaml, else "
     "$XDG_CONFIG_HOME/milvus-upgrade/config.yaml",
     kEvery, nullptr},
    {"output", 'o', T::kChoice, G::kEverywhere, "text", "FORM", "text json",
     "form of the result on stdout", kEvery, SetOutput},
    {"verbose", 'v', T::kFlag, G::kFlagAndEnvironment, "false", "", "",
     "say on stderr what each child program was asked, what it took and how it ended", kEvery,
     SetBool<&Config::is_verbose>},
    {"progress", 0, T::kChoice, G::kEverywhere, "auto", "MODE", "auto tty plain json quiet github",
     "form of the progress on stderr", kEvery, SetProgress},
};

}  // namespace

Status Put(const KeyRow& row, const Values& values, const std::string& where, Config& config) {
  if (values.empty()) return {};
  if (!row.IsList() && values.size() > 1)
    return Fail(ErrorCode::kUsage, fmt::format("{} is given {} times", where, values.size()),
                "give it once");
  for (const std::string& value : values) {
    if (value.empty() && row.TakesValue())
      return Fail(ErrorCode::kUsage, fmt::format("{} has an empty value", where));
    if (value.find('\0') != std::string::npos)
      return Fail(ErrorCode::kUsage, fmt::format("{} holds a NUL byte", where));
  }
  if (row.type == KeyType::kChoice) {
    const Values choices = Split(row.choices, ' ');
    if (std::find(choices.begin(), choices.end(), values.back()) == choices.end()) {
      const std::string near = Nearest(values.back(), choices);
      return Fail(ErrorCode::kUsage,
                  fmt::format("{} cannot be \"{}\"", where, Printable(values.back())),
                  (near.empty() ? std::string() : fmt::format("did you mean {}? ", near)) +
                      fmt::format("it is one of: {}", Join(choices, ", ")));
    }
  }
  if (row.set == nullptr) return {};
  auto set = row.set(config, values);
  if (!set) {
    Error error = std::move(set).error();
    error.message = fmt::format("{}: {}", where, error.message);
    return Fail(std::move(error));
  }
  return {};
}

std::string KeyRow::EnvironmentName() const {
  std::string text = "MILVUS_UPGRADE_";
  for (const char c : name)
    text += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::span<const KeyRow> KeyTable() { return kRows; }

char ShortFlagOf(const KeyRow& row, unsigned command) {
  for (const KeyRow& other : kRows) {
    if (&other == &row) break;
    if (other.short_flag == row.short_flag && (other.commands & command) == command) return 0;
  }
  return row.short_flag;
}

const KeyRow* FindKey(std::string_view name) {
  const auto* const it = std::find_if(std::begin(kRows), std::end(kRows),
                                      [&](const KeyRow& r) { return r.name == name; });
  return it == std::end(kRows) ? nullptr : it;
}

}  // namespace mu::config
