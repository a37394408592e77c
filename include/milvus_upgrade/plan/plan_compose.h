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
// What a session key says of its version: nothing before 2.2 (ground.md 3).
std::string SessionVersionOf(const model::Version& version);

// The way back from where a run stands: what its journal says was done, undone in reverse. The same
// executor runs it. `started` are the services whose new container has really started (observed
// now): when one has, and the hop is not reversible, there is no way back but from the snapshot.
// Errors: kIrreversible with the reason; kCheckFailed where a loss is not accepted; kUsage where
// the hop has no migration that a snapshot could undo.
struct RollbackInput {
  const Plan& plan;
  std::vector<std::string> done;     // ids of steps with a done record
  std::vector<std::string> touched;  // ids of steps with an intent and no done record
  std::vector<std::string> started;
  std::string run = {};  // id of the run that is undone
  // By a person: the new version may be up and well, and is stopped in order first.
  bool is_asked_for = false;
  // The last resort, asked for by a person: the keys come out of the snapshot that was made before
  // the hop, whatever has been started since. What was written since is lost, and files that the
  // new version's garbage collection removed do not come back: that must be accepted.
  bool from_snapshot = false;
  bool accepts_data_loss = false;
  bool has_served_since = false;   // the old version was put back after it, and may have written
  bool has_lost = false;           // someone has removed a container of the hop: it is made anew
  std::string snapshot_time = {};  // for people
};
Result<Plan> PlanRollback(const RollbackInput& input);

}  // namespace mu::plan
