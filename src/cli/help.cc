// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <fmt/format.h>

#include "milvus_upgrade/base/exit_code.h"
#include "milvus_upgrade/base/text.h"

namespace mu::cli {
namespace {

constexpr int kColumn = 32;

std::string Examples(std::span<const Example> examples, const ui::Style& style) {
  std::string text = style.Bold("Examples") + "\n";
  for (const Example& example : examples) {
    text += fmt::format("  {}\n", example.line);
    text += ui::Entry("", style.Faint(example.says), 6, style);
  }
  return text;
}

std::string ExitCodes(const ui::Style& style) {
  std::string text = style.Bold("Exit codes") + "\n";
  for (const ExitCodeRow& row : ExitCodeTable())
    text += ui::Entry(fmt::format("  {:3}", static_cast<int>(row.code)), row.meaning, 7, style);
  return text;
}

}  // namespace

std::string UsageLine(const CommandRow& command) {
  std::string line = fmt::format("milvus-upgrade {}", command.path);
  for (const std::string& name : Split(command.required_flags, ' ')) {
    if (const config::KeyRow* key = config::FindKey(name))
      line += fmt::format(" --{} {}", key->name, key->value_name);
  }
  for (const ArgumentRow& argument : command.arguments)
    line += argument.is_required ? fmt::format(" {}", argument.name)
                                 : fmt::format(" [{}]", argument.name);
  return line + " [flags]";
}

std::string FlagLabel(const config::KeyRow& key, unsigned command) {
  const char letter = config::ShortFlagOf(key, command);
  std::string label =
      letter == 0 ? fmt::format("    --{}", key.name) : fmt::format("-{}, --{}", letter, key.name);
  if (key.TakesValue()) label += fmt::format(" {}", key.value_name);
  return label;
}

std::string FlagText(const config::KeyRow& key) {
  std::string text(key.help);
  if (!key.choices.empty()) text += ": " + Join(Split(key.choices, ' '), ", ");
  std::vector<std::string> notes;
  if (!key.default_text.empty() && key.TakesValue())
    notes.push_back(fmt::format("default {}", key.default_text));
  if (key.given != config::Given::kFlagOnly) notes.push_back(key.EnvironmentName());
  if (!notes.empty()) text += fmt::format(" [{}]", Join(notes, "; "));
  return text;
}

std::string CommandHelp(const CommandRow& command, const ui::Style& style) {
  std::string text = fmt::format(
      "{}: {}\n\n", style.Bold(fmt::format("milvus-upgrade {}", command.path)), command.summary);
  text += Examples(command.examples, style);
  text += fmt::format("\n{}\n  {}\n", style.Bold("Usage"), UsageLine(command));
  if (!command.more.empty()) text += "\n" + ui::Entry("", command.more, 2, style);
  if (!command.arguments.empty()) text += "\n" + style.Bold("Arguments") + "\n";
  for (const ArgumentRow& argument : command.arguments) {
    std::string help(argument.help);
    if (!argument.choices.empty()) help += ": " + Join(Split(argument.choices, ' '), ", ");
    text += ui::Entry(fmt::format("  {}", argument.name), help, kColumn, style);
  }
  text += "\n" + style.Bold("Flags") + "\n";
  for (const config::KeyRow& key : config::KeyTable()) {
    if ((key.commands & command.bit) != 0)
      text += ui::Entry("  " + FlagLabel(key, command.bit), FlagText(key), kColumn, style);
  }
  text += ui::Entry(fmt::format("  {}", kHelpLabel), kHelpText, kColumn, style);
  text += "\n" + ui::Entry("",
                           "A flag wins over its variable, that over the configuration file "
                           "(--config, ./.milvus-upgrade.yaml), that over the default.",
                           2, style);
  return text + "\n" + ExitCodes(style);
}

std::string OverviewHelp(const ui::Style& style) {
  static constexpr Example kExamples[] = {
      {"milvus-upgrade versions 2.2.16 2.3.5", "the path between two versions"},
      {"milvus-upgrade check compose --to 2.3.5", "every finding at once, nothing touched"},
      {"milvus-upgrade plan compose --to 2.3.5", "what would be done, and why"},
      {"milvus-upgrade compose --to 2.3.5", "plan, show, ask, run"},
      {"milvus-upgrade report", "what happened"},
  };
  std::string text =
      style.Bold("milvus-upgrade") + ": upgrades a running Milvus without losing metadata\n\n";
  text += Examples(kExamples, style);
  text += "\n" + style.Bold("Usage") + "\n  milvus-upgrade COMMAND [flags]\n";
  text += "\n" + style.Bold("Commands") + "\n";
  for (const CommandRow& command : CommandTable()) {
    text += ui::Entry(fmt::format("  {}", command.path), command.summary, 18, style);
  }
  text += "\n" + style.Bold("Flags of every command") + "\n";
  for (const config::KeyRow& key : config::KeyTable()) {
    if (key.commands == config::kEvery)
      text += ui::Entry("  " + FlagLabel(key, config::kEvery), FlagText(key), kColumn, style);
  }
  text += ui::Entry(fmt::format("  {}", kHelpLabel), kHelpText, kColumn, style);
  text += ui::Entry(fmt::format("  {}", kVersionLabel), kVersionText, kColumn, style);
  return text + "\n" + ExitCodes(style) + "\nmilvus-upgrade COMMAND --help tells more.\n";
}

}  // namespace mu::cli
