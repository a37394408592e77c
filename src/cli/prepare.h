// SPDX-License-Identifier: Apache-2.0
// From flags to a proven plan: observe, find the path, check, edit, prove the edit, plan. Touches
// nothing but a scratch folder of its own, which it removes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/model/finding.h"
#include "milvus_upgrade/observe/compose_observer.h"
#include "milvus_upgrade/plan/plan.h"
#include "milvus_upgrade/plan/plan_compose.h"

namespace mu::cli {

// What would be done, and all that stands against it.
struct Proposal {
  std::string from;
  std::string to;
  std::vector<model::Finding> findings;  // all of them, also those of the path and of the edit
  std::optional<Error>
      refusal;  // of the version path (exit 4), kept so that the findings are shown with it
  // Without steps when refused or when there is nothing to do; its instance and cluster are there
  // in any case.
  plan::Plan plan;
  std::vector<std::string> diffs;  // one a file, secrets masked
};

struct Prepared : Proposal {
  observe::ComposeView view;
};

// Errors: those of observing; kVersionUnknown, kMixedVersions, kUsage (an unknown check name).
Result<Prepared> Prepare(const observe::World& world, const config::Config& config);

// A refusal as one finding among the others.
model::Finding FindingOf(const Error& error, std::string id, std::string subject);

// The resolved config with the edited files differs from that with the old ones in the images of
// these services and in nothing else, also in a clean environment. Errors: kEditProof.
Status ProveEdit(const observe::World& world, const model::Observed& observed,
                 const edit::ProjectSources& before, const edit::ProjectSources& after,
                 const std::map<std::string, model::ImageRef>& wanted);

}  // namespace mu::cli
