// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/manual.h"

namespace mu::cli {

int CmdMan(const Invocation&, ui::Console& console) {
  ui::View view;
  view.text = ManPage();
  view.json["man"] = view.text;
  return console.End(ExitCode::kDone, view);
}

}  // namespace mu::cli
