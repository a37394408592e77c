// SPDX-License-Identifier: Apache-2.0
#include "meta/generation.h"

#include "meta/wire.h"
#include "milvus21.pb.h"

namespace mu::meta {
namespace {

// Also when it cannot be read: then it is for the conversion to say so.
bool IsCollectionOf21(std::string_view value) {
  if (IsTombstone(value)) return false;
  const auto cut = WithoutField(value, wire::Collection::kFieldIndexesFieldNumber);
  return !cut || cut->size() != value.size();
}

void Count(Kind kind, std::string_view value, Summary* summary) {
  switch (kind) {
    case Kind::kCollection:
      if (IsTombstone(value)) break;
      ++summary->collections;
      if (const auto collection = Decode<wire::Collection>(value))
        summary->partitions += collection->partition_ids_size();
      break;
    case Kind::kSegment:
      ++summary->segments;
      break;
    case Kind::kNewAlias:
      if (!IsTombstone(value)) ++summary->aliases;
      break;
    case Kind::kNewFieldIndex:
      ++summary->indexes;
      break;
    case Kind::kNewSegmentIndex:
      ++summary->segment_indexes;
      break;
    case Kind::kNewCollectionLoad:
      ++summary->loaded_collections;
      break;
    case Kind::kNewPartitionLoad:
      ++summary->loaded_partitions;
      break;
    default:
      break;
  }
}

}  // namespace

Generation GenerationOf(std::span<const Entry> entries) {
  bool has_21 = false;
  bool has_22 = false;
  bool has_collections = false;
  for (const auto& [kv, key] : entries) {
    const bool is_collection =
        key.kind == Kind::kCollection || key.kind == Kind::kCollectionSnapshot;
    has_collections = has_collections || is_collection;
    has_22 = has_22 || IsOf22Alone(key.kind);
    has_21 = has_21 || IsOf21Alone(key.kind) || (is_collection && IsCollectionOf21(kv->value));
  }
  if (has_21) return has_22 ? Generation::kMixed : Generation::k21;
  return has_22 || has_collections ? Generation::k22 : Generation::kEmpty;
}

Generation GenerationOf(std::span<const model::KeyValue> keys, const Scope& scope) {
  return GenerationOf(ReadKeys(keys, scope));
}

Summary Summarize(std::span<const Entry> entries, const std::map<std::string, std::string>& added,
                  const Scope& scope) {
  Summary summary;
  for (const auto& [kv, key] : entries) Count(key.kind, kv->value, &summary);
  for (const auto& [key, value] : added) Count(ReadKey(key, scope).kind, value, &summary);
  return summary;
}

}  // namespace mu::meta
