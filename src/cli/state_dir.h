// SPDX-License-Identifier: Apache-2.0
// Where the runs of a stack are, found without asking the engine: status, history and report work
// with the engine down.
#pragma once

#include <string>

#include "cli/wiring.h"
#include "milvus_upgrade/config/config.h"

namespace mu::cli {

// --state-dir, else .milvus-upgrade in the project folder as Compose finds it, else in this folder:
// the compose file may be gone when a report is read. Errors: those of observe::ResolveSelectors.
Result<std::string> StateDirOf(Wiring& wiring, const config::Config& config);

}  // namespace mu::cli
