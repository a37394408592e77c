// SPDX-License-Identifier: Apache-2.0
#include "cli/app.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>

#include "cli/command_line.h"
#include "cli/drop_in.h"
#include "cli/help.h"
#include "cli/internal.h"
#include "cli/wiring.h"
#include "milvus_upgrade/base/log.h"
#include "milvus_upgrade/base/text.h"
#include "milvus_upgrade/config/keys.h"

namespace mu::cli {
namespace {

using Environment = std::map<std::string, std::string>;

// A stream that was closed by the caller would give its number to the next file that is opened: the
// result would be written into the journal. Read-only in the place of stdout, so that a result that
// is lost shows as one (EBADF).
void OpenClosedStreams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) == -1) (void)!open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY);
  }
}

// Whether JSON was asked for, as far as it can be seen before the command line is understood, so
// that its errors are told in that form as well.
config::Output AskedOutput(const std::vector<std::string>& arguments,
                           const Environment& environment) {
  const auto it = environment.find(config::FindKey("output")->EnvironmentName());
  bool is_json = it != environment.end() && it->second == "json";
  // rollingUpdate.sh has a -o of its own.
  const bool has_letter =
      std::find(arguments.begin(), arguments.end(), "rolling") == arguments.end();
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string& word = arguments[i];
    const bool is_short = has_letter && word.starts_with("-o");
    if ((word == "--output" || (is_short && word.size() == 2)) && i + 1 < arguments.size())
      is_json = arguments[i + 1] == "json";
    if (word.starts_with("--output=")) is_json = word == "--output=json";
    if (is_short && word.size() > 2) is_json = word == "-ojson";
  }
  return is_json ? config::Output::kJson : config::Output::kText;
}

Result<config::Resolved> ResolveConfig(const CommandLine& line, Wiring& wiring) {
  const Environment& environment = wiring.Environment();
  config::Inputs inputs;
  inputs.command = line.command->bit;
  inputs.flags = line.flags;
  inputs.environment = environment;
  const auto variable = environment.find(config::FindKey("config")->EnvironmentName());
  if (const auto flag = line.flags.find("config"); flag != line.flags.end()) {
    inputs.file_path = flag->second.back();
  } else if (variable != environment.end() && !variable->second.empty()) {
    inputs.file_path = variable->second;
  } else {
    for (const std::string& candidate : config::ConfigFileCandidates(environment)) {
      MU_TRY(const auto facts, wiring.Files().Stat(candidate));
      if (!facts) continue;
      inputs.file_path = candidate;
      break;
    }
  }
  if (!inputs.file_path.empty()) {
    auto text = wiring.Files().Read(inputs.file_path);
    if (!text) return Fail(std::move(text).error().WithContext("reading the configuration file"));
    inputs.file_text = *std::move(text);
  }
  return config::Resolve(inputs);
}

ui::View VersionView() {
  ui::View view;
  view.text = fmt::format("milvus-upgrade {}\n", MU_VERSION);
  view.json["version"] = MU_VERSION;
  return view;
}

ui::View HelpView(const CommandRow* command, const ui::Style& style) {
  ui::View view;
  view.text = command == nullptr ? OverviewHelp(style) : CommandHelp(*command, style);
  view.json["help"] = view.text;
  return view;
}

// --verbose goes to the console for as long as that is there.
class VerboseTo {
 public:
  explicit VerboseTo(ui::Console* console) {
    if (console != nullptr) SetVerbose([console](std::string_view line) { console->Debug(line); });
  }
  ~VerboseTo() { SetVerbose({}); }
  VerboseTo(const VerboseTo&) = delete;
  VerboseTo& operator=(const VerboseTo&) = delete;
};

// What only tells has failed when nobody was told. A run that has changed something keeps its code.
int Told(int code, const ui::Console& console, ui::ConsoleSetup& setup) {
  if (code != 0 || console.OutLost().empty()) return code;
  setup.output = config::Output::kText;  // stdout is of no use any more
  return ui::Console(setup).Fail(
      Error{ErrorCode::kFileWrite, "the result cannot be written: " + console.OutLost(), "", {}});
}

int Run(const std::vector<std::string>& arguments, ui::ConsoleSetup& setup) {
  const auto line = ParseCommandLine(arguments);
  if (line && line->command != nullptr) setup.command = line->command->path;
  if (!line || line->wants_version || line->wants_help || line->command == nullptr) {
    ui::Console console(setup);
    if (!line) return console.Fail(line.error());
    const ui::View view = line->wants_version && !line->wants_help
                              ? VersionView()
                              : HelpView(line->command, console.OutStyle());
    return Told(console.End(ExitCode::kDone, view), console, setup);
  }
  // Over before the command makes its own: a process has one owner of its signals.
  const auto resolved = ResolveConfig(*line, *std::make_unique<Wiring>());
  if (!resolved) {
    ui::Console console(setup);
    return console.Fail(resolved.error());
  }
  setup.output = resolved->config.output;
  setup.progress = resolved->config.progress;
  ui::Console console(setup);
  const VerboseTo verbose(resolved->config.is_verbose ? &console : nullptr);
  const CommandRow& command = *line->command;
  for (const std::string& warning : resolved->warnings) console.Warn(warning);
  for (const std::string& required : Split(command.required_flags, ' ')) {
    if (required.empty() || resolved->config.sources.at(required) != "default") continue;
    return console.Fail(Error{ErrorCode::kUsage,
                              fmt::format("{} needs --{} {}", command.path, required,
                                          config::FindKey(required)->value_name),
                              fmt::format("for example: {}", command.examples.front().line),
                              {}});
  }
  const int code = command.run({resolved->config, line->flags, line->arguments}, console);
  const bool only_tells = command.is_read_only || resolved->config.is_dry_run;
  return only_tells ? Told(code, console, setup) : code;
}

}  // namespace

int Main(int argc, char** argv) {
  OpenClosedStreams();
  std::signal(SIGPIPE, SIG_IGN);
  ui::ConsoleSetup setup;
  try {
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    if (argc > 0 && IsDropIn(argv[0])) return RunDropIn(arguments);
    if (!arguments.empty() && arguments[0] == kInternal) return RunInternal(arguments);
    setup.environment = Wiring().Environment();
    setup.output = AskedOutput(arguments, setup.environment);
    return Run(arguments, setup);
  } catch (const std::exception& exception) {
    ui::Console console(setup);
    return console.Fail(Error{ErrorCode::kInternal, exception.what(), "", {}});
  }
}

}  // namespace mu::cli
