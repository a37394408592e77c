// SPDX-License-Identifier: Apache-2.0
// Metadata of a Milvus 2.1 of realistic shape: collections with schemas, histories, indexes, load
// states and aliases, dropped ones too, and many segments. The same seed gives the same keys on any
// machine. For tests and measurements of all parts.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "milvus_upgrade/meta/scope.h"
#include "milvus_upgrade/model/etcd.h"
#include "unit/meta/message.h"

namespace mu::meta {

class MetadataWriter {
 public:
  MetadataWriter(std::uint64_t seed, std::size_t approx_keys, const Scope& scope)
      : random_(seed), approx_keys_(approx_keys), prefix_(scope.Prefix()) {}

  std::vector<model::KeyValue> Write() {
    Put("session/id", std::to_string(5 + Below(90)));
    Put("root-coord/credential/users/root", R"({"username":"root","encrypted_password":"x"})");
    Put("root-coord/dd-operation", R"({"body":"CAE=","type":"CreateCollection"})");
    Put("root-coord/dd-msg-send", "true");
    while (keys_.size() < approx_keys_) Collection();
    std::sort(keys_.begin(), keys_.end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
    return std::move(keys_);
  }

 private:
  std::size_t Below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }
  bool Chance(std::size_t one_in) { return Below(one_in) == 0; }
  std::int64_t Id() { return last_id_ += static_cast<std::int64_t>(1 + Below(1000)); }
  static std::string Text(std::int64_t id) { return std::to_string(id); }

  void Put(const std::string& key, std::string value) {
    keys_.push_back({.key = prefix_ + key,
                     .value = std::move(value),
                     .create_revision = 2,
                     .mod_revision = static_cast<std::int64_t>(2 + keys_.size())});
  }
  void PutSnapshot(const std::string& key, std::int64_t time, std::string value) {
    Put("snapshots/" + key + "_ts" + Text(time), std::move(value));
  }

  struct Index {
    std::int64_t field;
    std::int64_t id;
  };

  Message Field(std::int64_t id, std::string_view name, int type, std::string_view param = {}) {
    Message field;
    field.Int(1, id).Text(2, name).Int(3, id == 100 ? 1 : 0).Int(5, type);
    if (!param.empty()) field.Pair(6, param, std::to_string(8 << Below(8)));
    if (Chance(9)) field.Int(92, 7);  // of a 2.1 that is newer than what we know
    return field;
  }

  Message CollectionValue(const std::string& name, std::int64_t id,
                          const std::vector<std::int64_t>& partitions,
                          const std::vector<Message>& fields, const std::vector<Index>& indexes) {
    Message schema;
    schema.Text(1, name).Text(2, Chance(2) ? "" : "about \xC3\xA4\xE2\x80\x93");
    for (const Message& field : fields) schema.Sub(4, field);
    if (Chance(5)) schema.Text(91, "unknown");
    Message value;
    value.Int(1, id).Sub(2, schema).Int(3, id + 1).Packed(4, partitions);
    for (const std::int64_t partition : partitions) {
      value.Put(5, partition == partitions[0] ? "_default" : "p" + Text(partition));
    }
    for (const Index& index : indexes) value.Sub(6, Message().Int(1, index.field).Int(2, index.id));
    for (int shard = 0; shard < 2; ++shard) {
      const std::string channel = "by-dev-rootcoord-dml_" + std::to_string(shard);
      value.Text(7, channel + "_" + Text(id) + "v" + std::to_string(shard));
    }
    value.Text(8, "by-dev-rootcoord-dml_0").Text(8, "by-dev-rootcoord-dml_1");
    value.Packed(9, std::vector<std::int64_t>(partitions.size(), id + 1)).Int(10, 2);
    value.Sub(11, Message().Text(1, "by-dev-rootcoord-dml_0").Text(2, "\x08\x01\x10\x02"));
    value.Int(12, static_cast<std::uint64_t>(Below(5)));
    if (Chance(5)) value.Text(90, std::string("\x00\xFF\x80", 3)).Int(95, 3);
    return value;
  }

  void Collection() {
    const std::int64_t id = Id();
    const std::string key = "root-coord/collection/" + Text(id);
    const std::string name = "c" + std::to_string(++collections_);
    std::vector<std::int64_t> partitions;
    for (std::size_t i = 0; i <= Below(4); ++i) partitions.push_back(Id());
    std::vector<Message> fields = {Field(100, "id", 5), Field(101, "vec", 101, "dim")};
    if (Chance(2)) fields.push_back(Field(102, "title", 21, "max_length"));
    fields.push_back(Field(0, "RowID", 5));
    fields.push_back(Field(1, "Timestamp", 5));

    std::vector<Index> indexes;
    if (!Chance(5)) indexes.push_back({101, Id()});
    if (fields.size() == 5 && Chance(3)) indexes.push_back({102, Id()});
    PutSnapshot(key, id, CollectionValue(name, id, partitions, fields, {}).bytes);
    for (const Index& index : indexes) {
      IndexRecord(id, index);
      PutSnapshot(key, Id(), CollectionValue(name, id, partitions, fields, indexes).bytes);
    }
    if (Chance(6)) IndexRecord(id, {101, Id()});  // dropped: no collection refers to it
    const bool is_dropped = Chance(10);
    if (is_dropped) PutSnapshot(key, Id(), kTombstone);
    Put(key,
        is_dropped ? kTombstone : CollectionValue(name, id, partitions, fields, indexes).bytes);
    if (!is_dropped) Aliases(name, id);
    Segments(id, partitions, indexes, !is_dropped && LoadState(id, partitions));
  }

  void IndexRecord(std::int64_t collection, const Index& index) {
    Message value;
    value.Text(1, Chance(2) ? "_default_idx" : "idx" + Text(index.id)).Int(2, index.id);
    if (index.field == 102) {
      value.Pair(3, "index_type", "Trie");
    } else {
      value.Pair(3, "index_type", Chance(2) ? "HNSW" : "IVF_FLAT").Pair(3, "metric_type", "L2");
      value.Pair(3, "params",
                 Chance(2) ? R"({"M": 8, "efConstruction": 1000000})"
                           : R"({"nlist":128,"ratio":0.25,"s":"x","on":true})");
    }
    value.Int(4, Chance(12) ? 1 : 0).Int(5, index.id + 1);
    Put("root-coord/index/" + Text(collection) + "/" + Text(index.id), value.bytes);
  }

  void Aliases(const std::string& name, std::int64_t collection) {
    for (std::size_t i = Below(3); i > 0; --i) {
      const std::string alias = name + (Chance(4) ? "_ts5" : "_a") + std::to_string(i);
      const std::string key = "root-coord/collection-alias/" + alias;
      const std::string value = Message().Int(1, collection).Sub(2, Message().Text(1, alias)).bytes;
      PutSnapshot(key, Id(), value);
      const bool is_dropped = Chance(5);
      if (is_dropped) PutSnapshot(key, Id(), kTombstone);
      Put(key, is_dropped ? kTombstone : value);
    }
  }

  // True when it is loaded.
  bool LoadState(std::int64_t collection, const std::vector<std::int64_t>& partitions) {
    if (Chance(3)) return false;
    Message value;
    value.Int(1, collection).Packed(2, partitions).Int(4, Chance(3) ? 1 : 2);
    if (Chance(6)) value.Packed(6, {Id()});
    value.Int(7, Chance(8) ? 40 : 100).Int(9, 1);
    Put("queryCoord-collectionMeta/" + Text(collection), value.bytes);
    Put("queryCoord-ReplicaMeta/" + Text(Id()), Message().Int(2, collection).bytes);
    return true;
  }

  void Segments(std::int64_t collection, const std::vector<std::int64_t>& partitions,
                const std::vector<Index>& indexes, bool is_loaded) {
    const std::size_t left = approx_keys_ - std::min(approx_keys_, keys_.size());
    const std::size_t most = std::min({std::size_t{2000}, approx_keys_ / 6, left / 4});
    for (std::size_t i = Below(2 + most); i > 0; --i) {
      const std::int64_t partition = partitions[Below(partitions.size())];
      const std::int64_t segment = Id();
      const auto rows = static_cast<std::int64_t>(Chance(4) ? Below(1024) : 1024 + Below(100000));
      const std::string place = Text(collection) + "/" + Text(partition) + "/" + Text(segment);
      Message value;
      value.Int(1, segment).Int(2, collection).Int(3, partition).Int(5, rows);
      for (int field = 0; field < 6; ++field)
        value.Text(11, "files/insert_log/" + place + "/" + std::to_string(100 + field) + "/1");
      Put("datacoord-meta/s/" + place, value.bytes);
      if (is_loaded) Put("queryCoord-segmentMeta/" + place, value.bytes.substr(0, 90));
      for (const Index& index : indexes) SegmentIndex(collection, partition, segment, rows, index);
    }
  }

  void SegmentIndex(std::int64_t collection, std::int64_t partition, std::int64_t segment,
                    std::int64_t rows, const Index& index) {
    const bool is_built = rows >= 1024;
    const std::int64_t build = is_built ? Id() : 0;
    Message record;
    record.Int(1, collection).Int(2, partition).Int(3, segment).Int(4, index.field);
    record.Int(5, index.id).Int(6, build).Int(7, is_built ? 1 : 0).Int(8, segment + 1);
    Put("root-coord/segment-index/" + Text(collection) + "/" + Text(index.id) + "/" +
            Text(partition) + "/" + Text(segment),
        record.bytes);
    if (!is_built) return;
    Message request;
    request.Int(1, build).Text(2, "_default_idx").Int(3, index.id);
    request.Text(5, "files/insert_log/" + Text(segment) + "/101/1").Pair(6, "dim", "128");
    request.Int(8, rows).Int(10, segment);
    const int state = Chance(20) ? 4 : 3;
    Message value;
    value.Int(1, build).Int(2, state).Text(3, state == 4 ? "out of memory" : "").Sub(4, request);
    for (const std::string file : {"HNSW", "SLICE_META"})
      value.Text(5, "files/index_files/" + Text(build) + "/1/" + Text(segment) + "/" + file);
    value.Int(6, Chance(30) ? 1 : 0).Int(7, Chance(10) ? 4 : 0).Int(8, 1 + Chance(5));
    value.Int(10, rows * 512);
    Put("indexes/" + Text(build), value.bytes);
  }

  static constexpr const char* kTombstone = "\xE2\x9B\xBC";
  std::mt19937_64 random_;
  std::size_t approx_keys_;
  std::string prefix_;
  std::int64_t last_id_ = 470706482543267137;
  int collections_ = 0;
  std::vector<model::KeyValue> keys_;
};

// Ascending. A little more than `approx_keys`.
inline std::vector<model::KeyValue> RandomMetadata(std::uint64_t seed, std::size_t approx_keys,
                                                   const Scope& scope = {"by-dev", "meta"}) {
  return MetadataWriter(seed, approx_keys, scope).Write();
}

}  // namespace mu::meta
