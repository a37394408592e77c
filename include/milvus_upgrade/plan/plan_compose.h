// SPDX-License-Identifier: Apache-2.0
// (Config, Observed, VersionPath, edits) -> Plan for a compose stack: a pure function, same input
// same bytes. Order and reasons: design.md 5 ("In the outage, and nothing else in it"), ground.md 3
// (stop order, revoke).
#pragma once

#include <string>
#include <vector>

#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/model/finding.h"
#include "milvus_upgrade/model/observed.h"
#include "milvus_upgrade/plan/plan.h"
#include "milvus_upgrade/rules/version_path.h"

namespace mu::plan {

// The change of one file for one hop, proven by the caller.
struct FileChange {
  std::string path;
  std::string sha256_before;
  std::string sha256_after;
  std::vector<model::Splice> splices;
  std::vector<std::string> reasons;
};

struct ComposePlanInput {
  const config::Config& config;
  const model::Observed& observed;
  const rules::VersionPath& path;
  std::vector<std::vector<FileChange>> changes;  // one list a hop
  std::vector<model::Finding> findings;
  std::string fingerprint;
  std::string probe_url;     // of /healthz, "" when it cannot be reached from here
  std::string probe_reason;  // why not
  InsideProbe probe_inside = {};
};

Plan PlanCompose(const ComposePlanInput& input);

// The way back from where a run stands: what its journal says was done, undone in reverse. The same
// executor runs it. `started` are the services whose new container has really started (observed
// now): when one has, and the hop is not reversible, there is no way back. Errors: kIrreversible
// with the reason.
struct RollbackInput {
  const Plan& plan;
  std::vector<std::string> done;     // ids of steps with a done record
  std::vector<std::string> touched;  // ids of steps with an intent and no done record
  std::vector<std::string> started;
  std::string run = {};  // id of the run that is undone
};
Result<Plan> PlanRollback(const RollbackInput& input);

}  // namespace mu::plan
