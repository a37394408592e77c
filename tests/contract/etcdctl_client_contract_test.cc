// SPDX-License-Identifier: Apache-2.0
// What is asked of `etcdctl` in a container alone, beside the suite of all clients.
#include "adapters/etcdctl_client.h"

#include <gtest/gtest.h>

#include "contract/engines.h"

namespace mu::contract {
namespace {

class EtcdctlClientContract : public testing::Test {
 protected:
  void SetUp() override {
    const std::string why_not = MakeRealEngine(&engine_);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    container_ = engine_->Name("idle");
    engine_->Create(Make{container_});
    ASSERT_TRUE(engine_->Docker().Start({container_}));
  }
  adapters::EtcdctlClient ClientIn(const std::string& container) {
    return {engine_->Docker(), engine_->Files(), container, {}, Millis(1000)};
  }
  std::unique_ptr<EngineUnderTest> engine_;
  std::string container_;
};

TEST_F(EtcdctlClientContract, AnEtcdThatIsNotThereDoesNotAnswer) {
  ports::PageQuery query;
  query.start = "a";
  for (const std::string& name : {container_, engine_->Name("nobody")}) {
    adapters::EtcdctlClient client = ClientIn(name);
    EXPECT_EQ(client.GetPage(query).error().code, ErrorCode::kEtcdUnreachable) << name;
    EXPECT_EQ(client.KeepAlive(1).error().code, ErrorCode::kEtcdUnreachable) << name;
    const auto put = client.Commit({{}, {{ports::Write::Kind::kPut, "a", "1", 0}}});
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, ErrorCode::kEtcdUnreachable) << put.error().Text();
  }
  adapters::EtcdctlClient client = ClientIn(engine_->Name("nobody"));
  EXPECT_EQ(client.Observe().error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_EQ(client.ReadLease(1).error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_EQ(client.RevokeLease(1).error().code, ErrorCode::kEtcdUnreachable);
}

TEST_F(EtcdctlClientContract, RefusesARangeThatItsArgumentsCannotHold) {
  adapters::EtcdctlClient client = ClientIn(container_);
  const std::string zero("a\0b", 3);
  for (const auto& [start, end] : std::vector<std::pair<std::string, std::string>>{
           {zero, "c"}, {"a", zero}, {zero, ""}, {"", "c"}, {std::string(1, '\0'), "c"}}) {
    ports::PageQuery query;
    query.start = start;
    query.end = end;
    const auto page = client.GetPage(query);
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code, ErrorCode::kEtcdFailed) << page.error().Text();
    EXPECT_NE(page.error().message.find("zero byte"), std::string::npos) << page.error().Text();
  }
}

}  // namespace
}  // namespace mu::contract
