// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/meta/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "meta/generation.h"
#include "meta/go_text.h"
#include "meta/keys.h"
#include "meta/problems.h"
#include "meta/values.h"
#include "meta/wire.h"
#include "milvus_upgrade/base/text.h"

namespace mu::meta {
namespace {

using Ids = std::pair<std::int64_t, std::int64_t>;
struct HashIds {
  std::size_t operator()(const Ids& ids) const {
    return std::hash<std::int64_t>()(ids.first) * 1000003 ^ std::hash<std::int64_t>()(ids.second);
  }
};

constexpr std::string_view kUnknownFields =
    "with fields that are not known and have no place in 2.2's form";
constexpr std::string_view kSharedIndex =
    "with one index for several fields, of which 2.2 keeps the last";
constexpr std::string_view kSharedBuild =
    "of a segment that has a second index with the same build (0: too small to be indexed), for "
    "which 2.2 has one record";
constexpr std::string_view kRepeated =
    "of a segment and index that another key names too, which is the last and counts";

class Conversion {
 public:
  Conversion(std::span<const model::KeyValue> keys, const Scope& scope)
      : scope_(scope), entries_(ReadKeys(keys, scope)) {}

  Result<Changes> Run() {
    const Generation generation = GenerationOf(entries_);
    if (generation == Generation::k21 || generation == Generation::kMixed) {
      for (const Entry& entry : entries_) ReadRecord(entry);
      for (const Entry& entry : entries_) MakeIndexesOf(entry);
      MakeSegmentIndexes();
      for (const Entry& entry : entries_) MakeLoadInfo(entry);
      LoseOperation();
      CompareWithPresent();
    }
    if (!problems_.IsEmpty()) {
      return problems_.Failure(ErrorCode::kMetaUnconvertible,
                               "of the metadata cannot be converted");
    }
    Summary summary = Summarize(entries_, changes_.added, scope_);
    summary.needs_load = std::move(changes_.summary.needs_load);
    changes_.summary = std::move(summary);
    for (std::string& sentence : losses_.Sentences())
      changes_.losses.push_back(std::move(sentence));
    return std::move(changes_);
  }

 private:
  template <class Message>
  std::optional<Message> Read(const Entry& entry, std::string_view what) {
    auto message = Decode<Message>(entry.kv->value);
    if (!message) problems_.Add(entry.kv->key, fmt::format("its value is not {}", what));
    return message;
  }
  // A value that speaks of something else than its key.
  bool Disagrees(const Entry& entry, std::string_view what, std::int64_t in_key,
                 std::int64_t in_value) {
    if (in_key == in_value) return false;
    problems_.Add(entry.kv->key, fmt::format("its value is of {} {}", what, in_value));
    return true;
  }

  void ReadRecord(const Entry& entry) {
    if (!entry.key.is_well_formed) {
      problems_.Add(entry.kv->key, kMalformedKey);
      return;
    }
    if (IsOf21Alone(entry.key.kind)) changes_.removed.insert(changes_.removed.end(), entry.kv->key);
    switch (entry.key.kind) {
      case Kind::kCollection:
      case Kind::kCollectionSnapshot:
        return ReadCollection(entry);
      case Kind::kAlias:
      case Kind::kAliasSnapshot:
        return MakeAlias(entry);
      case Kind::kIndex:
        return ReadIndex(entry);
      case Kind::kBuild:
        return ReadBuild(entry);
      case Kind::kSegmentIndex:
        return ReadSegmentIndex(entry);
      default:
        return;
    }
  }

  void ReadCollection(const Entry& entry) {
    const std::string& value = entry.kv->value;
    if (IsTombstone(value)) return;
    auto collection = Read<wire::Collection>(entry, "a collection");
    if (!collection || Disagrees(entry, "collection", entry.key.ids[0], collection->id())) return;
    auto cut = WithoutField(value, wire::Collection::kFieldIndexesFieldNumber);
    if (!cut) {
      problems_.Add(entry.kv->key, "its value is not a collection");
      return;
    }
    if (cut->size() != value.size()) changes_.replaced[entry.kv->key] = std::move(*cut);
    if (entry.key.kind == Kind::kCollection)
      collections_.emplace(entry.key.ids[0], std::move(*collection));
  }

  void MakeAlias(const Entry& entry) {
    std::string& added = changes_.added[NewAliasKey(scope_, entry.key)];
    if (IsTombstone(entry.kv->value)) {
      added = entry.kv->value;
      return;
    }
    const auto alias = Read<wire::Alias21>(entry, "an alias");
    if (!alias) return;
    if (alias->schema().name() != entry.key.alias) {
      problems_.Add(entry.kv->key,
                    fmt::format("its value is of alias \"{}\"", alias->schema().name()));
    }
    if (!alias->unknown_fields().empty() || !alias->schema().unknown_fields().empty())
      losses_.Add(kUnknownFields, entry.kv->key);
    added = AliasValue(*alias, entry.key.time);
  }

  void ReadIndex(const Entry& entry) {
    auto index = Read<wire::Index21>(entry, "an index");
    if (!index || Disagrees(entry, "index", entry.key.ids[1], index->id())) return;
    if (!index->unknown_fields().empty()) losses_.Add(kUnknownFields, entry.kv->key);
    indexes_.emplace(Ids(entry.key.ids[0], entry.key.ids[1]),
                     Index{std::move(*index), &entry.kv->key});
  }

  void ReadBuild(const Entry& entry) {
    auto build = Read<wire::Build21>(entry, "an index build");
    if (!build || Disagrees(entry, "build", entry.key.ids[0], build->id())) return;
    if (!build->unknown_fields().empty() || !build->request().unknown_fields().empty())
      losses_.Add(kUnknownFields, entry.kv->key);
    builds_.emplace(entry.key.ids[0], BuildPart(std::move(*build)));
  }

  void ReadSegmentIndex(const Entry& entry) {
    auto record = Read<wire::SegmentIndex21>(entry, "the index of a segment");
    if (!record) return;
    const auto& ids = entry.key.ids;
    const bool disagrees = Disagrees(entry, "collection", ids[0], record->collection_id()) |
                           Disagrees(entry, "index", ids[1], record->index_id()) |
                           Disagrees(entry, "partition", ids[2], record->partition_id()) |
                           Disagrees(entry, "segment", ids[3], record->segment_id());
    if (disagrees) return;
    if (!record->unknown_fields().empty()) losses_.Add(kUnknownFields, entry.kv->key);
    last_of_segment_[Ids(ids[3], ids[1])] = segment_indexes_.size();
    segment_indexes_.push_back({std::move(*record), &entry.kv->key});
  }

  void MakeIndexesOf(const Entry& entry) {
    if (entry.key.kind != Kind::kCollection) return;
    const auto found = collections_.find(entry.key.ids[0]);
    if (found == collections_.end()) return;
    const wire::Collection& collection = found->second;
    for (const auto& pair : collection.field_indexes()) {
      if (!pair.unknown_fields().empty()) losses_.Add(kUnknownFields, entry.kv->key);
      const auto field =
          std::find_if(collection.schema().fields().begin(), collection.schema().fields().end(),
                       [&](const auto& each) { return each.id() == pair.field_id(); });
      if (field == collection.schema().fields().end()) {
        problems_.Add(entry.kv->key, fmt::format("it has index {} on field {}, and no such field",
                                                 pair.index_id(), pair.field_id()));
        continue;
      }
      const auto index = indexes_.find({collection.id(), pair.index_id()});
      if (index == indexes_.end()) {
        problems_.Add(
            entry.kv->key,
            fmt::format(
                "it has index {} on field {}, and {}root-coord/index/{}/{} is missing or damaged",
                pair.index_id(), pair.field_id(), scope_.Prefix(), collection.id(),
                pair.index_id()));
        continue;
      }
      auto value = FieldIndexValue(collection.id(), *field, index->second.record);
      if (!value) {
        problems_.Add(*index->second.key, value.error());
        continue;
      }
      const auto [at, is_new] = changes_.added.insert_or_assign(
          FieldIndexKey(scope_, collection.id(), pair.index_id()), std::move(*value));
      if (!is_new) losses_.Add(kSharedIndex, entry.kv->key);
    }
  }

  void MakeSegmentIndexes() {
    for (std::size_t i = 0; i < segment_indexes_.size(); ++i) {
      const auto& [record, key] = segment_indexes_[i];
      if (last_of_segment_.at({record.segment_id(), record.index_id()}) != i) {
        losses_.Add(kRepeated, *key);
        continue;
      }
      const auto build = builds_.find(record.build_id());
      const bool has_no_build = record.build_id() == 0 && !record.enable_index();
      if (!has_no_build && build == builds_.end()) {
        problems_.Add(*key, fmt::format("its build record {}indexes/{} is missing or damaged",
                                        scope_.Prefix(), record.build_id()));
        continue;
      }
      const auto [at, is_new] = changes_.added.insert_or_assign(
          SegmentIndexKey(scope_, record.collection_id(), record.partition_id(),
                          record.segment_id(), record.build_id()),
          SegmentIndexValue(record, has_no_build ? NoBuildPart() : build->second));
      if (!is_new) losses_.Add(kSharedBuild, *key);
    }
  }

  void MakeLoadInfo(const Entry& entry) {
    if (entry.key.kind != Kind::kLoadState || !entry.key.is_well_formed) return;
    const auto state = Read<wire::LoadState21>(entry, "a load state");
    if (!state || Disagrees(entry, "collection", entry.key.ids[0], state->collection_id())) return;
    constexpr int kByPartition = 1;
    constexpr int kWhole = 2;
    FieldToIndex indexes;
    const auto collection = collections_.find(state->collection_id());
    if (collection != collections_.end()) {
      for (const auto& pair : collection->second.field_indexes())
        indexes[pair.field_id()] = pair.index_id();
    }
    std::string reason;
    if (state->percentage() < 100) {
      reason = fmt::format("2.1 had loaded {} % of it", state->percentage());
    } else if (state->load_type() == kByPartition) {
      for (const std::int64_t partition : state->partition_ids()) {
        changes_.added[PartitionLoadKey(scope_, state->collection_id(), partition)] =
            PartitionLoadValue(*state, partition, indexes);
      }
    } else if (state->load_type() != kWhole) {
      reason = fmt::format("its load type {} is not known", state->load_type());
    } else if (indexes.empty()) {
      reason = "it has no index, and 2.2 loads only what has one: make one first (FLAT will do)";
    } else {
      changes_.added[CollectionLoadKey(scope_, state->collection_id())] =
          CollectionLoadValue(*state, indexes);
    }
    // What is left of a collection that was dropped is for nobody to load.
    if (reason.empty() || collection == collections_.end()) return;
    changes_.summary.needs_load.push_back(
        {state->collection_id(), Printable(collection->second.schema().name()), std::move(reason)});
  }

  // 2.1 finishes at its start what it had recorded and not announced; 2.2 has no such record.
  void LoseOperation() {
    const Entry* operation = nullptr;
    bool is_sent = false;
    for (const Entry& entry : entries_) {
      if (entry.key.kind == Kind::kDdl) operation = &entry;
      if (entry.key.kind == Kind::kDdlSent) is_sent = entry.kv->value == "true";
    }
    if (operation == nullptr || is_sent || IsTombstone(operation->kv->value)) return;
    std::string reason;
    const auto members = GoMembers(operation->kv->value, &reason);
    const auto type =
        members ? members->find("type") : std::map<std::string, std::string>::const_iterator();
    changes_.losses.push_back(
        fmt::format("2.1 had not announced its last operation ({}) when it was stopped, and 2.2 "
                    "will not: look whether it was done ({})",
                    members && type != members->end() ? Printable(type->second) : "unknown",
                    operation->kv->key));
  }

  // Keys of 2.2 beside those of 2.1 are what a cut run of ours has written: the same values. All
  // else is refused: to write over it or to leave it could both be wrong.
  void CompareWithPresent() {
    for (const auto& [kv, key] : entries_) {
      if (!IsOf22Alone(key.kind)) continue;
      const auto added = changes_.added.find(kv->key);
      if (added == changes_.added.end()) {
        problems_.Add(kv->key,
                      "it is of Milvus 2.2, and nothing of 2.1 accounts for it: a migration was "
                      "cut, or 2.2 has run on this metadata");
      } else if (added->second != kv->value) {
        problems_.Add(kv->key,
                      "it is there already with another value than what 2.1's metadata gives: that "
                      "was changed after a migration was cut");
      } else {
        changes_.added.erase(added);
      }
    }
  }

  struct Index {
    wire::Index21 record;
    const std::string* key;
  };
  struct SegmentIndex {
    wire::SegmentIndex21 record;
    const std::string* key;
  };

  const Scope& scope_;
  const std::vector<Entry> entries_;
  Changes changes_;
  Problems problems_;
  Losses losses_;
  std::unordered_map<std::int64_t, wire::Collection> collections_;
  std::unordered_map<Ids, Index, HashIds> indexes_;  // by collection and index
  std::unordered_map<std::int64_t, wire::SegmentIndex22> builds_;
  std::vector<SegmentIndex> segment_indexes_;
  std::unordered_map<Ids, std::size_t, HashIds> last_of_segment_;  // by segment and index
};

}  // namespace

Result<Changes> Convert(std::span<const model::KeyValue> keys, const Scope& scope) {
  return Conversion(keys, scope).Run();
}

}  // namespace mu::meta
