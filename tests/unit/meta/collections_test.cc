// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/meta/collections.h"

#include "unit/meta/message.h"
#include "unit/meta/real_data.h"

namespace mu::meta {
namespace {

using model::CollectionFacts;
using model::FieldIndex;

// The whole of what a real 2.1.0 wrote.
TEST(CollectionsOf, TellsWhatClientsOfRealMetadataKnow) {
  const auto collections = CollectionsOf(Listed(RealKeys("etcd-2.1.jsonl")), kScope);
  const std::vector<CollectionFacts> expected = {
      {"a_books", {{"vec", "_default_idx", "_default_idx_105", "IVF_FLAT", "L2"}}, 2, 200},
      {"a_empty", {}, 0, 0},
      {"a_images", {{"emb", "hnsw_emb", "hnsw_emb", "HNSW", "IP"}}, 0, 0},
      {"a_prints", {{"vec", "_default_idx", "_default_idx_102", "BIN_FLAT", "JACCARD"}}, 0, 0},
      {"a_raw", {}, 0, 0},
      {"a_reidx", {{"vec", "_default_idx", "_default_idx_101", "ANNOY", "L2"}}, 0, 0},
      {"a_users", {{"uid", "uid_idx", "uid_idx", "Trie", ""}}, 0, 0},
  };
  ASSERT_EQ(collections.size(), expected.size()) << "the dropped one is not among them";
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(collections[i], expected[i]) << collections[i].name;
  }
}

// 2.2's own names are those that are foretold.
TEST(CollectionsOf, ForetellsTheNamesThatTheRealToolGave) {
  std::string all;
  for (const auto& [key, value] : RealKeys("etcd-2.2.jsonl")) {
    if (key.starts_with("by-dev/meta/field-index/")) all += value;
  }
  for (const auto& collection : CollectionsOf(Listed(RealKeys("etcd-2.1.jsonl")), kScope)) {
    for (const FieldIndex& index : collection.indexes)
      EXPECT_NE(all.find(index.new_name), std::string::npos) << index.new_name;
  }
}

TEST(CollectionsOf, LeavesOutWhatCannotBeRead) {
  Keys keys = {{"by-dev/meta/root-coord/collection/5", "\xff"},
               {"by-dev/meta/root-coord/collection/6", "\xE2\x9B\xBC"},
               {"by-dev/meta/datacoord-meta/s/5/6/7", "\xff"},
               {"by-dev/meta2/root-coord/collection/8",
                Message().Int(1, 8).Sub(2, Message().Text(1, "a neighbour's")).bytes}};
  EXPECT_TRUE(CollectionsOf(Listed(keys), kScope).empty());
  keys["by-dev/meta/root-coord/collection/9"] =
      Message().Int(1, 9).Sub(2, Message().Text(1, "mi\x1b[31mne")).bytes;
  keys["by-dev/meta/root-coord/index/9/nine"] = "";
  const auto collections = CollectionsOf(Listed(keys), kScope);
  ASSERT_EQ(collections.size(), 1u);
  EXPECT_EQ(collections[0].name.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace mu::meta
