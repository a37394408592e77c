// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/upgrade_flow.h"

namespace mu::cli {

int CmdPlan(const Invocation& invocation, ui::Console& console) {
  return PlanUpgrade(invocation.config, console, invocation.Flag("out", ""),
                     invocation.HasFlag("detailed-exitcode"));
}

}  // namespace mu::cli
