// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/config/keys.h"

namespace mu::config {
namespace {

Inputs File(std::string text) {
  Inputs inputs;
  inputs.command = kCompose;
  inputs.file_path = "/etc/mu/c.yaml";
  inputs.file_text = std::move(text);
  return inputs;
}

TEST(KeyTable, NamesAndShortFlagsAreUnique) {
  std::set<std::string_view> names;
  std::set<char> shorts;
  for (const KeyRow& row : KeyTable()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    // rollingUpdate.sh has an -o of its own; where it is taken, --output goes without.
    EXPECT_TRUE(row.short_flag == 0 || row.name == "output" || shorts.insert(row.short_flag).second)
        << row.name;
    EXPECT_EQ(row.name, ToLower(row.name));
    EXPECT_NE(row.commands, 0u) << row.name;
    EXPECT_EQ(row.TakesValue(), !row.value_name.empty()) << row.name;
    EXPECT_EQ(row.type == KeyType::kChoice, !row.choices.empty()) << row.name;
    EXPECT_FALSE(row.help.empty() || row.help.ends_with('.')) << row.name;
  }
}

TEST(KeyTable, GivesALetterToOneKeyOfACommand) {
  EXPECT_EQ(ShortFlagOf(*FindKey("output"), kCompose), 'o');
  EXPECT_EQ(ShortFlagOf(*FindKey("output"), kRolling), 0);
  EXPECT_EQ(ShortFlagOf(*FindKey("operation"), kRolling), 'o');
}

TEST(KeyTable, DefaultsAreThoseOfConfig) {
  // Each default, given as a flag, changes nothing.
  for (const KeyRow& row : KeyTable()) {
    if (row.set == nullptr || row.default_text.empty() || row.name == "state-dir") continue;
    Config config;
    ASSERT_TRUE(row.set(config, {std::string(row.default_text)})) << row.name;
    const Config fresh;
    EXPECT_EQ(config.timeout, fresh.timeout);
    EXPECT_EQ(config.stable_for, fresh.stable_for);
    EXPECT_EQ(config.stop_mode, fresh.stop_mode);
    EXPECT_EQ(config.output, fresh.output);
    EXPECT_EQ(config.progress, fresh.progress);
    EXPECT_EQ(config.rolls_back_on_failure, fresh.rolls_back_on_failure);
    EXPECT_EQ(config.is_yes, fresh.is_yes);
    EXPECT_EQ(config.is_dry_run, fresh.is_dry_run);
    EXPECT_EQ(config.verify_compares_output, fresh.verify_compares_output);
    EXPECT_EQ(config.backs_up_queue, fresh.backs_up_queue);
    EXPECT_EQ(config.migration_engine, fresh.migration_engine);
    EXPECT_EQ(config.migration_image, fresh.migration_image);
    EXPECT_EQ(config.rehearses, fresh.rehearses);
    EXPECT_EQ(config.name_space, fresh.name_space);
    EXPECT_EQ(config.order, fresh.order);
    EXPECT_EQ(config.keeps_strategy, fresh.keeps_strategy);
    EXPECT_EQ(config.allows_downtime, fresh.allows_downtime);
    EXPECT_EQ(config.backs_up_with_tool, fresh.backs_up_with_tool);
  }
}

TEST(Resolve, PutsFlagOverEnvironmentOverFileOverDefault) {
  Inputs inputs = File("timeout: 1m\nstable-for: 1m\nstop-timeout: 1m\n");
  inputs.environment = {{"MILVUS_UPGRADE_TIMEOUT", "2m"}, {"MILVUS_UPGRADE_STABLE_FOR", "2m"}};
  inputs.flags = {{"timeout", {"3m"}}};
  const auto resolved = Resolve(inputs);
  ASSERT_TRUE(resolved) << resolved.error().Text();
  const Config& config = resolved->config;
  EXPECT_EQ(config.timeout, Millis(180'000));
  EXPECT_EQ(config.stable_for, Millis(120'000));
  EXPECT_EQ(config.stop_timeout, Millis(60'000));
  EXPECT_EQ(config.stop_mode, StopMode::kFixed);
  EXPECT_EQ(config.sources.at("timeout"), "flag");
  EXPECT_EQ(config.sources.at("stable-for"), "environment");
  EXPECT_EQ(config.sources.at("stop-timeout"), "file /etc/mu/c.yaml");
  EXPECT_EQ(config.sources.at("progress"), "default");
}

TEST(Resolve, ReadsEachTypeFromTheFile) {
  const auto resolved =
      Resolve(File("to: v2.3.5\n"
                   "file: [a.yml, /b/c.yml]\n"
                   "profile: x\n"
                   "state-dir: runs\n"
                   "verify-cmd: [check, 'a b']\n"
                   "probe-cmd: probe 'c d'\n"
                   "backup-mq: on\n"
                   "on-failure: stop\n"
                   "migrate-file: m.yaml\n"
                   "migration-engine: builtin\n"
                   "migration-image: reg:5000/tool:1\n"
                   "no-rehearsal: true\n"
                   "backup-engine: tool\n"
                   "skip-check:\n- one\n- two\n"));
  ASSERT_TRUE(resolved) << resolved.error().Text();
  const Config& config = resolved->config;
  EXPECT_EQ(config.to, "2.3.5");
  EXPECT_EQ(config.selectors.files, (std::vector<std::string>{"/etc/mu/a.yml", "/b/c.yml"}));
  EXPECT_EQ(config.selectors.profiles, std::vector<std::string>{"x"});
  EXPECT_EQ(config.state_dir, "/etc/mu/runs");
  EXPECT_EQ(config.verify_command, (std::vector<std::string>{"check", "a b"}));
  EXPECT_EQ(config.probe_command, (std::vector<std::string>{"probe", "c d"}));
  EXPECT_TRUE(config.backs_up_queue);
  EXPECT_FALSE(config.rolls_back_on_failure);
  EXPECT_EQ(config.migrate_file, "/etc/mu/m.yaml");
  EXPECT_EQ(config.migration_engine, MigrationEngine::kBuiltin);
  EXPECT_EQ(config.migration_image, "reg:5000/tool:1");
  EXPECT_FALSE(config.rehearses);
  EXPECT_TRUE(config.backs_up_with_tool);
  EXPECT_EQ(config.skipped_checks, (std::vector<std::string>{"one", "two"}));
}

TEST(Resolve, SaysWhereABadValueStands) {
  const struct {
    std::string text;
    ErrorCode code;
    std::string says;
    std::string hint;
  } cases[] = {
      {"a: [", ErrorCode::kYamlSyntax, "/etc/mu/c.yaml:", ""},
      {"- a\n", ErrorCode::kInvalidInput, "not a map", "key: value"},
      {"\ntimout: 5m\n", ErrorCode::kInvalidInput, "/etc/mu/c.yaml:2: timout: there is no such key",
       "did you mean timeout?"},
      {"yes: true\n", ErrorCode::kInvalidInput, "cannot be set in a file", "--yes"},
      {"timeout: 5\n", ErrorCode::kUsage, "/etc/mu/c.yaml:1: timeout: \"5\" is not a duration",
       "90s"},
      {"timeout: 0s\n", ErrorCode::kUsage, "would fail every gate", "10m"},
      {"timeout: 1m\ntimeout: 2m\n", ErrorCode::kInvalidInput,
       ":2: timeout: the key is written twice", ""},
      {"timeout: [1m, 2m]\n", ErrorCode::kInvalidInput, "takes one value", ""},
      {"timeout: {a: 1}\n", ErrorCode::kInvalidInput, "not a value", "one value"},
      {"progress: plian\n", ErrorCode::kUsage, "cannot be \"plian\"", "did you mean plain?"},
      {"to: latest\n", ErrorCode::kVersionUnknown, "/etc/mu/c.yaml:1: to:", ""},
      {"backup-mq: perhaps\n", ErrorCode::kUsage, "neither true nor false", "true"},
      {"verify-cmd: 'a | b'\n", ErrorCode::kUsage, "verify-cmd: the command", "sh -c"},
      {"verify-cmd: ' '\n", ErrorCode::kUsage, "the command is empty", ""},
  };
  for (const auto& c : cases) {
    const auto resolved = Resolve(File(c.text));
    ASSERT_FALSE(resolved) << c.text;
    EXPECT_EQ(resolved.error().code, c.code) << c.text;
    EXPECT_NE(resolved.error().message.find(c.says), std::string::npos) << resolved.error().message;
    EXPECT_NE(std::string(resolved.error().Hint()).find(c.hint), std::string::npos)
        << resolved.error().Hint();
  }
}

TEST(Resolve, NamesTheFlagOrVariableOfABadValue) {
  Inputs inputs;
  inputs.command = kCompose;
  inputs.flags = {{"stop-timeout", {"10"}}};
  auto resolved = Resolve(inputs);
  ASSERT_FALSE(resolved);
  EXPECT_TRUE(resolved.error().message.starts_with("--stop-timeout: ")) << resolved.error().message;
  inputs.flags = {{"to", {"2.3.5", "2.3.4"}}};
  resolved = Resolve(inputs);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().message, "--to is given 2 times");
  inputs.flags.clear();
  inputs.environment = {{"MILVUS_UPGRADE_OUTPUT", "yaml"}};
  resolved = Resolve(inputs);
  ASSERT_FALSE(resolved);
  EXPECT_TRUE(resolved.error().message.starts_with("MILVUS_UPGRADE_OUTPUT cannot be"));
}

TEST(Resolve, WarnsOfAVariableThatIsNoKey) {
  Inputs inputs;
  inputs.command = kCompose;
  inputs.environment = {{"MILVUS_UPGRADE_TIMEOT", "1m"}, {"MILVUS_UPGRADE_TO", ""}, {"PATH", "/"}};
  const auto resolved = Resolve(inputs);
  ASSERT_TRUE(resolved);
  ASSERT_EQ(resolved->warnings.size(), 1u);
  EXPECT_EQ(resolved->warnings[0],
            "MILVUS_UPGRADE_TIMEOT is not used; did you mean MILVUS_UPGRADE_TIMEOUT?");
  EXPECT_EQ(resolved->config.to, "");
}

TEST(Resolve, LeavesAsideWhatTheCommandDoesNotTake) {
  Inputs inputs = File("to: 2.3.5\nstate-dir: /runs\n");
  inputs.command = kHistory;
  inputs.environment = {{"MILVUS_UPGRADE_YES", "nonsense"}};
  const auto resolved = Resolve(inputs);
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->config.to, "");
  EXPECT_EQ(resolved->config.state_dir, "/runs");
  EXPECT_FALSE(resolved->config.sources.contains("to"));
}

TEST(ConfigFileCandidates, PrefersTheFolderThenXdgThenHome) {
  using Paths = std::vector<std::string>;
  EXPECT_EQ(ConfigFileCandidates({}), Paths{".milvus-upgrade.yaml"});
  EXPECT_EQ(ConfigFileCandidates({{"HOME", "/h"}})[1], "/h/.config/milvus-upgrade/config.yaml");
  EXPECT_EQ(ConfigFileCandidates({{"HOME", "/h"}, {"XDG_CONFIG_HOME", "/x"}})[1],
            "/x/milvus-upgrade/config.yaml");
  EXPECT_EQ(ConfigFileCandidates({{"HOME", "/h"}, {"XDG_CONFIG_HOME", "x"}})[1],
            "/h/.config/milvus-upgrade/config.yaml");
}

}  // namespace
}  // namespace mu::config
