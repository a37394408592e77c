// SPDX-License-Identifier: Apache-2.0
// The promise of the migration: killed before or after any call to etcd, or with any answer lost, a
// second run completes it and a rollback restores it, exactly. Every call, and on larger random
// metadata seeded samples of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "unit/meta/random_metadata.h"
#include "unit/migrate/etcd_of_milvus.h"
#include "unit/migrate/nothing_lost.h"

namespace mu::migrate {
namespace {

enum class Fate { kKilledBefore, kKilledAfter, kAnswerLost, kRefusedOnce };
constexpr Fate kFates[] = {Fate::kKilledBefore, Fate::kKilledAfter, Fate::kAnswerLost,
                           Fate::kRefusedOnce};

// One run that meets its fate at a call. Whether it still ended by itself.
template <class Do>
bool Meets(EtcdOfMilvus& etcd, Fate fate, int at, Do run) {
  etcd.between = nullptr;
  bool has_ended = false;
  try {
    switch (fate) {
      case Fate::kKilledBefore:
        has_ended = static_cast<bool>(etcd.Process(run, at, 0));
        break;
      case Fate::kKilledAfter:
        has_ended = static_cast<bool>(etcd.Process(run, 0, at));
        break;
      case Fate::kAnswerLost:
      case Fate::kRefusedOnce: {
        fakes::FakeEtcdClient fake(etcd.store, etcd.clock);
        fakes::KillingEtcdClient client(fake);
        (fate == Fate::kAnswerLost ? client.after : client.before) =
            fakes::KillingEtcdClient::LoseAt(at);
        Migrator migrator(client, etcd.files, etcd.clock, etcd.interrupts, etcd.notes,
                          etcd.options);
        const auto outcome = run(migrator);
        has_ended = static_cast<bool>(outcome);
        EXPECT_TRUE(outcome) << "one lost answer is outlived: " << outcome.error().Text();
        break;
      }
    }
  } catch (const Killed&) {
  }
  etcd.LetLeasesEnd();
  return has_ended;
}

class Killed21 : public testing::TestWithParam<Fate> {};

TEST_P(Killed21, ARunAtEachCallIsCompletedByASecondOne) {
  const Keys before = Real21();
  const Keys after = Migrated(before);
  EtcdOfMilvus whole(before);
  ASSERT_TRUE(whole.Run());
  int completed = 0;
  for (int at = 1; at <= whole.calls; ++at) {
    EtcdOfMilvus etcd(before);
    Meets(etcd, GetParam(), at, [](Migrator& m) { return m.Run(); });
    ExpectNothingLost(etcd.Inside(), before, after);
    // Cut before its first write, with its backup made, it is a new run: of another file.
    if (etcd.Inside() == before) etcd.options.backup_file = "/work/second.bak";
    const auto outcome = etcd.Run();
    ASSERT_TRUE(outcome) << "call " << at << ": " << outcome.error().Text();
    completed += outcome->kind == RunOutcome::Kind::kCompleted ? 1 : 0;
    ASSERT_EQ(etcd.Inside(), after) << "call " << at;
    EXPECT_TRUE(etcd.OutsideIsUntouched());
  }
  if (GetParam() == Fate::kKilledBefore || GetParam() == Fate::kKilledAfter) {
    EXPECT_GT(completed, 2) << "no run was cut in its writes";
  }
}

TEST_P(Killed21, ARunAtEachCallIsRolledBackExactly) {
  const Keys before = Real21();
  EtcdOfMilvus whole(before);
  ASSERT_TRUE(whole.Run());
  for (int at = 1; at <= whole.calls; ++at) {
    EtcdOfMilvus etcd(before);
    Meets(etcd, GetParam(), at, [](Migrator& m) { return m.Run(); });
    const auto has_backup = etcd.files.Stat(etcd.options.backup_file);
    if (!has_backup->has_value()) {
      EXPECT_EQ(etcd.Inside(), before) << "nothing is written before the backup is";
      continue;
    }
    const auto outcome = etcd.Rollback();
    ASSERT_TRUE(outcome) << "call " << at << ": " << outcome.error().Text();
    ASSERT_EQ(etcd.Inside(), before) << "call " << at;
    EXPECT_TRUE(etcd.OutsideIsUntouched());
  }
}

TEST_P(Killed21, ARollbackAtEachCallIsCompletedByASecondOne) {
  const Keys before = Real21();
  EtcdOfMilvus whole(before);
  ASSERT_TRUE(whole.Run());
  ASSERT_TRUE(whole.Rollback());
  const int calls = whole.calls;
  for (int at = 1; at <= calls; ++at) {
    EtcdOfMilvus etcd(before);
    ASSERT_TRUE(etcd.Run());
    const Keys after = etcd.Inside();
    Meets(etcd, GetParam(), at, [](Migrator& m) { return m.Rollback(); });
    if (etcd.Inside() != before && etcd.Inside() != after) {
      const auto refused = etcd.Run();
      ASSERT_FALSE(refused) << "a run over half a rollback";
      EXPECT_EQ(refused.error().code, ErrorCode::kMetaCut);
    }
    const auto outcome = etcd.Rollback();
    ASSERT_TRUE(outcome) << "call " << at << ": " << outcome.error().Text();
    ASSERT_EQ(etcd.Inside(), before) << "call " << at;
    EXPECT_TRUE(etcd.OutsideIsUntouched());
  }
}

TEST_P(Killed21, RandomCallsOnTenThousandKeys) {
  const Keys before = meta::Mapped(meta::RandomMetadata(7, 10'000));
  const Keys after = Migrated(before);
  EtcdOfMilvus whole(before);
  const auto counted = whole.Run();
  ASSERT_TRUE(counted) << counted.error().Text();
  std::mt19937 random(static_cast<unsigned>(GetParam()) + 11);
  // A seeded sample; MU_LONG takes more of it (./test --long).
  const int samples = std::getenv("MU_LONG") != nullptr ? 20 : 1;
  for (int i = static_cast<int>(GetParam()) % 2; i < samples + static_cast<int>(GetParam()) % 2;
       ++i) {
    const int at = 1 + static_cast<int>(random() % static_cast<unsigned>(whole.calls));
    EtcdOfMilvus etcd(before);
    Meets(etcd, GetParam(), at, [](Migrator& m) { return m.Run(); });
    const bool is_back = i % 2 == 0 && etcd.files.Stat(etcd.options.backup_file)->has_value();
    if (is_back) {
      const auto outcome = etcd.Rollback();
      ASSERT_TRUE(outcome) << "call " << at << ": " << outcome.error().Text();
      ASSERT_TRUE(etcd.Inside() == before) << "call " << at;
    } else {
      if (etcd.Inside() == before) etcd.options.backup_file = "/work/second.bak";
      const auto outcome = etcd.Run();
      ASSERT_TRUE(outcome) << "call " << at << ": " << outcome.error().Text();
      ASSERT_TRUE(etcd.Inside() == after) << "call " << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fates, Killed21, testing::ValuesIn(kFates), [](const auto& param) {
  switch (param.param) {
    case Fate::kKilledBefore:
      return "KilledBefore";
    case Fate::kKilledAfter:
      return "KilledAfter";
    case Fate::kAnswerLost:
      return "AnswerLost";
    case Fate::kRefusedOnce:
      return "RefusedOnce";
  }
  return "";
});

TEST(Killed21, APausedEtcdThatEndsTheLeaseIsOutlived) {
  // Away for longer than the lock's lease in the middle of the writes, within the patience.
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  etcd.options.patience = Millis(120'000);
  Millis away_until(0);
  etcd.between = [&](int) -> Status {
    if (away_until == Millis(0) && etcd.store.Find(kScope.Marker()) != nullptr) {
      away_until = etcd.clock.Monotonic() + Millis(70'000);
      const auto* lock = etcd.store.Find(kScope.MigrationLock());
      etcd.store.Abandon(lock->lease, etcd.clock.Monotonic());
    }
    if (etcd.clock.Monotonic() < away_until) return Fail(ErrorCode::kEtcdUnreachable, "no answer");
    return {};
  };
  const auto outcome = etcd.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(etcd.Inside(), Migrated(before));
}

TEST(Killed21, NoSpaceEndsItInAStateThatARollbackRestores) {
  const Keys before = Real21();
  EtcdOfMilvus etcd(before);
  bool is_full = false;
  etcd.between = [&](int) -> Status {
    is_full = is_full || etcd.store.Find(kScope.Marker()) != nullptr;
    if (is_full) return Fail(ErrorCode::kEtcdNoSpace, "etcdserver: mvcc: database space exceeded");
    return {};
  };
  const auto outcome = etcd.Run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kEtcdNoSpace);
  etcd.between = nullptr;
  etcd.LetLeasesEnd();
  ASSERT_TRUE(etcd.Rollback());
  EXPECT_EQ(etcd.Inside(), before);
}

}  // namespace
}  // namespace mu::migrate
