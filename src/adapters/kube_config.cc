// SPDX-License-Identifier: Apache-2.0
#include "adapters/kube_config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <vector>

#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

using Environment = std::map<std::string, std::string>;

std::string ValueOf(const Environment& environment, const std::string& name) {
  const auto it = environment.find(name);
  return it == environment.end() ? std::string() : it->second;
}

tl::unexpected<Error> Bad(std::string message) {
  return Fail(ErrorCode::kKubeConfig, std::move(message));
}

std::vector<std::string> PathsOf(const KubeAccess& access, const Environment& environment) {
  if (!access.kubeconfig.empty()) return {access.kubeconfig};
  const std::string listed = ValueOf(environment, "KUBECONFIG");
  if (listed.empty()) return {ValueOf(environment, "HOME") + "/.kube/config"};
  std::vector<std::string> paths;
  for (const std::string& path : Split(listed, ':')) {
    if (!path.empty()) paths.push_back(path);
  }
  return paths;
}

// Those of the files that are there. Only one that was named by a flag has to be.
Result<std::vector<YAML::Node>> Load(const KubeAccess& access, const Environment& environment,
                                     ports::Files& files) {
  std::vector<YAML::Node> configs;
  for (const std::string& path : PathsOf(access, environment)) {
    const std::string absolute = files.Absolute(path);
    const auto facts = files.Stat(absolute);
    if (access.kubeconfig.empty() && facts && !*facts) continue;
    const auto text = files.Read(absolute);
    if (!text) return Bad(text.error().message);
    try {
      configs.push_back(YAML::Load(*text));
    } catch (const YAML::Exception& e) {
      return Bad(fmt::format("{}:{}: {}", path, e.mark.line + 1, e.msg));
    }
    if (!configs.back().IsMap() && !configs.back().IsNull())
      return Bad(fmt::format("{} is no kubeconfig", path));
  }
  return configs;
}

// `field` of the entry of that name in the list `kind`. Of one name in several files the first
// counts.
std::optional<std::string> FieldOf(const std::vector<YAML::Node>& configs, const std::string& kind,
                                   const std::string& name, const std::string& field) {
  const std::string body = kind.substr(0, kind.size() - 1);  // "contexts" hold a "context" each
  for (const YAML::Node& config : configs) {
    if (!config.IsMap() || !config[kind].IsSequence()) continue;
    for (const YAML::Node& entry : config[kind]) {
      if (!entry.IsMap() || !entry["name"].IsScalar() || entry["name"].Scalar() != name) continue;
      if (!entry[body].IsMap() || !entry[body][field].IsScalar()) return std::string();
      return entry[body][field].Scalar();
    }
  }
  return std::nullopt;
}

std::string CurrentContext(const std::vector<YAML::Node>& configs) {
  for (const YAML::Node& config : configs) {
    if (!config.IsMap() || !config["current-context"].IsScalar()) continue;
    if (!config["current-context"].Scalar().empty()) return config["current-context"].Scalar();
  }
  return {};
}

}  // namespace

Result<model::KubeCluster> ReadKubeConfig(const KubeAccess& access, const Environment& environment,
                                          ports::Files& files) {
  MU_TRY(const std::vector<YAML::Node> configs, Load(access, environment, files));
  model::KubeCluster cluster;
  cluster.name_space = access.name_space;
  cluster.context = access.context.empty() ? CurrentContext(configs) : access.context;
  if (cluster.context.empty()) {
    const std::string host = ValueOf(environment, "KUBERNETES_SERVICE_HOST");
    if (host.empty())
      return Bad(fmt::format("there is no kubeconfig with a current context ({})",
                             Join(PathsOf(access, environment), ", ")));
    cluster.server =
        fmt::format("https://{}:{}", host, ValueOf(environment, "KUBERNETES_SERVICE_PORT"));
    return cluster;
  }
  const auto name = FieldOf(configs, "contexts", cluster.context, "cluster");
  if (!name)
    return Bad(fmt::format("the kubeconfig has no context \"{}\"", Printable(cluster.context)));
  const auto server = FieldOf(configs, "clusters", *name, "server");
  if (!server || server->empty())
    return Bad(
        fmt::format("the kubeconfig has no server for the cluster \"{}\" of the context "
                    "\"{}\"",
                    Printable(*name), Printable(cluster.context)));
  cluster.server = *server;
  return cluster;
}

}  // namespace mu::adapters
