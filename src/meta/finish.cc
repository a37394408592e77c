// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "meta/generation.h"
#include "meta/keys.h"
#include "meta/problems.h"
#include "meta/wire.h"
#include "milvus21.pb.h"
#include "milvus_upgrade/meta/convert.h"

namespace mu::meta {
namespace {

// The rest of a conversion whose additions are all written. Each thing that would go is looked up
// in 2.2's form first.
class Finish {
 public:
  Finish(std::span<const model::KeyValue> keys, const Scope& scope)
      : scope_(scope), entries_(ReadKeys(keys, scope)) {
    for (const auto& [kv, key] : entries_) {
      if (IsOf22Alone(key.kind)) present_.insert(kv->key);
    }
  }

  Result<Changes> Run() {
    // Backwards, since of two records of one segment and index the last alone was converted.
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) Take(*entry);
    if (!problems_.IsEmpty()) {
      return problems_.Failure(
          ErrorCode::kMetaCut,
          "of 2.1 cannot be replaced or removed, since 2.2's are not complete");
    }
    changes_.summary = Summarize(entries_, {}, scope_);
    return std::move(changes_);
  }

 private:
  void Require(const Entry& entry, const std::string& counterpart) {
    if (!present_.contains(counterpart)) problems_.Add(entry.kv->key, counterpart + " is missing");
  }

  void Take(const Entry& entry) {
    if (IsOf21Alone(entry.key.kind)) {
      if (!entry.key.is_well_formed) return problems_.Add(entry.kv->key, kMalformedKey);
      changes_.removed.insert(entry.kv->key);
    }
    switch (entry.key.kind) {
      case Kind::kCollection:
      case Kind::kCollectionSnapshot:
        return TakeCollection(entry);
      case Kind::kAlias:
      case Kind::kAliasSnapshot:
        return Require(entry, NewAliasKey(scope_, entry.key));
      case Kind::kSegmentIndex:
        return TakeSegmentIndex(entry);
      default:
        return;
    }
  }

  void TakeCollection(const Entry& entry) {
    const std::string& value = entry.kv->value;
    if (IsTombstone(value)) return;
    auto cut = WithoutField(value, wire::Collection::kFieldIndexesFieldNumber);
    if (cut && cut->size() == value.size()) return;
    if (!entry.key.is_well_formed) return problems_.Add(entry.kv->key, kMalformedKey);
    const auto collection = Decode<wire::Collection>(value);
    if (!cut || !collection) return problems_.Add(entry.kv->key, "its value is not a collection");
    changes_.replaced.emplace(entry.kv->key, std::move(*cut));
    if (entry.key.kind != Kind::kCollection) return;
    for (const auto& pair : collection->field_indexes())
      Require(entry, FieldIndexKey(scope_, entry.key.ids[0], pair.index_id()));
  }

  void TakeSegmentIndex(const Entry& entry) {
    const auto record = Decode<wire::SegmentIndex21>(entry.kv->value);
    if (!record) return problems_.Add(entry.kv->key, "its value is not the index of a segment");
    if (!seen_.emplace(record->segment_id(), record->index_id()).second) return;
    Require(entry, SegmentIndexKey(scope_, record->collection_id(), record->partition_id(),
                                   record->segment_id(), record->build_id()));
  }

  const Scope& scope_;
  const std::vector<Entry> entries_;
  Changes changes_;
  Problems problems_;
  std::unordered_set<std::string_view> present_;
  std::set<std::pair<std::int64_t, std::int64_t>> seen_;  // segment and index
};

}  // namespace

Result<Changes> FinishConversion(std::span<const model::KeyValue> keys, const Scope& scope) {
  return Finish(keys, scope).Run();
}

}  // namespace mu::meta
