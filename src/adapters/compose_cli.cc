// SPDX-License-Identifier: Apache-2.0
#include "adapters/compose_cli.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "adapters/compose_text.h"
#include "adapters/docker_text.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

using model::ComposeGeneration;
using model::ComposeSelectors;
using ports::CommandResult;

constexpr Millis kConfigTimeout{60'000};
constexpr Millis kUpTimeout{15 * 60'000};

std::map<std::string, std::string> CleanEnvironment() {
  std::map<std::string, std::string> clean;
  for (char** line = environ; *line != nullptr; ++line) {
    const std::string text(*line);
    const std::string name = text.substr(0, text.find('='));
    if (name == "PATH" || name == "HOME" || name.starts_with("DOCKER_"))
      clean[name] = text.substr(std::min(text.size(), name.size() + 1));
  }
  return clean;
}

std::vector<std::string> SelectorArguments(const ComposeSelectors& selectors) {
  std::vector<std::string> arguments;
  const auto add = [&](const char* flag, const std::string& value) {
    if (!value.empty()) arguments.insert(arguments.end(), {flag, value});
  };
  for (const std::string& file : selectors.files) add("-f", file);
  add("-p", selectors.project_name);
  add("--project-directory", selectors.project_directory);
  for (const std::string& file : selectors.env_files) add("--env-file", file);
  for (const std::string& profile : selectors.profiles) add("--profile", profile);
  return arguments;
}

std::string FolderOf(const ComposeSelectors& selectors) {
  if (!selectors.project_directory.empty()) return selectors.project_directory;
  if (selectors.files.empty()) return "";
  const std::string folder = std::filesystem::path(selectors.files[0]).parent_path().string();
  // A missing folder is Compose's to report, as a missing file.
  return ::access(folder.c_str(), X_OK) == 0 ? folder : "";
}

// "v2.40.3" and "2.40.3" are both seen; "" when it is no version.
std::string VersionOfText(std::string_view out) {
  std::string_view text = Trim(out);
  if (text.starts_with('v')) text.remove_prefix(1);
  return !text.empty() && text[0] >= '1' && text[0] <= '9' && text.size() < 40 ? std::string(text)
                                                                               : "";
}

}  // namespace

Result<ComposeCli::Program> ComposeCli::Find(ComposeGeneration generation) {
  if (const auto known = programs_.find(generation); known != programs_.end()) return known->second;
  const bool wants_v1 = generation == ComposeGeneration::kV1;
  std::string seen;
  std::vector<std::vector<std::string>> candidates = {{"docker-compose"}};
  if (!wants_v1) candidates.insert(candidates.begin(), {"docker", "compose"});
  for (const std::vector<std::string>& argv : candidates) {
    ports::Command command;
    command.argv = argv;
    command.argv.insert(command.argv.end(), {"version", "--short"});
    const auto result = runner_.Run(command);
    if (!result) {
      const ErrorCode code = result.error().code;
      if (code == ErrorCode::kCommandTimeout || code == ErrorCode::kInterrupted)
        return Fail(result.error());
      seen += "; " + result.error().message;
      continue;
    }
    const std::string version = VersionOfText(result->out);
    if (result->exit_code != 0 || version.empty()) {
      seen += fmt::format("; {} does not work: {}", Join(argv, " "), ComposeWords(result->err));
    } else if (version.starts_with("1.") != wants_v1) {
      seen += fmt::format("; {} is version {}", Join(argv, " "), version);
    } else {
      return programs_[generation] = Program{argv, version};
    }
  }
  return Fail(ErrorCode::kComposeMissing,
              fmt::format("Compose v{} is not installed{}", wants_v1 ? 1 : 2, seen));
}

Result<std::string> ComposeCli::Version(ComposeGeneration generation) {
  MU_TRY(const Program program, Find(generation));
  return program.version;
}

Result<CommandResult> ComposeCli::Run(ComposeGeneration generation,
                                      const ComposeSelectors& selectors,
                                      const std::vector<std::string>& verb, Millis timeout,
                                      ports::ComposeEnvironment environment) {
  MU_TRY(const Program program, Find(generation));
  ports::Command command;
  command.argv = program.argv;
  const std::vector<std::string> arguments = SelectorArguments(selectors);
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.argv.insert(command.argv.end(), verb.begin(), verb.end());
  command.working_directory = FolderOf(selectors);
  command.timeout = timeout;
  if (environment == ports::ComposeEnvironment::kClean) {
    command.has_clean_environment = true;
    command.environment = CleanEnvironment();
  }
  MU_TRY(CommandResult result, runner_.Run(command));
  if (result.exit_code != 0) {
    if (auto error = EngineError(result.err)) return Fail(std::move(*error));
  }
  return result;
}

Result<model::ComposeProject> ComposeCli::Config(ComposeGeneration generation,
                                                 const ComposeSelectors& selectors,
                                                 ports::ComposeEnvironment environment) {
  const bool is_v1 = generation == ComposeGeneration::kV1;
  MU_TRY(const CommandResult result,
         Run(generation, selectors,
             is_v1 ? std::vector<std::string>{"config"}
                   : std::vector<std::string>{"config", "--format", "json"},
             kConfigTimeout, environment));
  if (result.exit_code != 0) {
    // Not all of Compose's complaints say which file they are about.
    Error error = ConfigError(result.err);
    if (selectors.files.empty()) return Fail(std::move(error));
    return Fail(std::move(error).WithContext("reading " + Join(selectors.files, ", ")));
  }
  return is_v1 ? ProjectOfV1(result.out, selectors) : ProjectOfV2(result.out);
}

Status ComposeCli::Up(ComposeGeneration generation, const ComposeSelectors& selectors,
                      const std::vector<std::string>& services) {
  // Without names Compose would start the whole project.
  if (services.empty()) return {};
  const auto up = [&](bool has_pull_flag) {
    std::vector<std::string> verb = {"up", "-d", "--no-deps", "--no-build"};
    if (has_pull_flag) verb.insert(verb.end(), {"--pull", "never"});
    verb.insert(verb.end(), services.begin(), services.end());
    return Run(generation, selectors, verb, kUpTimeout, ports::ComposeEnvironment::kOurs);
  };
  const bool is_v1 = generation == ComposeGeneration::kV1;
  MU_TRY(CommandResult result, up(!is_v1));
  // The first 2.x have no such flag and refuse it before they do anything.
  if (result.exit_code != 0 && result.err.find("unknown flag: --pull") != std::string::npos) {
    MU_TRY(result, up(false));
  }
  if (result.exit_code == 0) return {};
  const bool is_container_config = is_v1 && result.err.find("ContainerConfig") != std::string::npos;
  return Fail(
      ErrorCode::kComposeFailed,
      fmt::format("{} up {}: {}", is_v1 ? "docker-compose" : "docker compose", Join(services, " "),
                  ComposeWords(result.err)),
      is_container_config
          ? "Compose v1 cannot recreate containers on this engine (a KeyError that its last "
            "version still has); use Compose v2 on a stack that it made itself"
          : "");
}

}  // namespace mu::adapters
