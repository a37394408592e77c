// SPDX-License-Identifier: Apache-2.0
// The flows of an upgrade, of a compose stack or, where the config names one, of a release on
// Kubernetes: observe, check, plan, ask, run, report. Each takes a resolved
// Config and ends the console (Console::End or Console::Fail) exactly once; the return value is the
// exit code of the program. Options and help are in the cmd_<verb>.cc files, looks in ui/.
#pragma once

#include <string>

#include "cli/run_flow.h"
#include "milvus_upgrade/config/config.h"
#include "ui/console.h"

namespace mu::cli {

// `compose`, `rolling`: plan, show, ask, run.
int RunUpgrade(const config::Config& config, ui::Console& console);
// `check ...`: every finding at once, nothing touched.
int CheckUpgrade(const config::Config& config, ui::Console& console);
// `plan ...`: `out_file` "" saves nothing. `is_detailed`: kChanges when the plan has steps.
int PlanUpgrade(const config::Config& config, ui::Console& console, const std::string& out_file,
                bool is_detailed);
// `apply FILE`.
int ApplyPlan(const config::Config& config, const std::string& plan_file, ui::Console& console);
// `resume [RUN]`, `status [RUN]`: `run_id` may be a prefix; "" is the newest run.
int ResumeRun(const config::Config& config, const std::string& run_id, ui::Console& console);
// `rollback [RUN]`.
int RollBack(const config::Config& config, const std::string& run_id, const BackOptions& options,
             ui::Console& console);
int StatusOfRun(const config::Config& config, const std::string& run_id, ui::Console& console);

}  // namespace mu::cli
