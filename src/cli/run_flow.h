// SPDX-License-Identifier: Apache-2.0
// One run from its first record to its end: execute, measure, roll back when it fails and may,
// report. The same for a new run and for one that is resumed.
#pragma once

#include <string>

#include "cli/wiring.h"
#include "milvus_upgrade/config/config.h"
#include "milvus_upgrade/run/run_store.h"
#include "ui/console.h"

namespace mu::cli {

// Starts `plan` as a new run. REQUIRES: the state folder's lock is held by the caller. Ends the
// console.
int StartRun(Wiring& wiring, const config::Config& config, ui::Console& console,
             run::RunStore& store, const plan::Plan& plan);
// Goes on with an open run, forward or back, from where its journal stands. Same requirements.
int ContinueRun(Wiring& wiring, const config::Config& config, ui::Console& console,
                run::RunStore& store, const run::StoredRun& stored);
struct BackOptions {
  bool from_snapshot = false;  // the metadata out of the snapshot that was made before the hop
  bool accepts_data_loss = false;
};
// Plans, shows, asks and goes the way back, from wherever the run stands. Same requirements.
int RollBackRun(Wiring& wiring, const config::Config& config, ui::Console& console,
                run::RunStore& store, const run::StoredRun& stored, const BackOptions& options);

}  // namespace mu::cli
