// SPDX-License-Identifier: Apache-2.0
// A rollback: exactly back, and never from a file that is not whole or not ours.
#include <gtest/gtest.h>

#include "milvus_upgrade/backup/backup_file.h"
#include "unit/migrate/etcd_of_milvus.h"

namespace mu::migrate {
namespace {

class RollbackTest : public testing::Test {
 protected:
  RollbackTest() { EXPECT_TRUE(etcd.Run()); }
  std::string Backup() { return *etcd.files.Read(etcd.options.backup_file); }
  // A file of other origin: without the SHA-256 that is written beside ours.
  void PutForeign(const std::string& bytes) {
    etcd.files.Put(etcd.options.backup_file, bytes);
    EXPECT_TRUE(etcd.files.RemoveTree(etcd.options.backup_file + ".sha256"));
  }
  // Refused, and nothing touched.
  Error Refused(const std::string& bytes) {
    const Keys now = etcd.Inside();
    PutForeign(bytes);
    const auto outcome = etcd.Rollback();
    EXPECT_FALSE(outcome);
    EXPECT_EQ(etcd.Inside(), now);
    EXPECT_FALSE(etcd.has_written);
    return outcome ? Error{} : outcome.error();
  }

  const Keys before = Real21();
  EtcdOfMilvus etcd{before};
};

TEST_F(RollbackTest, IsExact) {
  const auto outcome = etcd.Rollback();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(etcd.Inside(), before);
  EXPECT_TRUE(etcd.OutsideIsUntouched());
  EXPECT_GT(outcome->restored, 0U);
  EXPECT_GT(outcome->removed, 0U);
  EXPECT_EQ(etcd.store.Find(kScope.MigrationLock()), nullptr);
}

TEST_F(RollbackTest, TwiceDoesNothingTheSecondTime) {
  ASSERT_TRUE(etcd.Rollback());
  const auto again = etcd.Rollback();
  ASSERT_TRUE(again) << again.error().Text();
  EXPECT_EQ(again->restored + again->removed, 0U);
  EXPECT_FALSE(etcd.has_written);
}

TEST_F(RollbackTest, AndAMigrationAgainGivesTheSame) {
  const Keys migrated = etcd.Inside();
  ASSERT_TRUE(etcd.Rollback());
  etcd.options.backup_file = "/work/second.bak";
  ASSERT_TRUE(etcd.Run());
  EXPECT_EQ(etcd.Inside(), migrated);
}

TEST_F(RollbackTest, KeysOfAStarted22AreListedAndDecidedByAFlagOnly) {
  const std::string theirs = kScope.Prefix() + "field-index/1/2";
  etcd.store.Put(theirs, "x");
  const Keys now = etcd.Inside();
  const auto refused = etcd.Rollback();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCheckFailed);
  EXPECT_NE(refused.error().message.find(theirs), std::string::npos);
  EXPECT_EQ(etcd.Inside(), now);
  etcd.options.new_keys = NewKeys::kKeep;
  const auto kept = etcd.Rollback();
  ASSERT_TRUE(kept) << kept.error().Text();
  EXPECT_EQ(kept->kept_new, std::vector<std::string>{theirs});
  Keys expected = before;
  expected[theirs] = "x";
  EXPECT_EQ(etcd.Inside(), expected);
  etcd.options.new_keys = NewKeys::kRemove;
  ASSERT_TRUE(etcd.Rollback());
  EXPECT_EQ(etcd.Inside(), before);
}

TEST_F(RollbackTest, WhatMilvussToolHasLeftIsItsDoingAndNewKeysAreNot) {
  const Keys now = etcd.Inside();
  const auto both = std::find_if(before.begin(), before.end(),
                                 [&](const auto& item) { return now.contains(item.first); });
  ASSERT_NE(both, before.end());
  const std::string gone = both->first;
  etcd.store.Delete(gone);
  const auto refused = etcd.Rollback();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCheckFailed);
  etcd.options.is_cut_by_tool = true;
  const std::string theirs = kScope.Prefix() + "field-index/1/2";
  etcd.store.Put(theirs, "x");
  const auto with_new = etcd.Rollback();
  ASSERT_FALSE(with_new);
  EXPECT_NE(with_new.error().message.find(theirs), std::string::npos);
  EXPECT_EQ(with_new.error().message.find(gone), std::string::npos);
  etcd.store.Delete(theirs);
  ASSERT_TRUE(etcd.Rollback());
  EXPECT_EQ(etcd.Inside(), before);
}

TEST_F(RollbackTest, EntriesOfANeighbourAreListedAndIgnored) {
  auto contents = backup::Parse(Backup()).value();
  contents.entries.push_back({"by-dev/meta2/root-coord/collection/1", "old"});
  ++contents.header.entries;
  PutForeign(backup::Format(contents.header, contents.entries));
  const auto outcome = etcd.Rollback();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(outcome->ignored, std::vector<std::string>{"by-dev/meta2/root-coord/collection/1"});
  EXPECT_TRUE(etcd.OutsideIsUntouched());
  EXPECT_EQ(etcd.Inside(), before);
}

TEST_F(RollbackTest, TheRealToolsBackupIsTaken) {
  std::ifstream file(std::string(MU_TEST_DATA) + "/milvus-2.1-to-2.2/tool.bak", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  PutForeign(bytes);
  const auto outcome = etcd.Rollback();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  Keys expected = before;
  expected[kScope.SessionCounter()] = "10";  // the tool's own run had taken a number
  EXPECT_EQ(etcd.Inside(), expected);
}

TEST_F(RollbackTest, BadFilesAreRefusedBeforeAnyWrite) {
  const std::string good = Backup();
  const auto contents = backup::Parse(good).value();
  EXPECT_EQ(Refused("").code, ErrorCode::kBackupBad);
  EXPECT_EQ(Refused(backup::FormatHeader(contents.header)).code, ErrorCode::kBackupBad)
      << "header only";
  backup::Header none = contents.header;
  none.entries = 0;
  EXPECT_EQ(Refused(backup::FormatHeader(none)).code, ErrorCode::kBackupBad)
      << "no entries, and it says so";
  // Cut at the entries' boundaries, and inside.
  std::size_t size = backup::FormatHeader(contents.header).size();
  int entries = 0;
  for (const backup::Entry& entry : contents.entries) {
    if (++entries % 9 != 1) {
      size += backup::FormatEntry(entry).size();
      continue;
    }
    EXPECT_EQ(Refused(good.substr(0, size)).code, ErrorCode::kBackupBad) << size;
    EXPECT_EQ(Refused(good.substr(0, size + 5)).code, ErrorCode::kBackupBad);
    size += backup::FormatEntry(entry).size();
  }
  EXPECT_EQ(size, good.size());
  backup::Header wrong = contents.header;
  ++wrong.entries;
  EXPECT_EQ(Refused(backup::Format(wrong, contents.entries)).code, ErrorCode::kBackupBad);
  for (const auto& [instance, path] : {std::pair{"other", "meta"}, {"by-dev", "meta2"}}) {
    backup::Header foreign = contents.header;
    foreign.instance = instance;
    foreign.meta_path = path;
    const Error error = Refused(backup::Format(foreign, contents.entries));
    EXPECT_EQ(error.code, ErrorCode::kForeignBackup);
    EXPECT_NE(error.message.find(std::string(instance) + "/" + path), std::string::npos);
  }
  auto twice = contents;
  twice.entries.push_back(twice.entries.front());
  ++twice.header.entries;
  EXPECT_EQ(Refused(backup::Format(twice.header, twice.entries)).code, ErrorCode::kBackupBad);
}

TEST_F(RollbackTest, ABackupOf22IsNothingToGoBackTo) {
  etcd.options.backup_file = "/work/later.bak";
  ASSERT_TRUE(etcd.Process([](Migrator& m) { return m.Backup(); }));
  const Error error = Refused(Backup());
  EXPECT_EQ(error.code, ErrorCode::kBackupBad);
  EXPECT_NE(error.message.find("2.2"), std::string::npos);
}

TEST_F(RollbackTest, AFlippedBitAnywhereIsRefusedByTheHashBesideIt) {
  const std::string good = Backup();
  const Keys now = etcd.Inside();
  // One bit in each thousand bytes: of lengths, tags, keys and values.
  for (std::size_t at = 0; at < good.size(); at += 1009) {
    std::string flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x01);
    etcd.files.Put(etcd.options.backup_file, flipped);
    const auto outcome = etcd.Rollback();
    ASSERT_FALSE(outcome) << at;
    EXPECT_TRUE(outcome.error().code == ErrorCode::kBackupBad ||
                outcome.error().code == ErrorCode::kForeignBackup);
    EXPECT_EQ(etcd.Inside(), now) << at;
  }
  etcd.files.Put(etcd.options.backup_file, good);
  EXPECT_TRUE(etcd.Rollback()) << "and the whole file is taken";
}

TEST_F(RollbackTest, WhatAStarted22ChangedOrRemovedIsListedFirst) {
  const std::string changed =
      etcd.Inside().lower_bound(kScope.Prefix() + "datacoord-meta/s/")->first;
  const std::string removed = etcd.Inside().lower_bound(kScope.Prefix() + "channelwatch/")->first;
  etcd.store.Put(changed, "of 2.2");
  etcd.store.Delete(removed);
  const Keys now = etcd.Inside();
  const auto refused = etcd.Rollback();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCheckFailed);
  EXPECT_NE(refused.error().message.find(changed + " (changed)"), std::string::npos);
  EXPECT_NE(refused.error().message.find(removed + " (removed)"), std::string::npos);
  EXPECT_EQ(etcd.Inside(), now);
  etcd.options.new_keys = NewKeys::kRemove;
  ASSERT_TRUE(etcd.Rollback());
  EXPECT_EQ(etcd.Inside(), before);
}

TEST_F(RollbackTest, AMarkerThatCannotBeReadIsNoDeadEnd) {
  etcd.store.Put(kScope.Marker(), "of a later version");
  EXPECT_EQ(etcd.Run().error().code, ErrorCode::kMetaCut);
  const auto outcome = etcd.Rollback();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(etcd.Inside(), before);
}

TEST_F(RollbackTest, AMissingFileAndAFolderAreNamed) {
  etcd.options.backup_file = "/work/none.bak";
  EXPECT_EQ(etcd.Rollback().error().code, ErrorCode::kFileRead);
  etcd.options.backup_file = "/work";
  EXPECT_NE(etcd.Rollback().error().message.find("folder"), std::string::npos);
}

TEST_F(RollbackTest, LiveSessionsAreRefused) {
  etcd.store.Put(kScope.Sessions() + "proxy-3", "{}", etcd.store.Grant(60, etcd.clock.Monotonic()));
  EXPECT_EQ(etcd.Rollback().error().code, ErrorCode::kLiveSessions);
}

}  // namespace
}  // namespace mu::migrate
