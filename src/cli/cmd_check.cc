// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/upgrade_flow.h"

namespace mu::cli {

int CmdCheck(const Invocation& invocation, ui::Console& console) {
  return CheckUpgrade(invocation.config, console);
}

}  // namespace mu::cli
