// SPDX-License-Identifier: Apache-2.0
// A migration while another process writes to the same etcd, or migrates as well.
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <new>

#include "migrate/milvus_in_etcd.h"

namespace mu::migrate {
namespace {

// What a child and its parent tell each other.
struct Shared {
  std::atomic<bool> is_over = false;
  std::atomic<bool> is_there = false;
  std::atomic<int> written = 0;
};
class SharedMemory {
 public:
  SharedMemory()
      : memory_(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0)),
        shared_(new (memory_) Shared) {}
  ~SharedMemory() { ::munmap(memory_, sizeof(Shared)); }
  Shared* operator->() const { return shared_; }
  Shared& operator*() const { return *shared_; }

 private:
  void* memory_;
  Shared* shared_;
};

class Beside : public testing::Test {
 protected:
  std::unique_ptr<contract::RealEtcd> etcd_ = contract::StartedEtcd(contract::EtcdRelease::k35);
  adapters::SystemClock clock_;
  Keys real_ = Real21();
};

// The call after the one by which a run reads, under its lock, what it converts: from there on,
// each write of another process is one that the run does not know of.
int FirstCallAfterTheLook(const std::vector<std::string>& calls) {
  const auto lock = std::find(calls.begin(), calls.end(), "commit");
  // The lock looked at, the sessions, the scope (one page).
  return static_cast<int>(lock - calls.begin()) + 1 + 3 + 1;
}

TEST_F(Beside, AWriteOfAnotherProcessAtAnyCallIsNeverLost) {
  MilvusInEtcd whole(To(*etcd_), "r0", real_);
  ASSERT_TRUE(whole.Run());
  const auto changes = meta::Convert(meta::Listed(whole.before), whole.options.scope);
  ASSERT_TRUE(changes);
  const std::size_t root = whole.options.scope.Prefix().size();
  const auto untouched =
      std::find_if(whole.before.begin(), whole.before.end(), [&](const auto& kv) {
        return whole.after.contains(kv.first) && whole.after.at(kv.first) == kv.second;
      });
  const std::pair<std::string, std::string> rows[] = {
      {"a key to be replaced", changes->replaced.begin()->first},
      {"a key to be removed", *changes->removed.begin()},
      {"a key to be added", changes->added.begin()->first},
      {"a key that stays", untouched->first},
      {"a new key", whole.options.scope.Prefix() + "root-coord/new"},
  };
  const int calls = static_cast<int>(whole.calls.size());
  const int first = FirstCallAfterTheLook(whole.calls);
  ASSERT_LT(first, calls - 5);
  int lost = 0;
  int roots = 0;
  for (const auto& [what, key] : rows) {
    for (int at = first + roots % 2; at <= calls; at += IsLong() ? 1 : 2) {
      MilvusInEtcd milvus(To(*etcd_), "r" + std::to_string(++roots), real_);
      const std::string own = milvus.options.scope.Prefix() + key.substr(root);
      const auto outcome = milvus.Run(fakes::KillingEtcdClient::At(at, [&]() -> Status {
        milvus.Put(own, "of another process");
        return {};
      }));
      EXPECT_EQ(milvus.Value(own), "of another process") << what << ", call " << at;
      if (!outcome) {
        EXPECT_EQ(outcome.error().code, ErrorCode::kMigrationLost) << outcome.error().Text();
        EXPECT_NE(outcome.error().message.find(own), std::string::npos) << outcome.error().Text();
        ++lost;
      }
      Keys expected = milvus.after;
      expected[own] = "of another process";
      if (outcome) {
        EXPECT_EQ(milvus.Inside(), expected) << what << ", call " << at;
      }
    }
  }
  EXPECT_GT(lost, 10);
}

// Writes `key` again and again until it is over; `written` is the last value that etcd took.
int Hammer(MilvusInEtcd& milvus, const std::string& key, Shared& shared) {
  return MilvusInEtcd::Fork([&] {
    const auto client = milvus.Connected();
    for (int i = 1; !shared.is_over; ++i) {
      if (!client->Commit({{}, {{ports::Write::Kind::kPut, key, std::to_string(i), 0}}})) return 1;
      shared.written = i;
    }
    return 0;
  });
}

TEST_F(Beside, AWriterBesideTheScopeIsNotDisturbedAndDisturbsNothing) {
  MilvusInEtcd milvus(To(*etcd_), "by-dev", real_);
  std::vector<std::unique_ptr<SharedMemory>> shared;
  const std::vector<std::string> keys = {"by-dev/meta2/root-coord/collection/1", "by-dev/metadata",
                                         "by-dev/kv/gid/timestamp"};
  std::vector<int> children;
  for (const std::string& key : keys) {
    shared.push_back(std::make_unique<SharedMemory>());
    children.push_back(Hammer(milvus, key, **shared.back()));
  }
  for (const auto& one : shared) {
    while ((*one)->written == 0) clock_.Sleep(Millis(5));
  }
  const auto outcome = milvus.Run();
  EXPECT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(milvus.Inside(), milvus.after);
  const auto back = milvus.Rollback();
  EXPECT_TRUE(back) << back.error().Text();
  EXPECT_EQ(milvus.Inside(), milvus.before);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    (*shared[i])->is_over = true;
    EXPECT_EQ(MilvusInEtcd::ExitOf(children[i]), 0);
    EXPECT_GT((*shared[i])->written, 5);
    EXPECT_EQ(milvus.Value(keys[i]), std::to_string((*shared[i])->written));
  }
}

TEST_F(Beside, AWriterInTheScopeEndsItOrIsOutlivedAndLosesNothing) {
  MilvusInEtcd whole(To(*etcd_), "r0", real_);
  ASSERT_TRUE(whole.Run());
  const int calls = static_cast<int>(whole.calls.size());
  int roots = 0;
  for (int i = 0; i < (IsLong() ? 60 : 10); ++i) {
    MilvusInEtcd milvus(To(*etcd_), "r" + std::to_string(++roots), real_);
    SharedMemory shared;
    int child = 0;
    const std::string key = milvus.options.scope.Prefix() + "datacoord-meta/statslog/new";
    const auto outcome =
        milvus.Run(fakes::KillingEtcdClient::At(1 + i * 7 % calls, [&]() -> Status {
          child = Hammer(milvus, key, *shared);
          clock_.Sleep(Millis(i % 20));
          return {};
        }));
    ASSERT_GT(child, 0);
    shared->is_over = true;
    EXPECT_EQ(MilvusInEtcd::ExitOf(child), 0);
    if (!outcome) {
      EXPECT_EQ(outcome.error().code, ErrorCode::kMigrationLost) << outcome.error().Text();
    }
    if (shared->written > 0) {
      EXPECT_EQ(milvus.Value(key), std::to_string(shared->written));
    }
  }
}

TEST_F(Beside, AMilvusThatStartsAmidTheWritesEndsIt) {
  MilvusInEtcd milvus(To(*etcd_), "by-dev", real_);
  const std::string session = milvus.options.scope.Sessions() + "rootcoord";
  const auto outcome = milvus.Run(AtCommit(3, [&] { milvus.Put(session, "{}"); }));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kMigrationLost) << outcome.error().Text();
  EXPECT_NE(outcome.error().message.find("rootcoord"), std::string::npos);
  EXPECT_EQ(milvus.Run().error().code, ErrorCode::kLiveSessions);
  milvus.Delete(session);
  ASSERT_TRUE(milvus.Run());
  EXPECT_EQ(milvus.Inside(), milvus.after);
}

TEST_F(Beside, OfTwoMigrationsTheSecondGivesWayToTheOneThatLives) {
  MilvusInEtcd milvus(To(*etcd_), "by-dev", real_);
  SharedMemory shared;
  // Slow amid its writes, and renewing its lock meanwhile, as one does that has much to write.
  const int slow = MilvusInEtcd::Fork([&] {
    const auto outcome = milvus.Run(AtCommit(3, [&] {
      const auto client = milvus.Connected();
      const auto lock = client->GetPage({milvus.options.scope.MigrationLock(), "", 0, 0, false});
      shared->is_there = true;
      while (!shared->is_over) {
        clock_.Sleep(Millis(2'500));
        (void)client->KeepAlive(lock->kvs.at(0).lease);
      }
    }));
    return outcome ? 0 : 1;
  });
  while (!shared->is_there) clock_.Sleep(Millis(20));
  const Keys half = milvus.Inside();
  const auto second = milvus.Run();
  const auto rollback = milvus.Rollback();
  EXPECT_EQ(milvus.Inside(), half) << "neither touched anything";
  shared->is_over = true;
  EXPECT_EQ(MilvusInEtcd::ExitOf(slow), 0) << "the first one goes on undisturbed";
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kMigrationRunning) << second.error().Text();
  ASSERT_FALSE(rollback);
  EXPECT_EQ(rollback.error().code, ErrorCode::kMigrationRunning) << rollback.error().Text();
  EXPECT_EQ(milvus.Inside(), milvus.after);
}

TEST_F(Beside, OfManyAtOnceOneMigrates) {
  MilvusInEtcd milvus(To(*etcd_), "by-dev", real_);
  const std::string backup = milvus.options.backup_file;
  std::vector<int> children;
  for (int i = 0; i < 6; ++i) {
    milvus.options.backup_file = backup + std::to_string(i);
    children.push_back(MilvusInEtcd::Fork([&] {
      const auto outcome = milvus.Run();
      if (outcome) return static_cast<int>(outcome->kind);
      return outcome.error().code == ErrorCode::kMigrationRunning ? 50 : 51;
    }));
  }
  int migrated = 0;
  for (const int child : children) {
    const int code = MilvusInEtcd::ExitOf(child);
    migrated += code == static_cast<int>(RunOutcome::Kind::kMigrated) ? 1 : 0;
    EXPECT_TRUE(code == static_cast<int>(RunOutcome::Kind::kMigrated) ||
                code == static_cast<int>(RunOutcome::Kind::kNothingToDo) || code == 50)
        << code;
  }
  EXPECT_EQ(migrated, 1);
  EXPECT_EQ(milvus.Inside(), milvus.after);
}

}  // namespace
}  // namespace mu::migrate
