// SPDX-License-Identifier: Apache-2.0
// EtcdDirect on a real etcd in a container: the same answers as etcdctl's, without it once proven,
// and never without the proof.
#include "adapters/etcd_direct.h"

#include <gtest/gtest.h>

#include <utility>

#include "contract/engine_under_test.h"
#include "contract/engines.h"

namespace mu::contract {
namespace {

using ports::KeysOnly;

// Counts what reaches etcdctl, and may change what it reads.
class Counted final : public ports::Etcd {
 public:
  explicit Counted(ports::Etcd& etcd) : etcd_(etcd) {}
  int calls = 0;
  std::int64_t lease_lie = 0;  // added to each lease that is read

  Result<model::EtcdStatus> Observe(const std::string& container) override {
    ++calls;
    return etcd_.Observe(container);
  }
  Result<model::KeyRange> GetPrefix(const std::string& container, const std::string& prefix,
                                    KeysOnly keys_only, std::int64_t revision) override {
    ++calls;
    auto range = etcd_.GetPrefix(container, prefix, keys_only, revision);
    if (range) {
      for (model::KeyValue& kv : range->kvs) kv.lease += kv.lease == 0 ? 0 : lease_lie;
    }
    return range;
  }
  Result<std::vector<model::Lease>> ReadLeases(const std::string& container,
                                               const std::vector<std::int64_t>& leases) override {
    ++calls;
    return etcd_.ReadLeases(container, leases);
  }
  Status RevokeLeases(const std::string& container,
                      const std::vector<std::int64_t>& leases) override {
    ++calls;
    return etcd_.RevokeLeases(container, leases);
  }
  Result<Snapshot> SaveSnapshot(const std::string& container, const std::string& file) override {
    ++calls;
    return etcd_.SaveSnapshot(container, file);
  }

 private:
  ports::Etcd& etcd_;
};

class EtcdDirectContract : public testing::Test {
 protected:
  void SetUp() override {
    const std::string why_not = MakeRealEngine(&engine_);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    container_ = engine_->Name("etcd");
    Make make{container_};
    make.is_etcd = true;
    engine_->Create(make);
    ASSERT_TRUE(engine_->Docker().Start({container_}));
    WaitForEtcd();
    counted_ = std::make_unique<Counted>(engine_->Etcd());
    direct_ = std::make_unique<adapters::EtcdDirect>(engine_->Docker(), *counted_);
    lease_ = engine_->Grant(container_, 60);
    engine_->Put(container_, "s/session", "{}", lease_);
    engine_->Put(container_, "s/id", "7");
  }
  void WaitForEtcd() {
    for (int i = 0; i < 100 && !engine_->Etcd().Observe(container_); ++i)
      engine_->Clock().Sleep(Millis(100));
  }
  model::KeyRange Get(const std::string& prefix, KeysOnly keys_only = KeysOnly::kNo) {
    auto range = direct_->GetPrefix(container_, prefix, keys_only, 0);
    EXPECT_TRUE(range) << range.error().Text();
    return range ? *range : model::KeyRange{};
  }
  std::unique_ptr<EngineUnderTest> engine_;
  std::unique_ptr<Counted> counted_;
  std::unique_ptr<adapters::EtcdDirect> direct_;
  std::string container_;
  std::int64_t lease_ = 0;
};

TEST_F(EtcdDirectContract, OnceProvenItNeedsNoEtcdctlAndAnswersTheSame) {
  const auto first = Get("s/");
  EXPECT_EQ(counted_->calls, 1);
  EXPECT_EQ(Get("s/").kvs, first.kvs);
  EXPECT_EQ(Get("").kvs, first.kvs);
  EXPECT_EQ(Get("s/", KeysOnly::kYes).kvs.at(0).value, "");
  EXPECT_TRUE(Get("nobody/").kvs.empty());
  const auto leases = direct_->ReadLeases(container_, {lease_, 12345});
  ASSERT_TRUE(leases);
  EXPECT_EQ(leases->at(0).keys, std::vector<std::string>{"s/session"});
  EXPECT_GT(leases->at(0).ttl_seconds, 30);
  EXPECT_EQ(leases->at(1).ttl_seconds, -1);
  EXPECT_TRUE(direct_->RevokeLeases(container_, {lease_, 12345}));
  EXPECT_EQ(Get("s/").kvs.size(), 1U);
  EXPECT_EQ(counted_->calls, 1) << "all of it was asked directly";
}

TEST_F(EtcdDirectContract, ItIsNotBelievedWhereEtcdctlReadsOtherLeases) {
  counted_->lease_lie = 1;
  (void)Get("s/");
  (void)Get("s/");
  EXPECT_EQ(counted_->calls, 2);
  EXPECT_TRUE(direct_->RevokeLeases(container_, {12345}));
  EXPECT_EQ(counted_->calls, 3);
}

TEST_F(EtcdDirectContract, WithoutALeaseThereIsNoProof) {
  (void)Get("s/id");
  (void)Get("s/id");
  EXPECT_EQ(counted_->calls, 2);
}

TEST_F(EtcdDirectContract, AnEtcdThatWentAwayIsAskedByEtcdctlAndProvenAgain) {
  (void)Get("s/");
  ASSERT_TRUE(engine_->Docker().Stop({container_}, Millis(5'000)));
  EXPECT_FALSE(direct_->GetPrefix(container_, "s/", KeysOnly::kNo, 0));
  ASSERT_TRUE(engine_->Docker().Start({container_}));
  WaitForEtcd();
  const int calls = counted_->calls;
  EXPECT_EQ(Get("s/").kvs.size(), 2U);
  EXPECT_EQ(Get("s/").kvs.size(), 2U);
  EXPECT_EQ(counted_->calls, calls + 1);
}

}  // namespace
}  // namespace mu::contract
