// SPDX-License-Identifier: Apache-2.0
// A migration in an etcd of three real members: well, one down, one with other keys.
#include "contract/etcd_kinds.h"
#include "migrate/milvus_in_etcd.h"
#include "milvus_upgrade/base/text.h"

namespace mu::migrate {
namespace {

using contract::Cluster;
using contract::EtcdRelease;

Connect ToAll(const Cluster& cluster) {
  return [options = cluster.options] { return contract::GatewayTo(options); };
}

TEST(Members, OfOneMindAreMigratedAndTheirVersionIsWarnedOf) {
  const Cluster cluster(EtcdRelease::k35);
  MilvusInEtcd milvus(ToAll(cluster), "by-dev", Real21());
  const auto outcome = milvus.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(milvus.Inside(), milvus.after);
  const std::string notes = Join(milvus.notes.notes, "\n");
  EXPECT_TRUE(Has(notes, "3.5.1 of m0, 3.5.1 of m1, 3.5.1 of m2")) << notes;
  EXPECT_TRUE(Has(notes, "data inconsistency")) << notes;
}

TEST(Members, OneThatIsDownIsNamedAndTheOthersAreMigrated) {
  const Cluster cluster(EtcdRelease::k34);
  MilvusInEtcd milvus(ToAll(cluster), "by-dev", Real21());
  cluster.etcds[2]->Kill();
  const auto outcome = milvus.Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(milvus.Inside(), milvus.after);
  const std::string notes = Join(milvus.notes.notes, "\n");
  EXPECT_TRUE(Has(notes, "m2")) << notes;
  EXPECT_FALSE(Has(notes, "data inconsistency")) << notes;
}

// What the bug of 3.5.0 to 3.5.2 leaves behind: one member of the same revision with another value.
TEST(Members, ThatHoldDifferentKeysAreRefusedByName) {
  const contract::TemporaryFolder folder;
  const Keys real = Real21();
  std::vector<std::string> snapshots;
  for (const char* value : {"1", "1", "2"}) {
    const auto etcd = contract::StartedEtcd(EtcdRelease::k35);
    MilvusInEtcd milvus(To(*etcd), "by-dev", real);
    milvus.Put("by-dev/meta/root-coord/credential/users/x", value);
    snapshots.push_back(folder.Path() + "/" + std::to_string(snapshots.size()));
    etcd->Etcdctl({"snapshot", "save", snapshots.back()});
  }
  const Cluster cluster(EtcdRelease::k35, snapshots);
  MilvusInEtcd milvus(ToAll(cluster), "beside", real);
  milvus.options.scope.root = "by-dev";
  const Keys before = milvus.Inside();
  EXPECT_EQ(before.size(), real.size() + 1);
  for (const bool is_run : {true, false}) {
    const auto outcome =
        is_run ? milvus.Run() : milvus.Process([](Migrator& m) { return m.Rehearse(); });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::kEtcdFailed) << outcome.error().Text();
    for (const char* name : {"m0", "m1", "m2"})
      EXPECT_TRUE(Has(outcome.error().message, name)) << outcome.error().Text();
  }
  EXPECT_FALSE(milvus.HasBackup());
  EXPECT_EQ(milvus.Inside().size(), before.size());
}

}  // namespace
}  // namespace mu::migrate
