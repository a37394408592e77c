// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/compose_flow.h"

namespace mu::cli {

int CmdCheckCompose(const Invocation& invocation, ui::Console& console) {
  return CheckCompose(invocation.config, console);
}

}  // namespace mu::cli
