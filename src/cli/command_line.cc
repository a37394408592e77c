// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/config/keys.h"

namespace mu::cli {
namespace {

using Words = std::vector<std::string>;

// A near name for a word of some length only: everything is near to "ab".
std::string DidYouMean(const std::string& word, const Words& candidates) {
  const std::string near = Nearest(word, candidates);
  return near.empty() || word.size() < 4 ? std::string() : fmt::format("did you mean {}? ", near);
}

const config::KeyRow* KeyOfFlag(const std::string& word) {
  if (word.starts_with("--")) return config::FindKey(word.substr(2));
  if (word.size() != 2 || word[0] != '-') return nullptr;
  for (const config::KeyRow& key : config::KeyTable()) {
    if (key.short_flag == word[1]) return &key;
  }
  return nullptr;
}

// The first words of all commands, and the second ones after `first`.
Words WordsAfter(const std::string& first) {
  Words words;
  for (const CommandRow& row : CommandTable()) {
    const Words path = Split(row.path, ' ');
    if (!first.empty() && (path.size() < 2 || path[0] != first)) continue;
    const std::string& word = first.empty() ? path[0] : path[1];
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  return words;
}

auto UnknownWord(const std::string& first, const std::string& word) {
  const Words candidates = WordsAfter(first);
  return Fail(ErrorCode::kUsage,
              fmt::format("there is no command \"{}\"",
                          Printable(first.empty() ? word : first + " " + word)),
              DidYouMean(word, candidates) + "the commands are: " + Join(candidates, ", "));
}

// Takes the words that name the command out of `rest`. CLI11's own subcommands are not used: they
// would take the file of `apply plan` for a command.
Result<const CommandRow*> TakeCommand(Words& rest, bool& wants_help) {
  std::string first;
  for (std::size_t at = 0; at < rest.size();) {
    const std::string word = rest[at];
    if (word == "--") break;
    if (word.size() > 1 && word[0] == '-') {
      const config::KeyRow* key = KeyOfFlag(word);
      at += key != nullptr && key->TakesValue() ? 2 : 1;
      continue;
    }
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at));
    if (first.empty() && word == "help") {
      wants_help = true;
      continue;
    }
    const std::string path = first.empty() ? word : first + " " + word;
    if (const CommandRow* row = FindCommand(path)) return row;
    const Words known = WordsAfter(first);
    if (!first.empty() || std::find(known.begin(), known.end(), word) == known.end())
      return UnknownWord(first, word);
    first = word;
  }
  if (first.empty() || wants_help) return nullptr;
  return Fail(ErrorCode::kUsage, fmt::format("{} of what is not said", first),
              fmt::format("write milvus-upgrade {} {}", first, Join(WordsAfter(first), "|")));
}

auto UnknownFlag(const std::string& flag, const CommandRow* command) {
  const std::string name = flag.substr(0, flag.find('='));
  Words candidates = {"--help", "--version"};
  for (const config::KeyRow& key : config::KeyTable()) {
    if (command == nullptr ? key.commands == config::kEvery : (key.commands & command->bit) != 0)
      candidates.push_back(fmt::format("--{}", key.name));
  }
  const std::string of =
      command == nullptr ? std::string("milvus-upgrade") : std::string(command->path);
  if (const config::KeyRow* key = KeyOfFlag(name); key != nullptr && command != nullptr)
    return Fail(ErrorCode::kUsage, fmt::format("{} does not take {}", of, name),
                fmt::format("see milvus-upgrade {} --help", of));
  return Fail(ErrorCode::kUsage, fmt::format("{} has no flag {}", of, Printable(name)),
              DidYouMean(name, candidates) +
                  (command == nullptr ? std::string("see milvus-upgrade --help")
                                      : fmt::format("see milvus-upgrade {} --help", of)));
}

Status CheckComplete(const CommandLine& line) {
  const CommandRow& command = *line.command;
  std::size_t required = 0;
  for (const ArgumentRow& argument : command.arguments) required += argument.is_required ? 1 : 0;
  if (line.arguments.size() < required) {
    return Fail(
        ErrorCode::kUsage,
        fmt::format("{} needs {}", command.path, command.arguments[line.arguments.size()].name),
        fmt::format("for example: {}", command.examples.front().line));
  }
  if (line.arguments.size() > command.arguments.size()) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{} does not take the argument \"{}\"", command.path,
                            Printable(line.arguments[command.arguments.size()])),
                fmt::format("see milvus-upgrade {} --help", command.path));
  }
  for (std::size_t i = 0; i < line.arguments.size(); ++i) {
    const Words choices = Split(command.arguments[i].choices, ' ');
    if (command.arguments[i].choices.empty() ||
        std::find(choices.begin(), choices.end(), line.arguments[i]) != choices.end())
      continue;
    return Fail(
        ErrorCode::kUsage,
        fmt::format("{} cannot be \"{}\"", command.arguments[i].name, Printable(line.arguments[i])),
        DidYouMean(line.arguments[i], choices) + "it is one of: " + Join(choices, ", "));
  }
  return {};
}

}  // namespace

Result<CommandLine> ParseCommandLine(const Words& arguments) {
  CommandLine line;
  Words rest = arguments;
  MU_TRY(line.command, TakeCommand(rest, line.wants_help));

  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  CLI::Option* help = app.add_flag("-h,--help");
  CLI::Option* version = app.add_flag("-V,--version");
  CLI::Option* positional = app.add_option("ARGUMENTS")
                                ->expected(0, 1 << 20)
                                ->allow_extra_args()
                                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  std::map<std::string, CLI::Option*> options;
  for (const config::KeyRow& key : config::KeyTable()) {
    const bool is_taken = line.command == nullptr ? key.commands == config::kEvery
                                                  : (key.commands & line.command->bit) != 0;
    if (!is_taken) continue;
    std::string names = fmt::format("--{}", key.name);
    const char letter =
        config::ShortFlagOf(key, line.command == nullptr ? config::kEvery : line.command->bit);
    if (letter != 0) names = fmt::format("-{},{}", letter, names);
    options[std::string(key.name)] =
        key.TakesValue() ? app.add_option(names)->expected(1)->allow_extra_args(false)
                         : app.add_flag(names);
    // How often a key may be given is said by its row.
    options[std::string(key.name)]->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  try {
    std::reverse(rest.begin(), rest.end());
    app.parse(rest);
  } catch (const CLI::ArgumentMismatch& error) {
    // "--to: 1 required TEXT missing"
    const std::string name =
        std::string(error.what()).substr(0, std::string(error.what()).find(':'));
    return Fail(ErrorCode::kUsage, fmt::format("{} needs a value", name));
  } catch (const CLI::ParseError& error) {
    return Fail(ErrorCode::kUsage, Printable(error.what()));
  }
  line.wants_help = line.wants_help || help->count() > 0;
  line.wants_version = version->count() > 0;
  if (line.wants_help || line.wants_version) return line;
  for (const std::string& word : app.remaining()) {
    if (word != "--") return UnknownFlag(word, line.command);
  }
  for (const auto& [name, option] : options) {
    if (option->count() > 0) line.flags[name] = option->results();
  }
  line.arguments = positional->results();
  if (line.command == nullptr) {
    if (line.arguments.empty())
      return Fail(ErrorCode::kUsage, "no command is given", "see milvus-upgrade --help");
    return UnknownWord("", line.arguments.front());
  }
  MU_CHECK(CheckComplete(line));
  return line;
}

}  // namespace mu::cli
