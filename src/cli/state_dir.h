// SPDX-License-Identifier: Apache-2.0
// Where the runs of a stack are, found without asking the engine: status, history and report work
// with the engine down.
#pragma once

#include <string>

#include "cli/wiring.h"
#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/plan/plan.h"

namespace mu::cli {

// The cluster and namespace that were asked for; what kubectl finds by itself is "".
plan::KubeTarget KubeOf(const config::Config& config);

// --state-dir, else of a release that is named its folder under $XDG_STATE_HOME/milvus-upgrade
// (~/.local/state), else .milvus-upgrade in the project folder as Compose finds it, else in this
// folder: the compose file may be gone when a report is read. Where there is neither, the folder of
// the release that was rolled last from here. Errors: those of observe::ResolveSelectors and of the
// kubeconfig.
Result<std::string> StateDirOf(Wiring& wiring, const config::Config& config);
// The same from a plan: nothing is looked for.
std::string StateDirOf(Wiring& wiring, const config::Config& config, const plan::Plan& plan);

}  // namespace mu::cli
