// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <gtest/gtest.h>

#include <set>

#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/config/keys.h"

namespace mu::cli {
namespace {

using Words = std::vector<std::string>;

CommandLine Parsed(const Words& words) {
  auto line = ParseCommandLine(words);
  EXPECT_TRUE(line) << Join(words, " ") << ": " << (line ? "" : line.error().Text());
  return line ? *line : CommandLine{};
}

std::string Refused(const Words& words) {
  const auto line = ParseCommandLine(words);
  EXPECT_FALSE(line) << Join(words, " ");
  if (line) return {};
  EXPECT_EQ(line.error().code, ErrorCode::kUsage);
  return line.error().message + " / " + std::string(line.error().Hint());
}

TEST(CommandTable, EveryCommandHasItsBitExamplesAndRequiredFlag) {
  std::set<std::string_view> paths;
  for (const CommandRow& row : CommandTable()) {
    EXPECT_TRUE(paths.insert(row.path).second) << row.path;
    EXPECT_FALSE(row.examples.empty()) << row.path;
    EXPECT_FALSE(row.summary.empty() || row.summary.ends_with('.')) << row.path;
    EXPECT_NE(row.run, nullptr) << row.path;
    for (const std::string& flag : Split(row.required_flags, ' ')) {
      if (flag.empty()) continue;
      const auto* key = config::FindKey(flag);
      ASSERT_NE(key, nullptr) << row.path;
      EXPECT_NE(key->commands & row.bit, 0u) << row.path;
    }
  }
}

TEST(CommandTable, ItsExamplesAreValidCommandLines) {
  for (const CommandRow& row : CommandTable()) {
    for (const Example& example : row.examples) {
      // Up to what only a shell understands: a pipe, a redirection, a substitution.
      std::string text(example.line.substr(0, example.line.find_first_of("|>")));
      if (const auto at = text.find("<("); at != std::string::npos) text = text.substr(at + 2);
      if (const auto at = text.find(')'); at != std::string::npos) text = text.substr(0, at);
      auto words = config::SplitWords(text);
      ASSERT_TRUE(words) << example.line;
      if (words->front() != "milvus-upgrade") continue;
      words->erase(words->begin());
      const CommandLine line = Parsed(*words);
      EXPECT_EQ(line.command, &row) << example.line;
      config::Inputs inputs;
      inputs.command = row.bit;
      inputs.flags = line.flags;
      EXPECT_TRUE(config::Resolve(inputs)) << example.line;
    }
  }
}

TEST(ParseCommandLine, FindsFlagsBeforeBetweenAndAfter) {
  const CommandLine line = Parsed({"-o", "json", "plan", "--timeout=5m", "compose", "-f", "a",
                                   "--file", "b", "--to", "2.3.5", "--detailed-exitcode"});
  ASSERT_NE(line.command, nullptr);
  EXPECT_EQ(line.command->path, "plan compose");
  EXPECT_EQ(line.flags.at("output"), Words{"json"});
  EXPECT_EQ(line.flags.at("timeout"), Words{"5m"});
  EXPECT_EQ(line.flags.at("file"), (Words{"a", "b"}));
  EXPECT_EQ(line.flags.at("detailed-exitcode"), Words{"true"});
  EXPECT_FALSE(line.flags.contains("yes"));
}

TEST(ParseCommandLine, TakesAFlagWithItsValueSpelledOut) {
  EXPECT_EQ(Parsed({"compose", "--yes=false"}).flags.at("yes"), Words{"false"});
  EXPECT_EQ(Parsed({"compose", "-y"}).flags.at("yes"), Words{"true"});
  EXPECT_EQ(Parsed({"compose", "--verify-cmd", "a -b c"}).flags.at("verify-cmd"), Words{"a -b c"});
  EXPECT_EQ(Parsed({"compose", "--verify-cmd=-x"}).flags.at("verify-cmd"), Words{"-x"});
}

TEST(ParseCommandLine, TakesNamesOfCommandsAsArguments) {
  EXPECT_EQ(Parsed({"apply", "plan"}).arguments, Words{"plan"});
  EXPECT_EQ(Parsed({"apply", "--", "-x"}).arguments, Words{"-x"});
  EXPECT_EQ(Parsed({"-p", "plan", "compose"}).command->path, "compose");
  EXPECT_EQ(Parsed({"report", "help"}).arguments, Words{"help"});
}

TEST(ParseCommandLine, UnderstandsHelpAnywhere) {
  EXPECT_TRUE(Parsed({"--help"}).wants_help);
  EXPECT_TRUE(Parsed({"help"}).wants_help);
  EXPECT_EQ(Parsed({"help", "plan", "compose"}).command->path, "plan compose");
  EXPECT_TRUE(Parsed({"plan", "compose", "--bogus", "-h"}).wants_help);
  EXPECT_TRUE(Parsed({"apply", "-h"}).wants_help);
  EXPECT_TRUE(Parsed({"--version"}).wants_version);
}

TEST(ParseCommandLine, RefusesWhatItDoesNotKnowAndNamesTheNearest) {
  EXPECT_NE(Refused({"compsoe"}).find("did you mean compose?"), std::string::npos);
  EXPECT_NE(Refused({"xy"}).find("the commands are: compose, rolling, check, plan"),
            std::string::npos);
  EXPECT_NE(Refused({"compose", "--stop-timeot", "1s"}).find("did you mean --stop-timeout?"),
            std::string::npos);
  EXPECT_NE(Refused({"compose", "-z"}).find("compose has no flag -z"), std::string::npos);
  EXPECT_NE(Refused({"--to", "2.3.5"}).find("no flag --to"), std::string::npos);
  EXPECT_NE(Refused({"compose", "--to"}).find("--to needs a value"), std::string::npos);
  EXPECT_NE(Refused({"completion", "zhs"}).find("it is one of: bash, zsh, fish"),
            std::string::npos);
  EXPECT_NE(Refused({"plan"}).find("plan of what is not said"), std::string::npos);
  EXPECT_NE(Refused({}).find("no command is given"), std::string::npos);
  EXPECT_NE(Refused({"compose", "extra"}).find("does not take the argument \"extra\""),
            std::string::npos);
}

}  // namespace
}  // namespace mu::cli
