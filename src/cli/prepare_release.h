// SPDX-License-Identifier: Apache-2.0
// From flags to a rolling plan: observe the release, find the path and the order, see what standby
// needs, check, plan. Touches nothing.
#pragma once

#include "cli/prepare.h"
#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/ports/kube.h"

namespace mu::cli {

// Errors: those of observing; kUsage when the image is not given and cannot be derived, or for an
// order that does not know the release; kVersionUnknown.
Result<Proposal> PrepareRelease(ports::Kube& kube, const config::Config& config);

}  // namespace mu::cli
