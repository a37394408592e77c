// SPDX-License-Identifier: Apache-2.0
// One rule of docs/metadata-2.1-to-2.2.md a test, on a metadata of a few keys; values are written
// and expected by hand. Most of what stands here did not occur in the real data.
#include <gtest/gtest.h>

#include "unit/meta/message.h"
#include "unit/meta/real_data.h"

namespace mu::meta {
namespace {

constexpr const char* kTombstone = "\xE2\x9B\xBC";
std::string At(const std::string& key) { return kScope.Prefix() + key; }

struct FieldAndIndex {
  std::int64_t field;
  std::int64_t index;
};

// Collection 5 with the fields 100 and 101 (dim 8), in the partition 6.
std::string Collection(const std::vector<FieldAndIndex>& indexes) {
  Message schema;
  schema.Text(1, "books").Sub(4, Message().Int(1, 100).Text(2, "id"));
  schema.Sub(4, Message().Int(1, 101).Text(2, "vec").Pair(6, "dim", "8"));
  Message value;
  value.Int(1, 5).Sub(2, schema).Packed(4, {6});
  for (const auto& [field, index] : indexes) value.Sub(6, Message().Int(1, field).Int(2, index));
  return value.bytes;
}

Message Index(std::int64_t id, const std::string& name = "mine") {
  return Message().Text(1, name).Int(2, id);
}

// A collection with the index 7 on its vector.
Keys Small() {
  return {{At("root-coord/collection/5"), Collection({{101, 7}})},
          {At("root-coord/index/5/7"), Index(7).Pair(3, "index_type", "FLAT").Int(5, 70).bytes}};
}

// Of a segment 9 of collection 5, partition 6, index 7.
Message SegmentIndex(std::int64_t build, std::int64_t segment = 9, std::int64_t index = 7) {
  Message record;
  record.Int(1, 5).Int(2, 6).Int(3, segment).Int(4, 101).Int(5, index).Int(6, build);
  return record.Int(7, build == 0 ? 0 : 1).Int(8, 80);
}
const std::string kSegmentKey = At("root-coord/segment-index/5/7/6/9");

Message LoadState(int type, int percentage = 100) {
  return Message()
      .Int(1, 5)
      .Packed(2, {6, 8})
      .Int(4, type)
      .Packed(6, {3, 4})
      .Int(7, percentage)
      .Int(9, 2);
}
const std::string kLoadKey = At("queryCoord-collectionMeta/5");

Changes Converted(const Keys& keys) {
  auto changes = Convert(keys);
  if (changes) return *changes;
  ADD_FAILURE() << changes.error().Text();
  return {};
}

// The one line of the error that names `key`.
std::string Problem(const Keys& keys, const std::string& key) {
  const auto changes = Convert(keys);
  if (changes) return "none";
  EXPECT_EQ(changes.error().code, ErrorCode::kMetaUnconvertible);
  for (const std::string& line : Lines(changes.error().message)) {
    if (line.starts_with("  " + key + ": ")) return line.substr(key.size() + 4);
  }
  return "not named: " + changes.error().message;
}

TEST(MetaRule, AnIndexTakesTypeParamsFromItsFieldAndItsParamsApart) {
  Keys keys = Small();
  keys[At("root-coord/index/5/7")] = Index(7)
                                         .Pair(3, "params", R"({"nlist":1000000,"a":0.5})")
                                         .Pair(3, "metric_type", "L2")
                                         .Int(5, 70)
                                         .bytes;
  Message inner;
  inner.Int(1, 5).Int(2, 101).Text(3, "mine").Int(4, 7).Pair(5, "dim", "8");
  inner.Pair(6, "a", "0.5").Pair(6, "metric_type", "L2").Pair(6, "nlist", "1e+06");
  inner.Pair(12, "params", R"({"nlist":1000000,"a":0.5})").Pair(12, "metric_type", "L2");
  EXPECT_EQ(Converted(keys).added.at(At("field-index/5/7")),
            Message().Sub(1, inner).Int(3, 70).bytes);
}

TEST(MetaRule, AnIndexWithoutANameOfItsOwnIsNamedAfterItsField) {
  Keys keys = Small();
  keys[At("root-coord/index/5/7")] = Index(7, "_default_idx").bytes;
  const Message inner =
      Message().Int(1, 5).Int(2, 101).Text(3, "_default_idx_101").Int(4, 7).Pair(5, "dim", "8");
  EXPECT_EQ(Converted(keys).added.at(At("field-index/5/7")), Message().Sub(1, inner).bytes);
}

TEST(MetaRule, ADeletedIndexStaysDeleted) {
  Keys keys = Small();
  keys[At("root-coord/index/5/7")] = Index(7).Int(4, 1).Int(5, 70).bytes;
  const std::string value = Converted(keys).added.at(At("field-index/5/7"));
  EXPECT_TRUE(value.ends_with(Message().Int(2, 1).Int(3, 70).bytes));
}

TEST(MetaRule, AnIndexThatNoCollectionHasGoes) {
  Keys keys = Small();
  keys[At("root-coord/index/5/8")] = Index(8).bytes;
  const Changes changes = Converted(keys);
  EXPECT_TRUE(changes.removed.contains(At("root-coord/index/5/8")));
  EXPECT_FALSE(changes.added.contains(At("field-index/5/8")));
}

TEST(MetaRule, ADroppedCollectionOrAnOldSnapshotHasNoIndex) {
  Keys keys = Small();
  keys[At("snapshots/root-coord/collection/5_ts50")] = Collection({{101, 7}});
  keys[At("root-coord/collection/5")] = kTombstone;
  const Changes changes = Converted(keys);
  EXPECT_TRUE(changes.added.empty());
  EXPECT_EQ(changes.replaced.at(At("snapshots/root-coord/collection/5_ts50")), Collection({}));
  EXPECT_EQ(changes.summary.collections, 0);
}

TEST(MetaRule, OneIndexForTwoFieldsStaysWithTheLastAndIsToldAsALoss) {
  Keys keys = Small();
  keys[At("root-coord/collection/5")] = Collection({{100, 7}, {101, 7}});
  const Changes changes = Converted(keys);
  EXPECT_EQ(changes.added.size(), 1u);
  EXPECT_NE(changes.added.at(At("field-index/5/7")).find("dim"), std::string::npos);
  ASSERT_EQ(changes.losses.size(), 1u);
  EXPECT_NE(changes.losses[0].find("several fields"), std::string::npos) << changes.losses[0];
}

TEST(MetaRule, ABuildBecomesTheIndexOfItsSegment) {
  Keys keys = Small();
  keys[kSegmentKey] = SegmentIndex(11).bytes;
  for (const int state : {1, 2, 3, 4, 5}) {
    const Message request = Message().Int(1, 11).Int(3, 7).Int(8, 4000).Int(10, 9);
    Message build = Message().Int(1, 11).Int(2, state).Text(3, "no memory").Sub(4, request);
    build.Text(5, "files/index_files/11/1/6/9/HNSW").Text(5, "plain").Put(5, "a/");
    keys[At("indexes/11")] = build.Int(6, 1).Int(7, 12).Int(8, 3).Int(9, 1).Int(10, 999).bytes;
    Message expected = Message().Int(1, 5).Int(2, 6).Int(3, 9).Int(4, 4000).Int(5, 7).Int(6, 11);
    expected.Int(7, 12).Int(8, 3).Int(9, state).Text(10, "no memory").Text(11, "HNSW");
    expected.Text(11, "plain").Put(11, "").Int(12, 1).Int(13, 80).Int(14, 999);
    EXPECT_EQ(Converted(keys).added.at(At("segment-index/5/6/9/11")),
              expected.Int(15, state == 3 ? 1 : 0).bytes);
  }
}

TEST(MetaRule, ASegmentTooSmallForAnIndexHasBuildZero) {
  Keys keys = Small();
  keys[kSegmentKey] = SegmentIndex(0).bytes;
  Message expected = Message().Int(1, 5).Int(2, 6).Int(3, 9).Int(5, 7).Int(8, 1).Int(9, 3);
  EXPECT_EQ(Converted(keys).added.at(At("segment-index/5/6/9/0")),
            expected.Int(13, 80).Int(15, 1).bytes);
}

TEST(MetaRule, TwoIndexesOfASmallSegmentShareARecordAndItIsTold) {
  Keys keys = Small();
  keys[kSegmentKey] = SegmentIndex(0).bytes;
  keys[At("root-coord/segment-index/5/8/6/9")] = SegmentIndex(0, 9, 8).bytes;
  const Changes changes = Converted(keys);
  EXPECT_EQ(changes.summary.segment_indexes, 1);
  ASSERT_EQ(changes.losses.size(), 1u);
  EXPECT_NE(changes.losses[0].find("index/5/8/6/9"), std::string::npos) << changes.losses[0];
}

TEST(MetaRule, OfTwoRecordsOfASegmentAndIndexTheLastCounts) {
  Keys keys = Small();
  keys[kSegmentKey] = SegmentIndex(0).bytes;
  Message other = Message().Int(1, 5).Int(2, 7).Int(3, 9).Int(5, 7);
  keys[At("root-coord/segment-index/5/7/7/9")] = other.bytes;
  const Changes changes = Converted(keys);
  EXPECT_FALSE(changes.added.contains(At("segment-index/5/6/9/0")));
  EXPECT_TRUE(changes.added.contains(At("segment-index/5/7/9/0")));
  EXPECT_EQ(changes.losses.size(), 1u);
  keys.insert(changes.added.begin(), changes.added.end());
  EXPECT_TRUE(Finish(keys));
}

TEST(MetaRule, AliasesGetAMessageOfTheirOwn) {
  Keys keys;
  const std::string old = Message().Int(1, 5).Sub(2, Message().Text(1, "b")).bytes;
  keys[At("root-coord/collection-alias/b")] = old;
  keys[At("snapshots/root-coord/collection-alias/b_ts33")] = old;
  keys[At("root-coord/collection-alias/gone")] = kTombstone;
  const Changes changes = Converted(keys);
  const Keys expected = {{At("root-coord/aliases/b"), Message().Text(1, "b").Int(2, 5).bytes},
                         {At("root-coord/aliases/gone"), kTombstone},
                         {At("snapshots/root-coord/aliases/b_ts33"),
                          Message().Text(1, "b").Int(2, 5).Int(3, 33).bytes}};
  EXPECT_EQ(changes.added, expected);
  EXPECT_EQ(changes.removed.size(), 3u);
  EXPECT_EQ(changes.summary.aliases, 1);
}

// Milvus's own tool takes the key for damaged. The last "_ts" is the separator: Milvus adds it.
TEST(MetaRule, AnAliasMayHoldTheSeparatorOfSnapshots) {
  Keys keys;
  keys[At("snapshots/root-coord/collection-alias/a_ts_b_ts7_ts33")] =
      Message().Int(1, 5).Sub(2, Message().Text(1, "a_ts_b_ts7")).bytes;
  EXPECT_TRUE(Converted(keys).added.contains(At("snapshots/root-coord/aliases/a_ts_b_ts7_ts33")));
}

TEST(MetaRule, AWholeLoadIsKeptWithItsIndexes) {
  Keys keys = Small();
  keys[kLoadKey] = LoadState(2).bytes;
  const Changes changes = Converted(keys);
  EXPECT_EQ(changes.added.at(At("querycoord-collection-loadinfo/5")),
            Message()
                .Int(1, 5)
                .Packed(2, {3, 4})
                .Int(3, 2)
                .Int(4, 2)
                .Sub(5, Message().Int(1, 101).Int(2, 7))
                .bytes);
  EXPECT_FALSE(changes.removed.contains(kLoadKey));
  EXPECT_TRUE(changes.summary.needs_load.empty());
}

TEST(MetaRule, ALoadByPartitionsIsKeptPartitionByPartition) {
  Keys keys = Small();
  keys[At("root-coord/collection/5")] = Collection({{101, 7}, {100, 6}});
  keys[At("root-coord/index/5/6")] = Index(6).bytes;
  keys[kLoadKey] = LoadState(1).bytes;
  const Changes changes = Converted(keys);
  for (const std::int64_t partition : {6, 8}) {
    Message expected = Message().Int(1, 5).Int(2, partition).Int(3, 2).Int(4, 2);
    expected.Sub(5, Message().Int(1, 100).Int(2, 6)).Sub(5, Message().Int(1, 101).Int(2, 7));
    EXPECT_EQ(changes.added.at(At("querycoord-partition-loadinfo/5/" + std::to_string(partition))),
              expected.bytes);
  }
}

TEST(MetaRule, ALoadByPartitionsWithoutAnIndexKeepsAnEmptyMap) {
  Keys keys = {{At("root-coord/collection/5"), Collection({})},
               {kLoadKey, LoadState(1).bytes},
               {At("root-coord/dd-msg-send"), "true"}};
  EXPECT_EQ(Converted(keys).added.at(At("querycoord-partition-loadinfo/5/6")),
            Message().Int(1, 5).Int(2, 6).Int(3, 2).Int(4, 2).bytes);
}

TEST(MetaRule, WhatIsNoLongerLoadedIsToldWithTheReason) {
  const auto reason = [](const std::string& state, const std::vector<FieldAndIndex>& indexes) {
    Keys keys = Small();
    keys[At("root-coord/collection/5")] = Collection(indexes);
    keys[kLoadKey] = state;
    const Changes changes = Converted(keys);
    EXPECT_EQ(changes.summary.loaded_collections + changes.summary.loaded_partitions, 0);
    const auto& needs_load = changes.summary.needs_load;
    if (needs_load.size() != 1) return std::string("none");
    EXPECT_EQ(needs_load[0].collection, 5);
    EXPECT_EQ(needs_load[0].name, "books");
    return needs_load[0].reason;
  };
  EXPECT_NE(reason(LoadState(2).bytes, {}).find("no index"), std::string::npos);
  EXPECT_NE(reason(LoadState(2, 99).bytes, {{101, 7}}).find("99 %"), std::string::npos);
  EXPECT_NE(reason(LoadState(1, 0).bytes, {{101, 7}}).find("0 %"), std::string::npos);
  EXPECT_NE(reason(LoadState(3).bytes, {{101, 7}}).find("load type 3"), std::string::npos);
}

TEST(MetaRule, AnOperationThatWasNotAnnouncedIsALoss) {
  Keys keys = Small();
  keys[At("root-coord/dd-operation")] = R"({"body":"CAE=","type":"DropPartition"})";
  keys[At("root-coord/dd-msg-send")] = "true";
  keys[At("snapshots/root-coord/dd-msg-send_ts44")] = "false";
  EXPECT_TRUE(Converted(keys).losses.empty());
  EXPECT_EQ(Converted(keys).removed.size(), 4u);
  keys[At("root-coord/dd-msg-send")] = "false";
  ASSERT_EQ(Converted(keys).losses.size(), 1u);
  EXPECT_NE(Converted(keys).losses[0].find("DropPartition"), std::string::npos);
}

TEST(MetaRule, UnknownFieldsOfReplacedMessagesAreToldAsLosses) {
  const auto losses = [](const std::string& key, Message value) {
    Keys keys = Small();
    keys[At("indexes/11")] = Message().Int(1, 11).bytes;
    keys[key] = value.bytes;
    const Changes before = Converted(keys);
    EXPECT_TRUE(before.losses.empty());
    keys[key] = value.Text(77, "new").bytes;
    const Changes after = Converted(keys);
    EXPECT_EQ(after.added, before.added);
    return after.losses.size() == 1 && after.losses[0].find(key) != std::string::npos;
  };
  EXPECT_TRUE(losses(At("root-coord/index/5/7"), Index(7)));
  EXPECT_TRUE(losses(kSegmentKey, SegmentIndex(11)));
  EXPECT_TRUE(losses(At("indexes/11"), Message().Int(1, 11)));
  EXPECT_TRUE(losses(At("root-coord/collection-alias/b"),
                     Message().Int(1, 5).Sub(2, Message().Text(1, "b"))));
}

TEST(MetaRule, UnknownFieldsOfAPairAreToldAsALoss) {
  Keys keys = Small();
  const std::string key = At("root-coord/collection/5");
  keys[key] += Message().Sub(6, Message().Int(1, 100).Int(2, 7).Int(3, 1)).bytes;
  const Changes changes = Converted(keys);
  EXPECT_EQ(changes.replaced.at(key), Collection({}));
  EXPECT_EQ(changes.losses.size(), 2u);  // and one index on two fields
}

TEST(MetaRule, ParametersKeepTheirUnknownFields) {
  Keys keys = Small();
  Message param = Message().Text(1, "index_type").Text(2, "FLAT").Text(9, "unknown");
  keys[At("root-coord/index/5/7")] = Index(7).Sub(3, param).bytes;
  const Changes changes = Converted(keys);
  EXPECT_NE(changes.added.at(At("field-index/5/7")).find(Message().Sub(12, param).bytes),
            std::string::npos);
  EXPECT_TRUE(changes.losses.empty());
}

TEST(MetaProblem, NamesTheKeyAndTheReason) {
  struct Case {
    const char* key;
    std::string value;
    const char* reason;
  };
  const Case cases[] = {
      {"root-coord/collection/x", Collection({}), "not a key"},
      {"root-coord/collection/05", Collection({}), "not a key"},
      {"root-coord/collection/-5", Collection({}), "not a key"},
      {"root-coord/collection/5/6", Collection({}), "not a key"},
      {"root-coord/collection/", Collection({}), "not a key"},
      {"root-coord/collection/99999999999999999999", Collection({}), "not a key"},
      {"root-coord/collection/5", "\x0A", "not a collection"},
      {"root-coord/collection/5", "", "of collection 0"},
      {"root-coord/collection/6", Collection({}), "of collection 5"},
      {"root-coord/collection/5", Collection({{102, 7}}), "no such field"},
      {"root-coord/collection/5", Collection({{101, 8}}), "root-coord/index/5/8 is missing"},
      {"snapshots/root-coord/collection/5", Collection({}), "not a key"},
      {"snapshots/root-coord/collection/5_ts", Collection({}), "not a key"},
      {"snapshots/root-coord/collection/5_ts1_ts2", Collection({}), "not a key"},
      {"snapshots/root-coord/collection/5_ts1", "\xFF", "not a collection"},
      {"snapshots/root-coord/collection/6_ts1", Collection({}), "of collection 5"},
      {"root-coord/collection-alias/", "", "not a key"},
      {"root-coord/collection-alias/a/b", "", "not a key"},
      {"root-coord/collection-alias/a", Message().Int(1, 5).bytes, "of alias \"\""},
      {"root-coord/collection-alias/a", "\x08", "not an alias"},
      {"snapshots/root-coord/collection-alias/a", "", "not a key"},
      {"snapshots/root-coord/collection-alias/a_ts99999999999999999999", "", "not a key"},
      {"root-coord/index/5", Index(7).bytes, "not a key"},
      {"root-coord/index/5/8", Index(7).bytes, "of index 7"},
      {"root-coord/index/5/8", kTombstone, "not an index"},
      {"root-coord/index/5/7", Index(7).Pair(3, "params", "{nlist:1}").bytes, "not JSON"},
      {"root-coord/index/5/7", Index(7).Pair(3, "params", "[]").bytes, "not an object"},
      {"indexes/x", Message().Int(1, 11).bytes, "not a key"},
      {"indexes/12", Message().Int(1, 11).bytes, "of build 11"},
      {"indexes/12", "\x0A\x05", "not an index build"},
      {"root-coord/segment-index/5/7/6", SegmentIndex(0).bytes, "not a key"},
      {"root-coord/segment-index/5/7/6/9", SegmentIndex(11).bytes, "indexes/11 is missing"},
      {"root-coord/segment-index/5/7/6/9", SegmentIndex(0).Int(7, 1).bytes, "indexes/0 is missing"},
      {"root-coord/segment-index/4/8/7/6", SegmentIndex(0).bytes,
       "of collection 5; its value is of index 7; its value is of partition 6; its value is of "
       "segment 9"},
      {"root-coord/segment-index/5/7/6/9", "\x08", "not the index of a segment"},
      {"queryCoord-collectionMeta/x", LoadState(2).bytes, "not a key"},
      {"queryCoord-collectionMeta/6", LoadState(2).bytes, "of collection 5"},
      {"queryCoord-collectionMeta/5", "\x08", "not a load state"},
      {"root-coord/aliases/b", "", "of Milvus 2.2"},
      {"root-coord/partitions/5/6", "", "of Milvus 2.2"},
      {"field-index/5/7", "x", "another value"},
  };
  for (const auto& [key, value, reason] : cases) {
    Keys keys = Small();
    keys[At(key)] = value;
    EXPECT_NE(Problem(keys, At(key)).find(reason), std::string::npos)
        << key << ": " << Problem(keys, At(key));
  }
}

TEST(MetaProblem, AllAreNamedAtOnce) {
  Keys keys = Small();
  keys[At("root-coord/index/5/7")] = "\x0A";
  keys[At("indexes/12")] = "\x0A";
  keys[At("root-coord/collection-alias/a")] = "\x0A";
  const auto changes = Convert(keys);
  ASSERT_FALSE(changes);
  EXPECT_EQ(Lines(changes.error().message).size(), 5u) << changes.error().message;
  EXPECT_TRUE(changes.error().message.starts_with("4 keys"));
}

// A 2.2 that has started on a half converted state must not be taken for our own cut run: the
// collection has lost its indexes, which would now be taken for none.
TEST(MetaProblem, ACollectionThatIsConvertedAlreadyIsNotConvertedAgain) {
  Keys keys = Small();
  keys[kLoadKey] = LoadState(1).bytes;
  const Changes changes = Converted(keys);
  keys.insert(changes.added.begin(), changes.added.end());
  keys[At("root-coord/collection/5")] = changes.replaced.at(At("root-coord/collection/5"));
  EXPECT_NE(Problem(keys, At("field-index/5/7")).find("accounts for it"), std::string::npos);
}

TEST(MetaScope, SiblingsSessionsAndOurMarkerAreNotLookedAt) {
  Keys keys = Small();
  const Changes changes = Converted(keys);
  for (const std::string& key :
       {std::string("by-dev/meta2/root-coord/collection/x"),
        std::string("by-dev/metaroot-coord/index/x"), std::string("by-dev/kv/gid/idTimestamp"),
        At("session/migration"), At("session/root-coord/index/x"), kScope.Marker()}) {
    keys[key] = "\x0A";
  }
  const Changes with_others = Converted(keys);
  EXPECT_EQ(with_others.added, changes.added);
  EXPECT_EQ(with_others.replaced, changes.replaced);
  EXPECT_EQ(with_others.removed, changes.removed);
}

// Milvus's own tool removes by prefixes without a slash, and these with them.
TEST(MetaScope, KeysThatOnlyLookAlikeAreKept) {
  Keys keys = Small();
  for (const char* key :
       {"root-coord/collections", "root-coord/collection2/5", "indexes2/1", "root-coord/index2/1",
        "root-coord/dd-operation2", "root-coord/segment-indexes/1"})
    keys[At(key)] = "?";
  const Changes changes = Converted(keys);
  EXPECT_EQ(changes.removed, (std::set<std::string>{At("root-coord/index/5/7")}));
}

TEST(GenerationOf, ReadsEachSign) {
  const auto of = [](const std::string& key, const std::string& value = "") {
    return GenerationOf(Keys{{At(key), value}});
  };
  for (const char* key : {"root-coord/index/5/7", "root-coord/segment-index/5/7/6/9", "indexes/1",
                          "root-coord/collection-alias/a", "root-coord/dd-operation",
                          "snapshots/root-coord/collection-alias/a_ts1"})
    EXPECT_EQ(of(key), Generation::k21) << key;
  for (const char* key : {"field-index/5/7", "root-coord/aliases/a", "segment-index/5/6/9/0",
                          "querycoord-collection-loadinfo/5", "querycoord-partition-loadinfo/5/6",
                          "root-coord/partitions/5/6"})
    EXPECT_EQ(of(key), Generation::k22) << key;
  for (const char* key :
       {"session/id", "milvus-upgrade/migration", "root-coord/credential/users/root",
        "queryCoord-collectionMeta/5", "datacoord-meta/s/1/2/3"})
    EXPECT_EQ(of(key), Generation::kEmpty) << key;
  EXPECT_EQ(of("root-coord/collection/5", Collection({{101, 7}})), Generation::k21);
  EXPECT_EQ(of("snapshots/root-coord/collection/5_ts1", Collection({{101, 7}})), Generation::k21);
  EXPECT_EQ(of("root-coord/collection/5", Collection({})), Generation::k22);
  EXPECT_EQ(of("root-coord/collection/5", kTombstone), Generation::k22);
  // For the conversion to refuse.
  EXPECT_EQ(of("root-coord/collection/5", "\x0A"), Generation::k21);
  EXPECT_EQ(GenerationOf(Keys{}), Generation::kEmpty);
}

}  // namespace
}  // namespace mu::meta
