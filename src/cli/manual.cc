// SPDX-License-Identifier: Apache-2.0
#include "cli/manual.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "milvus_upgrade/base/error.h"
#include "milvus_upgrade/base/table.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/config/keys.h"
#include "milvus_upgrade/config/migrate_yaml.h"

namespace mu::cli {
namespace {

constexpr std::string_view kMade =
    "<!-- Made from the tables of the program; tests/unit/cli holds it equal. "
    "MU_UPDATE_DOCS=1 writes it again. -->\n\n";

// Text of a roff line: backslashes and hyphens escaped, never taken for a request.
std::string Roff(std::string_view text) {
  std::string roff;
  for (const char c : text) {
    if (c == '\\') {
      roff += "\\e";
    } else if (c == '-') {
      roff += "\\-";
    } else {
      roff += c;
    }
  }
  return (roff.starts_with('.') || roff.starts_with('\'') ? "\\&" : "") + roff;
}

std::string RoffItem(std::string_view label, std::string_view text) {
  return fmt::format(".TP\n.B {}\n{}\n", Roff(Trim(label)), Roff(text));
}

std::string Code(std::string_view text) { return text.empty() ? "" : fmt::format("`{}`", text); }

std::string CommandsOf(const config::KeyRow& key) {
  if (key.commands == config::kEvery) return "every command";
  std::vector<std::string> names;
  for (const CommandRow& command : CommandTable()) {
    if ((key.commands & command.bit) != 0) names.emplace_back(command.path);
  }
  return Join(names, ", ");
}

}  // namespace

std::string ManPage() {
  std::string text = fmt::format(
      ".TH MILVUS\\-UPGRADE 1 \"\" \"milvus\\-upgrade {0}\" \"User Commands\"\n"
      ".SH NAME\nmilvus\\-upgrade \\- upgrade a running Milvus without losing metadata\n"
      ".SH SYNOPSIS\n.B milvus\\-upgrade\n.I COMMAND\n.RI [ flags ]\n",
      MU_VERSION);
  text += ".SH EXAMPLES\n";
  for (const CommandRow& command : CommandTable()) {
    for (const Example& example : command.examples) text += RoffItem(example.line, example.says);
  }
  text += ".SH COMMANDS\n";
  for (const CommandRow& command : CommandTable()) {
    text += fmt::format(".SS {}\n{}.\n{}\n", Roff(UsageLine(command)), Roff(command.summary),
                        Roff(command.more));
    for (const ArgumentRow& argument : command.arguments)
      text += RoffItem(argument.name, argument.help);
  }
  text += ".SH FLAGS\n";
  for (const config::KeyRow& key : config::KeyTable()) {
    text += RoffItem(FlagLabel(key, config::kEvery), FlagText(key));
    text += fmt::format("Taken by: {}.\n", Roff(CommandsOf(key)));
  }
  text += RoffItem(kHelpLabel, kHelpText) + RoffItem(kVersionLabel, kVersionText);
  text +=
      ".SH CONFIGURATION\n"
      "A flag wins over its environment variable, that over the configuration file, that over the\n"
      "default. The file is YAML, one\n.B key: value\na line, with the long flags as keys.\n"
      ".SH FILES\n"
      ".TP\n.I ./.milvus\\-upgrade.yaml\nconfiguration of this folder\n"
      ".TP\n.I $XDG_CONFIG_HOME/milvus\\-upgrade/config.yaml\nconfiguration of this user\n"
      ".TP\n.I .milvus\\-upgrade/\nruns: plans, journals, old files, backups\n"
      ".SH EXIT STATUS\n";
  for (const ExitCodeRow& row : ExitCodeTable())
    text += RoffItem(std::to_string(static_cast<int>(row.code)),
                     fmt::format("{}. Next: {}", row.meaning, row.next));
  return text;
}

std::string ExitCodesPage() {
  TextTable table{{"code", "name", "meaning", "what to do"}, {}};
  for (const ExitCodeRow& row : ExitCodeTable()) {
    table.rows.push_back({std::to_string(static_cast<int>(row.code)), std::string(row.name),
                          std::string(row.meaning), std::string(row.next)});
  }
  return "# Exit codes\n\n" + std::string(kMade) +
         "The numbers are a contract with CI jobs: they are never renumbered and never reused. 6 "
         "and "
         "7 are never confused: after 6 the\nold version serves, after 7 somebody must look. With "
         "`--output json` the same number is `exit_code` of the object on stdout.\n\n" +
         table.Markdown();
}

std::string ErrorsPage() {
  TextTable table{{"id", "name", "exit", "again may help", "when it is seen", "what to do"}, {}};
  for (const ErrorRow& row : ErrorCatalog()) {
    table.rows.push_back({IdOf(row.code), std::string(row.name),
                          std::to_string(static_cast<int>(row.exit)), row.can_retry ? "yes" : "no",
                          std::string(row.cause), std::string(row.fix)});
  }
  return "# Errors\n\n" + std::string(kMade) +
         "An error is told as `error: MU-<number>: what happened`, then `next:` and what to do. "
         "With "
         "`--output json` it is the member\n`error` {`id`, `name`, `message`, `context`, `hint`, "
         "`can_retry`}. Texts may change; ids and names do not. `exit` is the code\nwhen the error "
         "ends a command that has changed nothing; a run that had changed something ends with 6, "
         "7, "
         "8, 130 or 143.\n\n" +
         table.Markdown();
}

std::string ConfigurationPage() {
  TextTable table{
      {"key, long flag", "short", "variable", "value", "default", "meaning", "taken by"}, {}};
  for (const config::KeyRow& key : config::KeyTable()) {
    std::string help(key.help);
    if (!key.choices.empty()) help += ": " + Join(Split(key.choices, ' '), ", ");
    if (key.given == config::Given::kFlagAndEnvironment) help += "; not in a file";
    table.rows.push_back(
        {Code(key.name), key.short_flag == 0 ? "" : fmt::format("`-{}`", key.short_flag),
         key.given == config::Given::kFlagOnly ? "" : Code(key.EnvironmentName()),
         std::string(key.value_name), key.TakesValue() ? std::string(key.default_text) : "", help,
         CommandsOf(key)});
  }
  return "# Configuration\n\n" + std::string(kMade) +
         "A flag wins over its environment variable, that over the configuration file, that over "
         "the "
         "default. The file is `--config FILE`,\nelse `./.milvus-upgrade.yaml`, else "
         "`$XDG_CONFIG_HOME/milvus-upgrade/config.yaml` (`~/.config` where that is not set); only "
         "one\nfile is read.\n\n"
         "- **File**: YAML, `key: value` a line, keys as the long flags. Lists are YAML lists. "
         "Paths "
         "are meant from the file's own folder.\n  Unknown keys are errors. Keys without a "
         "variable "
         "in the table are flags only.\n"
         "- **Variables**: lists are separated by commas; an empty variable is not set; an unknown "
         "`MILVUS_UPGRADE_` variable is a warning.\n"
         "- **Durations** need a unit: `500ms`, `90s`, `1m30s`, `2h`.\n"
         "- **Commands** (`verify-cmd`, `probe-cmd`) are one text, split into words by the quoting "
         "rules of the POSIX shell; in a file they may\n  be a list of words. No shell is run and "
         "nothing is expanded: characters that a shell would act on are refused outside quotes.\n  "
         "Write `sh -c '...'` where a shell is wanted.\n\n" +
         table.Markdown();
}

std::string MigrateYamlPage() {
  TextTable table{{"key", "value", "meaning"}, {}};
  for (const config::MigrateKey& key : config::MigrateKeys())
    table.rows.push_back({Code(key.path), std::string(key.value), std::string(key.meaning)});
  return "# migrate.yaml\n\n" + std::string(kMade) +
         "The input of `milvus-upgrade migrate -c FILE`, the same as that of Milvus's own "
         "meta-migration tool. Sample: "
         "[configs/migrate.yaml](../configs/migrate.yaml).\n\n"
         "- Keys are compared without case, as Milvus does. An unknown key is a warning with the "
         "nearest known one; one that stands twice\n  is an error. All problems are told at once, "
         "each with file, line, column, key and what was expected.\n"
         "- Nothing is expanded: `${VARIABLE}` is refused where it stands for a value, and taken "
         "as "
         "it is in the password.\n"
         "- Relative paths are meant from the working folder.\n\n" +
         table.Markdown();
}

std::string CommandsPage() {
  std::string text =
      "# Commands\n\n" + std::string(kMade) +
      "Results go to stdout, all else to stderr. With `--output json` stdout is one "
      "object with `schema_version`, `command` and\n`exit_code`, on failure too. Flags "
      "are in [configuration.md](configuration.md).\n";
  for (const CommandRow& command : CommandTable()) {
    text += fmt::format("\n## {}\n\n{}.", command.path, command.summary);
    if (!command.more.empty()) text += fmt::format(" {}", command.more);
    text += fmt::format("\n\n    {}\n\n", UsageLine(command));
    TextTable table{{"example", "what it does"}, {}};
    for (const Example& example : command.examples)
      table.rows.push_back({Code(example.line), std::string(example.says)});
    text += table.Markdown();
    std::vector<std::string> flags;
    for (const config::KeyRow& key : config::KeyTable()) {
      if ((key.commands & command.bit) != 0) flags.push_back(fmt::format("`--{}`", key.name));
    }
    text += "\nFlags: " + Join(flags, ", ") + ".\n";
  }
  return text;
}

}  // namespace mu::cli
