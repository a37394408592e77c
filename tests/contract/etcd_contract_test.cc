// SPDX-License-Identifier: Apache-2.0
// What the product relies on of ports::Etcd, asked of the fake and of a real etcd in a container.
#include <gtest/gtest.h>

#include "contract/engine_under_test.h"

namespace mu::contract {
namespace {

using ports::KeysOnly;

class EtcdContract : public testing::TestWithParam<EngineRow> {
 protected:
  void SetUp() override {
    const std::string why_not = GetParam().make(&engine_);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    container_ = engine_->Name("etcd");
    Make make{container_};
    make.is_etcd = true;
    engine_->Create(make);
    ASSERT_TRUE(engine_->Docker().Start({container_}));
    for (int i = 0; i < 100 && !Etcd().Observe(container_); ++i)
      engine_->Clock().Sleep(Millis(100));
  }
  ports::Etcd& Etcd() { return engine_->Etcd(); }
  void Put(const std::string& key, const std::string& value, std::int64_t lease = 0) {
    engine_->Put(container_, key, value, lease);
  }
  model::KeyRange Get(const std::string& prefix, KeysOnly keys_only = KeysOnly::kNo,
                      std::int64_t revision = 0) {
    const auto range = Etcd().GetPrefix(container_, prefix, keys_only, revision);
    EXPECT_TRUE(range) << range.error().Text();
    return range ? *range : model::KeyRange{};
  }
  std::unique_ptr<EngineUnderTest> engine_;
  std::string container_;
};

TEST_P(EtcdContract, ObserveTellsOfAWellEtcd) {
  const auto status = Etcd().Observe(container_);
  ASSERT_TRUE(status) << status.error().Text();
  EXPECT_EQ(status->version, "3.5.1");
  EXPECT_EQ(status->members, 1);
  EXPECT_TRUE(status->alarms.empty());
  EXPECT_FALSE(status->is_auth_enabled);
  EXPECT_GT(status->db_bytes, 0);
}

TEST_P(EtcdContract, GetPrefixIsSortedAndExact) {
  Put("by-dev/meta/b", "2");
  Put("by-dev/meta/a", "1");
  Put("by-dev/metadata", "3");
  Put("by-dev2/meta/c", "4");
  const model::KeyRange range = Get("by-dev/meta/");
  ASSERT_EQ(range.kvs.size(), 2U);
  EXPECT_EQ(range.kvs[0].key, "by-dev/meta/a");
  EXPECT_EQ(range.kvs[0].value, "1");
  EXPECT_EQ(range.kvs[1].key, "by-dev/meta/b");
  EXPECT_LT(range.kvs[1].create_revision, range.kvs[0].create_revision);
  EXPECT_GE(range.revision, range.kvs[0].mod_revision);
  EXPECT_EQ(range.kvs[0].lease, 0);
  EXPECT_TRUE(Get("nobody/").kvs.empty());
  EXPECT_EQ(Get("").kvs.size(), 4U) << "an empty prefix is everything";
}

TEST_P(EtcdContract, KeysOnlyLeavesTheValuesOut) {
  Put("k/a", "a value");
  const model::KeyRange range = Get("k/", KeysOnly::kYes);
  ASSERT_EQ(range.kvs.size(), 1U);
  EXPECT_EQ(range.kvs[0].value, "");
  EXPECT_GT(range.kvs[0].mod_revision, 0);
}

TEST_P(EtcdContract, ValuesAreBytes) {
  const std::string bytes("\x01\xff\n\"\\\x7f\tend", 10);
  Put("k/bytes", bytes);
  EXPECT_EQ(Get("k/").kvs.at(0).value, bytes);
}

TEST_P(EtcdContract, AnOldRevisionHasTheOldValues) {
  Put("k/a", "old");
  const std::int64_t then = Get("k/").revision;
  Put("k/a", "new");
  Put("k/b", "later");
  const model::KeyRange old = Get("k/", KeysOnly::kNo, then);
  ASSERT_EQ(old.kvs.size(), 1U);
  EXPECT_EQ(old.kvs[0].value, "old");
  EXPECT_EQ(old.revision, then);
  EXPECT_EQ(Get("k/").kvs.size(), 2U);
  EXPECT_EQ(Get("k/").kvs[0].create_revision, old.kvs[0].create_revision);
  EXPECT_GT(Get("k/").kvs[0].mod_revision, old.kvs[0].mod_revision);
}

TEST_P(EtcdContract, ACompactedRevisionIsAnErrorThatSaysSo) {
  Put("k/a", "1");
  const std::int64_t then = Get("k/").revision;
  Put("k/a", "2");
  Put("k/a", "3");
  engine_->Compact(container_, Get("k/").revision);
  const auto range = Etcd().GetPrefix(container_, "k/", KeysOnly::kNo, then);
  ASSERT_FALSE(range);
  EXPECT_EQ(range.error().code, ErrorCode::kEtcdFailed);
  EXPECT_NE(range.error().message.find("compacted"), std::string::npos);
}

TEST_P(EtcdContract, LeasesAreReadInOrderWithTheirKeys) {
  const std::int64_t first = engine_->Grant(container_, 600);
  const std::int64_t second = engine_->Grant(container_, 60);
  Put("s/a", "1", second);
  Put("s/b", "2", second);
  EXPECT_EQ(Get("s/").kvs.at(0).lease, second) << "beyond 2^53, to the last digit";
  const auto leases = Etcd().ReadLeases(container_, {second, first});
  ASSERT_TRUE(leases) << leases.error().Text();
  ASSERT_EQ(leases->size(), 2U);
  EXPECT_EQ((*leases)[0].id, second);
  EXPECT_EQ((*leases)[0].granted_seconds, 60);
  EXPECT_LE((*leases)[0].ttl_seconds, 60);
  EXPECT_GT((*leases)[0].ttl_seconds, 30);
  EXPECT_EQ((*leases)[0].keys, (std::vector<std::string>{"s/a", "s/b"}));
  EXPECT_EQ((*leases)[1].id, first);
  EXPECT_TRUE((*leases)[1].keys.empty());
  EXPECT_TRUE(Etcd().ReadLeases(container_, {})->empty());
}

TEST_P(EtcdContract, TheTimeOfALeaseThatNobodyRenewsFalls) {
  const std::int64_t lease = engine_->Grant(container_, 60);
  const auto before = Etcd().ReadLeases(container_, {lease})->at(0).ttl_seconds;
  engine_->Clock().Sleep(Millis(1200));
  EXPECT_LT(Etcd().ReadLeases(container_, {lease})->at(0).ttl_seconds, before);
}

TEST_P(EtcdContract, RevokingTakesTheKeysAndMayBeRepeated) {
  const std::int64_t lease = engine_->Grant(container_, 600);
  const std::int64_t other = engine_->Grant(container_, 600);
  Put("s/a", "1", lease);
  Put("s/b", "2", other);
  Put("s/c", "3");
  ASSERT_TRUE(Etcd().RevokeLeases(container_, {lease}));
  const model::KeyRange left = Get("s/");
  ASSERT_EQ(left.kvs.size(), 2U);
  EXPECT_EQ(left.kvs[0].key, "s/b");
  EXPECT_EQ(Etcd().ReadLeases(container_, {lease})->at(0).ttl_seconds, -1);
  const Status again = Etcd().RevokeLeases(container_, {lease, other});
  EXPECT_TRUE(again) << again.error().Text();
  EXPECT_EQ(Get("s/").kvs.size(), 1U) << "the second of the two was revoked all the same";
}

TEST_P(EtcdContract, ASnapshotIsAFileWithItsHash) {
  Put("k/a", "1");
  const std::string file = engine_->Folder() + "/etcd.snap";
  const auto snapshot = Etcd().SaveSnapshot(container_, file);
  ASSERT_TRUE(snapshot) << snapshot.error().Text();
  EXPECT_EQ(engine_->Files().Sha256Of(file).value(), snapshot->sha256);
  const auto facts = engine_->Files().Stat(file).value();
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->bytes, snapshot->bytes);
  EXPECT_EQ(facts->mode & 0777, 0600U);
  EXPECT_GT(snapshot->revision, 0);
  EXPECT_EQ(Get("k/").kvs.size(), 1U) << "the live etcd is as before";
}

TEST_P(EtcdContract, AnUnknownOneIsGoneAndAStoppedOneDoesNotAnswer) {
  const std::string nobody = engine_->Name("nobody");
  EXPECT_EQ(Etcd().Observe(nobody).error().code, ErrorCode::kContainerGone);
  ASSERT_TRUE(engine_->Docker().Stop({container_}, Millis(5000)));
  constexpr ErrorCode kAway = ErrorCode::kEtcdUnreachable;
  EXPECT_EQ(Etcd().Observe(container_).error().code, kAway);
  EXPECT_EQ(Etcd().GetPrefix(container_, "", KeysOnly::kYes, 0).error().code, kAway);
  EXPECT_EQ(Etcd().ReadLeases(container_, {1}).error().code, kAway);
  EXPECT_EQ(Etcd().RevokeLeases(container_, {1}).error().code, kAway);
  const std::string file = engine_->Folder() + "/none.snap";
  EXPECT_FALSE(Etcd().SaveSnapshot(container_, file));
  EXPECT_FALSE(engine_->Files().Stat(file).value()) << "no half file is left";
}

TEST_P(EtcdContract, AContainerWithoutAServerIsUnreachable) {
  Make make{engine_->Name("idle"), true};
  engine_->Create(make);
  ASSERT_TRUE(engine_->Docker().Start({make.name}));
  const auto status = Etcd().Observe(make.name);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kEtcdUnreachable) << status.error().Text();
}

INSTANTIATE_TEST_SUITE_P(Engines, EtcdContract, testing::ValuesIn(Engines()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace mu::contract
