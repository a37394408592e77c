// SPDX-License-Identifier: Apache-2.0
// A migration: what it leaves, what it refuses, and that it touches nothing when it refuses.
#include <gtest/gtest.h>

#include "milvus_upgrade/backup/backup_file.h"
#include "milvus_upgrade/base/text.h"
#include "unit/migrate/etcd_of_milvus.h"

namespace mu::migrate {
namespace {

void ExpectUntouched(const EtcdOfMilvus& etcd, const Keys& before) {
  EXPECT_EQ(etcd.Inside(), before);
  EXPECT_TRUE(etcd.OutsideIsUntouched());
  EXPECT_FALSE(etcd.has_written);
}

TEST(Run, LeavesWhatTheConversionSaysAndNothingElse) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  const auto outcome = etcd.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(outcome->kind, RunOutcome::Kind::kMigrated);
  EXPECT_EQ(etcd.Inside(), Migrated(before));
  EXPECT_NE(etcd.Inside(), before);
  EXPECT_TRUE(etcd.OutsideIsUntouched());
  EXPECT_EQ(etcd.store.Find(kScope.MigrationLock()), nullptr) << "the lock is given back";
  EXPECT_EQ(outcome->summary.collections, 7);
}

TEST(Run, SavesABackupOfWhatWasThere) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  const auto outcome = etcd.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  const std::string bytes = *etcd.files.Read(etcd.options.backup_file);
  const auto contents = backup::Parse(bytes);
  ASSERT_TRUE(contents) << contents.error().Text();
  Keys saved;
  for (const backup::Entry& entry : contents->entries) saved[entry.key] = entry.value;
  EXPECT_EQ(saved, before);
  EXPECT_EQ(contents->header.instance, "by-dev");
  EXPECT_EQ(contents->header.meta_path, "meta");
  ASSERT_TRUE(outcome->backup);
  EXPECT_EQ(outcome->backup->keys, static_cast<std::int64_t>(before.size()));
  EXPECT_EQ(outcome->backup->bytes, bytes.size());
  EXPECT_EQ(outcome->backup->sha256, *etcd.files.Sha256Of(etcd.options.backup_file));
}

TEST(Run, TwiceDoesNothingTheSecondTimeAndSaysSo) {
  EtcdOfMilvus etcd(Real21());
  ASSERT_TRUE(etcd.Run());
  const Keys migrated = etcd.Inside();
  const std::string backup = *etcd.files.Read(etcd.options.backup_file);
  const auto again = etcd.Run();
  ASSERT_TRUE(again) << again.error().Text();
  EXPECT_EQ(again->kind, RunOutcome::Kind::kNothingToDo);
  ExpectUntouched(etcd, migrated);
  EXPECT_EQ(*etcd.files.Read(etcd.options.backup_file), backup);
}

TEST(Run, RehearsalCountsAndWritesNothing) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  const auto revision = etcd.store.Revision();
  const auto outcome = etcd.Process([](Migrator& m) { return m.Rehearse(); });
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(outcome->kind, RunOutcome::Kind::kRehearsed);
  EXPECT_GT(outcome->added, 0U);
  EXPECT_FALSE(outcome->summary.needs_load.empty());
  EXPECT_EQ(etcd.store.Revision(), revision);
  EXPECT_EQ(etcd.files.Paths(), std::vector<std::string>());
  ExpectUntouched(etcd, before);
}

TEST(Run, EveryLiveSessionIsRefusedByName) {
  for (const char* name :
       {"rootcoord", "querynode-7", "mixcoord", "streamingnode-3", "standalone-1", "proxy-9"}) {
    const Keys before = Real21();
    EtcdOfMilvus etcd(before);
    etcd.store.Put(kScope.Sessions() + name, R"({"Address":"10.0.0.9:1"})",
                   etcd.store.Grant(60, etcd.clock.Monotonic()));
    const auto outcome = etcd.Run();
    ASSERT_FALSE(outcome) << name;
    EXPECT_EQ(outcome.error().code, ErrorCode::kLiveSessions);
    EXPECT_NE(outcome.error().message.find(name), std::string::npos) << outcome.error().Text();
    ExpectUntouched(etcd, before);
    EXPECT_TRUE(etcd.files.Paths().empty());
  }
}

TEST(Run, AWrongRootSaysWhichRootsExist) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  etcd.options.scope.root = "my-release";
  const auto outcome = etcd.Run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kMetaWrongScope);
  EXPECT_NE(outcome.error().message.find("by-dev/meta, by-dev/meta2, other/meta"),
            std::string::npos)
      << outcome.error().Text();
  ExpectUntouched(etcd, before);
}

TEST(Run, ALivingMigrationIsWaitedForByNobody) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  etcd.store.Put(kScope.MigrationLock(), R"({"Address":"other"})",
                 etcd.store.Grant(60, etcd.clock.Monotonic()));
  const auto outcome = etcd.Run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kMigrationRunning);
  EXPECT_NE(outcome.error().message.find("other"), std::string::npos);
  EXPECT_LT(etcd.clock.Monotonic(), Millis(40'000)) << "as soon as it renews its lock";
  ExpectUntouched(etcd, before);
}

TEST(Run, AMigrationThatRenewsItsLockEachSecondIsAliveToo) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  const auto lease = etcd.store.Grant(60, etcd.clock.Monotonic());
  etcd.store.Put(kScope.MigrationLock(), R"({"Address":"other"})", lease);
  etcd.store.Abandon(lease, etcd.clock.Monotonic());
  etcd.between = [&](int) -> Status {
    etcd.store.Renew(lease, etcd.clock.Monotonic());
    return {};
  };
  const auto outcome = etcd.Run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kMigrationRunning);
  EXPECT_LT(etcd.clock.Monotonic(), Millis(70'000));
  ExpectUntouched(etcd, before);
}

TEST(Run, TheLockOfAKilledMigrationEndsWithItsLease) {
  EtcdOfMilvus etcd(Real21());
  const auto lease = etcd.store.Grant(60, etcd.clock.Monotonic());
  etcd.store.Put(kScope.MigrationLock(), "{}", lease);
  etcd.store.Abandon(lease, etcd.clock.Monotonic());
  const auto outcome = etcd.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_LT(etcd.clock.Monotonic(), Millis(62'000));
}

TEST(Run, WhatTheFormerHolderOfTheLockHasFinishedIsSeen) {
  const Keys before = Real21();
  const Keys after = Migrated(before);
  EtcdOfMilvus etcd(before);
  const auto lease = etcd.store.Grant(60, etcd.clock.Monotonic());
  etcd.store.Put(kScope.MigrationLock(), "{}", lease);
  etcd.store.Abandon(lease, etcd.clock.Monotonic());
  etcd.between = [&](int) -> Status {
    // While we wait: its last transactions arrive.
    if (etcd.clock.Monotonic() < Millis(5'000) || etcd.Inside() == after) return {};
    for (const auto& [key, value] : before) {
      if (!after.contains(key)) etcd.store.Delete(key);
    }
    for (const auto& [key, value] : after) etcd.store.Put(key, value);
    return {};
  };
  const auto outcome = etcd.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(outcome->kind, RunOutcome::Kind::kNothingToDo);
  EXPECT_EQ(etcd.Inside(), after);
  EXPECT_FALSE(etcd.has_written);
}

TEST(Run, WhatCannotBeConvertedIsNamedAllAtOnceAndNothingIsTouched) {
  Keys before = Real21();
  int builds = 0;
  for (auto it = before.begin(); it != before.end();) {
    const bool goes = it->first.starts_with(kScope.Prefix() + "indexes/") && builds < 2;
    builds += goes ? 1 : 0;
    it = goes ? before.erase(it) : std::next(it);
  }
  EtcdOfMilvus etcd(before);
  const auto outcome = etcd.Run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kMetaUnconvertible);
  EXPECT_GE(Lines(outcome.error().message).size(), 2U) << outcome.error().message;
  ExpectUntouched(etcd, before);
  EXPECT_TRUE(etcd.files.Paths().empty()) << "nothing to keep a backup of";
}

TEST(Run, ABackupIsNeverWrittenOverAnything) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  etcd.files.Put(etcd.options.backup_file, "precious");
  const auto outcome = etcd.Run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(*etcd.files.Read(etcd.options.backup_file), "precious");
  ExpectUntouched(etcd, before);
}

TEST(Run, ABackupThatTheDiskSpoiledIsSeenBeforeAnythingIsWritten) {
  const Keys before = Real21();
  // Each boundary of the backup's own file fails once.
  for (int at = 1; at < 40; ++at) {
    EtcdOfMilvus etcd(before);
    etcd.fuse.FailAt(at, Error{ErrorCode::kDiskFull, "no space", "", {}});
    const auto outcome = etcd.Run();
    if (outcome) {
      EXPECT_GT(at, 4) << "some boundary was passed";
      return;
    }
    EXPECT_EQ(outcome.error().code, ErrorCode::kDiskFull) << outcome.error().Text();
    ExpectUntouched(etcd, before);
  }
  FAIL() << "no run without a failure";
}

TEST(Run, SegmentsWithoutACollectionAreNotWholeMetadata) {
  Keys before = Real21();
  std::erase_if(before, [](const auto& item) {
    return item.first.find("/root-coord/") != std::string::npos;
  });
  EtcdOfMilvus etcd(before);
  for (const bool is_dry : {true, false}) {
    const auto outcome = etcd.Process([&](Migrator& m) { return is_dry ? m.Rehearse() : m.Run(); });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::kMetaUnconvertible) << outcome.error().Text();
  }
  ExpectUntouched(etcd, before);
  EXPECT_EQ(etcd.Process([](Migrator& m) { return m.Backup(); }).error().code,
            ErrorCode::kBackupBad);
  EXPECT_TRUE(etcd.files.Paths().empty()) << "a backup that is none does not stay";
}

TEST(Run, TheBackupOfATryThatWasCutBeforeItsFirstWriteIsUsed) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  ASSERT_TRUE(etcd.Process([](Migrator& m) { return m.Backup(); }));
  const std::string made = *etcd.files.Read(etcd.options.backup_file);
  const auto outcome = etcd.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(*etcd.files.Read(etcd.options.backup_file), made);
  ASSERT_TRUE(etcd.Rollback());
  // Of another state it is none, and stays as it is.
  etcd.store.Put(kScope.SessionCounter(), "77");
  const auto other = etcd.Run();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(*etcd.files.Read(etcd.options.backup_file), made);
}

TEST(Run, ACutRunGoesOnOnlyWithAWholeBackupAndNoneIsMadeOfHalfAMigration) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  etcd.between = [&](int) -> Status {
    if (etcd.store.Find(kScope.Marker()) != nullptr)
      etcd.interrupts.Raise(ports::Interrupt::kFinishStep);
    return {};
  };
  ASSERT_FALSE(etcd.Run());
  etcd.between = nullptr;
  etcd.interrupts.Raise(ports::Interrupt::kNone);
  const Keys cut = etcd.Inside();
  const std::string good = *etcd.files.Read(etcd.options.backup_file);
  for (const std::string& bad : {std::string("shopping list"), good.substr(0, good.size() / 2)}) {
    etcd.files.Put(etcd.options.backup_file, bad);
    EXPECT_EQ(etcd.Run().error().code, ErrorCode::kBackupBad);
    EXPECT_EQ(etcd.Inside(), cut);
  }
  etcd.files.Put(etcd.options.backup_file, good);
  const auto backup = etcd.Process([](Migrator& m) { return m.Backup(); });
  EXPECT_EQ(backup.error().code, ErrorCode::kMetaCut);
  ASSERT_TRUE(etcd.Run());
  EXPECT_EQ(etcd.Inside(), Migrated(before));
}

TEST(Run, AnAnswerOfSomeoneInBetweenIsNoAnswer) {
  // A proxy that says 502 after etcd has written: looked for, not believed.
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  fakes::FakeEtcdClient fake(etcd.store, etcd.clock);
  fakes::KillingEtcdClient client(fake);
  int commits = 0;
  client.after = [&](int, std::string_view name) -> Status {
    if (name == "commit" && ++commits == 2)
      return Fail(ErrorCode::kEtcdUnreachable, "502 without JSON");
    return {};
  };
  Migrator migrator(client, etcd.files, etcd.clock, etcd.interrupts, etcd.notes, etcd.options);
  const auto outcome = migrator.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_TRUE(migrator.HasWritten());
  EXPECT_EQ(etcd.Inside(), Migrated(before));
}

TEST(Run, WithoutBackupItSaysWhatThatMeans) {
  EtcdOfMilvus etcd(Real21());
  etcd.options.backup_file.clear();
  ASSERT_TRUE(etcd.Run());
  EXPECT_NE(Join(etcd.notes.notes, "\n").find("nothing to roll back to"), std::string::npos);
}

TEST(Run, SomeoneWhoWritesMeanwhileIsNeverOverwritten) {
  const Keys before = Real21();
  const std::string collection =
      before.lower_bound(kScope.Prefix() + "root-coord/collection/")->first;
  EtcdOfMilvus etcd(before);
  ASSERT_TRUE(etcd.Run());
  const int calls = etcd.calls;
  for (int at = 1; at <= calls; ++at) {
    EtcdOfMilvus world(before);
    world.between = [&](int call) -> Status {
      if (call == at) world.store.Put(collection, "theirs");
      return {};
    };
    const auto outcome = world.Run();
    // Before it was read it is a value that cannot be converted; after that it is a change; once
    // the collection is migrated, the last comparison sees it.
    EXPECT_FALSE(outcome) << at;
    EXPECT_EQ(world.store.Find(collection)->value, "theirs") << at;
    EXPECT_TRUE(world.OutsideIsUntouched());
    if (at > calls - 3) break;  // after the last comparison nothing of it is read again
  }
}

TEST(Run, AMilvusThatStartsMeanwhileStopsIt) {
  const Keys before = Real21();
  for (const bool compares_ranges : {true, false}) {
    for (int at = 1; at <= 12; ++at) {
      EtcdOfMilvus etcd(before);
      etcd.compares_ranges = compares_ranges;
      bool has_started = false;
      etcd.between = [&](int call) -> Status {
        if (call == at && !has_started) {
          has_started = true;
          etcd.store.Put(kScope.Sessions() + "rootcoord", "{}",
                         etcd.store.Grant(60, etcd.clock.Monotonic()));
        }
        return {};
      };
      const auto outcome = etcd.Run();
      if (outcome) continue;  // it was over
      EXPECT_TRUE(outcome.error().code == ErrorCode::kLiveSessions ||
                  outcome.error().code == ErrorCode::kMigrationLost)
          << at << " " << outcome.error().Text();
      EXPECT_NE(outcome.error().message.find("rootcoord"), std::string::npos);
    }
  }
}

TEST(Run, ASignalStopsItBetweenTwoTransactionsAndASecondRunCompletesIt) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  etcd.between = [&](int) -> Status {
    if (etcd.store.Find(kScope.Marker()) != nullptr)
      etcd.interrupts.Raise(ports::Interrupt::kFinishStep);
    return {};
  };
  const auto cut = etcd.Run();
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::kInterrupted);
  EXPECT_TRUE(etcd.has_written);
  etcd.between = nullptr;
  etcd.interrupts.Raise(ports::Interrupt::kNone);
  const auto outcome = etcd.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(outcome->kind, RunOutcome::Kind::kCompleted);
  EXPECT_EQ(etcd.Inside(), Migrated(before));
}

TEST(Run, AnEtcdThatIsAwayIsWaitedForABoundedTime) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  const auto away_from = Millis(0);
  etcd.between = [&](int) -> Status {
    if (etcd.clock.Monotonic() < Millis(15'000))
      return Fail(ErrorCode::kEtcdUnreachable, "connection refused");
    return {};
  };
  const auto outcome = etcd.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_GE(etcd.clock.Monotonic() - away_from, Millis(15'000));

  EtcdOfMilvus dead(before);
  dead.between = [](int) -> Status {
    return Fail(ErrorCode::kEtcdUnreachable, "connection refused");
  };
  const auto given_up = dead.Run();
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_LT(dead.clock.Monotonic(), Millis(70'000));
}

TEST(Backup, IsOfOneRevisionThoughSomeoneWrites) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  etcd.between = [&](int call) -> Status {
    etcd.store.Put(kScope.Prefix() + "root-coord/collection/999", std::to_string(call));
    return {};
  };
  const auto facts = etcd.Process([](Migrator& m) { return m.Backup(); });
  ASSERT_TRUE(facts) << facts.error().Text();
  const auto then = etcd.store.KeysAt(facts->revision);
  ASSERT_TRUE(then);
  Keys expected;
  for (const auto& [key, kv] : *then) {
    if (kScope.Holds(key)) expected[key] = kv.value;
  }
  Keys saved;
  const auto contents = backup::Parse(*etcd.files.Read(facts->file)).value();
  for (const backup::Entry& entry : contents.entries) saved[entry.key] = entry.value;
  EXPECT_EQ(saved, expected);
}

TEST(Backup, ACompactionMeanwhileStartsItAgain) {
  for (int at = 2; at <= 5; ++at) {
    EtcdOfMilvus etcd(Real21());
    etcd.between = [&](int call) -> Status {
      etcd.store.Put("other/key", std::to_string(call));
      if (call == at) etcd.store.Compact(etcd.store.Revision());
      return {};
    };
    const auto facts = etcd.Process([](Migrator& m) { return m.Backup(); });
    ASSERT_TRUE(facts) << at << facts.error().Text();
    EXPECT_EQ(facts->keys, static_cast<std::int64_t>(Real21().size()));
  }
}

TEST(Siblings, AreThoseThatMilvussToolWouldTakeAlong) {
  EtcdOfMilvus etcd(Real21());
  fakes::FakeEtcdClient client(etcd.store, etcd.clock);
  EXPECT_EQ(*SiblingsOf(client, kScope),
            (std::vector<std::string>{"by-dev/meta2", "by-dev/metadata"}));
  EXPECT_TRUE(SiblingsOf(client, {"other", "meta"})->empty());
}

}  // namespace
}  // namespace mu::migrate
