// SPDX-License-Identifier: Apache-2.0
// What a migration of metadata from 2.1 to 2.2 finds before it, as plain values: migrate.yaml, the
// metadata itself, the way to its etcd. Read by observe/, looked at by checks and the planner. A
// password is in none of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "milvus_upgrade/model/version.h"

namespace mu::model {

struct EtcdTls {
  bool is_enabled = false;
  std::string certificate;  // paths; "" is none
  std::string key;
  std::string authority;
  std::string minimum_version = "1.2";  // "1.0" to "1.3"
  bool operator==(const EtcdTls&) const = default;
};

// migrate.yaml as it stands. Without `path` there is none, and all below is empty; with a `problem`
// all below that is empty.
struct MigrateFile {
  std::string path;  // absolute
  std::string sha256;
  bool is_given = false;  // by --migrate-file; else found beside the compose file
  std::string rival;      // a second one beside the compose file: nobody can tell which
  std::string problem;    // why it cannot be read or understood, with file:line
  std::vector<std::string> warnings;
  std::string command;  // "run", "backup", "rollback"
  bool runs_with_backup = false;
  std::string backup_file;
  Version source;
  std::optional<Version> target;
  std::vector<std::string> endpoints;
  std::string root_path;
  std::string meta_path;
  std::string kv_path;
  std::vector<std::string> strangers;  // of `endpoints`: those that do not lead to this etcd
  EtcdTls tls;                         // its paths absolute
  std::vector<std::string> missing;    // of these paths: what is not there
  bool has_user = false;               // etcd.auth
  std::map<std::string, int> lines;    // "etcd.rootPath" -> line, from 1
  bool operator==(const MigrateFile&) const = default;
};

enum class MetadataForm {
  kUnknown = 0,  // not read
  kEmpty = 1,
  k21 = 2,
  k22 = 3,
  kMixed = 4,  // of both: a migration was cut, or 2.2 was started on it
};

// What the metadata describes once it is migrated.
struct MetadataCounts {
  std::int64_t collections = 0;
  std::int64_t partitions = 0;
  std::int64_t indexes = 0;
  std::int64_t segments = 0;
  std::int64_t segment_indexes = 0;
  std::int64_t aliases = 0;
  std::int64_t loaded_collections = 0;
  std::int64_t loaded_partitions = 0;
  bool operator==(const MetadataCounts&) const = default;
};

struct NeedsLoad {  // loaded now, and not after the migration
  std::string collection;
  std::string reason;
  bool operator==(const NeedsLoad&) const = default;
};

struct FieldIndex {
  std::string field;
  std::string old_name;
  std::string new_name;  // where 2.2 calls it otherwise; else the same
  std::string kind;      // "IVF_FLAT"; "" where it is not said
  std::string metric;    // "L2"
  bool operator==(const FieldIndex&) const = default;
};

// A collection as clients see it: what the upgrade changes for them.
struct CollectionFacts {
  std::string name;
  std::vector<FieldIndex> indexes;
  std::int64_t dropped_segments = 0;  // still recorded, of partitions that were dropped
  std::int64_t dropped_rows = 0;      // in these
  bool operator==(const CollectionFacts&) const = default;
};

// The keys under <root>/<meta>/, read at one revision and converted here, without a write.
struct MetadataFacts {
  MetadataForm form = MetadataForm::kUnknown;
  std::string unread;   // why it could not be read; "" when it was, or need not be
  bool is_cut = false;  // a migration of ours was begun and did not end: its marker is there
  std::int64_t revision = 0;
  std::int64_t keys = 0;      // without those under a lease
  std::string unconvertible;  // each key and its reason, one a line; "" when it converts
  MetadataCounts counts;
  std::vector<NeedsLoad> needs_load;
  std::vector<std::string> losses;  // what 2.2 has no place for, one sentence each
  std::vector<CollectionFacts> collections;
  std::vector<std::string> siblings;  // "by-dev/meta2": taken along by Milvus's own tool
  bool operator==(const MetadataFacts&) const = default;
};

struct MigrationFacts {
  MigrateFile file;
  MetadataFacts metadata;
  std::string network;                 // of the engine, on which etcd is reached; "" not known
  std::vector<std::string> endpoints;  // as seen there: "etcd:2379"
  bool operator==(const MigrationFacts&) const = default;
};

}  // namespace mu::model
