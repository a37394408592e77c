// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/upgrade_flow.h"

namespace mu::cli {

int CmdUpgrade(const Invocation& invocation, ui::Console& console) {
  return RunUpgrade(invocation.config, console);
}

}  // namespace mu::cli
