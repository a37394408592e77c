// SPDX-License-Identifier: Apache-2.0
// A Compose project as Compose itself resolves it (`config`), from v1's YAML and v2's JSON alike.
// Plain values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "milvus_upgrade/base/duration.h"

namespace mu::model {

enum class ComposeGeneration { kV1 = 1, kV2 = 2 };

// Compose's own selectors, as given on our command line; empty means Compose's default.
struct ComposeSelectors {
  std::vector<std::string> files;  // -f, absolute
  std::string project_name;        // -p
  std::string project_directory;   // --project-directory, absolute
  std::vector<std::string> env_files;
  std::vector<std::string> profiles;
  bool operator==(const ComposeSelectors&) const = default;
};

struct Mount {
  std::string type;    // "bind", "volume", "tmpfs"
  std::string source;  // host path or the volume's real name
  std::string target;
  bool read_only = false;
  auto operator<=>(const Mount&) const = default;
};

struct PublishedPort {
  std::string host_ip;
  int host_port = 0;  // 0: chosen by the engine
  int container_port = 0;
  bool operator==(const PublishedPort&) const = default;
};

struct ComposeService {
  std::string name;
  std::string image;  // "" when only built
  std::vector<std::string> command;
  std::vector<std::string> entrypoint;
  std::string container_name;  // "" when Compose names it
  std::map<std::string, std::string> environment;
  std::vector<Mount> mounts;
  std::vector<PublishedPort> ports;
  std::map<std::string, std::string> labels;
  std::vector<std::string> networks;
  std::vector<std::string> depends_on;
  std::string restart;  // "", "no", "always", "on-failure", "unless-stopped"
  std::string pull_policy;
  std::optional<Millis> stop_grace_period;
  bool has_healthcheck = false;
  bool has_build = false;
  bool operator==(const ComposeService&) const = default;
};

struct ComposeProject {
  std::string name;
  std::map<std::string, ComposeService> services;
  std::map<std::string, std::string> networks;  // key in the file -> real name
  bool operator==(const ComposeProject&) const = default;
};

}  // namespace mu::model
