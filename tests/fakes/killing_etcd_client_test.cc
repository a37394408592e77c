// SPDX-License-Identifier: Apache-2.0
#include "fakes/killing_etcd_client.h"

#include <gtest/gtest.h>

#include "fakes/fake_etcd_client.h"
#include "fakes/fuse.h"
#include "fakes/hand_clock.h"

namespace mu::fakes {
namespace {

class KillingEtcdClientTest : public testing::Test {
 protected:
  Result<ports::TransactionResult> Put(const std::string& key) {
    return client_.Commit({{}, {{ports::Write::Kind::kPut, key, "1", 0}}});
  }
  EtcdStore store_;
  HandClock clock_;
  FakeEtcdClient fake_{store_, clock_};
  KillingEtcdClient client_{fake_};
};

TEST_F(KillingEtcdClientTest, AnAnswerLostBeforeIsNotCarriedOutAndOneLostAfterIs) {
  client_.before = KillingEtcdClient::LoseAt(2);
  client_.after = KillingEtcdClient::LoseAt(3);
  EXPECT_TRUE(Put("first"));
  EXPECT_EQ(Put("second").error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_EQ(Put("third").error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_TRUE(Put("fourth"));
  EXPECT_EQ(store_.Find("second"), nullptr);
  EXPECT_NE(store_.Find("third"), nullptr);
  EXPECT_EQ(client_.Calls(), 4);
}

TEST_F(KillingEtcdClientTest, AThrowCutsAtTheCallAndAnotherWriterComesBetween) {
  client_.before = [&](int call, std::string_view name) -> Status {
    if (call == 1) store_.Put("other", "1");
    if (call == 2) throw PowerCut{call, std::string(name)};
    return {};
  };
  EXPECT_TRUE(Put("first"));
  EXPECT_NE(store_.Find("other"), nullptr);
  EXPECT_THROW((void)client_.GrantLease(60), PowerCut);
  EXPECT_EQ(client_.Names(), (std::vector<std::string>{"commit", "grant lease"}));
}

}  // namespace
}  // namespace mu::fakes
