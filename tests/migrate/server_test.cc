// SPDX-License-Identifier: Apache-2.0
// A migration while etcd is paused, killed, full or compacted, asks for a user or a certificate.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include "contract/etcd_kinds.h"
#include "migrate/milvus_in_etcd.h"
#include "milvus_upgrade/backup/backup_file.h"
#include "milvus_upgrade/base/text.h"
#include "unit/meta/random_metadata.h"

namespace mu::migrate {
namespace {

using contract::EtcdRelease;
using contract::RealEtcd;
using contract::StartedEtcd;

// Does something after a while, beside what the test does; waited for by its destructor.
class Later {
 public:
  void Do(Millis after, std::function<void()> act) {
    threads_.emplace_back([after, act = std::move(act)] {
      adapters::SystemClock().Sleep(after);
      act();
    });
  }
  ~Later() {
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::vector<std::thread> threads_;
};

class OnServer : public testing::Test {
 protected:
  adapters::SystemClock clock_;
  Keys real_ = Real21();
};

TEST_F(OnServer, APauseOf15SecondsAmidTheWritesIsOutlived) {
  const auto etcd = StartedEtcd(EtcdRelease::k35);
  MilvusInEtcd milvus(To(*etcd), "by-dev", real_);
  Later later;
  const Millis start = clock_.Monotonic();
  const auto outcome = milvus.Run(AtCommit(3, [&] {
    etcd->Pause();
    later.Do(Millis(15'000), [&] { etcd->Continue(); });
  }));
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_GE(clock_.Monotonic() - start, Millis(15'000));
  EXPECT_LT(clock_.Monotonic() - start, Millis(45'000));
  EXPECT_EQ(milvus.Inside(), milvus.after);
}

TEST_F(OnServer, APauseThatEndsTheLockIsOutlivedWithinThePatience) {
  if (!IsLong()) GTEST_SKIP() << "waits for more than a minute: ./test --long";
  const auto etcd = StartedEtcd(EtcdRelease::k35);
  MilvusInEtcd milvus(To(*etcd), "by-dev", real_);
  milvus.options.patience = Millis(150'000);
  Later later;
  const auto outcome = milvus.Run(AtCommit(3, [&] {
    etcd->Pause();
    later.Do(Millis(75'000), [&] { etcd->Continue(); });
  }));
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(milvus.Inside(), milvus.after);
}

TEST_F(OnServer, OneThatStaysAwayEndsItInTimeAndLeavesWorkToGoOnWith) {
  const auto etcd = StartedEtcd(EtcdRelease::k35);
  MilvusInEtcd milvus(To(*etcd), "by-dev", real_);
  milvus.options.patience = Millis(3'000);
  const Millis start = clock_.Monotonic();
  const auto outcome = milvus.Run(AtCommit(3, [&] { etcd->Kill(); }));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kEtcdUnreachable) << outcome.error().Text();
  EXPECT_LT(clock_.Monotonic() - start, Millis(15'000));
  etcd->Start();
  contract::WaitUntilItAnswers(*To(*etcd)());
  milvus.EndTheLockOfTheDead();
  const auto again = milvus.Run();
  ASSERT_TRUE(again) << again.error().Text();
  // Not always kCompleted: a killed 3.5.1 can lose what it has committed last (etcd issue 13766).
  EXPECT_NE(again->kind, RunOutcome::Kind::kNothingToDo);
  EXPECT_EQ(milvus.Inside(), milvus.after);
  ASSERT_TRUE(milvus.Rollback());
  EXPECT_EQ(milvus.Inside(), milvus.before);
}

// An etcd that is started again once it has been missed: by the calls of the run themselves, for
// etcd ends with the thread that started it.
class Mortal {
 public:
  explicit Mortal(RealEtcd& etcd) : etcd_(etcd) {}
  void Die() {
    etcd_.Kill();
    is_dead_ = true;
    ++deaths_;
  }
  void Rise() {
    if (!is_dead_) return;
    is_dead_ = false;
    missed_ = 0;
    etcd_.Start();
  }
  Hook Around(Hook hook) {
    return [this, hook = std::move(hook)](int call, std::string_view name) -> Status {
      if (is_dead_ && ++missed_ > 2) Rise();
      return hook ? hook(call, name) : Status{};
    };
  }
  int Deaths() const { return deaths_; }

 private:
  RealEtcd& etcd_;
  std::atomic<bool> is_dead_ = false;
  std::atomic<int> deaths_ = 0;
  int missed_ = 0;
};

// etcd dies just before a commit reaches it, and just after it has answered one.
TEST_F(OnServer, KilledAndStartedAgainAmidTheWritesItIsOutlived) {
  const auto etcd = StartedEtcd(EtcdRelease::k35);
  Mortal mortal(*etcd);
  MilvusInEtcd whole(To(*etcd), "r0", real_);
  ASSERT_TRUE(whole.Run());
  const auto commits =
      static_cast<int>(std::count(whole.calls.begin(), whole.calls.end(), "commit"));
  int root = 0;
  for (int n = 1; n <= commits; n += IsLong() ? 1 : 2) {
    for (const bool is_after : {false, true}) {
      MilvusInEtcd milvus(To(*etcd), "r" + std::to_string(++root), real_);
      const Hook die = AtCommit(n, [&] { mortal.Die(); });
      const auto outcome =
          milvus.Run(mortal.Around(is_after ? Hook{} : die), is_after ? die : Hook{});
      ASSERT_TRUE(outcome) << "commit " << n << ": " << outcome.error().Text();
      mortal.Rise();
      contract::WaitUntilItAnswers(*To(*etcd)());
      EXPECT_EQ(milvus.Inside(), milvus.after) << "commit " << n;
    }
  }
  EXPECT_EQ(mortal.Deaths(), root);
  EXPECT_GE(root, 6);
}

// At no chosen place: while it works on whatever it is asked just then.
TEST_F(OnServer, KilledAtAnyMomentOfTenThousandKeysItIsOutlived) {
  if (!IsLong()) GTEST_SKIP() << "many deaths: ./test --long";
  const auto etcd = StartedEtcd(EtcdRelease::k35);
  MilvusInEtcd milvus(To(*etcd), "by-dev", meta::Mapped(meta::RandomMetadata(9, 10'000)));
  Mortal mortal(*etcd);
  std::mt19937 random(3);
  const auto dies = [&](auto run) {
    Status ended;
    {
      Later later;
      ended = run(mortal.Around(AtCommit(3 + static_cast<int>(random() % 60), [&] {
        later.Do(Millis(random() % 400), [&] { mortal.Die(); });
      })));
    }
    mortal.Rise();
    contract::WaitUntilItAnswers(*To(*etcd)());
    return ended;
  };
  for (int i = 0; i < 10; ++i) {
    std::filesystem::remove(milvus.options.backup_file);
    const Status run = dies([&](const Hook& hook) -> Status {
      MU_CHECK(milvus.Run(hook));
      return {};
    });
    ASSERT_TRUE(run) << run.error().Text();
    ASSERT_TRUE(milvus.Inside() == milvus.after);
    const Status back = dies([&](const Hook& hook) -> Status {
      MU_CHECK(milvus.Rollback(hook));
      return {};
    });
    ASSERT_TRUE(back) << back.error().Text();
    ASSERT_TRUE(milvus.Inside() == milvus.before);
  }
  EXPECT_GT(mortal.Deaths(), 10);
}

constexpr char kSmallQuota[] = "--quota-backend-bytes=8388608";

// By the history of one key, which a compaction gives back.
void UseUpSpace(const RealEtcd& etcd) {
  const auto client = To(etcd)();
  for (int i = 0; i < 40; ++i) {
    const auto put = client->Commit(
        {{}, {{ports::Write::Kind::kPut, "filler", std::string(1'000'000, 'x'), 0}}});
    if (!put) return;
  }
}
void MakeSpace(const RealEtcd& etcd) {
  const auto page = To(etcd)()->GetPage({"filler", "", 0, 0, true});
  ASSERT_TRUE(page) << page.error().Text();
  etcd.Etcdctl({"compact", "--physical", std::to_string(page->revision)});
  etcd.Etcdctl({"defrag"});
  etcd.Etcdctl({"alarm", "disarm"});
}

class FullServer : public testing::TestWithParam<EtcdRelease> {};

TEST_P(FullServer, IsRefusedBeforeAnythingAndCanBeBackedUp) {
  const auto etcd = StartedEtcd(GetParam(), {kSmallQuota});
  MilvusInEtcd milvus(To(*etcd), "by-dev", Real21());
  UseUpSpace(*etcd);
  const auto outcome = milvus.Run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kEtcdNoSpace);
  EXPECT_TRUE(Has(outcome.error().hint, "defrag")) << outcome.error().Text();
  EXPECT_EQ(milvus.calls, std::vector<std::string>{"observe"});
  const auto backup = milvus.Process([](Migrator& m) { return m.Backup(); });
  ASSERT_TRUE(backup) << backup.error().Text();
  EXPECT_EQ(backup->keys, static_cast<std::int64_t>(milvus.before.size()));
  EXPECT_EQ(milvus.Inside(), milvus.before);
}

TEST_P(FullServer, FullAmidTheWritesItEndsClearlyAndGoesOnOnceThereIsSpace) {
  const auto etcd = StartedEtcd(GetParam(), {kSmallQuota});
  for (const bool is_back : {false, true}) {
    MilvusInEtcd milvus(To(*etcd), is_back ? "r1" : "r2", Real21());
    const auto outcome = milvus.Run(AtCommit(3, [&] { UseUpSpace(*etcd); }));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::kEtcdNoSpace) << outcome.error().Text();
    EXPECT_NE(milvus.Inside(), milvus.before) << "it was amid the writes";
    EXPECT_EQ(milvus.Run().error().code, ErrorCode::kEtcdNoSpace);
    EXPECT_EQ(milvus.Rollback().error().code, ErrorCode::kEtcdNoSpace);
    MakeSpace(*etcd);
    if (is_back) {
      const auto back = milvus.Rollback();
      ASSERT_TRUE(back) << back.error().Text();
      EXPECT_EQ(milvus.Inside(), milvus.before);
    } else {
      const auto again = milvus.Run();
      ASSERT_TRUE(again) << again.error().Text();
      EXPECT_EQ(again->kind, RunOutcome::Kind::kCompleted);
      EXPECT_EQ(milvus.Inside(), milvus.after);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Releases, FullServer, testing::Values(EtcdRelease::k34, EtcdRelease::k35),
                         [](const auto& row) {
                           return row.param == EtcdRelease::k34 ? "Etcd34" : "Etcd35";
                         });

void ExpectWholeBackup(const MilvusInEtcd& milvus) {
  adapters::PosixFiles files;
  const auto bytes = files.Read(milvus.options.backup_file);
  ASSERT_TRUE(bytes) << bytes.error().Text();
  const auto contents = backup::Parse(*bytes);
  ASSERT_TRUE(contents) << contents.error().Text();
  Keys saved;
  for (const backup::Entry& entry : contents->entries) saved[entry.key] = entry.value;
  EXPECT_TRUE(saved == milvus.before);
}

TEST_F(OnServer, ACompactionAtAnyCallOfTheBackupIsOutlived) {
  const auto etcd = StartedEtcd(EtcdRelease::k35);
  MilvusInEtcd milvus(To(*etcd), "by-dev", real_);
  const auto backup = [](Migrator& m) { return m.Backup(); };
  ASSERT_TRUE(milvus.Process(backup));
  const int calls = static_cast<int>(milvus.calls.size());
  int restarts = 0;
  for (int at = 1; at <= calls; ++at) {
    std::filesystem::remove(milvus.options.backup_file);
    milvus.notes.notes.clear();
    const auto saved =
        milvus.Process(backup, fakes::KillingEtcdClient::At(at, [&]() -> Status {
                         milvus.Put("beside", std::to_string(at));
                         const auto now = To(*etcd)()->GetPage({"beside", "", 0, 0, true});
                         Compact(*etcd, now->revision);
                         return {};
                       }));
    ASSERT_TRUE(saved) << "call " << at << ": " << saved.error().Text();
    ExpectWholeBackup(milvus);
    restarts += Has(Join(milvus.notes.notes, "\n"), "compacted while") ? 1 : 0;
  }
  EXPECT_GT(restarts, 1) << "no compaction came in between";
}

// Compacted every few milliseconds, it ends with a whole backup or a clear error and no file.
TEST_F(OnServer, CompactedAllTheTimeItEndsAndNeverWithHalfABackup) {
  const auto etcd = StartedEtcd(EtcdRelease::k35);
  MilvusInEtcd milvus(To(*etcd), "by-dev", meta::Mapped(meta::RandomMetadata(5, 5'000)));
  const auto backup = [](Migrator& m) { return m.Backup(); };
  std::atomic<bool> is_over = false;
  std::atomic<int> compactions = 0;
  std::thread compacting([&] {
    const auto client = To(*etcd)();
    while (!is_over) {
      const auto put =
          client->Commit({{}, {{ports::Write::Kind::kPut, "beside", "a neighbour's", 0}}});
      if (put) Compact(*etcd, put->revision);
      ++compactions;
      adapters::SystemClock().Sleep(Millis(3));
    }
  });
  const auto saved = milvus.Process(backup);
  is_over = true;
  compacting.join();
  EXPECT_GT(compactions, 5);
  if (saved) {
    ExpectWholeBackup(milvus);
    return;
  }
  EXPECT_EQ(saved.error().code, ErrorCode::kEtcdCompacted) << saved.error().Text();
  EXPECT_FALSE(milvus.HasBackup());
  const auto then = milvus.Process(backup);
  ASSERT_TRUE(then) << then.error().Text();
  ExpectWholeBackup(milvus);
}

TEST_F(OnServer, AUserWithRightsOnTheScopeAloneCanMigrate) {
  const auto etcd = StartedEtcd(EtcdRelease::k35);
  adapters::GatewayOptions gateway;
  gateway.endpoints = {etcd->Endpoint()};
  gateway.user = "milvus";
  gateway.password = "word";
  contract::TurnAuthOn(*etcd, "by-dev/meta/");
  MilvusInEtcd milvus([&] { return contract::GatewayTo(gateway); }, "by-dev", real_);
  gateway.password = "wrong";
  const auto wrong = milvus.Run();
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kEtcdFailed);
  EXPECT_TRUE(Has(wrong.error().message, "user")) << wrong.error().Text();
  EXPECT_FALSE(Has(Join(milvus.notes.notes, "\n") + wrong.error().Text(), "wrong"));
  gateway.user.clear();
  EXPECT_EQ(milvus.Run().error().code, ErrorCode::kEtcdFailed);
  EXPECT_FALSE(milvus.HasBackup());
  EXPECT_EQ(milvus.Inside(), milvus.before);
  gateway.user = "milvus";
  gateway.password = "word";
  const auto outcome = milvus.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(milvus.Inside(), milvus.after);
  const auto back = milvus.Rollback();
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(milvus.Inside(), milvus.before);
}

TEST_F(OnServer, OverTlsWithACertificateOfItsOwn) {
  const contract::Certificates certificates;
  contract::RealEtcdOptions options;
  options.is_tls = true;
  options.flags = certificates.ServerFlags("server");
  RealEtcd etcd(EtcdRelease::k35, options);
  etcd.Start();
  adapters::GatewayOptions gateway;
  gateway.endpoints = {etcd.Endpoint()};
  gateway.tls = certificates.Client();
  contract::WaitUntilItAnswers(*contract::GatewayTo(gateway));
  MilvusInEtcd milvus([&] { return contract::GatewayTo(gateway); }, "by-dev", real_);
  milvus.options.patience = Millis(1'000);
  gateway.tls->cert_file.clear();
  gateway.tls->key_file.clear();
  const auto nobody = milvus.Run();
  ASSERT_FALSE(nobody);
  EXPECT_TRUE(Has(nobody.error().message, "certificate")) << nobody.error().Text();
  gateway.tls = certificates.Client();
  const auto outcome = milvus.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(milvus.Inside(), milvus.after);
  ASSERT_TRUE(milvus.Rollback());
  EXPECT_EQ(milvus.Inside(), milvus.before);
}

}  // namespace
}  // namespace mu::migrate
