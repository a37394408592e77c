// SPDX-License-Identifier: Apache-2.0
// From flags to a rolling plan: observe the release, find the path and the order, see what standby
// needs, check, plan. Touches nothing.
#pragma once

#include <vector>

#include "cli/prepare.h"
#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/ports/kube.h"
#include "milvus_upgrade/run/run_store.h"

namespace mu::cli {

// `runs`: those of the release that are known here, newest first. What one that was given up (or
// would be) has left in its middle goes back to what was before that one. Errors: those of
// observing; kUsage when the image is not given and cannot be derived, or for an order that does
// not know the release; kVersionUnknown.
Result<Proposal> PrepareRelease(ports::Kube& kube, const config::Config& asked,
                                const std::vector<run::StoredRun>& runs);

}  // namespace mu::cli
