// SPDX-License-Identifier: Apache-2.0
// What the engine says of a container and of an image (`docker inspect`), reduced to what we use.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "milvus_upgrade/model/compose.h"

namespace mu::model {

struct Health {
  std::string status;  // "", "starting", "healthy", "unhealthy"
  int failing_streak = 0;
  std::string last_output;  // of the last probe
  bool operator==(const Health&) const = default;
};

struct Container {
  std::string id;
  std::string name;      // without the leading slash
  std::string image;     // as asked for: "milvusdb/milvus:v2.2.16"
  std::string image_id;  // "sha256:..."
  std::string status;    // created running paused restarting removing exited dead
  int exit_code = 0;
  bool is_oom_killed = false;
  std::string error;  // of the last start: "driver failed programming external connectivity ..."
  std::string started_at;  // RFC 3339; "" when it has never started
  std::string finished_at;
  int restart_count = 0;
  std::string restart_policy;  // "no", "always", "unless-stopped", "on-failure"
  int restart_max_retries = 0;
  Health health;
  bool has_healthcheck = false;
  std::vector<std::string> command;  // Path and Args joined: what runs
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> labels;
  std::vector<Mount> mounts;
  std::map<std::string, std::string> network_ips;  // network name -> IP, "" when stopped
  std::vector<PublishedPort> ports;                // as published now
  int stop_timeout_seconds = 10;
  bool operator==(const Container&) const = default;

  bool IsRunning() const { return status == "running"; }
  bool HasEverStarted() const { return !started_at.empty(); }
  std::string Label(const std::string& name_of_label) const {
    const auto it = labels.find(name_of_label);
    return it == labels.end() ? std::string() : it->second;
  }
};

struct Image {
  std::string id;  // "sha256:..."
  std::vector<std::string>
      repo_digests;  // "repo@sha256:...", empty for an image that never came from a registry
  std::string architecture;
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;
  bool operator==(const Image&) const = default;
};

struct Engine {
  std::string id;  // `docker info` ID: names the engine whatever way leads to it
  std::string version;
  std::string root_dir;
  std::string endpoint;  // DOCKER_HOST or the context's address
  bool operator==(const Engine&) const = default;
};

}  // namespace mu::model
