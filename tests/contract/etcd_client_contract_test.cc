// SPDX-License-Identifier: Apache-2.0
// What the product relies on of ports::EtcdClient, asked of the fake and of every adapter with real
// servers behind it. What only a real server can do is in etcd_gateway_contract_test.cc.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>

#include "adapters/etcdctl_client.h"
#include "adapters/system_clock.h"
#include "contract/engines.h"
#include "contract/real_etcd.h"
#include "fakes/fake_etcd_client.h"
#include "fakes/hand_clock.h"

namespace mu::contract {
namespace {

using ports::Compare;
using ports::KeyPage;
using ports::PageQuery;
using ports::Transaction;
using ports::Write;

constexpr char kSmallQuota[] = "--quota-backend-bytes=8388608";

class EtcdUnderTest {
 public:
  virtual ~EtcdUnderTest() = default;
  virtual ports::EtcdClient& Client() = 0;
  virtual ports::Clock& Clock() = 0;
  virtual std::string Version() = 0;
  virtual void Compact(std::int64_t revision) = 0;
  // Where the fake cannot be written full.
  virtual void UseUpSpace() {}
};

class Fake final : public EtcdUnderTest {
 public:
  ports::EtcdClient& Client() override { return client_; }
  ports::Clock& Clock() override { return clock_; }
  std::string Version() override { return "3.5.1"; }
  void Compact(std::int64_t revision) override { store_.Compact(revision); }
  void UseUpSpace() override { client_.has_no_space = true; }

 private:
  fakes::EtcdStore store_;
  fakes::HandClock clock_;
  fakes::FakeEtcdClient client_{store_, clock_};
};

class Gateway final : public EtcdUnderTest {
 public:
  explicit Gateway(EtcdRelease release)
      : release_(release), etcd_(StartedEtcd(release, {kSmallQuota})) {
    adapters::GatewayOptions options;
    options.endpoints = {etcd_->Endpoint()};
    client_ = GatewayTo(options);
  }
  ports::EtcdClient& Client() override { return *client_; }
  ports::Clock& Clock() override { return clock_; }
  std::string Version() override { return VersionOf(release_); }
  void Compact(std::int64_t revision) override {
    etcd_->Etcdctl({"compact", std::to_string(revision)});
  }

 private:
  EtcdRelease release_;
  std::unique_ptr<RealEtcd> etcd_;
  std::unique_ptr<ports::EtcdClient> client_;
  adapters::SystemClock clock_;
};

class EtcdctlInContainer final : public EtcdUnderTest {
 public:
  explicit EtcdctlInContainer(std::unique_ptr<EngineUnderTest> engine)
      : engine_(std::move(engine)), container_(engine_->Name("etcd")) {
    Make make{container_};
    make.is_etcd = true;
    make.etcd_flags = {kSmallQuota};
    engine_->Create(make);
    if (const Status started = engine_->Docker().Start({container_}); !started)
      throw std::runtime_error(started.error().Text());
    WaitUntilItAnswers(client_);
  }
  ports::EtcdClient& Client() override { return client_; }
  ports::Clock& Clock() override { return engine_->Clock(); }
  std::string Version() override { return "3.5.1"; }
  void Compact(std::int64_t revision) override { engine_->Compact(container_, revision); }

 private:
  std::unique_ptr<EngineUnderTest> engine_;
  std::string container_;
  adapters::EtcdctlClient client_{engine_->Docker(), engine_->Files(), container_};
};

struct Row {
  std::string name;
  // nullptr: there is no engine, and *why_not tells.
  std::function<std::unique_ptr<EtcdUnderTest>(std::string* why_not)> make;
};

std::unique_ptr<EtcdUnderTest> MakeEtcdctl(std::string* why_not) {
  std::unique_ptr<EngineUnderTest> engine;
  *why_not = MakeRealEngine(&engine);
  if (engine == nullptr) return nullptr;
  return std::make_unique<EtcdctlInContainer>(std::move(engine));
}

Write Put(std::string key, std::string value, std::int64_t lease = 0) {
  return {Write::Kind::kPut, std::move(key), std::move(value), lease};
}
Write Delete(std::string key) { return {Write::Kind::kDelete, std::move(key), "", 0}; }
PageQuery Under(const std::string& prefix) {
  PageQuery query;
  query.start = prefix;
  query.end = model::EndOfPrefix(prefix);
  return query;
}

class EtcdClientContract : public testing::TestWithParam<Row> {
 protected:
  void SetUp() override {
    std::string why_not;
    etcd_ = GetParam().make(&why_not);
    if (etcd_ == nullptr) GTEST_SKIP() << why_not;
  }
  ports::EtcdClient& Client() { return etcd_->Client(); }
  std::int64_t Commit(std::vector<Write> writes) {
    const auto result = Client().Commit({{}, std::move(writes)});
    EXPECT_TRUE(result) << result.error().Text();
    EXPECT_TRUE(result && result->is_committed);
    return result ? result->revision : 0;
  }
  KeyPage Page(const PageQuery& query) {
    const auto page = Client().GetPage(query);
    EXPECT_TRUE(page) << page.error().Text();
    return page ? *page : KeyPage{};
  }
  std::vector<std::string> Keys(const PageQuery& query) {
    std::vector<std::string> keys;
    for (const model::KeyValue& kv : Page(query).kvs) keys.push_back(kv.key);
    return keys;
  }
  // Whether a put of k/done goes through under this condition.
  bool Holds(const Compare& compare) {
    const auto result = Client().Commit({{compare}, {Put("k/done", "1")}});
    EXPECT_TRUE(result) << result.error().Text();
    return result && result->is_committed;
  }
  std::unique_ptr<EtcdUnderTest> etcd_;
};
using Texts = std::vector<std::string>;

TEST_P(EtcdClientContract, ObserveTellsOfAWellEtcd) {
  const auto status = Client().Observe();
  ASSERT_TRUE(status) << status.error().Text();
  EXPECT_EQ(status->version, etcd_->Version());
  EXPECT_EQ(status->members, 1);
  EXPECT_TRUE(status->alarms.empty());
  EXPECT_FALSE(status->is_auth_enabled);
  EXPECT_GT(status->db_bytes, 0);
  EXPECT_FALSE(Client().Name().empty());
}

TEST_P(EtcdClientContract, PagesCoverARangeInOrderAndNothingBesideIt) {
  std::vector<Write> writes = {Put("by-dev/meta2", "a"), Put("by-dev/metadata", "b"),
                               Put("by-dev/met", "c")};
  for (int i = 25; i > 0; --i)
    writes.push_back(Put("by-dev/meta/" + std::to_string(100 + i), std::to_string(i)));
  const std::int64_t revision = Commit(writes);
  PageQuery query = Under("by-dev/meta/");
  query.limit = 10;
  std::vector<std::string> keys;
  for (const std::size_t expected : {10U, 10U, 5U}) {
    const KeyPage page = Page(query);
    EXPECT_EQ(page.kvs.size(), expected);
    EXPECT_EQ(page.has_more, expected == 10);
    EXPECT_EQ(page.revision, revision);
    for (const model::KeyValue& kv : page.kvs) keys.push_back(kv.key);
    query.start = keys.back() + '\0';
  }
  ASSERT_EQ(keys.size(), 25U);
  for (int i = 1; i <= 25; ++i)
    EXPECT_EQ(keys[static_cast<std::size_t>(i - 1)], "by-dev/meta/" + std::to_string(100 + i));
  EXPECT_FALSE(Page(query).has_more);
  EXPECT_TRUE(Keys(query).empty());
}

TEST_P(EtcdClientContract, ExactlyAsManyAsTheLimitLeaveNothing) {
  Commit({Put("k/a", "1"), Put("k/b", "2")});
  PageQuery query = Under("k/");
  query.limit = 2;
  EXPECT_FALSE(Page(query).has_more);
  query.limit = 1;
  EXPECT_TRUE(Page(query).has_more);
}

TEST_P(EtcdClientContract, OneKeyIsARangeToo) {
  Commit({Put("k/a", "1"), Put("k/ab", "2")});
  PageQuery query;
  query.start = "k/a";
  EXPECT_EQ(Keys(query), Texts{"k/a"});
  query.start = "k/nobody";
  EXPECT_TRUE(Keys(query).empty());
}

TEST_P(EtcdClientContract, TheRangeFromNothingIsEverything) {
  Commit({Put("\x01", "1"), Put("k", "2"), Put("\xff\xff", "3")});
  PageQuery query;
  query.end = model::EndOfPrefix("");
  EXPECT_EQ(Keys(query), (Texts{"\x01", "k", "\xff\xff"}));
  query.limit = 2;
  EXPECT_TRUE(Page(query).has_more);
  query.start = "k";
  EXPECT_EQ(Keys(query), (Texts{"k", "\xff\xff"}));
}

TEST_P(EtcdClientContract, KeysOnlyLeavesTheValuesOut) {
  Commit({Put("k/a", "a value")});
  PageQuery query = Under("k/");
  query.keys_only = true;
  const KeyPage page = Page(query);
  ASSERT_EQ(page.kvs.size(), 1U);
  EXPECT_EQ(page.kvs[0].value, "");
  EXPECT_GT(page.kvs[0].mod_revision, 0);
}

TEST_P(EtcdClientContract, PagesOfOneRevisionAreOfOneMoment) {
  const std::int64_t then = Commit({Put("k/a", "1"), Put("k/b", "1"), Put("k/c", "1")});
  PageQuery query = Under("k/");
  query.revision = then;
  query.limit = 1;
  EXPECT_EQ(Page(query).kvs.at(0).value, "1");
  Commit({Put("k/b", "2"), Delete("k/c"), Put("k/d", "2")});
  query.start = "k/b";
  query.limit = 0;
  const KeyPage page = Page(query);
  ASSERT_EQ(page.kvs.size(), 2U);
  EXPECT_EQ(page.kvs[0].value, "1");
  EXPECT_EQ(page.kvs[0].mod_revision, then);
  EXPECT_EQ(page.kvs[1].key, "k/c");
  EXPECT_EQ(page.revision, then);
  EXPECT_GT(Page(Under("k/")).revision, then);
}

TEST_P(EtcdClientContract, ACompactedRevisionIsItsOwnError) {
  const std::int64_t then = Commit({Put("k/a", "1")});
  Commit({Put("k/a", "2")});
  const std::int64_t now = Commit({Put("k/a", "3")});
  etcd_->Compact(now);
  PageQuery query = Under("k/");
  query.revision = then;
  const auto page = Client().GetPage(query);
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, ErrorCode::kEtcdCompacted) << page.error().Text();
  query.revision = now;
  EXPECT_EQ(Page(query).kvs.at(0).value, "3") << "the revision of the compaction is still there";
  query.revision = now + 1000;
  const auto future = Client().GetPage(query);
  ASSERT_FALSE(future);
  EXPECT_EQ(future.error().code, ErrorCode::kEtcdFailed) << future.error().Text();
}

TEST_P(EtcdClientContract, KeysAndValuesAreBytes) {
  std::string every;
  for (int i = 0; i < 256; ++i) every += static_cast<char>(i);
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"k/0 empty", ""},
      {"k/1 every", every},
      {"k/2 -looks --like=flags", "--lease=12"},
      {"k/3 'quotes' \"and\" \\back", "' \" \\ \\x00 \\n ` $HOME"},
      {"k/4 line\nbreak\ttab", "\n\nput k v\n\n"},
      {"k/5 \xff\xfe\x80 no UTF-8", "\xc3\x28\xff"},
      {"k/6 \xc3\xa9 UTF-8", "\xe2\x82\xac \xf0\x9f\x90\xa6"},
      {"k/7 " + every, "\r\n\r\n"},
      {"k/8", "   blanks   "},
  };
  std::vector<Write> writes;
  for (const auto& [key, value] : rows) writes.push_back(Put(key, value));
  Commit(writes);
  const KeyPage page = Page(Under("k/"));
  ASSERT_EQ(page.kvs.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(page.kvs[i].key, rows[i].first);
    EXPECT_EQ(page.kvs[i].value, rows[i].second) << rows[i].first;
    Compare compare;
    compare.key = rows[i].first;
    compare.field = Compare::Field::kValue;
    compare.value = rows[i].second;
    EXPECT_TRUE(Holds(compare)) << rows[i].first;
    compare.value += "x";
    EXPECT_FALSE(Holds(compare)) << rows[i].first;
  }
  std::vector<Write> deletes;
  for (const auto& [key, value] : rows) deletes.push_back(Delete(key));
  Commit(deletes);
  EXPECT_EQ(Keys(Under("k/")), Texts{"k/done"});
}

TEST_P(EtcdClientContract, ATransactionHasOneRevision) {
  Commit({Put("k/old", "1")});
  const std::int64_t revision =
      Commit({Put("k/a", "1"), Put("k/b", "2"), Delete("k/old"), Delete("k/nobody")});
  const KeyPage page = Page(Under("k/"));
  ASSERT_EQ(page.kvs.size(), 2U);
  EXPECT_EQ(page.revision, revision);
  for (const model::KeyValue& kv : page.kvs) {
    EXPECT_EQ(kv.create_revision, revision);
    EXPECT_EQ(kv.mod_revision, revision);
  }
}

TEST_P(EtcdClientContract, ADeleteOfNothingIsASuccess) {
  const std::int64_t revision = Commit({Put("k/a", "1")});
  EXPECT_EQ(Commit({Delete("k/nobody")}), revision);
}

TEST_P(EtcdClientContract, EachFieldIsCompared) {
  const std::int64_t created = Commit({Put("k/a", "1")});
  const std::int64_t modified = Commit({Put("k/a", "2")});
  using F = Compare::Field;
  EXPECT_TRUE(Holds({"k/a", "", F::kValue, 0, "2"}));
  EXPECT_FALSE(Holds({"k/a", "", F::kValue, 0, "1"}));
  EXPECT_TRUE(Holds({"k/a", "", F::kModRevision, modified, ""}));
  EXPECT_FALSE(Holds({"k/a", "", F::kModRevision, created, ""}));
  EXPECT_TRUE(Holds({"k/a", "", F::kCreateRevision, created, ""}));
  EXPECT_FALSE(Holds({"k/a", "", F::kCreateRevision, modified, ""}));
  EXPECT_TRUE(Holds({"k/a", "", F::kVersion, 2, ""}));
  EXPECT_FALSE(Holds({"k/a", "", F::kVersion, 1, ""}));
}

TEST_P(EtcdClientContract, AnAbsentKeyHasZeroInEveryNumberAndNoValue) {
  using F = Compare::Field;
  for (const F field : {F::kModRevision, F::kCreateRevision, F::kVersion}) {
    EXPECT_TRUE(Holds({"k/nobody", "", field, 0, ""}));
    EXPECT_FALSE(Holds({"k/nobody", "", field, 1, ""}));
  }
  EXPECT_FALSE(Holds({"k/nobody", "", F::kValue, 0, ""}));
  Commit({Put("k/gone", "1")});
  Commit({Delete("k/gone")});
  EXPECT_TRUE(Holds({"k/gone", "", F::kVersion, 0, ""})) << "deleted is absent";
  Commit({Put("k/gone", "1")});
  EXPECT_TRUE(Holds({"k/gone", "", F::kVersion, 1, ""})) << "and a new one starts anew";
}

TEST_P(EtcdClientContract, ALeaseIsCompared) {
  const auto lease = Client().GrantLease(600);
  ASSERT_TRUE(lease) << lease.error().Text();
  Commit({Put("k/a", "1", *lease), Put("k/b", "1")});
  const Compare compare{"k/a", "", Compare::Field::kLease, *lease, ""};
  if (!Client().ComparesRanges()) {
    EXPECT_EQ(Client().Commit({{compare}, {}}).error().code, ErrorCode::kEtcdFailed);
    return;
  }
  EXPECT_TRUE(Holds(compare));
  EXPECT_FALSE(Holds({"k/b", "", Compare::Field::kLease, *lease, ""}));
  EXPECT_TRUE(Holds({"k/b", "", Compare::Field::kLease, 0, ""}));
}

TEST_P(EtcdClientContract, ARangeIsComparedWholeAndWithTheWritesAtOnce) {
  const Compare is_empty{"s/", model::EndOfPrefix("s/"), Compare::Field::kVersion, 0, ""};
  if (!Client().ComparesRanges()) {
    const auto refused = Client().Commit({{is_empty}, {Put("k/done", "1")}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kEtcdFailed);
    EXPECT_TRUE(Keys(Under("k/")).empty());
    return;
  }
  Commit({Put("s", "1"), Put("s0", "1")});  // both just outside
  const std::int64_t revision = Client().Commit({{is_empty}, {Put("s/a", "1")}})->revision;
  EXPECT_EQ(Keys(Under("s/")), Texts{"s/a"});
  const auto again = Client().Commit({{is_empty}, {Put("s/b", "1"), Delete("s/a")}});
  ASSERT_TRUE(again) << again.error().Text();
  EXPECT_FALSE(again->is_committed);
  EXPECT_EQ(again->revision, revision) << "nothing was written";
  EXPECT_EQ(Keys(Under("s/")), Texts{"s/a"});
}

TEST_P(EtcdClientContract, OneConditionThatDoesNotHoldWritesNothing) {
  const std::int64_t revision = Commit({Put("k/a", "1")});
  const auto result = Client().Commit({{{"k/a", "", Compare::Field::kModRevision, revision, ""},
                                        {"k/b", "", Compare::Field::kVersion, 7, ""}},
                                       {Put("k/c", "1"), Delete("k/a")}});
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_FALSE(result->is_committed);
  EXPECT_EQ(result->revision, revision);
  EXPECT_EQ(Keys(Under("k/")), Texts{"k/a"});
}

TEST_P(EtcdClientContract, TakesAHundredAndTwentyEightAndNotOneMore) {
  std::vector<Write> writes;
  std::vector<Compare> compares;
  for (int i = 0; i < 128; ++i) {
    const std::string key = "k/" + std::to_string(1000 + i);
    writes.push_back(Put(key, "1"));
    compares.push_back({key, "", Compare::Field::kVersion, 0, ""});
  }
  const auto result = Client().Commit({compares, writes});
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_TRUE(result->is_committed);
  EXPECT_EQ(Keys(Under("k/")).size(), 128U);
  writes.push_back(Put("k/2000", "1"));
  const auto refused = Client().Commit({{}, writes});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kEtcdFailed);
  EXPECT_NE(refused.error().message.find("too many operations"), std::string::npos)
      << refused.error().Text();
  EXPECT_EQ(Keys(Under("k/")).size(), 128U);
}

TEST_P(EtcdClientContract, RefusesMoreThanAnEtcdTakesAtOnce) {
  Commit({Put("k/a", std::string(1u << 20, 'x'))});
  EXPECT_EQ(Page(Under("k/")).kvs.at(0).value.size(), 1u << 20);
  for (const std::size_t bytes : {std::size_t{1'700'000}, std::size_t{4'000'000}}) {
    const auto refused = Client().Commit({{}, {Put("k/b", std::string(bytes, 'x'))}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kEtcdFailed);
    const std::string& words = refused.error().message;
    EXPECT_TRUE(words.find("too large") != std::string::npos ||
                words.find("larger than max") != std::string::npos)
        << words;
  }
  EXPECT_EQ(Keys(Under("k/")), Texts{"k/a"});
}

TEST_P(EtcdClientContract, RefusesTheSameKeyTwice) {
  const auto refused = Client().Commit({{}, {Put("k/a", "1"), Put("k/a", "2")}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kEtcdFailed) << refused.error().Text();
}

TEST_P(EtcdClientContract, ALeaseHoldsItsKeysAndTakesThemAlong) {
  const auto lease = Client().GrantLease(600);
  ASSERT_TRUE(lease) << lease.error().Text();
  Commit({Put("s/b", "1", *lease), Put("s/a", "1", *lease), Put("s/c", "1")});
  EXPECT_EQ(Page(Under("s/a")).kvs.at(0).lease, *lease) << "beyond 2^53, to the last digit";
  const auto read = Client().ReadLease(*lease);
  ASSERT_TRUE(read) << read.error().Text();
  EXPECT_EQ(read->id, *lease);
  EXPECT_EQ(read->granted_seconds, 600);
  EXPECT_LE(read->ttl_seconds, 600);
  EXPECT_GT(read->ttl_seconds, 500);
  EXPECT_EQ(read->keys, (Texts{"s/a", "s/b"}));
  const Status revoked = Client().RevokeLease(*lease);
  EXPECT_TRUE(revoked) << revoked.error().Text();
  EXPECT_EQ(Keys(Under("s/")), Texts{"s/c"});
  const Status again = Client().RevokeLease(*lease);
  EXPECT_TRUE(again) << again.error().Text();
}

TEST_P(EtcdClientContract, ALeaseThatIsGoneIsToldFromOneThatLives) {
  const auto lease = Client().GrantLease(600);
  ASSERT_TRUE(lease) << lease.error().Text();
  const Status alive = Client().KeepAlive(*lease);
  EXPECT_TRUE(alive) << alive.error().Text();
  ASSERT_TRUE(Client().RevokeLease(*lease));
  const Status gone = Client().KeepAlive(*lease);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kEtcdFailed) << gone.error().Text();
  const auto read = Client().ReadLease(*lease);
  ASSERT_TRUE(read) << read.error().Text();
  EXPECT_EQ(read->ttl_seconds, -1);
  const auto put = Client().Commit({{}, {Put("s/a", "1", *lease)}});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kEtcdFailed) << put.error().Text();
  EXPECT_TRUE(Keys(Under("s/")).empty());
}

TEST_P(EtcdClientContract, OnlyALeaseThatIsKeptAliveLives) {
  const auto kept = Client().GrantLease(3);
  const auto left = Client().GrantLease(3);
  ASSERT_TRUE(kept && left);
  Commit({Put("s/kept", "1", *kept), Put("s/left", "1", *left)});
  for (int i = 0; i < 6; ++i) {
    etcd_->Clock().Sleep(Millis(1000));
    EXPECT_TRUE(Client().KeepAlive(*kept));
  }
  EXPECT_EQ(Keys(Under("s/")), Texts{"s/kept"});
}

TEST_P(EtcdClientContract, WithoutSpaceItTakesNoPutsAndIsStillRead) {
  Commit({Put("k/a", "1")});
  etcd_->UseUpSpace();
  Result<ports::TransactionResult> put;
  for (int i = 0; i < 40; ++i) {
    put = Client().Commit({{}, {Put("fill/" + std::to_string(i), std::string(1'000'000, 'x'))}});
    if (!put) break;
  }
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kEtcdNoSpace) << put.error().Text();
  const auto small = Client().Commit({{}, {Put("k/b", "1")}});
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().code, ErrorCode::kEtcdNoSpace) << small.error().Text();
  EXPECT_EQ(Client().Observe()->alarms, Texts{"NOSPACE"});
  const auto lease = Client().GrantLease(60);
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code, ErrorCode::kEtcdNoSpace) << lease.error().Text();
  EXPECT_EQ(Keys(Under("k/")), Texts{"k/a"});
  // 3.4 still deletes, 3.5 refuses that as well.
  const auto deleted = Client().Commit({{}, {Delete("k/a")}});
  EXPECT_TRUE(deleted || deleted.error().code == ErrorCode::kEtcdNoSpace) << deleted.error().Text();
}

TEST_P(EtcdClientContract, AMemberAloneHasAHashThatChangesWithTheKeys) {
  const std::int64_t first = Commit({Put("k/a", "1")});
  const std::int64_t second = Commit({Put("k/a", "2")});
  const auto then = Client().HashMembers(first);
  const auto now = Client().HashMembers(second);
  ASSERT_TRUE(then) << then.error().Text();
  ASSERT_TRUE(now) << now.error().Text();
  ASSERT_EQ(now->size(), 1U);
  EXPECT_EQ(now->at(0).name, "default");
  EXPECT_EQ(now->at(0).version, etcd_->Version());
  EXPECT_NE(now->at(0).hash, then->at(0).hash);
  EXPECT_EQ(Client().HashMembers(first)->at(0).hash, then->at(0).hash);
}

INSTANTIATE_TEST_SUITE_P(
    Clients, EtcdClientContract,
    testing::Values(
        Row{"Fake", [](std::string*) { return std::make_unique<Fake>(); }},
        Row{"Gateway34", [](std::string*) { return std::make_unique<Gateway>(EtcdRelease::k34); }},
        Row{"Gateway35", [](std::string*) { return std::make_unique<Gateway>(EtcdRelease::k35); }},
        Row{"Etcdctl35", MakeEtcdctl}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mu::contract
