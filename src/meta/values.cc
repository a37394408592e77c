// SPDX-License-Identifier: Apache-2.0
#include "meta/values.h"

#include "meta/go_text.h"

namespace mu::meta {
namespace {

constexpr int kLoaded = 2;         // load status of 2.2
constexpr int kBuildFinished = 3;  // state of a build, the same in both

constexpr std::string_view kDefaultName = "_default_idx";
constexpr std::string_view kNestedParams = "params";

template <class Message>
void SetFieldIndex(const FieldToIndex& indexes, Message* message) {
  for (const auto& [field, index] : indexes) {
    wire::IdPair* pair = message->add_field_index();
    pair->set_key(field);
    pair->set_value(index);
  }
}

}  // namespace

std::string AliasValue(const wire::Alias21& alias, std::uint64_t time) {
  wire::Alias22 value;
  value.set_name(alias.schema().name());
  value.set_collection_id(alias.collection_id());
  value.set_created_time(time);
  return value.SerializeAsString();
}

std::string NewIndexName(const std::string& name, std::int64_t field) {
  return name == kDefaultName ? name + "_" + std::to_string(field) : name;
}

tl::expected<std::string, std::string> FieldIndexValue(std::int64_t collection,
                                                       const wire::Collection::Field& field,
                                                       const wire::Index21& index) {
  wire::FieldIndex22 value;
  value.set_deleted(index.deleted());
  value.set_create_time(index.create_time());
  wire::FieldIndex22::Index& inner = *value.mutable_index();
  inner.set_collection_id(collection);
  inner.set_field_id(field.id());
  inner.set_name(NewIndexName(index.name(), field.id()));
  inner.set_index_id(index.id());
  *inner.mutable_type_params() = field.type_params();
  *inner.mutable_user_index_params() = index.params();

  std::map<std::string, std::string> flat;
  for (const wire::KeyValuePair& param : index.params()) {
    if (param.key() != kNestedParams) {
      flat[param.key()] = param.value();
      continue;
    }
    std::string reason;
    auto members = GoMembers(param.value(), &reason);
    if (!members) return tl::unexpected("its parameter \"params\" " + reason);
    for (auto& [name, text] : *members) flat[name] = std::move(text);
  }
  for (auto& [name, text] : flat) {
    wire::KeyValuePair* param = inner.add_index_params();
    param->set_key(name);
    param->set_value(std::move(text));
  }
  return value.SerializeAsString();
}

wire::SegmentIndex22 BuildPart(wire::Build21 build) {
  wire::SegmentIndex22 part;
  part.set_rows(build.request().rows());
  part.set_node_id(build.node_id());
  part.set_version(build.version());
  part.set_state(build.state());
  part.set_fail_reason(std::move(*build.mutable_fail_reason()));
  for (const std::string& path : build.file_paths()) {
    part.add_file_keys(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
  }
  part.set_deleted(build.mark_deleted());
  part.set_serialized_size(build.serialized_size());
  part.set_write_handoff(build.state() == kBuildFinished);
  return part;
}

wire::SegmentIndex22 NoBuildPart() {
  wire::SegmentIndex22 part;
  part.set_version(1);
  part.set_state(kBuildFinished);
  part.set_write_handoff(true);
  return part;
}

std::string SegmentIndexValue(const wire::SegmentIndex21& record, wire::SegmentIndex22 build) {
  build.set_collection_id(record.collection_id());
  build.set_partition_id(record.partition_id());
  build.set_segment_id(record.segment_id());
  build.set_index_id(record.index_id());
  build.set_build_id(record.build_id());
  build.set_create_time(record.create_time());
  return build.SerializeAsString();
}

std::string CollectionLoadValue(const wire::LoadState21& state, const FieldToIndex& indexes) {
  wire::CollectionLoad22 value;
  value.set_collection_id(state.collection_id());
  *value.mutable_released_partition_ids() = state.released_partition_ids();
  value.set_replicas(state.replicas());
  value.set_status(kLoaded);
  SetFieldIndex(indexes, &value);
  return value.SerializeAsString();
}

std::string PartitionLoadValue(const wire::LoadState21& state, std::int64_t partition,
                               const FieldToIndex& indexes) {
  wire::PartitionLoad22 value;
  value.set_collection_id(state.collection_id());
  value.set_partition_id(partition);
  value.set_replicas(state.replicas());
  value.set_status(kLoaded);
  SetFieldIndex(indexes, &value);
  return value.SerializeAsString();
}

}  // namespace mu::meta
