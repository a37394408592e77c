// SPDX-License-Identifier: Apache-2.0
// As tests/unit/migrate/kill_test.cc, with real processes that really die and a real etcd: a second
// run completes it, a rollback restores it, exactly.
#include <filesystem>
#include <random>

#include "migrate/milvus_in_etcd.h"
#include "unit/meta/random_metadata.h"
#include "unit/migrate/nothing_lost.h"

namespace mu::migrate {
namespace {

const auto kRun = [](Migrator& m) { return m.Run(); };
const auto kRollback = [](Migrator& m) { return m.Rollback(); };

struct Row {
  contract::EtcdRelease release;
  bool is_after;  // the call was carried out, its answer reached nobody
};

class KilledOnEtcd : public testing::TestWithParam<Row> {
 protected:
  std::unique_ptr<MilvusInEtcd> Next() {
    return std::make_unique<MilvusInEtcd>(To(*etcd_), "r" + std::to_string(++roots_), real_);
  }
  template <class Do>
  void DiesAt(MilvusInEtcd& milvus, Do run, int at) {
    const bool is_after = GetParam().is_after;
    EXPECT_EQ(milvus.Dies(run, is_after ? 0 : at, is_after ? at : 0), kDied) << "call " << at;
    ExpectNothingLost(milvus.Inside(), milvus.before, milvus.after);
    milvus.EndTheLockOfTheDead();
  }
  std::unique_ptr<contract::RealEtcd> etcd_ = contract::StartedEtcd(GetParam().release);
  Keys real_ = Real21();
  int roots_ = 0;
};

TEST_P(KilledOnEtcd, ARunAtEachCallIsCompletedByASecondOne) {
  const auto whole = Next();
  ASSERT_TRUE(whole->Run());
  ASSERT_EQ(whole->Inside(), whole->after);
  int completed = 0;
  for (int at = 1; at <= static_cast<int>(whole->calls.size()); ++at) {
    const auto milvus = Next();
    DiesAt(*milvus, kRun, at);
    if (milvus->Inside() == milvus->before) milvus->options.backup_file += ".2";
    const auto outcome = milvus->Run();
    ASSERT_TRUE(outcome) << "call " << at << ": " << outcome.error().Text();
    ASSERT_EQ(milvus->Inside(), milvus->after) << "call " << at;
    completed += outcome->kind == RunOutcome::Kind::kCompleted ? 1 : 0;
  }
  EXPECT_GT(completed, 2) << "no run was cut in its writes";
  RecordProperty("calls", static_cast<int>(whole->calls.size()));
}

TEST_P(KilledOnEtcd, ARunAtEachCallIsRolledBackExactly) {
  const auto whole = Next();
  ASSERT_TRUE(whole->Run());
  for (int at = 1; at <= static_cast<int>(whole->calls.size()); ++at) {
    const auto milvus = Next();
    DiesAt(*milvus, kRun, at);
    if (milvus->HasBackup()) {
      const auto outcome = milvus->Rollback();
      ASSERT_TRUE(outcome) << "call " << at << ": " << outcome.error().Text();
    }
    ASSERT_EQ(milvus->Inside(), milvus->before) << "call " << at;
  }
}

TEST_P(KilledOnEtcd, ARollbackAtEachCallIsCompletedByASecondOne) {
  const auto milvus = Next();
  ASSERT_TRUE(milvus->Run());
  ASSERT_TRUE(milvus->Rollback());
  const int calls = static_cast<int>(milvus->calls.size());
  for (int at = 1; at <= calls; ++at) {
    std::filesystem::remove(milvus->options.backup_file);
    ASSERT_TRUE(milvus->Run());
    DiesAt(*milvus, kRollback, at);
    const auto outcome = milvus->Rollback();
    ASSERT_TRUE(outcome) << "call " << at << ": " << outcome.error().Text();
    ASSERT_EQ(milvus->Inside(), milvus->before) << "call " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(Real, KilledOnEtcd,
                         testing::Values(Row{contract::EtcdRelease::k35, false},
                                         Row{contract::EtcdRelease::k35, true},
                                         Row{contract::EtcdRelease::k34, true}),
                         [](const auto& row) {
                           return std::string(row.param.is_after ? "After" : "Before") +
                                  (row.param.release == contract::EtcdRelease::k34 ? "34" : "35");
                         });

TEST(KilledOnEtcd, RandomCallsOnTenThousandKeys) {
  const auto etcd = contract::StartedEtcd(contract::EtcdRelease::k35);
  MilvusInEtcd milvus(To(*etcd), "by-dev", meta::Mapped(meta::RandomMetadata(7, 10'000)));
  ASSERT_TRUE(milvus.Run());
  ASSERT_TRUE(milvus.Inside() == milvus.after);
  const unsigned calls = static_cast<unsigned>(milvus.calls.size());
  ASSERT_TRUE(milvus.Rollback());
  ASSERT_TRUE(milvus.Inside() == milvus.before);
  std::mt19937 random(11);
  const int samples = IsLong() ? 8 : 2;
  for (int i = 0; i < samples; ++i) {
    std::filesystem::remove(milvus.options.backup_file);
    // The first third reads and saves; deaths there are those of the small set.
    const int at = static_cast<int>(calls / 3 + random() % (calls - calls / 3));
    SCOPED_TRACE("call " + std::to_string(at) + " of " + std::to_string(calls));
    const bool is_after = i / 2 % 2 != 0;
    ASSERT_EQ(milvus.Dies(kRun, is_after ? 0 : at, is_after ? at : 0), kDied);
    ExpectNothingLost(milvus.Inside(), milvus.before, milvus.after);
    milvus.EndTheLockOfTheDead();
    if (i % 2 == 0) {
      if (milvus.Inside() == milvus.before) std::filesystem::remove(milvus.options.backup_file);
      const auto outcome = milvus.Run();
      ASSERT_TRUE(outcome) << outcome.error().Text();
      ASSERT_TRUE(milvus.Inside() == milvus.after);
    }
    const auto back = milvus.Rollback();
    ASSERT_TRUE(back) << back.error().Text();
    ASSERT_TRUE(milvus.Inside() == milvus.before);
  }
}

TEST(KilledOnEtcd, TheLockOfTheDeadEndsWithItsLease) {
  if (!IsLong()) GTEST_SKIP() << "waits for a minute: ./test --long";
  const auto etcd = contract::StartedEtcd(contract::EtcdRelease::k35);
  MilvusInEtcd milvus(To(*etcd), "by-dev", Real21());
  ASSERT_TRUE(milvus.Run());
  const int calls = static_cast<int>(milvus.calls.size());
  ASSERT_TRUE(milvus.Rollback());
  std::filesystem::remove(milvus.options.backup_file);
  ASSERT_EQ(milvus.Dies(kRun, calls - 4, 0), kDied);
  adapters::SystemClock clock;
  const Millis start = clock.Monotonic();
  const auto outcome = milvus.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(outcome->kind, RunOutcome::Kind::kCompleted);
  EXPECT_GT(clock.Monotonic() - start, Millis(40'000));
  EXPECT_LT(clock.Monotonic() - start, Millis(75'000));
  EXPECT_EQ(milvus.Inside(), milvus.after);
}

}  // namespace
}  // namespace mu::migrate
