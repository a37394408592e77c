// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/meta/judge.h"

#include "unit/meta/real_data.h"

namespace mu::meta {
namespace {

Judgement Judge(const Keys& before, const Keys& after) {
  auto judgement = JudgeMigration(Listed(before), Listed(after), kScope);
  EXPECT_TRUE(judgement) << judgement.error().Text();
  return judgement.value_or(Judgement{});
}

Keys Migrated() {
  Keys keys = RealKeys("etcd-2.1.jsonl");
  const auto changes = Convert(keys);
  EXPECT_TRUE(changes);
  Apply(*changes, &keys);
  return keys;
}

TEST(Judge, TheRealToolsOwnResultIsRight) {
  const Judgement judgement = Judge(RealKeys("etcd-2.1.jsonl"), RealKeys("etcd-2.2.jsonl"));
  EXPECT_TRUE(judgement.IsRight()) << judgement.problems[0];
  EXPECT_TRUE(judgement.remarks.empty()) << judgement.remarks[0];
  EXPECT_EQ(judgement.summary.collections, 7);
}

TEST(Judge, WhatWasNotMigratedIsNotRight) {
  const Keys before = RealKeys("etcd-2.1.jsonl");
  EXPECT_FALSE(Judge(before, before).IsRight());
  EXPECT_FALSE(Judge(before, {}).IsRight());
}

// Each key that is lost, each that is spoilt, each that is left: one by one.
TEST(Judge, EachKeyCounts) {
  const Keys before = RealKeys("etcd-2.1.jsonl");
  const Keys right = Migrated();
  ASSERT_TRUE(Judge(before, right).IsRight());
  for (const auto& [key, value] : right) {
    if (!kScope.Holds(key) || key.starts_with(kScope.Sessions())) continue;
    Keys lost = right;
    lost.erase(key);
    Keys spoilt = right;
    spoilt[key] += "x";
    for (const Keys& wrong : {lost, spoilt}) {
      const Judgement judgement = Judge(before, wrong);
      const auto& told =
          key.find("-loadinfo/") == std::string::npos ? judgement.problems : judgement.remarks;
      ASSERT_EQ(told.size(), 1u) << key;
      EXPECT_NE(told[0].find(key), std::string::npos);
    }
  }
  for (const auto& [key, value] : before) {
    if (right.contains(key)) continue;
    Keys left = right;
    left[key] = value;
    EXPECT_EQ(Judge(before, left).problems.size(), 1u) << key;
  }
}

TEST(Judge, AnotherInstanceIsNobodysBusiness) {
  Keys after = Migrated();
  after["by-dev/meta2/root-coord/collection/1"] = "x";
  after[kScope.Marker()] = "x";
  after[kScope.Sessions() + "rootcoord"] = "x";
  EXPECT_TRUE(Judge(RealKeys("etcd-2.1.jsonl"), after).IsRight());
}

}  // namespace
}  // namespace mu::meta
