// SPDX-License-Identifier: Apache-2.0
// The keys below <root>/<meta>/ that the conversion knows, read and written. Only keys: no values.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/meta/scope.h"
#include "milvus_upgrade/model/etcd.h"

namespace mu::meta {

enum class Kind : int {
  kOther = 0,  // kept as it is
  kIgnored,    // sessions and our own marker: never looked at
  // both generations
  kCollection,
  kCollectionSnapshot,
  kSegment,
  // 2.1
  kAlias,
  kAliasSnapshot,
  kIndex,         // ids: collection, index
  kSegmentIndex,  // ids: collection, index, partition, segment
  kBuild,
  kDdl,          // the last operation on collections, for a start of 2.1 that finds it unfinished
  kDdlSent,      // whether it was announced
  kDdlSnapshot,  // the history of both
  kLoadState,
  // 2.2
  kNewAlias,
  kNewAliasSnapshot,
  kNewFieldIndex,
  kNewSegmentIndex,
  kNewCollectionLoad,
  kNewPartitionLoad,
  kNewOther,  // written by a 2.2 server, never by a migration
};

struct Key {
  Kind kind = Kind::kOther;
  bool is_well_formed = true;         // ids and time stamps are as Milvus writes them
  std::array<std::int64_t, 4> ids{};  // as many as the kind has; else 0
  std::string_view alias;
  std::uint64_t time = 0;  // of a snapshot
};

// `key` as read from etcd, whole.
Key ReadKey(std::string_view key, const Scope& scope);

inline bool IsOf21Alone(Kind kind) { return kind >= Kind::kAlias && kind <= Kind::kDdlSnapshot; }
inline bool IsOf22Alone(Kind kind) { return kind >= Kind::kNewAlias; }
// The 3 bytes that mark a deleted collection or alias.
inline bool IsTombstone(std::string_view value) { return value == "\xE2\x9B\xBC"; }

// What the keys of one etcd are, read once.
struct Entry {
  const model::KeyValue* kv;
  Key key;
};
// Without those that are ignored, kept as they are, or out of scope.
std::vector<Entry> ReadKeys(std::span<const model::KeyValue> keys, const Scope& scope);

std::string NewAliasKey(const Scope& scope, const Key& old);  // of an alias or its snapshot
std::string FieldIndexKey(const Scope& scope, std::int64_t collection, std::int64_t index);
std::string SegmentIndexKey(const Scope& scope, std::int64_t collection, std::int64_t partition,
                            std::int64_t segment, std::int64_t build);
std::string CollectionLoadKey(const Scope& scope, std::int64_t collection);
std::string PartitionLoadKey(const Scope& scope, std::int64_t collection, std::int64_t partition);

}  // namespace mu::meta
