// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/completion.h"

namespace mu::cli {

int CmdCompletion(const Invocation& invocation, ui::Console& console) {
  const std::string shell = invocation.Argument(0);
  ui::View view;
  view.text = shell == "bash"  ? BashCompletion()
              : shell == "zsh" ? ZshCompletion()
                               : FishCompletion();
  view.json["shell"] = shell;
  view.json["script"] = view.text;
  return console.End(ExitCode::kDone, view);
}

}  // namespace mu::cli
