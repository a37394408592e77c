// SPDX-License-Identifier: Apache-2.0
// What is seen and said of a stack of 2.1 before its metadata is migrated, and of one that was
// started by its tag alone: a fake stack with what a real 2.1.0 wrote.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "milvus_upgrade/rules/migration.h"
#include "scenario/story.h"
#include "unit/meta/real_data.h"

namespace mu::scenario {
namespace {

using fakes::Stage;
using model::MetadataForm;

constexpr char kFile[] = "/srv/milvus/migrate.yaml";
constexpr char kPrefix[] = "by-dev/meta/";

class MigrationCheck : public testing::Test {
 protected:
  MigrationCheck() : story(fakes::StandaloneFile21()) {
    story.stage.PutMetadata(meta::RealKeys("etcd-2.1.jsonl"));
  }
  const model::Observed& Look(const std::string& to = "2.2.16") {
    auto result = story.Prepare(to);
    EXPECT_TRUE(result) << result.error().Text();
    prepared = *std::move(result);
    return prepared.view.observed;
  }
  // "id subject: message" of errors and warnings.
  std::vector<std::string> Said(const std::string& to = "2.2.16") {
    Look(to);
    std::vector<std::string> said;
    for (const model::Finding& finding : prepared.findings) {
      if (finding.severity == model::Severity::kInfo) continue;
      if (finding.id == "etcd-version") continue;  // of every stack in this world
      said.push_back(finding.id + " " + finding.subject + ": " + finding.message);
    }
    return said;
  }
  void PutFile(const std::string& path, const std::string& from = "", const std::string& to = "") {
    std::string text =
        "cmd:\n  type: run\n  runWithBackup: true\nconfig:\n  sourceVersion: 2.1.0\n"
        "  targetVersion: 2.2.16\n  backupFilePath: /tmp/migration.bak\netcd:\n  endpoints:\n"
        "    - milvus-etcd:2379\n  rootPath: by-dev\n  metaSubPath: meta\n  kvSubPath: kv\n";
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    story.stage.files.Put(path, text);
  }
  using Texts = std::vector<std::string>;

  Story story;
  cli::Prepared prepared;
};

TEST_F(MigrationCheck, SeesAllOfTheMetadataAndConvertsItWithoutAWrite) {
  const std::int64_t before = story.stage.world.Etcd().Revision();
  const model::Observed& observed = Look();
  EXPECT_EQ(story.stage.world.Etcd().Revision(), before);
  const model::MetadataFacts& metadata = observed.migration.metadata;
  EXPECT_EQ(metadata.form, MetadataForm::k21);
  EXPECT_EQ(metadata.unread + metadata.unconvertible, "");
  EXPECT_EQ(metadata.revision, before);
  EXPECT_EQ(metadata.counts.collections, 7);
  EXPECT_EQ(metadata.counts.indexes, 5);
  EXPECT_EQ(metadata.counts.aliases, 4);
  ASSERT_EQ(metadata.needs_load.size(), 1u);
  EXPECT_EQ(metadata.needs_load[0].collection, "a_raw");
  EXPECT_EQ(metadata.collections.size(), 7u);
  EXPECT_FALSE(metadata.is_cut);
  EXPECT_TRUE(metadata.siblings.empty());
  std::int64_t keys = 0;
  for (const auto& [key, kv] : story.stage.world.Etcd().Keys())
    keys += key.starts_with(kPrefix) && kv.lease == 0 ? 1 : 0;
  EXPECT_EQ(metadata.keys, keys);
}

TEST_F(MigrationCheck, KnowsTheWayToEtcdAndTheTool) {
  const model::Observed& observed = Look();
  EXPECT_EQ(observed.migration.network, "milvus");
  EXPECT_EQ(observed.migration.endpoints, Texts{"etcd:2379"});
  EXPECT_TRUE(observed.images.at(Stage::kTool));
  story.config.migration_engine = config::MigrationEngine::kBuiltin;
  EXPECT_FALSE(Look().images.contains(Stage::kTool));
}

TEST_F(MigrationCheck, LooksForTheImageOfEachHop) {
  const model::Observed& observed = Look("2.3.5");
  EXPECT_TRUE(observed.images.at(Stage::kOld)) << "2.2.16, on the way";
  EXPECT_TRUE(observed.images.at(Stage::kNew));
}

TEST_F(MigrationCheck, AGoodStackHasNothingToSay) {
  EXPECT_EQ(Said(), Texts{});
  PutFile(kFile);
  EXPECT_EQ(Said(), Texts{});
  EXPECT_EQ(prepared.view.observed.migration.file.path, kFile);
  EXPECT_FALSE(prepared.view.observed.migration.file.sha256.empty());
}

TEST_F(MigrationCheck, BothNamesOfTheFileAreFoundAndTwoAreOneTooMany) {
  PutFile("/srv/milvus/migration.yaml");
  EXPECT_EQ(Look().migration.file.path, "/srv/milvus/migration.yaml");
  PutFile(kFile);
  EXPECT_EQ(Said(), (Texts{"migrate-file /srv/milvus/migrate.yaml: /srv/milvus/migration.yaml is "
                           "there as well"}));
  story.config.migrate_file = "/srv/milvus/migration.yaml";
  EXPECT_EQ(Said(), Texts{});
  EXPECT_TRUE(prepared.view.observed.migration.file.is_given);
}

TEST_F(MigrationCheck, AFileOfNoUseOnThisWayIsNotLookedFor) {
  PutFile(kFile, "2.1.0", "not a version");
  story.config.from = "2.2.15";
  EXPECT_EQ(Look().migration.file.path, "");
}

TEST_F(MigrationCheck, EachDisagreementOfTheFileIsOneFindingWithItsLine) {
  const std::string at = std::string(kFile) + ":";
  const struct {
    std::string from, to, says;
  } cases[] = {
      {"sourceVersion: 2.1.0", "sourceVersion: 2.1.4",
       "migrate-source-version " + at + "5: config.sourceVersion: it says 2.1.4, and 2.1.0 runs"},
      {"by-dev", "other",
       "migrate-root-path " + at +
           "11: etcd.rootPath: it says other, and the running Milvus has its metadata under "
           "by-dev"},
      {"milvus-etcd:2379", "localhost:2379",
       "migrate-endpoints " + at +
           "10: etcd.endpoints: localhost:2379 does not lead to milvus-etcd, the etcd of this "
           "stack"},
      {"type: run", "type: backup",
       "migrate-command " + at + "2: cmd.type: it says backup, and an upgrade runs the migration"},
      {"2.2.16", "2.3.5",
       "migrate-file /srv/milvus/migrate.yaml: /srv/milvus/migrate.yaml:6:18: "
       "config.targetVersion: the migration ends at the last 2.2.x: write 2.2.16, start Milvus "
       "2.2.16, and go on to 2.3.5 by changing the image, hop by hop (`milvus-upgrade versions "
       "2.1.0 2.3.5`)"},
  };
  for (const auto& c : cases) {
    PutFile(kFile, c.from, c.to);
    EXPECT_EQ(Said(), Texts{c.says});
  }
  story.config.migrate_file = "/srv/nowhere.yaml";
  const Texts said = Said();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(said[0].starts_with("migrate-file /srv/nowhere.yaml: ")) << said[0];
}

TEST_F(MigrationCheck, ASecretOfTheFileIsNowhere) {
  PutFile(kFile, "  rootPath",
          "  auth: {enabled: true, userName: root, password: geheim}\n  rootPath");
  story.config.migration_engine = config::MigrationEngine::kBuiltin;
  EXPECT_EQ(Said(), Texts{});
  EXPECT_EQ(plan::FormatPlan(prepared.plan).find("geheim"), std::string::npos);
  story.config.migration_engine = config::MigrationEngine::kContainer;
  ASSERT_EQ(Said().size(), 1u);
  EXPECT_TRUE(Said()[0].starts_with("migrate-auth ")) << Said()[0];
}

TEST_F(MigrationCheck, ASiblingIsSafeWithTheBuiltinEngineAlone) {
  story.stage.world.Etcd().Put("by-dev/meta2/root-coord/collection/1", "another's");
  EXPECT_EQ(Said(), Texts{"migration-sibling by-dev/meta2: Milvus's own tool would take these keys "
                          "for by-dev/meta/"});
  story.config.migration_engine = config::MigrationEngine::kBuiltin;
  EXPECT_EQ(Said(), Texts{});
}

TEST_F(MigrationCheck, WhatCannotBeConvertedIsNamed) {
  story.stage.world.Etcd().Put("by-dev/meta/root-coord/index/470706482543267137/470706485662842881",
                               "damaged");
  const Texts said = Said();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(said[0].starts_with("metadata-conversion by-dev/meta/: ")) << said[0];
  EXPECT_NE(said[0].find("root-coord/index/470706482543267137/470706485662842881"),
            std::string::npos)
      << said[0];
}

TEST_F(MigrationCheck, AServerThatWasStartedByItsTagAloneIsFound) {
  story.stage.world.RemoveContainer("milvus-standalone");
  std::string text = fakes::StandaloneFile21();
  text.replace(text.find("v2.1.0"), 6, "v2.2.16");
  text.replace(text.find("RESTART"), 7, "always");
  story.stage.files.Put(Stage::kFile, text);
  story.stage.clock.Advance(Millis(120'000));
  for (const char* name : {"milvus-etcd", "milvus-minio"}) story.stage.world.RemoveContainer(name);
  story.stage.Bring();
  const std::string found =
      "metadata-era by-dev/meta/: the metadata is in the form of 2.1 while 2.2.16 runs on it";
  const Texts said = Said("2.3.5");
  EXPECT_NE(std::find(said.begin(), said.end(), found), said.end());
  EXPECT_EQ(Said("2.2.16"), Texts{found}) << "also when there is nothing to do";
}

TEST_F(MigrationCheck, MigratedMetadataUnder21IsFound) {
  story.stage.PutMetadata(meta::RealKeys("etcd-2.2.jsonl"));
  EXPECT_EQ(Said(), Texts{"metadata-era by-dev/meta/: the metadata is in the form of 2.2 while "
                          "2.1.0 runs on it"});
}

TEST_F(MigrationCheck, AMigrationThatWasCutIsFound) {
  story.stage.world.Etcd().Put("by-dev/meta/milvus-upgrade/migration", "{}");
  EXPECT_EQ(Said(), Texts{"metadata-era by-dev/meta/: a migration of this metadata was cut, and "
                          "2.1.0 runs on it"});
}

TEST_F(MigrationCheck, MovingKeysDoNotMakeAPlanStale) {
  const std::string before = observe::FingerprintOf(Look());
  story.stage.world.Etcd().Put("by-dev/meta/queryCoord-taskInfo/1", "x");
  story.stage.world.Etcd().Put("by-dev/meta2/x", "x");
  EXPECT_EQ(observe::FingerprintOf(Look()), before);
}

}  // namespace
}  // namespace mu::scenario
