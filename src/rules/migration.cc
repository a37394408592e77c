// SPDX-License-Identifier: Apache-2.0
#include "milvus_upgrade/rules/migration.h"

#include <fmt/format.h>

#include <algorithm>

#include "milvus_upgrade/base/text.h"

namespace mu::rules {
namespace {

using model::CollectionFacts;
using model::FieldIndex;

// "a.vec, b.vec" of the indexes that `is_meant`.
template <class Meant>
std::string Fields(const std::vector<CollectionFacts>& collections, Meant is_meant) {
  std::vector<std::string> names;
  for (const CollectionFacts& collection : collections) {
    for (const FieldIndex& index : collection.indexes) {
      if (is_meant(index)) names.push_back(collection.name + "." + index.field);
    }
  }
  return Join(names, ", ");
}

bool IsKind(const FieldIndex& index, std::string_view kind) {
  return ToLower(index.kind) == ToLower(kind);
}

}  // namespace

const HopRule* MigrationHopOf(const VersionPath& path) {
  const auto it = std::find_if(path.hops.begin(), path.hops.end(), [](const HopRule& hop) {
    return hop.action == Action::kMetadataMigration;
  });
  return it == path.hops.end() ? nullptr : &*it;
}

std::vector<std::string> ClientChanges(const model::Observed& observed) {
  const model::MetadataFacts& metadata = observed.migration.metadata;
  const std::vector<CollectionFacts>& collections = metadata.collections;
  std::vector<std::string> changes;
  std::vector<std::string> renamed;
  std::vector<std::string> dropped;
  for (const CollectionFacts& collection : collections) {
    for (const FieldIndex& index : collection.indexes) {
      if (index.new_name == index.old_name) continue;
      renamed.push_back(fmt::format("{}.{} ({})", collection.name, index.field, index.new_name));
    }
    if (collection.dropped_segments == 0) continue;
    dropped.push_back(fmt::format("{} ({} {} in {} {})", collection.name, collection.dropped_rows,
                                  collection.dropped_rows == 1 ? "row" : "rows",
                                  collection.dropped_segments,
                                  collection.dropped_segments == 1 ? "segment" : "segments"));
  }
  if (!renamed.empty())
    changes.push_back("indexes without a name of their own are called otherwise: " +
                      Join(renamed, ", "));
  for (const model::NeedsLoad& item : metadata.needs_load) {
    changes.push_back(
        fmt::format("{} is released and must be loaded again: {}", item.collection, item.reason));
  }
  if (!dropped.empty())
    changes.push_back("rows of dropped partitions, which 2.1 may still return, are gone: " +
                      Join(dropped, ", "));
  const std::string annoy =
      Fields(collections, [](const FieldIndex& index) { return IsKind(index, "ANNOY"); });
  if (!annoy.empty())
    changes.push_back(
        "ANNOY answers with the square root of the distance where the metric is L2, and refuses "
        "search_k=-1: " +
        annoy);
  const std::string jaccard = Fields(collections, [](const FieldIndex& index) {
    return IsKind(index, "BIN_FLAT") && ToLower(index.metric) == "jaccard";
  });
  if (!jaccard.empty())
    changes.push_back(
        "BIN_FLAT with JACCARD was seen on 2.2.16 not to find rows of indexed segments, cause "
        "unknown: compare its searches before and after: " +
        jaccard);
  changes.insert(changes.end(), metadata.losses.begin(), metadata.losses.end());
  return changes;
}

}  // namespace mu::rules
