// SPDX-License-Identifier: Apache-2.0
// Stage: a FakeWorld with a Compose stack of Milvus in it, and the fake ports, ready for a test.
// Two stacks: standalone and cluster, in the shape of the official files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fakes/fake_ports.h"
#include "fakes/unsynced_files.h"

namespace mu::fakes {

inline constexpr char kStandaloneFile[] = R"(# Milvus standalone
version: '3.5'
services:
  etcd:
    container_name: milvus-etcd
    image: quay.io/coreos/etcd:v3.5.5
    volumes:
      - ${DOCKER_VOLUME_DIRECTORY:-.}/volumes/etcd:/etcd
    command: etcd --data-dir /etcd
  minio:
    container_name: milvus-minio
    image: minio/minio:RELEASE.2023-03-20T20-16-18Z
    environment:
      MINIO_SECRET_KEY: minioadmin
    volumes:
      - ${DOCKER_VOLUME_DIRECTORY:-.}/volumes/minio:/minio_data
  standalone:
    container_name: milvus-standalone
    image: milvusdb/milvus:v2.2.16  # the server
    command: ["milvus", "run", "standalone"]
    restart: RESTART
    environment:
      ETCD_ENDPOINTS: etcd:2379
      MINIO_ADDRESS: minio:9000
    volumes:
      - ${DOCKER_VOLUME_DIRECTORY:-.}/volumes/milvus:/var/lib/milvus
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:9091/healthz"]
    ports:
      - "127.0.0.1:19530:19530"
      - "127.0.0.1:9091:9091"
    depends_on:
      - etcd
      - minio
networks:
  default:
    name: milvus
)";

inline std::string StandaloneFile21() {
  std::string text = kStandaloneFile;
  return text.replace(text.find("v2.2.16"), 7, "v2.1.0");
}

// All eight services take their image from one line.
inline std::string ClusterFile() {
  std::string text = R"(services:
  etcd:
    container_name: milvus-etcd
    image: quay.io/coreos/etcd:v3.5.5
    volumes: ["./volumes/etcd:/etcd"]
  kafka:
    container_name: milvus-kafka
    image: kafka:3.4.1
)";
  for (const char* role : {"rootcoord", "datacoord", "querycoord", "indexcoord", "datanode",
                           "indexnode", "querynode", "proxy"}) {
    text += std::string("  ") + role + ":\n    container_name: milvus-" + role +
            "\n    image: milvusdb/milvus:v2.2.16\n    command: [\"milvus\", \"run\", \"" + role +
            "\"]\n    restart: RESTART\n    environment:\n      ETCD_ENDPOINTS: etcd:2379\n"
            "      MQ_TYPE: kafka\n";
    if (std::string(role) == "proxy")
      text += "    ports:\n      - \"127.0.0.1:19530:19530\"\n      - \"127.0.0.1:9091:9091\"\n";
  }
  return text + "networks:\n  default:\n    name: milvus\n";
}

struct Stage {
  static constexpr char kFile[] = "/srv/milvus/docker-compose.yml";
  static constexpr char k21[] = "milvusdb/milvus:v2.1.0";
  static constexpr char kTool[] = "milvusdb/meta-migration:v2.2.0-bugfix-20230112";
  static constexpr char kOld[] = "milvusdb/milvus:v2.2.16";
  static constexpr char kNew[] = "milvusdb/milvus:v2.3.5";

  explicit Stage(std::string text, const std::string& restart = "always")
      : files(fuse),
        world(fuse, clock, files),
        docker(world),
        compose(world),
        etcd(world),
        etcd_clients(world),
        http(world) {
    for (std::size_t at = 0; (at = text.find("RESTART", at)) != std::string::npos;)
      text.replace(at, 7, restart == "no" ? "\"no\"" : restart);
    files.Put(kFile, text);
    world.described_files = {kFile};
    world.AddImage("quay.io/coreos/etcd:v3.5.5", Program::kEtcd);
    world.AddImage("minio/minio:RELEASE.2023-03-20T20-16-18Z", Program::kOther);
    world.AddImage("kafka:3.4.1", Program::kOther);
    world.AddImage(k21, Program::kMilvus, "2.1.0");
    world.AddImage(kTool, Program::kOther);
    world.AddImage("milvusdb/milvus:v2.2.15", Program::kMilvus, "2.2.15");
    world.AddImage(kOld, Program::kMilvus, "2.2.16");
    world.AddImage(kNew, Program::kMilvus, "2.3.5");
    world.Etcd().Put("by-dev/meta/root-coord/collection/1", "a collection");
    world.Etcd().Put("by-dev/meta/field-index/1/2", "an index");
    world.Etcd().Put("by-dev/kv/gid/timestamp", "a clock");
    selectors.files = {kFile};
  }

  // This in place of the metadata; sessions stay.
  void PutMetadata(const std::map<std::string, std::string>& keys) {
    const auto is_kept = [](const std::string& key) {
      return key.starts_with("by-dev/meta/session/");
    };
    std::vector<EtcdStore::Change> changes;
    for (const auto& [key, kv] : world.Etcd().Keys()) {
      if (!is_kept(key)) changes.push_back({key, std::nullopt});
    }
    world.Etcd().Apply(changes);
    changes.clear();
    for (const auto& [key, value] : keys) {
      if (!is_kept(key)) changes.push_back({key, value});
    }
    world.Etcd().Apply(changes);
  }

  // Everything up and serving, 40 s later.
  void Bring(model::ComposeGeneration generation = model::ComposeGeneration::kV2) {
    const Status status = compose.Bring(generation, selectors);
    if (!status) throw std::runtime_error(status.error().Text());
    clock.Advance(Millis(40'000));
  }

  Fuse fuse;
  HandClock clock;
  UnsyncedFiles files;
  FakeWorld world;
  FakeDocker docker;
  FakeCompose compose;
  FakeEtcd etcd;
  FakeEtcdClients etcd_clients;
  FakeHttp http;
  HandInterrupts interrupts;
  model::ComposeSelectors selectors;
};

}  // namespace mu::fakes
