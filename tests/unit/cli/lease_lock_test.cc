// SPDX-License-Identifier: Apache-2.0
#include "cli/lease_lock.h"

#include <gtest/gtest.h>

#include "cli/run_copy.h"
#include "fakes/fake_cluster.h"

namespace mu::cli {
namespace {

const LockHolder kHere{"run-1", "host-a", "/state/a"};
const LockHolder kThere{"run-2", "host-b", "/state/b"};

struct Stand {
  fakes::Fuse fuse;
  fakes::HandClock clock;
  fakes::FakeCluster cluster{fuse, clock};
  fakes::FakeKube kube{cluster};
  LeaseLock lock{kube, kube, clock, "my-release"};
  LeaseLock other{kube, kube, clock, "my-release"};

  model::KubeLease& Lease() { return cluster.leases.at("milvus-upgrade-my-release"); }
};
bool Always(Millis) { return true; }

TEST(LeaseLock, KeepsASecondOperatorOff) {
  Stand stand;
  ASSERT_TRUE(stand.lock.Take(kHere));
  EXPECT_EQ(stand.Lease().holder, "run-1@host-a");
  EXPECT_EQ(stand.Lease().duration_seconds, 60);
  const Status second = stand.other.Take(kThere);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
  EXPECT_NE(second.error().message.find("run run-1 of host host-a (state folder /state/a)"),
            std::string::npos);
  EXPECT_NE(second.error().hint.find("unlock -n milvus -i my-release run-1"), std::string::npos);
  EXPECT_EQ(stand.other.CheckFree().error().code, ErrorCode::kLocked);

  ASSERT_TRUE(stand.lock.Release("run-1"));
  EXPECT_TRUE(stand.other.CheckFree());
  EXPECT_TRUE(stand.other.Take(kThere));
}

TEST(LeaseLock, IsNotTakenByTheClockAlone) {
  Stand stand;
  ASSERT_TRUE(stand.lock.Take(kHere));
  stand.clock.Advance(Millis(24 * 3'600'000));
  EXPECT_EQ(stand.other.Take(kThere).error().code, ErrorCode::kLocked);
}

TEST(LeaseLock, OfTheSameRunOnTheSameMachineIsHeldAlready) {
  Stand stand;
  ASSERT_TRUE(stand.lock.Take(kHere));
  EXPECT_TRUE(stand.other.Take(kHere)) << "resume after a kill";
  LockHolder elsewhere = kHere;
  elsewhere.host = "host-c";
  EXPECT_EQ(stand.other.Take(elsewhere).error().code, ErrorCode::kLocked);
}

TEST(LeaseLock, IsRenewedBeforeAnEffectWhenItIsOld) {
  Stand stand;
  ASSERT_TRUE(stand.lock.Take(kHere));
  const std::string taken = stand.Lease().renewed_at;
  ASSERT_TRUE(stand.lock.Check());
  EXPECT_EQ(stand.Lease().renewed_at, taken) << "young enough";
  stand.clock.Advance(Millis(25'000));
  ASSERT_TRUE(stand.lock.Check());
  EXPECT_NE(stand.Lease().renewed_at, taken);
}

TEST(LeaseLock, SaysThatItWasFreedOrTaken) {
  Stand stand;
  ASSERT_TRUE(stand.lock.Take(kHere));
  stand.cluster.leases.clear();
  stand.clock.Advance(Millis(25'000));
  EXPECT_EQ(stand.lock.Check().error().code, ErrorCode::kLocked);
  ASSERT_TRUE(stand.other.Take(kThere));
  EXPECT_EQ(stand.lock.Check().error().code, ErrorCode::kLocked) << "once lost, lost";
  EXPECT_TRUE(stand.lock.Release("run-1"));
  EXPECT_EQ(stand.Lease().holder, "run-2@host-b") << "another's is not removed";
}

TEST(LeaseLock, OutlivesALostAnswerAndAnAbsence) {
  Stand stand;
  ASSERT_TRUE(stand.lock.Take(kHere));
  stand.clock.Advance(Millis(25'000));
  stand.fuse.FailAt(2, Error{ErrorCode::kKubeDown, "cut", {}, {}});  // it was written
  EXPECT_EQ(stand.lock.Check().error().code, ErrorCode::kKubeDown);
  EXPECT_TRUE(stand.lock.Check());
  stand.cluster.is_api_up = false;
  stand.clock.Advance(Millis(600'000));
  EXPECT_EQ(stand.lock.Check().error().code, ErrorCode::kKubeDown);
  stand.cluster.is_api_up = true;
  EXPECT_TRUE(stand.lock.Check());
}

TEST(LeaseLock, IsFreedOnlyAfterNobodyRenewedItForAWholeDuration) {
  Stand stand;
  ASSERT_TRUE(stand.lock.Take(kHere));
  const Millis start = stand.clock.Monotonic();
  ASSERT_TRUE(stand.other.Free("run-1", Always));
  EXPECT_GE(stand.clock.Monotonic() - start, LeaseLock::kDuration);
  EXPECT_TRUE(stand.cluster.leases.empty());
}

TEST(LeaseLock, OfALivingHolderIsNotFreed) {
  Stand stand;
  ASSERT_TRUE(stand.lock.Take(kHere));
  stand.cluster.At(stand.clock.Monotonic() + Millis(30'000),
                   [&] { stand.Lease().meta.resource_version = stand.cluster.NextVersion(); });
  EXPECT_EQ(stand.other.Free("run-1", Always).error().code, ErrorCode::kLocked);
  EXPECT_EQ(stand.other.Free("run-9", Always).error().code, ErrorCode::kLocked) << "another run's";
  EXPECT_EQ(
      stand.other.Free("run-1", [](Millis left) { return left > Millis(50'000); }).error().code,
      ErrorCode::kInterrupted);
  EXPECT_EQ(stand.cluster.leases.size(), 1U);
}

TEST(LeaseLock, EndsItsThreadWithItself) {
  Stand stand;
  ASSERT_TRUE(stand.lock.Take(kHere));
  stand.lock.KeepRenewing();
  EXPECT_TRUE(stand.lock.Release("run-1"));
  EXPECT_TRUE(stand.cluster.leases.empty());
}

TEST(RunCopy, IsThereForAnotherMachine) {
  Stand stand;
  RunCopy copy(stand.kube, "my-release");
  EXPECT_FALSE(copy.Load().value());
  ASSERT_TRUE(copy.Save({kHere, {{"plan.json", "{}"}}}));
  const auto loaded = RunCopy(stand.kube, "my-release").Load().value();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->holder.run, "run-1");
  EXPECT_EQ(loaded->files.at("plan.json"), "{}");

  ASSERT_TRUE(copy.Save({kThere, {{"plan.json", "[]"}}}));
  ASSERT_TRUE(copy.Remove("run-1"));
  EXPECT_TRUE(copy.Load().value()) << "another run's stays";
  ASSERT_TRUE(copy.Remove("run-2"));
  EXPECT_FALSE(copy.Load().value());
}

}  // namespace
}  // namespace mu::cli
