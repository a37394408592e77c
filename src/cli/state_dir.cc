// SPDX-License-Identifier: Apache-2.0
#include "cli/state_dir.h"

#include <cctype>

#include "milvus_upgrade/run/run_store.h"

namespace mu::cli {
namespace {

// $XDG_STATE_HOME/milvus-upgrade; "" where there is no home either.
std::string UserStateDir(Wiring& wiring) {
  const auto value = [&](const std::string& name) {
    const auto it = wiring.Environment().find(name);
    return it == wiring.Environment().end() ? std::string() : it->second;
  };
  const std::string xdg = value("XDG_STATE_HOME");
  const std::string home = value("HOME");
  // A relative XDG folder is to be ignored, says the XDG base directory specification.
  if (xdg.starts_with('/')) return xdg + "/milvus-upgrade";
  return home.empty() ? std::string() : home + "/.local/state/milvus-upgrade";
}

// A context may be a URL or an ARN: as one name of a folder.
std::string FolderName(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.';
    name += is_plain ? c : '_';
  }
  return name.empty() || name.front() == '.' ? "_" + name : name;
}

// <cluster>/<namespace>/<release>
std::string ReleaseDir(Wiring& wiring, const plan::KubeTarget& at, const std::string& release) {
  const std::string cluster = at.context.empty() ? at.server : at.context;
  return UserStateDir(wiring) + "/" + FolderName(cluster) + "/" + FolderName(at.name_space) + "/" +
         FolderName(release);
}

// Of all releases that were rolled from here that of the newest run; "" when there is none.
std::string NewestReleaseDir(Wiring& wiring) {
  std::vector<std::string> folders = {UserStateDir(wiring)};
  for (int level = 0; level < 3; ++level) {
    std::vector<std::string> next;
    for (const std::string& folder : folders) {
      const auto names = wiring.Files().List(folder);
      if (!names) continue;
      for (const std::string& name : *names) next.push_back(folder + "/" + name);
    }
    folders = std::move(next);
  }
  std::string newest;
  std::string newest_run;
  for (const std::string& folder : folders) {
    const auto runs = run::RunStore(wiring.Files(), wiring.Clock(), folder).Ids();
    if (!runs || runs->empty() || runs->back() <= newest_run) continue;
    newest = folder;
    newest_run = runs->back();
  }
  return newest;
}

}  // namespace

plan::KubeTarget KubeOf(const config::Config& config) {
  return {config.kubeconfig, config.context, "", config.name_space};
}

Result<std::string> StateDirOf(Wiring& wiring, const config::Config& config) {
  if (!config.state_dir.empty()) return wiring.StateDir(config, "");
  if (!config.release.empty()) {
    MU_TRY(const model::KubeCluster cluster, wiring.Kube(KubeOf(config)).Where());
    return ReleaseDir(wiring, {"", cluster.context, cluster.server, cluster.name_space},
                      config.release);
  }
  auto selectors = observe::ResolveSelectors(wiring.World(), config.selectors);
  if (selectors) return wiring.StateDir(config, observe::ProjectDirectoryOf(*selectors));
  const std::string here = wiring.StateDir(config, ".");
  MU_TRY(const auto facts, wiring.Files().Stat(here));
  if (facts) return here;
  const std::string newest = NewestReleaseDir(wiring);
  if (!newest.empty()) return newest;
  return Fail(std::move(selectors).error());
}

std::string StateDirOf(Wiring& wiring, const config::Config& config, const plan::Plan& plan) {
  if (plan.kind != plan::PlanKind::kRolling || !config.state_dir.empty())
    return wiring.StateDir(config, plan.project_directory);
  return ReleaseDir(wiring, plan.kube, plan.instance);
}

}  // namespace mu::cli
