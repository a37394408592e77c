// SPDX-License-Identifier: Apache-2.0
// ports::EtcdClients on the fake and on a real etcd in a container: the same keys as ports::Etcd,
// by the gateway where that is proven to be this etcd, never without the proof.
#include <gtest/gtest.h>

#include <algorithm>

#include "adapters/etcd_ways.h"
#include "contract/engine_under_test.h"
#include "fakes/stage.h"

namespace mu::contract {
namespace {

class EtcdWaysContract : public testing::TestWithParam<EngineRow> {
 protected:
  void SetUp() override {
    const std::string why_not = GetParam().make(&engine_);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
  }
  std::string Started(std::vector<std::string> flags = {}, const std::string& name = "etcd") {
    Make make{engine_->Name(name)};
    make.is_etcd = true;
    make.etcd_flags = std::move(flags);
    engine_->Create(make);
    const Status started = engine_->Docker().Start({make.name});
    EXPECT_TRUE(started) << started.error().Text();
    WaitFor(make.name);
    return make.name;
  }
  void WaitFor(const std::string& container) {
    for (int i = 0; i < 100 && !engine_->Etcd().Observe(container); ++i)
      engine_->Clock().Sleep(Millis(100));
  }
  std::unique_ptr<ports::EtcdClient> Of(const std::string& container) {
    auto client = engine_->EtcdClients().Of(container);
    EXPECT_TRUE(client) << client.error().Text();
    return client ? std::move(*client) : nullptr;
  }
  static void Put(ports::EtcdClient& client, const std::string& key, const std::string& value) {
    ports::Transaction put;
    put.writes.push_back({ports::Write::Kind::kPut, key, value, 0});
    const auto result = client.Commit(put);
    ASSERT_TRUE(result) << result.error().Text();
    EXPECT_TRUE(result->is_committed);
  }
  std::vector<model::KeyValue> Keys(const std::string& container) {
    const auto range = engine_->Etcd().GetPrefix(container, "", ports::KeysOnly::kNo, 0);
    EXPECT_TRUE(range) << range.error().Text();
    return range ? range->kvs : std::vector<model::KeyValue>{};
  }
  std::string Exec(const std::string& container, const std::vector<std::string>& argv) {
    const auto result = engine_->Docker().Exec(container, argv, {}, Millis(20'000));
    EXPECT_TRUE(result) << result.error().Text();
    return result ? result->out : "";
  }
  std::unique_ptr<EngineUnderTest> engine_;
};

TEST_P(EtcdWaysContract, ItLeadsToTheSameKeys) {
  const std::string container = Started();
  const auto client = Of(container);
  ASSERT_NE(client, nullptr);
  EXPECT_TRUE(Keys(container).empty());
  Put(*client, "a", "1");
  engine_->Put(container, "b", "2");
  ASSERT_EQ(Keys(container).size(), 2U);
  const auto page = client->GetPage({"a", model::EndOfPrefix("")});
  ASSERT_TRUE(page) << page.error().Text();
  EXPECT_EQ(page->kvs, Keys(container));
}

TEST_P(EtcdWaysContract, OneThatDoesNotRunHasNone) {
  const std::string container = Started();
  ASSERT_TRUE(engine_->Docker().Stop({container}, Millis(5000)));
  EXPECT_EQ(engine_->EtcdClients().Of(container).error().code, ErrorCode::kEtcdUnreachable);
  EXPECT_EQ(engine_->EtcdClients().Of(engine_->Name("nobody")).error().code,
            ErrorCode::kContainerGone);
}

TEST_P(EtcdWaysContract, OneThatGoesAwayDoesNotAnswer) {
  const std::string container = Started();
  const auto client = Of(container);
  ASSERT_TRUE(engine_->Docker().Stop({container}, Millis(5000)));
  EXPECT_EQ(client->GetPage({"a", ""}).error().code, ErrorCode::kEtcdUnreachable);
}

// --- What only a real engine can tell. ---

class RealEtcdWays : public EtcdWaysContract {};

TEST_P(RealEtcdWays, ThatOfTheContainersAddressIsTakenAndNoLeaseStays) {
  const std::string container = Started();
  const auto client = Of(container);
  const auto found = engine_->Docker().Inspect({container});
  const std::string address = found->front()->network_ips.begin()->second;
  EXPECT_NE(client->Name().find(address + ":2379"), std::string::npos) << client->Name();
  EXPECT_TRUE(client->ComparesRanges());
  EXPECT_EQ(Exec(container, {"etcdctl", "lease", "list"}), "found 0 leases\n");
}

TEST_P(RealEtcdWays, AnAddressWhereAnotherEtcdAnswersIsNotBelieved) {
  // In one container: etcdctl meets the first, whoever comes from outside the second, which is of
  // the same name and cluster.
  const std::string container = Started({"--listen-client-urls", "http://127.0.0.1:2379"});
  const auto found = engine_->Docker().Inspect({container});
  const std::string other = "http://" + found->front()->network_ips.begin()->second + ":2379";
  Exec(container,
       {"sh", "-c",
        "etcd --data-dir /other --listen-client-urls " + other + " --advertise-client-urls " +
            other + " --listen-peer-urls http://127.0.0.1:12380 >/dev/null 2>&1 &"});
  for (int i = 0; i < 100; ++i) {
    if (Exec(container, {"etcdctl", "--endpoints", other, "put", "here", "other"}) == "OK\n") break;
    engine_->Clock().Sleep(Millis(200));
  }
  const auto client = Of(container);
  EXPECT_EQ(client->Name(), "etcdctl in " + container);
  Put(*client, "here", "right");
  EXPECT_EQ(Exec(container, {"etcdctl", "get", "here"}), "here\nright\n");
  EXPECT_EQ(Exec(container, {"etcdctl", "--endpoints", other, "get", "here"}), "here\nother\n");
  EXPECT_EQ(Exec(container, {"etcdctl", "lease", "list"}), "found 0 leases\n");
}

TEST_P(RealEtcdWays, WhereNobodyAnswersItIsEtcdctl) {
  const std::string container = Started({"--listen-client-urls", "http://127.0.0.1:2379"});
  const auto client = Of(container);
  EXPECT_EQ(client->Name(), "etcdctl in " + container);
  Put(*client, "a", "1");
  EXPECT_EQ(Keys(container).size(), 1U);
}

TEST_P(RealEtcdWays, OneThatHasRestartedElsewhereIsFoundAgain) {
  const std::string container = Started();
  Put(*Of(container), "a", "1");
  ASSERT_TRUE(engine_->Docker().Kill(container));
  Started({}, "other");  // takes the address that is free now
  ASSERT_TRUE(engine_->Docker().Start({container}));
  WaitFor(container);
  const auto client = Of(container);
  const auto page = client->GetPage({"a", ""});
  ASSERT_TRUE(page) << page.error().Text();
  EXPECT_EQ(page->kvs.size(), 1U) << client->Name();
}

TEST_P(RealEtcdWays, WhereAUserIsGivenItIsEtcdctl) {
  const std::string container = Started();
  engine_->SetVariable("ETCDCTL_USER", "root");
  engine_->SetVariable("ETCDCTL_PASSWORD", "secret");
  EXPECT_EQ(Of(container)->Name(), "etcdctl in " + container);
}

// --- How often the proof is made. ---

// An engine where etcdctl grants a lease when it is told to, and no gateway answers.
class GrantingDocker final : public fakes::FakeDocker {
 public:
  using FakeDocker::FakeDocker;
  bool grants = false;
  int asked = 0;
  Result<ports::ExecResult> ExecWithInput(const std::string&, const std::vector<std::string>& argv,
                                          const std::map<std::string, std::string>&,
                                          const std::string&, Millis) override {
    if (std::find(argv.begin(), argv.end(), "grant") == argv.end()) return ports::ExecResult{};
    ++asked;
    if (!grants) return ports::ExecResult{1, "", "Error: context deadline exceeded"};
    return ports::ExecResult{0, R"({"ID":7587887000000000001,"ttl":60})", ""};
  }
};

TEST(EtcdWays, TheProofIsMadeOnceButAgainWhereEtcdDidNotAnswerOrHasRestarted) {
  fakes::Stage stage(fakes::kStandaloneFile);
  stage.Bring();
  const std::string etcd = "milvus-etcd";
  for (auto& [network, address] : stage.world.Find(etcd)->facts.network_ips) address = "127.9.9.9";
  GrantingDocker docker(stage.world);
  adapters::EtcdWays ways(docker, stage.files);
  const auto asked = [&] {
    docker.asked = 0;
    const auto client = ways.Of(etcd);
    EXPECT_TRUE(client);
    EXPECT_EQ((*client)->Name(), "etcdctl in " + etcd);
    return docker.asked;
  };
  EXPECT_EQ(asked(), 1);
  EXPECT_EQ(asked(), 1) << "nothing is known yet";
  docker.grants = true;
  EXPECT_EQ(asked(), 1);
  EXPECT_EQ(asked(), 0) << "its address leads nowhere, and that is known";
  stage.world.KillContainer(etcd);
  stage.clock.Advance(Millis(1000));
  ASSERT_TRUE(stage.world.StartContainer(etcd));
  EXPECT_EQ(asked(), 1) << "another process";
}

INSTANTIATE_TEST_SUITE_P(Engines, EtcdWaysContract, testing::ValuesIn(Engines()),
                         [](const auto& row) { return row.param.name; });
INSTANTIATE_TEST_SUITE_P(Engines, RealEtcdWays, testing::Values(Engines().back()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mu::contract
