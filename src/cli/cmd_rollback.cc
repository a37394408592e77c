// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/upgrade_flow.h"

namespace mu::cli {

int CmdRollback(const Invocation& invocation, ui::Console& console) {
  return RollBack(invocation.config, invocation.Argument(0),
                  {invocation.HasFlag("from-snapshot"), invocation.HasFlag("accept-data-loss")},
                  console);
}

}  // namespace mu::cli
