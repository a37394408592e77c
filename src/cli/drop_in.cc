// SPDX-License-Identifier: Apache-2.0
#include "cli/drop_in.h"

#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "cli/migrate_flow.h"

namespace mu::cli {
namespace {

constexpr int kRefused = 1;
constexpr int kUnusable = 2;
constexpr int kFailed = 100;

class Printed : public migrate::Listener {
 public:
  void Note(const std::string& line) override { fmt::print("{}\n", line); }
  void Progress(const std::string& what, std::size_t, std::size_t total) override {
    if (what == stage_) return;
    stage_ = what;
    fmt::print("{} ({})\n", what, total);
    std::fflush(stdout);  // a container's log is read while it runs
  }

 private:
  std::string stage_;
};

struct Arguments {
  std::string config;
  bool wants_help = false;
};

// As Go's flag package: -config FILE, -config=FILE, with one dash or two; -h, -help.
Result<Arguments> Understand(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.size() < 2 || word.front() != '-') break;  // the rest are no flags
    const std::string flag = word.substr(word.starts_with("--") ? 2 : 1);
    if (flag.empty()) break;
    if (flag == "h" || flag == "help") {
      arguments.wants_help = true;
    } else if (flag.starts_with("config=")) {
      arguments.config = flag.substr(7);
    } else if (flag == "config") {
      if (++i == words.size()) return Fail(ErrorCode::kUsage, "flag needs an argument: -config");
      arguments.config = words[i];
    } else {
      return Fail(ErrorCode::kUsage, fmt::format("flag provided but not defined: -{}",
                                                 flag.substr(0, flag.find('='))));
    }
  }
  return arguments;
}

int End(int code, const Error& error) {
  fmt::print("error: {}\nnext: {}\nfailed: exit code {}\n", error.Text(), error.Hint(), code);
  return code;
}

int CodeOf(const MigrateFailure& failure, config::MigrateCommand command) {
  if (command != config::MigrateCommand::kRun) return kFailed;
  return failure.has_written ? kUnusable : kRefused;
}

}  // namespace

bool IsDropIn(const std::string& program) {
  return program.substr(program.rfind('/') + 1) == "meta-migration";
}

int RunDropIn(const std::vector<std::string>& words) {
  const auto arguments = Understand(words);
  if (!arguments || arguments->wants_help) {
    if (!arguments) fmt::print(stderr, "{}\n", arguments.error().message);
    fmt::print(stderr, "Usage of meta-migration:\n  -config string\n    \tmigrate.yaml\n");
    return arguments ? 0 : kUnusable;
  }
  if (arguments->config.empty())
    return End(kRefused, Error{ErrorCode::kUsage, "-config is missing", "", {}});
  Wiring wiring;
  const auto text = wiring.Files().Read(arguments->config);
  if (!text) return End(kUnusable, text.error());
  int tool_exit = kUnusable;
  auto yaml = config::ParseMigrateYaml(*text, arguments->config, &tool_exit);
  if (!yaml) return End(tool_exit, yaml.error());
  for (const std::string& warning : yaml->warnings) fmt::print("warning: {}\n", warning);
  const config::MigrateCommand command = yaml->command;
  MigrateRequest request;
  request.yaml = *std::move(yaml);
  request.new_keys = migrate::NewKeys::kKeep;
  MigrateFlow flow(wiring, std::move(request));
  Printed printed;
  auto outcome = flow.Do(printed);
  if (!outcome) return End(CodeOf(outcome.error(), command), outcome.error().error);
  fmt::print("{}", ViewOf(*outcome, flow.Scope(), {}).text);
  return 0;
}

}  // namespace mu::cli
