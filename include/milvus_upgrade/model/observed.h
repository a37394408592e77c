// SPDX-License-Identifier: Apache-2.0
// Observed: everything that a compose plan is made from, read at one time, as plain values. The
// planner and the checks see only this. What is secret is not in it (environment values of secret
// names are masked).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "milvus_upgrade/model/compose.h"
#include "milvus_upgrade/model/container.h"
#include "milvus_upgrade/model/etcd.h"
#include "milvus_upgrade/model/image_ref.h"
#include "milvus_upgrade/model/migration.h"
#include "milvus_upgrade/model/role.h"
#include "milvus_upgrade/model/version.h"

namespace mu::model {

// A Milvus service of the project together with its one container.
struct MilvusService {
  std::string service;
  Role role = Role::kStandalone;
  ImageRef image;  // as resolved now from the files
  std::optional<Container> container;
  std::optional<Version> tag_version;      // from the tag
  std::optional<Version> session_version;  // from its session keys
  std::optional<Version> metrics_version;  // from milvus_build_info
  bool operator==(const MilvusService&) const = default;
};

enum class MessageQueue {
  kUnknown = 0,
  kRocksmq = 1,
  kPulsar = 2,
  kKafka = 3,
  kNatsmq = 4,
  kWoodpecker = 5
};

// The effective configuration of the Milvus containers: environment over mounted or in-image
// milvus.yaml.
struct MilvusSettings {
  std::string root_path;      // etcd.rootPath, "by-dev"
  std::string meta_sub_path;  // "meta"
  std::string kv_sub_path;    // "kv"
  MessageQueue queue = MessageQueue::kUnknown;
  bool is_queue_pinned = false;  // written explicitly (MQ_TYPE or mq.type), not by default
  std::string metastore = "etcd";
  bool is_etcd_embedded = false;
  std::vector<std::string> etcd_endpoints;
  bool has_etcd_tls = false;
  std::string data_dir;      // where rocksmq and local storage live inside the container
  std::string storage_type;  // "minio", "local"
  int metrics_port = 9091;
  std::string source;  // for people: "ETCD_ROOT_PATH of standalone, milvus.yaml of the image"
  bool operator==(const MilvusSettings&) const = default;
  std::string MetaPrefix() const { return root_path + "/" + meta_sub_path + "/"; }
  std::string SessionPrefix() const { return MetaPrefix() + "session/"; }
};

struct EtcdFacts {
  std::string container_id;  // "" when etcd is not a container of this engine
  std::string container_name;
  std::string service;      // "" when not of this project
  std::string unreachable;  // why it cannot be asked; "" when it answers
  EtcdStatus status;
  std::vector<Session> sessions;
  std::int64_t revision = 0;
  std::int64_t keys = 0;                   // under the root path
  std::map<std::string, int> index_kinds;  // "IVF_FLAT" -> how many indexes
  bool has_meta_2_1 = false;               // keys that 2.2 does not have
  bool has_meta_2_2 = false;               // field-index/ or segment-index/ keys
  std::vector<std::string> other_roots;    // other instances seen in the same etcd
  bool operator==(const EtcdFacts&) const = default;
};

// A file that takes part in the project: compose files, .env, included and extended files.
struct ProjectFile {
  std::string path;  // absolute, symlink not followed
  std::string sha256;
  bool is_writable = true;
  std::string not_replaceable;  // why an atomic replace cannot work here (mount point, folder); ""
                                // when it can
  std::string link_target;      // where it leads when it is a symbolic link; "" when it is none
  bool operator==(const ProjectFile&) const = default;
};

struct Observed {
  ComposeSelectors selectors;
  ComposeGeneration made_by = ComposeGeneration::kV2;  // of the running containers
  std::string made_by_version;                         // label com.docker.compose.version
  std::string compose_version;                         // of the program that we would use
  ComposeProject project;
  std::string project_directory;
  std::vector<ProjectFile> files;
  std::vector<MilvusService> milvus;
  std::vector<Container> other_containers;  // of the project, not Milvus
  std::map<std::string, Container>
      name_holders;  // service -> a container of its container_name that is not of this project
  std::vector<Container> autostarters;  // watchtower, autoheal and the like on this engine
  MilvusSettings settings;
  EtcdFacts etcd;
  MigrationFacts migration;  // filled where 2.1 runs, or has left its metadata
  Engine engine;
  std::map<std::string, std::optional<Image>>
      images;  // wanted and running references -> nullopt when absent
  std::map<std::string, std::string>
      unavailable_images;  // not on the engine, and what their registry says
  std::map<std::string, std::string>
      shell_overrides;  // variables of the files that the shell sets otherwise than .env
  std::optional<std::int64_t> free_bytes_state;  // where run folders go
  std::string state_dir;
  std::string ci_workspace;  // in a CI job: the workspace folder, which the next job wipes; else ""
  bool operator==(const Observed&) const = default;
};

}  // namespace mu::model
