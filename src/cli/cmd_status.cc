// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/upgrade_flow.h"

namespace mu::cli {

int CmdStatus(const Invocation& invocation, ui::Console& console) {
  return StatusOfRun(invocation.config, invocation.Argument(0), console);
}

}  // namespace mu::cli
