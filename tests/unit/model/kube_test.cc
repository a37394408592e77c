// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/model/kube.h"

#include <gtest/gtest.h>

namespace mu::model {
namespace {

TEST(KubeObjects, TellsWhoseReplicaSetsAndPodsTheyAre) {
  KubeObjects objects;
  Deployment deployment;
  deployment.meta.name = "my-release-milvus-proxy";
  deployment.meta.uid = "d";
  objects.deployments = {deployment};
  for (const auto& [uid, owner, revision] :
       {std::tuple("old", "d", 1), std::tuple("new", "d", 2), std::tuple("foreign", "e", 3)}) {
    ReplicaSet replica_set;
    replica_set.meta.uid = uid;
    replica_set.meta.owner_uid = owner;
    replica_set.revision = revision;
    objects.replica_sets.push_back(replica_set);
  }
  for (const auto& [name, owner] : {std::pair("a", "old"), std::pair("b", "new")}) {
    Pod pod;
    pod.meta.name = name;
    pod.meta.owner_uid = owner;
    objects.pods.push_back(pod);
  }

  const Deployment* found = objects.FindDeployment("my-release-milvus-proxy");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(objects.FindDeployment("another"), nullptr);
  const auto sets = objects.ReplicaSetsOf(*found);
  ASSERT_EQ(sets.size(), 2U);
  EXPECT_EQ(sets[0]->meta.uid, "new");
  ASSERT_EQ(objects.PodsOf(*sets[1]).size(), 1U);
  EXPECT_EQ(objects.PodsOf(*sets[1])[0]->meta.name, "a");
}

TEST(ConfigMap, HashTellsKeysFromValues) {
  ConfigMap one;
  one.data = {{"a", "b"}, {"c", "d"}};
  ConfigMap other;
  other.data = {{"a", "bcd"}};
  EXPECT_EQ(one.DataHash(), ConfigMap(one).DataHash());
  EXPECT_NE(one.DataHash(), other.DataHash());
  other.data = {{"a", "b"}, {"c", ""}};
  EXPECT_NE(one.DataHash(), other.DataHash());
}

TEST(Quantity, IsReadInThousandths) {
  EXPECT_EQ(QuantityMillis("500m"), 500);
  EXPECT_EQ(QuantityMillis("2"), 2000);
  EXPECT_EQ(QuantityMillis("0.5"), 500);
  EXPECT_EQ(QuantityMillis("1Gi"), 1000ll << 30);
  EXPECT_EQ(QuantityMillis("1e3"), 1'000'000);
  EXPECT_EQ(QuantityMillis("3k"), 3'000'000);
  EXPECT_FALSE(QuantityMillis(""));
  EXPECT_FALSE(QuantityMillis("many"));
  EXPECT_FALSE(QuantityMillis("-1"));
  EXPECT_FALSE(QuantityMillis("1Zi"));
  EXPECT_FALSE(QuantityMillis("999999Ti"));
}

TEST(Selector, WantsEachOfItsLabels) {
  EXPECT_TRUE(Matches({}, {{"a", "1"}}));
  EXPECT_TRUE(Matches({{"a", "1"}}, {{"a", "1"}, {"b", "2"}}));
  EXPECT_FALSE(Matches({{"a", "1"}, {"c", "3"}}, {{"a", "1"}}));
  EXPECT_FALSE(Matches({{"a", "2"}}, {{"a", "1"}}));
}

}  // namespace
}  // namespace mu::model
