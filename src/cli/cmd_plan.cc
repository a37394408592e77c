// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/compose_flow.h"

namespace mu::cli {

int CmdPlanCompose(const Invocation& invocation, ui::Console& console) {
  return PlanCompose(invocation.config, console, invocation.Flag("out", ""),
                     invocation.HasFlag("detailed-exitcode"));
}

}  // namespace mu::cli
