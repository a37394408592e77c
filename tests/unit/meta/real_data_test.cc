// SPDX-License-Identifier: Apache-2.0
#include "unit/meta/real_data.h"

#include <algorithm>

#include "milvus22.pb.h"

namespace mu::meta {
namespace {

// FORMAT: the parameters of an index come in no particular order from the real tool.
std::string WithSortedParams(const std::string& bytes) {
  wire::FieldIndex22 value;
  EXPECT_TRUE(value.ParseFromString(bytes));
  auto* params = value.mutable_index()->mutable_index_params();
  std::sort(params->begin(), params->end(),
            [](const auto& a, const auto& b) { return a.key() < b.key(); });
  return value.SerializeAsString();
}

TEST(RealMetadata, GivesWhatTheRealToolWrote) {
  Keys keys = RealKeys("etcd-2.1.jsonl");
  ASSERT_EQ(keys.size(), 172u);
  const auto changes = Convert(keys);
  ASSERT_TRUE(changes) << changes.error().Text();
  Apply(*changes, &keys);
  Keys expected = RealKeys("etcd-2.2.jsonl");
  // A counter that each start of a process, the tool included, moves on.
  EXPECT_NE(keys.at(kScope.SessionCounter()), expected.at(kScope.SessionCounter()));
  keys.erase(kScope.SessionCounter());
  expected.erase(kScope.SessionCounter());

  std::size_t reordered = 0;
  for (auto& [key, value] : expected) {
    ASSERT_TRUE(keys.contains(key)) << key;
    std::string& ours = keys.at(key);
    if (ours == value || !key.starts_with("by-dev/meta/field-index/")) continue;
    ++reordered;
    EXPECT_EQ(ours.size(), value.size());
    ours = WithSortedParams(ours);
    value = WithSortedParams(value);
  }
  EXPECT_LE(reordered, 5u);
  EXPECT_EQ(keys, expected);
}

TEST(RealMetadata, CountsWhatAClientSaw) {
  const auto changes = Convert(RealKeys("etcd-2.1.jsonl"));
  ASSERT_TRUE(changes);
  const Summary& summary = changes->summary;
  EXPECT_EQ(summary.collections, 7);
  EXPECT_EQ(summary.indexes, 5);
  EXPECT_EQ(summary.segments, 25);
  EXPECT_EQ(summary.segment_indexes, 17);
  EXPECT_EQ(summary.aliases, 4);
  EXPECT_EQ(summary.loaded_collections, 3);
  EXPECT_EQ(summary.loaded_partitions, 1);
  ASSERT_EQ(summary.needs_load.size(), 1u);
  EXPECT_EQ(summary.needs_load[0].name, "a_raw");
  EXPECT_NE(summary.needs_load[0].reason.find("no index"), std::string::npos);
  EXPECT_TRUE(changes->losses.empty()) << changes->losses[0];
}

TEST(RealMetadata, IsTakenForWhatItIs) {
  Keys keys = RealKeys("etcd-2.1.jsonl");
  EXPECT_EQ(GenerationOf(keys), Generation::k21);
  EXPECT_EQ(GenerationOf(RealKeys("etcd-2.2.jsonl")), Generation::k22);
  keys.merge(RealKeys("etcd-2.2.jsonl"));
  EXPECT_EQ(GenerationOf(keys), Generation::kMixed);
}

TEST(RealMetadata, OfTheRealToolNeedsNothingMore) {
  for (const auto& changes :
       {Convert(RealKeys("etcd-2.2.jsonl")), Finish(RealKeys("etcd-2.2.jsonl"))}) {
    ASSERT_TRUE(changes) << changes.error().Text();
    EXPECT_TRUE(changes->added.empty());
    EXPECT_TRUE(changes->replaced.empty());
    EXPECT_TRUE(changes->removed.empty());
    EXPECT_EQ(changes->summary.indexes, 5);
    EXPECT_EQ(changes->summary.aliases, 4);
  }
}

TEST(RealMetadata, IsFinishedAlikeAfterACut) {
  Keys keys = RealKeys("etcd-2.1.jsonl");
  const auto changes = Convert(keys);
  ASSERT_TRUE(changes);
  keys.insert(changes->added.begin(), changes->added.end());
  const auto finish = Finish(keys);
  ASSERT_TRUE(finish) << finish.error().Text();
  EXPECT_TRUE(finish->added.empty());
  EXPECT_EQ(finish->replaced, changes->replaced);
  EXPECT_EQ(finish->removed, changes->removed);
}

// What the real tool leaves when it is killed between deleting and writing must not be taken for
// work of ours that can be finished.
TEST(RealMetadata, IsNotFinishedWhenAnAdditionIsMissing) {
  const Keys keys = RealKeys("etcd-2.1.jsonl");
  const auto changes = Convert(keys);
  ASSERT_TRUE(changes);
  std::size_t needed = 0;
  for (const auto& [missing, value] : changes->added) {
    Keys cut = keys;
    cut.insert(changes->added.begin(), changes->added.end());
    cut.erase(missing);
    const auto finish = Finish(cut);
    if (finish) {
      EXPECT_NE(missing.find("-loadinfo/"), std::string::npos) << missing;
      continue;
    }
    ++needed;
    EXPECT_EQ(finish.error().code, ErrorCode::kMetaCut);
    EXPECT_NE(finish.error().message.find(missing), std::string::npos);
  }
  EXPECT_EQ(needed, changes->added.size() - 4);
}

}  // namespace
}  // namespace mu::meta
