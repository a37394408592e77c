// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/meta/collections.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "meta/keys.h"
#include "meta/values.h"
#include "meta/wire.h"
#include "milvus_upgrade/base/text.h"

namespace mu::meta {
namespace {

struct Collection {
  model::CollectionFacts facts;
  wire::Collection record;
  std::set<std::int64_t> partitions;
};
using Collections = std::map<std::int64_t, Collection>;

Collections ReadCollections(std::span<const Entry> entries) {
  Collections collections;
  for (const auto& [kv, key] : entries) {
    if (key.kind != Kind::kCollection || IsTombstone(kv->value)) continue;
    auto record = Decode<wire::Collection>(kv->value);
    if (!record) continue;
    Collection& collection = collections[record->id()];
    collection.facts.name = Printable(record->schema().name());
    collection.partitions.insert(record->partition_ids().begin(), record->partition_ids().end());
    collection.record = std::move(*record);
  }
  return collections;
}

std::string ParamOf(const wire::Index21& index, std::string_view name) {
  for (const wire::KeyValuePair& param : index.params()) {
    if (param.key() == name) return Printable(param.value());
  }
  return {};
}

void AddIndex(const wire::Index21& index, Collection* collection) {
  for (const auto& pair : collection->record.field_indexes()) {
    if (pair.index_id() != index.id()) continue;
    model::FieldIndex facts;
    for (const auto& field : collection->record.schema().fields()) {
      if (field.id() == pair.field_id()) facts.field = Printable(field.name());
    }
    facts.old_name = Printable(index.name());
    facts.new_name = Printable(NewIndexName(index.name(), pair.field_id()));
    facts.kind = ParamOf(index, "index_type");
    facts.metric = ParamOf(index, "metric_type");
    collection->facts.indexes.push_back(std::move(facts));
  }
}

}  // namespace

std::vector<model::CollectionFacts> CollectionsOf(std::span<const model::KeyValue> keys,
                                                  const Scope& scope) {
  const std::vector<Entry> entries = ReadKeys(keys, scope);
  Collections collections = ReadCollections(entries);
  for (const auto& [kv, key] : entries) {
    if (key.kind == Kind::kIndex && key.is_well_formed) {
      const auto found = collections.find(key.ids[0]);
      const auto index = Decode<wire::Index21>(kv->value);
      if (found != collections.end() && index) AddIndex(*index, &found->second);
    } else if (key.kind == Kind::kSegment) {
      const auto segment = Decode<wire::Segment>(kv->value);
      const auto found = segment ? collections.find(segment->collection_id()) : collections.end();
      if (found == collections.end()) continue;
      if (found->second.partitions.contains(segment->partition_id())) continue;
      ++found->second.facts.dropped_segments;
      found->second.facts.dropped_rows += segment->rows();
    }
  }
  std::vector<model::CollectionFacts> facts;
  for (auto& [id, collection] : collections) facts.push_back(std::move(collection.facts));
  std::stable_sort(facts.begin(), facts.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  return facts;
}

}  // namespace mu::meta
