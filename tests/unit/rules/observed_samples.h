// SPDX-License-Identifier: Apache-2.0
// Healthy stacks as the observer reads them, for tests of rules and plan: the official standalone
// (rocksmq) and the official cluster of eight components (Kafka), both 2.2.16, made by Compose v2,
// with the images of 2.3.5 already on the engine. A test changes the one fact that it is about.
// Shapes as inspected on a real engine (ground.md 1-3); nothing in them is random.
#pragma once

#include <cctype>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/model/observed.h"

namespace mu::samples {

inline const std::string kFolder = "/srv/milvus";
inline const std::string kOldImage = "milvusdb/milvus:v2.2.16";
inline const std::string kNewImage = "milvusdb/milvus:v2.3.5";
inline const std::string kOldImageId = "sha256:" + std::string(64, '2');
inline const std::string kNewImageId = "sha256:" + std::string(64, '3');

inline config::Config ConfigTo(const std::string& version) {
  config::Config config;
  config.to = version;
  return config;
}

// 64 hex digits that differ by `seed`.
inline std::string HexId(int seed) {
  std::string digits = std::to_string(seed);
  return digits + std::string(64 - digits.size(), 'a');
}

inline model::Container ContainerOf(const model::ComposeService& service, int host,
                                    const std::string& network) {
  model::Container container;
  container.id = HexId(100 + host);
  container.name = service.container_name;
  container.image = service.image;
  container.image_id = service.image == kOldImage ? kOldImageId : "sha256:" + HexId(500 + host);
  container.status = "running";
  container.started_at = "2026-11-25T08:00:00.000000000Z";
  container.restart_policy = service.restart.empty() ? "no" : service.restart;
  container.has_healthcheck = service.has_healthcheck;
  if (service.has_healthcheck) container.health.status = "healthy";
  container.command = service.command;
  container.environment = service.environment;
  container.environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
  container.mounts = service.mounts;
  container.ports = service.ports;
  container.network_ips[network] = "172.18.0." + std::to_string(host);
  container.labels = {{"com.docker.compose.project", "milvus"},
                      {"com.docker.compose.service", service.name},
                      {"com.docker.compose.project.working_dir", kFolder},
                      {"com.docker.compose.project.config_files", kFolder + "/docker-compose.yml"},
                      {"com.docker.compose.version", "2.40.3"},
                      {"com.docker.compose.container-number", "1"},
                      {"com.docker.compose.oneoff", "False"},
                      {"com.docker.compose.config-hash", HexId(900 + host)}};
  return container;
}

inline model::ComposeService EtcdService() {
  model::ComposeService service;
  service.name = "etcd";
  service.image = "quay.io/coreos/etcd:v3.5.5";
  service.container_name = "milvus-etcd";
  service.command = {"etcd",
                     "-advertise-client-urls=http://127.0.0.1:2379",
                     "-listen-client-urls",
                     "http://0.0.0.0:2379",
                     "--data-dir",
                     "/etcd"};
  service.environment = {{"ETCD_QUOTA_BACKEND_BYTES", "4294967296"}};
  service.mounts = {{"bind", kFolder + "/volumes/etcd", "/etcd", false}};
  service.networks = {"default"};
  service.restart = "always";
  return service;
}

inline model::ComposeService MinioService() {
  model::ComposeService service;
  service.name = "minio";
  service.image = "minio/minio:RELEASE.2023-03-20T20-16-18Z";
  service.container_name = "milvus-minio";
  service.command = {"minio", "server", "/minio_data"};
  service.environment = {{"MINIO_ROOT_PASSWORD", "sha256:aaaaaaaaaaaa"}};
  service.mounts = {{"bind", kFolder + "/volumes/minio", "/minio_data", false}};
  service.networks = {"default"};
  service.restart = "always";
  return service;
}

inline model::ComposeService KafkaService() {
  model::ComposeService service;
  service.name = "kafka";
  service.image = "bitnami/kafka:3.4.1";
  service.container_name = "milvus-kafka";
  service.mounts = {{"bind", kFolder + "/volumes/kafka", "/kafka/data", false}};
  service.networks = {"default"};
  service.restart = "always";
  return service;
}

inline model::ComposeService MilvusComposeService(const std::string& role) {
  model::ComposeService service;
  service.name = role;
  service.image = kOldImage;
  service.container_name = "milvus-" + role;
  service.command = {"milvus", "run", role};
  service.environment = {{"ETCD_ENDPOINTS", "etcd:2379"}, {"MINIO_ADDRESS", "minio:9000"}};
  service.networks = {"default"};
  service.depends_on = {"etcd", "minio"};
  return service;
}

inline model::Session SessionOf(model::Role role, int server_id, const std::string& address) {
  const model::RoleRow& row = model::RowOf(role);
  model::Session session;
  session.role = row.name;
  session.name = session.role;
  if (!row.is_exclusive) session.name += "-" + std::to_string(server_id);
  session.key = "by-dev/meta/session/" + session.name;
  session.server_id = server_id;
  session.address = address;
  session.version = "2.2.16";
  // Beyond 2^53, as real leases are.
  session.lease = 7587883291234567890 + server_id * 16 + static_cast<int>(role);
  session.create_revision = 100 + server_id;
  return session;
}

// What both stacks share: etcd, MinIO, engine, files, facts of etcd.
inline model::Observed Foundation() {
  model::Observed observed;
  observed.selectors.files = {kFolder + "/docker-compose.yml"};
  observed.selectors.project_directory = kFolder;
  observed.made_by = model::ComposeGeneration::kV2;
  observed.made_by_version = "2.40.3";
  observed.compose_version = "2.40.3";
  observed.project.name = "milvus";
  observed.project.networks = {{"default", "milvus"}};
  observed.project_directory = kFolder;
  observed.files = {{kFolder + "/docker-compose.yml", HexId(7), true, "", ""}};
  for (const auto& [service, host] : {std::pair{EtcdService(), 2}, std::pair{MinioService(), 3}}) {
    observed.project.services[service.name] = service;
    observed.other_containers.push_back(ContainerOf(service, host, "milvus"));
  }
  observed.settings.root_path = "by-dev";
  observed.settings.meta_sub_path = "meta";
  observed.settings.kv_sub_path = "kv";
  observed.settings.etcd_endpoints = {"etcd:2379"};
  observed.settings.data_dir = "/var/lib/milvus/rdb_data";
  observed.settings.storage_type = "minio";
  observed.settings.source = "milvus.yaml of the image";
  const model::Container& etcd = observed.other_containers[0];
  observed.etcd.container_id = etcd.id;
  observed.etcd.container_name = etcd.name;
  observed.etcd.service = "etcd";
  observed.etcd.status = {"3.5.5", 2'000'000, {}, false, 1};
  observed.etcd.revision = 1200;
  observed.etcd.keys = 63;
  observed.etcd.index_kinds = {{"IVF_FLAT", 1}};
  observed.etcd.has_meta_2_2 = true;
  observed.engine = {"ENGINE:ID", "24.0.7", "/var/lib/docker", "unix:///var/run/docker.sock"};
  model::Image image;
  image.architecture = "amd64";
  image.command = {"/bin/bash"};
  image.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  image.id = kOldImageId;
  image.repo_digests = {"milvusdb/milvus@" + kOldImageId};
  observed.images[kOldImage] = image;
  image.id = kNewImageId;
  image.repo_digests = {"milvusdb/milvus@" + kNewImageId};
  observed.images[kNewImage] = image;
  observed.free_bytes_state = 50'000'000'000;
  observed.state_dir = kFolder + "/.milvus-upgrade";
  return observed;
}

inline void AddMilvus(model::Observed& observed, model::Role role,
                      const model::ComposeService& service, int host) {
  observed.project.services[service.name] = service;
  model::MilvusService milvus;
  milvus.service = service.name;
  milvus.role = role;
  milvus.image = {"milvusdb/milvus", "v2.2.16", ""};
  milvus.container = ContainerOf(service, host, "milvus");
  milvus.tag_version = model::Version{2, 2, 16, ""};
  milvus.session_version = milvus.tag_version;
  observed.milvus.push_back(std::move(milvus));
  const bool is_standalone = role == model::Role::kStandalone;
  int port = 21120;
  for (const model::RoleRow& row : model::RoleTable()) {
    const bool is_of_2_2 = row.role != model::Role::kStandalone &&
                           row.role != model::Role::kMixCoord &&
                           row.role != model::Role::kStreamingNode && row.role != model::Role::kCdc;
    if (!is_of_2_2 || (!is_standalone && row.role != role)) continue;
    observed.etcd.sessions.push_back(SessionOf(
        row.role, host + 6, "172.18.0." + std::to_string(host) + ":" + std::to_string(port++)));
  }
}

inline model::Observed HealthyStandalone() {
  model::Observed observed = Foundation();
  model::ComposeService service = MilvusComposeService("standalone");
  service.mounts = {{"bind", kFolder + "/volumes/milvus", "/var/lib/milvus", false}};
  service.ports = {{"", 19530, 19530}, {"", 9091, 9091}};
  service.has_healthcheck = true;
  AddMilvus(observed, model::Role::kStandalone, service, 4);
  observed.settings.queue = model::MessageQueue::kRocksmq;
  return observed;
}

inline const std::string kImage21 = "milvusdb/milvus:v2.1.4";
inline const std::string kTool = config::kMigrationImage;

// The standalone as 2.1.4 with metadata of its own, to be migrated by Milvus's own tool.
inline model::Observed StandaloneOf21() {
  model::Observed observed = HealthyStandalone();
  observed.project.services.at("standalone").image = kImage21;
  model::MilvusService& milvus = observed.milvus.front();
  milvus.image.tag = "v2.1.4";
  milvus.tag_version = model::Version{2, 1, 4, ""};
  milvus.session_version.reset();  // 2.1 writes none
  for (model::Session& session : observed.etcd.sessions) session.version.clear();
  milvus.container->image = kImage21;
  observed.images[kImage21] = observed.images[kOldImage];
  observed.images[kTool] = observed.images[kOldImage];
  observed.etcd.has_meta_2_1 = true;
  observed.etcd.has_meta_2_2 = false;
  observed.migration.network = "milvus";
  observed.migration.endpoints = {"etcd:2379"};
  model::MetadataFacts& metadata = observed.migration.metadata;
  metadata.form = model::MetadataForm::k21;
  metadata.revision = 1200;
  metadata.keys = 40;
  metadata.counts.collections = 1;
  metadata.collections = {
      {"books", {{"vec", "_default_idx", "_default_idx_101", "IVF_FLAT", "L2"}}, 0, 0}};
  return observed;
}

// A migrate.yaml that agrees with it.
inline model::MigrateFile FileOf21() {
  model::MigrateFile file;
  file.path = kFolder + "/migrate.yaml";
  file.sha256 = HexId(11);
  file.command = "run";
  file.source = {2, 1, 4, ""};
  file.target = model::Version{2, 2, 16, ""};
  file.endpoints = {"milvus-etcd:2379"};
  file.root_path = "by-dev";
  file.meta_path = "meta";
  file.kv_path = "kv";
  file.lines = {{"cmd.type", 3},        {"config.sourceVersion", 6}, {"config.targetVersion", 7},
                {"etcd.endpoints", 12}, {"etcd.rootPath", 13},       {"etcd.metaSubPath", 14}};
  return file;
}

inline model::Observed HealthyCluster() {
  model::Observed observed = Foundation();
  const model::ComposeService kafka = KafkaService();
  observed.project.services[kafka.name] = kafka;
  observed.other_containers.push_back(ContainerOf(kafka, 12, "milvus"));
  int host = 4;
  for (const char* name : {"rootcoord", "datacoord", "indexcoord", "querycoord", "datanode",
                           "indexnode", "querynode", "proxy"}) {
    model::ComposeService service = MilvusComposeService(name);
    service.mounts = {{"bind", kFolder + "/milvus.yaml", "/milvus/configs/milvus.yaml", true}};
    if (service.name == "proxy") service.ports = {{"", 19530, 19530}, {"", 9091, 9091}};
    AddMilvus(observed, *model::RoleOfName(name), service, host++);
  }
  observed.settings.queue = model::MessageQueue::kKafka;
  observed.settings.is_queue_pinned = true;
  observed.settings.source = "milvus-rootcoord:/milvus/configs/milvus.yaml";
  return observed;
}

}  // namespace mu::samples
