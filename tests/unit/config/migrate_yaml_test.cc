// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/config/migrate_yaml.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

namespace mu::config {
namespace {

// The document's own example, its template filled in or not.
std::string Document(const std::string& target) {
  return "# migration.yaml\ncmd:\n  # Option: run/backup/rollback\n  type: run\n"
         "  runWithBackup: true\nconfig:\n  sourceVersion: 2.1.4   # Specify your milvus version\n"
         "  targetVersion: " +
         target +
         "\n  backupFilePath: /tmp/migration.bak\nmetastore:\n  type: etcd\netcd:\n  endpoints:\n"
         "    - milvus-etcd:2379  # Use the etcd container name\n"
         "  rootPath: by-dev # The root path where data is stored in etcd\n"
         "  metaSubPath: meta\n  kvSubPath: kv\n";
}

std::string With(std::string from, const std::string& to) {
  std::string text = Document("2.2.16");
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string ErrorOf(const std::string& text) {
  const auto yaml = ParseMigrateYaml(text, "migrate.yaml");
  EXPECT_FALSE(yaml);
  return yaml ? "" : yaml.error().message;
}

TEST(MigrateYaml, TheDocumentsExampleWorksOnceAVersionIsFilledIn) {
  const auto yaml = ParseMigrateYaml(Document("2.2.16"), "migrate.yaml");
  ASSERT_TRUE(yaml) << yaml.error().Text();
  EXPECT_EQ(yaml->command, MigrateCommand::kRun);
  EXPECT_TRUE(yaml->runs_with_backup);
  EXPECT_EQ(yaml->source.Text(), "2.1.4");
  EXPECT_EQ(yaml->target->Text(), "2.2.16");
  EXPECT_EQ(yaml->backup_file, "/tmp/migration.bak");
  EXPECT_EQ(yaml->endpoints, std::vector<std::string>{"milvus-etcd:2379"});
  EXPECT_EQ(yaml->root_path + "/" + yaml->meta_path + " " + yaml->kv_path, "by-dev/meta kv");
  EXPECT_TRUE(yaml->warnings.empty());
}

TEST(MigrateYaml, ATemplateThatNobodyFilledInIsNamedWithItsPlace) {
  EXPECT_EQ(ErrorOf(Document("{{var.milvus_release_version}}")),
            "migrate.yaml:8:18: config.targetVersion: a template that nobody has filled in: write "
            "the value itself");
}

TEST(MigrateYaml, ALaterTargetIsExplained) {
  const std::string error = ErrorOf(Document("2.3.5"));
  EXPECT_NE(error.find("migrate.yaml:8:18: config.targetVersion: the migration ends at the last "
                       "2.2.x: write 2.2.16"),
            std::string::npos)
      << error;
  EXPECT_NE(error.find("milvus-upgrade versions 2.1.4 2.3.5"), std::string::npos);
}

TEST(MigrateYaml, ARootMayBeginWithASlash) {
  const auto yaml = ParseMigrateYaml(With("rootPath: by-dev", "rootPath: /by-dev"), "migrate.yaml");
  ASSERT_TRUE(yaml) << yaml.error().Text();
  EXPECT_EQ(yaml->root_path, "/by-dev");
}

TEST(MigrateYaml, EndpointsAreAListATextOrUrls) {
  const std::string list = "endpoints:\n    - milvus-etcd:2379  # Use the etcd container name";
  for (const char* text :
       {"endpoints: a:2379, http://b:2379", "endpoints: [a:2379, 'http://b:2379']",
        "endpoints:\n    - a:2379\n    - http://b:2379"}) {
    const auto yaml = ParseMigrateYaml(With(list, text), "m");
    ASSERT_TRUE(yaml) << text << yaml.error().Text();
    EXPECT_EQ(yaml->endpoints, (std::vector<std::string>{"a:2379", "http://b:2379"})) << text;
  }
  EXPECT_NE(ErrorOf(With(list, "endpoints: ''")).find("etcd.endpoints: expected"),
            std::string::npos);
  EXPECT_NE(ErrorOf(With(list, "endpoints: {a: b}")).find("etcd.endpoints: expected a list"),
            std::string::npos);
}

TEST(MigrateYaml, TlsAndAuthAreRead) {
  const auto yaml = ParseMigrateYaml(
      Document("2.2.16") +
          "  ssl:\n    enabled: true\n    tlsCert: /c\n    tlsKey: /k\n    tlsCACert: /ca\n"
          "    tlsMinVersion: 1.3\n  auth:\n    enabled: true\n    userName: root\n"
          "    password: 'a${b'\n",
      "m");
  ASSERT_TRUE(yaml) << yaml.error().Text();
  EXPECT_TRUE(yaml->tls.is_enabled);
  EXPECT_EQ(yaml->tls.certificate + yaml->tls.key + yaml->tls.authority, "/c/k/ca");
  EXPECT_EQ(yaml->tls.minimum_version, "1.3");
  EXPECT_EQ(yaml->user + " " + yaml->password, "root a${b");
}

struct Bad {
  const char* from;
  const char* to;
  const char* says;
};

TEST(MigrateYaml, WhatMilvussToolPanicsOnIsAnErrorWithWordsAndAPlace) {
  const Bad kCases[] = {
      {"type: run", "type: upgrade",
       "migrate.yaml:4:9: cmd.type: expected run, backup or rollback"},
      {"  type: run\n", "", "cmd.type: this key is missing"},
      {"runWithBackup: true", "runWithBackup: xyz",
       "migrate.yaml:5:18: cmd.runWithBackup: expected true or false, found \"xyz\""},
      {"2.1.4", "v2.1.4", "config.sourceVersion: expected a version of three numbers"},
      {"2.1.4", "2.1", "found \"2.1\""},
      {"2.1.4", "2.0.2", "upgrade to 2.1.4 first"},
      {"2.1.4", "2.2.3", "from 2.2 on an upgrade needs no migration"},
      {"targetVersion: 2.2.16", "targetVersion: 2.1.0", "2.1.0 is older than the source 2.1.4"},
      {"targetVersion: 2.2.16", "targetVersion:", "config.targetVersion: expected"},
      {"targetVersion: 2.2.16", "targetVersion: ${VERSION}",
       "variables are not expanded in this file"},
      {"  backupFilePath: /tmp/migration.bak\n", "", "config.backupFilePath: this key is missing"},
      {"type: etcd", "type: mysql", "only etcd can be migrated, found \"mysql\""},
      {"  rootPath: by-dev # The root path where data is stored in etcd\n", "",
       "etcd.rootPath: this key is missing"},
      {"metaSubPath: meta", "metaSubPath: ''", "etcd.metaSubPath: expected a path of keys"},
      {"  kvSubPath: kv\n", "", "etcd.kvSubPath: this key is missing"},
      {"rootPath: by-dev", "rootPath: by-dev/", "without a slash at its end"},
      {"kvSubPath: kv", "kvSubPath: kv\n  use:\n    embed: true", "an etcd inside Milvus"},
      {"kvSubPath: kv", "kvSubPath: kv\n  rootPath: again", "etcd.rootPath: this key stands twice"},
      {"kvSubPath: kv", "kvSubPath: kv\n  ssl:\n    enabled: true\n    tlsCert: /c",
       "etcd.ssl.tlsKey: this key is missing"},
      {"kvSubPath: kv", "kvSubPath: kv\n  ssl:\n    enabled: true\n    tlsMinVersion: 2",
       "expected 1.0, 1.1, 1.2 or 1.3"},
      {"kvSubPath: kv", "kvSubPath: kv\n  auth:\n    enabled: true",
       "etcd.auth.userName: this key is missing"},
      {"cmd:\n", "cmd: x\nwas:\n", "cmd: expected a map of keys"},
  };
  for (const Bad& bad : kCases) {
    const std::string error = ErrorOf(With(bad.from, bad.to));
    EXPECT_NE(error.find(bad.says), std::string::npos) << bad.to << "\n" << error;
  }
}

TEST(MigrateYaml, TheExitCodesOfMilvussToolAreKnown) {
  const std::pair<std::string, int> kCases[] = {
      {With("type: run", "type: upgrade"), 1},
      {With("2.1.4", "v2.1.4"), 1},
      {With("2.1.4", "2.1"), 1},
      {With("2.1.4", "2.0.2"), 1},
      {With("2.1.4", "2.2.3"), 2},
      {Document("2.1.0"), 1},
      {Document("2.3.5"), 2},
      {With("true", "xyz"), 2},
      {With("metaSubPath: meta", ""), 2},
      {With("type: etcd", "type: mysql"), 2},
      {With("  kvSubPath: kv\n", ""), 2},
  };
  for (const auto& [text, code] : kCases) {
    int tool_exit = 0;
    EXPECT_FALSE(ParseMigrateYaml(text, "m", &tool_exit));
    EXPECT_EQ(tool_exit, code) << text;
  }
}

TEST(MigrateYaml, AllProblemsAreToldAtOnce) {
  const std::string error = ErrorOf("cmd:\n  type: no\nconfig: {}\netcd: {}\n");
  for (const char* key : {"cmd.type", "config.sourceVersion", "config.targetVersion",
                          "etcd.endpoints", "etcd.rootPath", "etcd.metaSubPath", "etcd.kvSubPath"})
    EXPECT_NE(error.find(key), std::string::npos) << key << "\n" << error;
}

TEST(MigrateYaml, AnUnknownKeyIsAWarningWithTheNearestKnownOne) {
  const auto yaml =
      ParseMigrateYaml(With("kvSubPath: kv", "kvSubPath: kv\n  rootPth: x"), "m.yaml");
  ASSERT_TRUE(yaml) << yaml.error().Text();
  ASSERT_EQ(yaml->warnings.size(), 1U);
  EXPECT_EQ(yaml->warnings[0],
            "m.yaml:18:3: etcd.rootPth: there is no such key; did you mean etcd.rootPath?");
}

TEST(MigrateYaml, ABackupNeedsNoTarget) {
  std::string text = With("type: run", "type: backup");
  text.replace(text.find("  targetVersion: 2.2.16\n"), 24, "");
  const auto yaml = ParseMigrateYaml(text, "m");
  ASSERT_TRUE(yaml) << yaml.error().Text();
  EXPECT_EQ(yaml->command, MigrateCommand::kBackup);
  EXPECT_FALSE(yaml->target);
}

TEST(MigrateYaml, WhatIsNoYamlOrNoMapIsRefused) {
  EXPECT_EQ(ParseMigrateYaml("a: [", "m").error().code, ErrorCode::kYamlSyntax);
  for (const char* text : {"", "- a\n", "text", "\xff\xfe", "a:\n\tb: c\n"})
    EXPECT_FALSE(ParseMigrateYaml(text, "m")) << text;
}

TEST(MigrateYaml, TheSampleIsGood) {
  std::ifstream file(MU_SOURCE_DIR "/configs/migrate.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const auto yaml = ParseMigrateYaml(text.str(), "configs/migrate.yaml");
  ASSERT_TRUE(yaml) << yaml.error().Text();
  EXPECT_TRUE(yaml->warnings.empty());
  EXPECT_TRUE(yaml->runs_with_backup);
  for (const MigrateKey& key : MigrateKeys())
    EXPECT_NE(text.str().find(key.path.substr(key.path.rfind('.') + 1)), std::string::npos)
        << key.path << " is not in the sample";
}

// What a reader of YAML might take for something else, besides plain words.
std::string OddText(std::mt19937& random) {
  static const std::string kOdd[] = {
      "by-dev", "true", "no",         "1.2",      "0x1f",  "~",    "null",
      "a: b",   "a #b", "- a",        "'q'",      "\"q\"", "a\\b", "a\tb",
      "a\nb",   " a ",  "*a",         "&a",       "!a",    "{a}",  "[a]",
      "%a",     "@a",   "2022-11-30", "1_0",      "|",     ">",    "schl\xc3\xbcssel",
      "a,b",    "=",    "<<",         "\x7f\x01", "e1"};
  return kOdd[random() % std::size(kOdd)];
}

TEST(MigrateYaml, WhatIsWrittenIsReadBackAsTheSame) {
  std::mt19937 random(20261125);
  for (int i = 0; i < 2'000; ++i) {
    MigrateYaml yaml;
    yaml.command = static_cast<MigrateCommand>(1 + random() % 3);
    yaml.runs_with_backup = random() % 2 == 0;
    yaml.source = {2, 1, static_cast<int>(random() % 5), ""};
    if (yaml.command != MigrateCommand::kBackup)
      yaml.target = model::Version{2, 2, static_cast<int>(random() % 17), ""};
    if (yaml.command != MigrateCommand::kRun || yaml.runs_with_backup || random() % 2 == 0)
      yaml.backup_file = OddText(random);
    yaml.endpoints = {"milvus-etcd:2379"};
    if (random() % 2 == 0) yaml.endpoints.emplace_back("https://[fd00::1]:2379");
    yaml.root_path = OddText(random);
    yaml.meta_path = OddText(random);
    yaml.kv_path = OddText(random);
    yaml.tls.is_enabled = random() % 2 == 0;
    if (yaml.tls.is_enabled) {
      yaml.tls.authority = OddText(random);
      yaml.tls.certificate = OddText(random);
      yaml.tls.key = OddText(random);
      yaml.tls.minimum_version = random() % 2 == 0 ? "1.3" : "1.0";
    }
    if (random() % 2 == 0) {
      yaml.user = OddText(random);
      yaml.password = OddText(random);
    }
    const std::string text = FormatMigrateYaml(yaml, Secrets::kWritten);
    const auto read = ParseMigrateYaml(text, "m");
    ASSERT_TRUE(read) << text << read.error().Text();
    EXPECT_EQ(FormatMigrateYaml(*read, Secrets::kWritten), text);
    EXPECT_EQ(read->command, yaml.command) << text;
    EXPECT_EQ(read->runs_with_backup, yaml.runs_with_backup) << text;
    EXPECT_EQ(read->source, yaml.source) << text;
    EXPECT_EQ(read->target, yaml.target) << text;
    EXPECT_EQ(read->backup_file, yaml.backup_file) << text;
    EXPECT_EQ(read->endpoints, yaml.endpoints) << text;
    EXPECT_EQ(read->root_path, yaml.root_path) << text;
    EXPECT_EQ(read->meta_path, yaml.meta_path) << text;
    EXPECT_EQ(read->kv_path, yaml.kv_path) << text;
    EXPECT_EQ(read->tls.is_enabled, yaml.tls.is_enabled) << text;
    EXPECT_EQ(read->tls.authority, yaml.tls.authority) << text;
    EXPECT_EQ(read->tls.certificate, yaml.tls.certificate) << text;
    EXPECT_EQ(read->tls.key, yaml.tls.key) << text;
    EXPECT_EQ(read->tls.minimum_version, yaml.tls.minimum_version) << text;
    EXPECT_EQ(read->user, yaml.user) << text;
    EXPECT_EQ(read->password, yaml.password) << text;
    EXPECT_TRUE(read->warnings.empty()) << read->warnings.front();
  }
}

TEST(MigrateYaml, IsWrittenAsMilvussToolTakesIt) {
  auto yaml = ParseMigrateYaml(Document("2.2.16"), "m");
  ASSERT_TRUE(yaml);
  EXPECT_EQ(FormatMigrateYaml(*yaml, Secrets::kMasked),
            "cmd:\n  type: run\n  runWithBackup: true\nconfig:\n  sourceVersion: 2.1.4\n"
            "  targetVersion: 2.2.16\n  backupFilePath: \"/tmp/migration.bak\"\nmetastore:\n"
            "  type: etcd\netcd:\n  endpoints:\n    - \"milvus-etcd:2379\"\n  rootPath: by-dev\n"
            "  metaSubPath: meta\n  kvSubPath: kv\n");
}

TEST(MigrateYaml, APasswordIsWrittenOnlyWhereAskedFor) {
  MigrateYaml yaml;
  yaml.user = "root";
  yaml.password = "geheim";
  EXPECT_EQ(FormatMigrateYaml(yaml, Secrets::kMasked).find("geheim"), std::string::npos);
  EXPECT_NE(FormatMigrateYaml(yaml, Secrets::kWritten).find("geheim"), std::string::npos);
}

TEST(MigrateYaml, EachValueHasItsLine) {
  const auto yaml = ParseMigrateYaml(Document("2.2.16"), "m");
  ASSERT_TRUE(yaml);
  EXPECT_EQ(yaml->lines.at("cmd.type"), 4);
  EXPECT_EQ(yaml->lines.at("config.targetVersion"), 8);
  EXPECT_EQ(yaml->lines.at("etcd.rootPath"), 15);
}

}  // namespace
}  // namespace mu::config
