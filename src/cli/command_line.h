// SPDX-License-Identifier: Apache-2.0
// argv to a command with its raw flags and arguments. The only user of CLI11. Values are not looked
// at here: that is the key table's business.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "milvus_upgrade/base/result.h"

namespace mu::cli {

struct CommandLine {
  const CommandRow* command = nullptr;                    // null: none was named
  std::map<std::string, std::vector<std::string>> flags;  // key name -> values; "true" for a flag
  std::vector<std::string> arguments;
  bool wants_help = false;
  bool wants_version = false;
};

// `arguments` without the program's name. Flags may stand before and after the command; `help
// COMMAND` is `COMMAND --help`. Errors: kUsage for what is unknown (with the nearest name), missing
// or too much.
Result<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments);

}  // namespace mu::cli
