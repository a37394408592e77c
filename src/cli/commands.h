// SPDX-License-Identifier: Apache-2.0
// The commands: one table, from which parsing, --help, the man page, completions and
// docs/commands.md are made. What a flag means is the key table's business (config/keys.h).
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "milvus_upgrade/config/config.h"
#include "ui/console.h"

namespace mu::cli {

// A parsed command line: what a command's run function gets.
struct Invocation {
  config::Config config;
  std::map<std::string, std::vector<std::string>> flags;  // as given: for keys not part of Config
  std::vector<std::string> arguments;                     // positional, in order

  bool HasFlag(const std::string& name) const;
  std::string Flag(const std::string& name, std::string_view otherwise) const;
  std::string Argument(std::size_t index) const;  // "" when not given
};

struct ArgumentRow {
  std::string_view name;  // "FILE"
  bool is_required;
  std::string_view help;
  std::string_view choices;  // "bash zsh fish"; "" for any
};

struct Example {
  std::string_view line;
  std::string_view says;
};

struct CommandRow {
  std::string_view path;     // "plan compose"
  unsigned bit;              // config::Commands
  std::string_view summary;  // one line, no final full stop
  std::string_view more;     // a few sentences; may be ""
  std::span<const ArgumentRow> arguments;
  std::span<const Example> examples;
  std::string_view required_flags;  // "release to", or ""
  bool is_read_only;                // a result that could not be written fails the command
  int (*run)(const Invocation&, ui::Console&);
};

// In the order of --help.
std::span<const CommandRow> CommandTable();
const CommandRow* FindCommand(std::string_view path);

// One a verb, each in its cmd_<verb>.cc, whatever it works on: compose and rolling are CmdUpgrade.
int CmdApply(const Invocation& invocation, ui::Console& console);
int CmdCheck(const Invocation& invocation, ui::Console& console);
int CmdCompletion(const Invocation& invocation, ui::Console& console);
int CmdHistory(const Invocation& invocation, ui::Console& console);
int CmdMan(const Invocation& invocation, ui::Console& console);
int CmdMigrate(const Invocation& invocation, ui::Console& console);
int CmdPlan(const Invocation& invocation, ui::Console& console);
int CmdReport(const Invocation& invocation, ui::Console& console);
int CmdResume(const Invocation& invocation, ui::Console& console);
int CmdRollback(const Invocation& invocation, ui::Console& console);
int CmdStatus(const Invocation& invocation, ui::Console& console);
int CmdRunsPrune(const Invocation& invocation, ui::Console& console);
int CmdUnlock(const Invocation& invocation, ui::Console& console);
int CmdUpgrade(const Invocation& invocation, ui::Console& console);
int CmdVersions(const Invocation& invocation, ui::Console& console);

}  // namespace mu::cli
