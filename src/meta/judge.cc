// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/meta/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "meta/keys.h"
#include "meta/wire.h"
#include "milvus22.pb.h"

namespace mu::meta {
namespace {

bool IsLoadState(Kind kind) {
  return kind == Kind::kNewCollectionLoad || kind == Kind::kNewPartitionLoad;
}

bool IsNobodys(std::string_view key, const Scope& scope) {
  return !scope.Holds(key) || key == scope.Marker() || key.starts_with(scope.Sessions());
}

// In one order, so that bytes can be compared. What cannot be read stays as it is.
std::string InOrder(Kind kind, const std::string& value) {
  if (kind == Kind::kNewFieldIndex) {
    auto index = Decode<wire::FieldIndex22>(value);
    if (!index) return value;
    const auto by_key = [](const auto& a, const auto& b) { return a.key() < b.key(); };
    auto* params = index->mutable_index()->mutable_index_params();
    std::sort(params->begin(), params->end(), by_key);
    return index->SerializeAsString();
  }
  const auto sorted = [](auto message) {
    auto* pairs = message.mutable_field_index();
    std::sort(pairs->begin(), pairs->end(),
              [](const auto& a, const auto& b) { return a.key() < b.key(); });
    return message.SerializeAsString();
  };
  if (kind == Kind::kNewCollectionLoad) {
    if (const auto load = Decode<wire::CollectionLoad22>(value)) return sorted(*load);
  } else if (kind == Kind::kNewPartitionLoad) {
    if (const auto load = Decode<wire::PartitionLoad22>(value)) return sorted(*load);
  }
  return value;
}

}  // namespace

Result<Judgement> JudgeMigration(std::span<const model::KeyValue> before,
                                 std::span<const model::KeyValue> after, const Scope& scope) {
  MU_TRY(const Changes changes, Convert(before, scope));
  std::map<std::string, std::string> expected = changes.added;
  expected.insert(changes.replaced.begin(), changes.replaced.end());
  for (const model::KeyValue& kv : before) {
    if (!changes.removed.contains(kv.key) && !IsNobodys(kv.key, scope))
      expected.emplace(kv.key, kv.value);
  }
  Judgement judgement;
  judgement.summary = changes.summary;
  judgement.added = changes.added.size();
  judgement.replaced = changes.replaced.size();
  judgement.removed = changes.removed.size();
  const auto tell = [&](Kind kind, std::string what) {
    (IsLoadState(kind) ? judgement.remarks : judgement.problems).push_back(std::move(what));
  };
  std::map<std::string_view, const model::KeyValue*> found;
  for (const model::KeyValue& kv : after) {
    if (IsNobodys(kv.key, scope)) continue;
    found.emplace(kv.key, &kv);
    if (expected.contains(kv.key)) continue;
    tell(ReadKey(kv.key, scope).kind,
         changes.removed.contains(kv.key)
             ? fmt::format("{} is of 2.1 alone and is still there", kv.key)
             : fmt::format("{} is there and belongs to no 2.1 metadata that was", kv.key));
  }
  for (const auto& [key, value] : expected) {
    const Kind kind = ReadKey(key, scope).kind;
    const auto it = found.find(key);
    if (it == found.end()) {
      tell(kind, fmt::format("{} is missing", key));
    } else if (it->second->value != value &&
               InOrder(kind, it->second->value) != InOrder(kind, value)) {
      tell(kind, fmt::format("{} has another value than its 2.1 form gives", key));
    }
  }
  return judgement;
}

}  // namespace mu::meta
