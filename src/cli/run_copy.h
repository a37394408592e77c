// SPDX-License-Identifier: Apache-2.0
// A copy of a run in a ConfigMap of the release's namespace: enough of its folder (the plan, what
// went before, the way back once it was begun) for another machine to tell of it, to go on with it
// or to go back. How far the run came need not be in it: each step looks first whether it is done.
// It holds no template of a pod, for that may hold secrets: what a template was is told by its
// hash. REQUIRES of who writes: the release's lock is held.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/run_target.h"
#include "milvus_upgrade/plan/plan.h"
#include "milvus_upgrade/ports/files.h"
#include "milvus_upgrade/ports/kube.h"
#include "milvus_upgrade/run/run_store.h"

namespace mu::cli {

struct CopiedRun {
  LockHolder holder;
  std::map<std::string, std::string> files;  // name in the run folder -> text
};

// What is copied of a run folder. REQUIRES: the Deployments as they were are kept there already.
Result<CopiedRun> CopyOf(ports::Files& files, const LockHolder& holder, const plan::Plan& plan);
// The run as its copy tells of it, in no folder: each step that changes something may have begun.
Result<run::StoredRun> StoredRunOf(const CopiedRun& copy);
// Makes its folder in this store, so that it can be gone on with here. REQUIRES: the store's lock.
Status Adopt(ports::Files& files, ports::Clock& clock, const run::RunStore& store,
             const CopiedRun& copy);

class RunCopy {
 public:
  RunCopy(ports::Kube& kube, const std::string& release)
      : kube_(kube), name_("milvus-upgrade-" + release) {}
  // In place of any that is there. Errors: the port's; kKubeRefused beyond the API's 1 MiB.
  Status Save(const CopiedRun& run);
  Result<std::optional<CopiedRun>> Load();
  // Only that of this run is removed.
  Status Remove(const std::string& run);
  const std::string& Name() const { return name_; }

 private:
  ports::Kube& kube_;
  const std::string name_;
  std::optional<model::ConfigMap> saved_;  // by us, as it was then
};

}  // namespace mu::cli
