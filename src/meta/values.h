// SPDX-License-Identifier: Apache-2.0
// One value of 2.2 out of the values of 2.1 that it is made from: the tables of
// docs/metadata-2.1-to-2.2.md, field by field. Knows no keys and looks nothing up.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "milvus21.pb.h"
#include "milvus22.pb.h"

namespace mu::meta {

// `time` 0: of the alias itself; else the time stamp of the snapshot's key.
std::string AliasValue(const wire::Alias21& alias, std::uint64_t time);

// 2.2 wants each index to have a name of its own, where 2.1 called all without one the same.
std::string NewIndexName(const std::string& name, std::int64_t field);

// The index of one field. Error: why its parameters cannot be taken apart.
tl::expected<std::string, std::string> FieldIndexValue(std::int64_t collection,
                                                       const wire::Collection::Field& field,
                                                       const wire::Index21& index);

// What 2.2 keeps of a build; the segment's part is still empty.
wire::SegmentIndex22 BuildPart(wire::Build21 build);
// The build of a segment that was too small to be indexed: it counts as finished, version 1.
wire::SegmentIndex22 NoBuildPart();
std::string SegmentIndexValue(const wire::SegmentIndex21& record, wire::SegmentIndex22 build);

using FieldToIndex = std::map<std::int64_t, std::int64_t>;
std::string CollectionLoadValue(const wire::LoadState21& state, const FieldToIndex& indexes);
std::string PartitionLoadValue(const wire::LoadState21& state, std::int64_t partition,
                               const FieldToIndex& indexes);

}  // namespace mu::meta
