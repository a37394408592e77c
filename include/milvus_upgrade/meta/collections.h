// SPDX-License-Identifier: Apache-2.0
// The collections of Milvus 2.1's metadata as its clients know them, with what 2.2 will make of
// them: names of indexes, and rows that are still kept of partitions that were dropped. Pure; reads
// what it can and leaves out the rest, which Convert names.
#pragma once

#include <span>
#include <vector>

#include "milvus_upgrade/meta/scope.h"
#include "milvus_upgrade/model/etcd.h"
#include "milvus_upgrade/model/migration.h"

namespace mu::meta {

// By name; without those that were dropped. `keys` as for Convert. Texts are printable.
std::vector<model::CollectionFacts> CollectionsOf(std::span<const model::KeyValue> keys,
                                                  const Scope& scope);

}  // namespace mu::meta
