// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/rules/migration.h"

#include <gtest/gtest.h>

#include "unit/rules/observed_samples.h"

namespace mu::rules {
namespace {

HopRule Hop() {
  HopRule hop;
  hop.from = {2, 1, 4, ""};
  hop.to = {2, 2, 16, ""};
  hop.action = Action::kMetadataMigration;
  return hop;
}

TEST(Migration, ItsHopIsFoundOnEachWayThatHasOne) {
  for (const char* to : {"2.2.16", "2.3.5"}) {
    const auto path = FindPath({2, 1, 0, ""}, *model::ParseVersion(to),
                               Platform::kComposeStandalone, model::MessageQueue::kRocksmq, false);
    ASSERT_TRUE(path) << to;
    const HopRule* hop = MigrationHopOf(*path);
    ASSERT_NE(hop, nullptr) << to;
    EXPECT_EQ(hop->to.Text(), "2.2.16");
  }
  const auto path = FindPath({2, 2, 16, ""}, {2, 3, 5, ""}, Platform::kComposeStandalone,
                             model::MessageQueue::kRocksmq, false);
  EXPECT_EQ(MigrationHopOf(*path), nullptr);
}

TEST(Migration, WithoutAFileItsInputIsWhatRuns) {
  const config::MigrateYaml yaml = MigrateYamlOf({}, samples::StandaloneOf21(), Hop());
  EXPECT_EQ(config::FormatMigrateYaml(yaml, config::Secrets::kMasked),
            "cmd:\n  type: run\n  runWithBackup: false\nconfig:\n  sourceVersion: 2.1.4\n"
            "  targetVersion: 2.2.16\nmetastore:\n  type: etcd\netcd:\n  endpoints:\n"
            "    - \"etcd:2379\"\n  rootPath: by-dev\n  metaSubPath: meta\n  kvSubPath: kv\n");
}

TEST(Migration, AFileHasTheLastWord) {
  model::Observed observed = samples::StandaloneOf21();
  model::MigrateFile& file = observed.migration.file = samples::FileOf21();
  file.source = {2, 1, 1, ""};
  file.target = model::Version{2, 2, 9, ""};
  file.root_path = "mine";
  file.runs_with_backup = true;
  file.tls.is_enabled = true;
  file.tls.authority = "/srv/milvus/ca.crt";
  const config::MigrateYaml yaml = MigrateYamlOf({}, observed, Hop());
  EXPECT_EQ(yaml.source.Text() + " " + yaml.target->Text(), "2.1.1 2.2.9");
  EXPECT_EQ(yaml.endpoints, std::vector<std::string>{"milvus-etcd:2379"});
  EXPECT_EQ(yaml.root_path + "/" + yaml.meta_path, "mine/meta");
  EXPECT_EQ(yaml.tls, file.tls);
  EXPECT_FALSE(yaml.runs_with_backup) << "ours is taken; the tool's only when asked for";
  config::Config config;
  config.backs_up_with_tool = true;
  EXPECT_TRUE(MigrateYamlOf(config, observed, Hop()).runs_with_backup);
}

TEST(Migration, OfAFileThatCannotBeUnderstoodNothingIsTaken) {
  model::Observed observed = samples::StandaloneOf21();
  observed.migration.file.path = "/srv/milvus/migrate.yaml";
  observed.migration.file.problem = "it is no map";
  EXPECT_EQ(MigrateYamlOf({}, observed, Hop()).source.Text(), "2.1.4");
  EXPECT_EQ(MigrateYamlOf({}, observed, Hop()).endpoints, observed.migration.endpoints);
}

TEST(Migration, TellsClientsByNameWhatChanges) {
  model::Observed observed = samples::StandaloneOf21();
  model::MetadataFacts& metadata = observed.migration.metadata;
  metadata.collections = {
      {"a", {{"v", "_default_idx", "_default_idx_101", "IVF_FLAT", "L2"}}, 2, 200},
      {"b", {{"v", "mine", "mine", "ANNOY", "L2"}}, 0, 0},
      {"c", {{"w", "_default_idx", "_default_idx_102", "BIN_FLAT", "JACCARD"}}, 1, 1},
      {"d", {{"w", "own", "own", "BIN_FLAT", "HAMMING"}}, 0, 0},
      {"e", {}, 0, 0},
  };
  metadata.needs_load = {{"e", "it has no index"}};
  metadata.losses = {"one key with fields that are not known: k"};
  const std::vector<std::string> expected = {
      "indexes without a name of their own are called otherwise: a.v (_default_idx_101), "
      "c.w (_default_idx_102)",
      "e is released and must be loaded again: it has no index",
      "rows of dropped partitions, which 2.1 may still return, are gone: a (200 rows in 2 "
      "segments), c (1 row in 1 segment)",
      "ANNOY answers with the square root of the distance where the metric is L2, and refuses "
      "search_k=-1: b.v",
      "BIN_FLAT with JACCARD was seen on 2.2.16 not to find rows of indexed segments, cause "
      "unknown: compare its searches before and after: c.w",
      "one key with fields that are not known: k",
  };
  EXPECT_EQ(ClientChanges(observed), expected);
  EXPECT_TRUE(ClientChanges(samples::HealthyStandalone()).empty());
}

}  // namespace
}  // namespace mu::rules
