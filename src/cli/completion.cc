// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/commands.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/config/keys.h"

namespace mu::cli {
namespace {

using Words = std::vector<std::string>;

std::vector<const config::KeyRow*> KeysOf(const CommandRow& command) {
  std::vector<const config::KeyRow*> keys;
  for (const config::KeyRow& key : config::KeyTable()) {
    if ((key.commands & command.bit) != 0) keys.push_back(&key);
  }
  return keys;
}

// "plan" and "plan compose" for every command: what the words so far may name.
Words Prefixes() {
  Words prefixes;
  for (const CommandRow& command : CommandTable()) {
    const Words path = Split(command.path, ' ');
    for (std::size_t n = 1; n <= path.size(); ++n) {
      std::string prefix =
          Join(Words(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(n)), " ");
      if (std::find(prefixes.begin(), prefixes.end(), prefix) == prefixes.end())
        prefixes.push_back(std::move(prefix));
    }
  }
  return prefixes;
}

// The words that may follow `prefix` in a command's name.
Words Next(const std::string& prefix) {
  Words words;
  for (const std::string& path : Prefixes()) {
    const std::string head = prefix.empty() ? std::string() : prefix + " ";
    if (path.starts_with(head) && path.size() > head.size() &&
        path.find(' ', head.size()) == std::string::npos)
      words.push_back(path.substr(head.size()));
  }
  return words;
}

// The words of a case label: " plan" and "plan compose" name where `prefix` is entered.
std::string Entered(const std::string& prefix) {
  return prefix.find(' ') == std::string::npos ? " " + prefix : prefix;
}

bool IsPath(const config::KeyRow& key) {
  return key.type == config::KeyType::kPath || key.type == config::KeyType::kPathList;
}

// A letter that two keys have is completed as that of the key that every command takes.
std::string Labels(const config::KeyRow& key) {
  const auto same = std::count_if(
      config::KeyTable().begin(), config::KeyTable().end(),
      [&](const config::KeyRow& other) { return other.short_flag == key.short_flag; });
  const bool has_letter = key.short_flag != 0 && (same == 1 || key.commands == config::kEvery);
  return has_letter ? fmt::format("--{}|-{}", key.name, key.short_flag)
                    : fmt::format("--{}", key.name);
}

// For single quotes of sh-like shells and of fish alike: our texts hold neither quote nor backslash
// beyond this.
std::string Quoted(std::string_view text) {
  std::string quoted;
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted;
}

std::string ZshText(std::string_view text) {
  std::string escaped;
  for (const char c : Quoted(text)) {
    if (c == ':' || c == '[' || c == ']') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string ZshSpec(const config::KeyRow& key, unsigned command) {
  std::string spec;
  const char letter = config::ShortFlagOf(key, command);
  const std::string star = key.IsList() ? "*" : "";
  if (letter != 0) {
    spec = key.IsList() ? fmt::format("'*'{{-{0},--{1}}}'", letter, key.name)
                        : fmt::format("'(-{0} --{1})'{{-{0},--{1}}}'", letter, key.name);
  } else {
    spec = fmt::format("'{}--{}", star, key.name);
  }
  spec += fmt::format("[{}]", ZshText(key.help));
  if (key.TakesValue()) {
    const std::string what = !key.choices.empty() ? fmt::format("({})", key.choices)
                             : IsPath(key)        ? "_files"
                                                  : " ";
    spec += fmt::format(":{}:{}", key.value_name, what);
  }
  return spec + "'";
}

}  // namespace

std::string BashCompletion() {
  std::string text =
      "# bash completion of milvus-upgrade\n"
      "_milvus_upgrade() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= word\n"
      "  COMPREPLY=()\n"
      "  case $prev in\n";
  Words files;
  Words others;
  for (const config::KeyRow& key : config::KeyTable()) {
    if (!key.choices.empty()) {
      text +=
          fmt::format("    {}) mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$cur\"); return ;;\n",
                      Labels(key), key.choices);
    } else if (key.TakesValue()) {
      (IsPath(key) ? files : others).push_back(Labels(key));
    }
  }
  text += fmt::format(
      "    {}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n",
      Join(files, "|"));
  text += fmt::format("    {}) return ;;\n  esac\n", Join(others, "|"));
  text += "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case \"$command $word\" in\n";
  for (const std::string& prefix : Prefixes())
    text += fmt::format("      '{}') command='{}' ;;\n", Entered(prefix), prefix);
  text += "    esac\n  done\n  case $command in\n";
  text += fmt::format("    '') word='{} --help --version' ;;\n", Join(Next(""), " "));
  for (const std::string& prefix : Prefixes()) {
    const CommandRow* command = FindCommand(prefix);
    Words words = Next(prefix);
    if (command != nullptr) {
      for (const ArgumentRow& argument : command->arguments) {
        for (const std::string& choice : Split(argument.choices, ' ')) {
          if (!choice.empty()) words.push_back(choice);
        }
      }
      for (const config::KeyRow* key : KeysOf(*command))
        words.push_back(fmt::format("--{}", key->name));
    }
    words.emplace_back("--help");
    text += fmt::format("    '{}') word='{}' ;;\n", prefix, Join(words, " "));
  }
  text +=
      "  esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$word\" -- \"$cur\")\n"
      "  if [[ $command == apply && $cur != -* ]]; then\n"
      "    compopt -o filenames\n"
      "    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
      "  fi\n"
      "}\n"
      "complete -F _milvus_upgrade milvus-upgrade\n";
  return text;
}

std::string ZshCompletion() {
  std::string text =
      "#compdef milvus-upgrade\n"
      "_milvus_upgrade() {\n"
      "  local command=\n"
      "  while (( CURRENT > 2 )); do\n"
      "    case \"$command $words[2]\" in\n";
  for (const std::string& prefix : Prefixes())
    text += fmt::format("      '{}') command='{}' ;;\n", Entered(prefix), prefix);
  text +=
      "      *) break ;;\n"
      "    esac\n"
      "    shift words\n"
      "    (( CURRENT-- ))\n"
      "  done\n"
      "  local -a commands\n"
      "  case $command in\n";
  Words prefixes = Prefixes();
  prefixes.insert(prefixes.begin(), "");
  for (const std::string& prefix : prefixes) {
    text += fmt::format("    '{}')\n", prefix);
    if (const CommandRow* command = FindCommand(prefix)) {
      text += "      _arguments -s";
      for (const config::KeyRow* key : KeysOf(*command))
        text += " \\\n        " + ZshSpec(*key, command->bit);
      text += fmt::format(" \\\n        '(-h --help)'{{-h,--help}}'[{}]'", "show this help");
      for (const ArgumentRow& argument : command->arguments) {
        const std::string what = !argument.choices.empty() ? fmt::format("({})", argument.choices)
                                 : argument.name == "FILE" ? "_files"
                                                           : " ";
        text += fmt::format(" \\\n        ':{}:{}'", argument.name, what);
      }
      text += " ;;\n";
      continue;
    }
    text += "      commands=(\n";
    for (const std::string& word : Next(prefix)) {
      const CommandRow* row = FindCommand(prefix.empty() ? word : prefix + " " + word);
      text +=
          fmt::format("        '{}:{}'\n", word,
                      row == nullptr ? fmt::format("{} an upgrade", word) : ZshText(row->summary));
    }
    text += "      )\n      _describe command commands ;;\n";
  }
  text +=
      "  esac\n"
      "}\n"
      "if [[ $funcstack[1] == _milvus_upgrade ]]; then\n"
      "  _milvus_upgrade \"$@\"\n"
      "else\n"
      "  compdef _milvus_upgrade milvus-upgrade\n"
      "fi\n";
  return text;
}

std::string FishCompletion() {
  std::string text =
      "# fish completion of milvus-upgrade\n"
      "function __milvus_upgrade_command\n"
      "    set -l command ''\n"
      "    for word in (commandline -opc)[2..-1]\n"
      "        switch \"$command $word\"\n";
  for (const std::string& prefix : Prefixes())
    text += fmt::format("            case '{}'\n                set command '{}'\n",
                        Entered(prefix), prefix);
  text +=
      "        end\n"
      "    end\n"
      "    echo $command\n"
      "end\n"
      "complete -c milvus-upgrade -f\n"
      "complete -c milvus-upgrade -s h -l help -d 'show this help'\n";
  Words prefixes = Prefixes();
  prefixes.insert(prefixes.begin(), "");
  for (const std::string& prefix : prefixes) {
    const std::string head = fmt::format(
        "complete -c milvus-upgrade -n 'test \"$(__milvus_upgrade_command)\" = \"{}\"'", prefix);
    for (const std::string& word : Next(prefix)) {
      const CommandRow* row = FindCommand(prefix.empty() ? word : prefix + " " + word);
      text += fmt::format("{} -a {}{}\n", head, word,
                          row == nullptr ? "" : fmt::format(" -d '{}'", Quoted(row->summary)));
    }
    const CommandRow* command = FindCommand(prefix);
    if (command == nullptr) continue;
    for (const ArgumentRow& argument : command->arguments) {
      if (!argument.choices.empty()) text += fmt::format("{} -a '{}'\n", head, argument.choices);
      if (argument.name == "FILE") text += head + " -F\n";
    }
    for (const config::KeyRow* key : KeysOf(*command)) {
      text += fmt::format("{} -l {}", head, key->name);
      if (const char letter = config::ShortFlagOf(*key, command->bit); letter != 0)
        text += fmt::format(" -s {}", letter);
      if (key->TakesValue()) text += IsPath(*key) ? " -r -F" : " -x";
      if (!key->choices.empty()) text += fmt::format(" -a '{}'", key->choices);
      text += fmt::format(" -d '{}'\n", Quoted(key->help));
    }
  }
  return text;
}

}  // namespace mu::cli
