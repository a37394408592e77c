// SPDX-License-Identifier: Apache-2.0
// DockerCli's jobs and networks.
#include <fmt/format.h>

#include <utility>

#include "adapters/docker_cli.h"
#include "adapters/docker_text.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

using ports::Command;
using ports::CommandResult;

constexpr Millis kKillTimeout{30'000};
constexpr Millis kEndsTimeout{60'000};  // of a killed one, on a slow engine
constexpr int kKillTries = 100;  // 100 ms apart: one that was asked to start may not have yet
constexpr Millis kCopyTimeout{60 * 60'000};
constexpr std::size_t kKeptWords = 4u << 10;

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

Result<std::string> DockerCli::CreateJob(const ports::JobSpec& spec) {
  Command client;
  // Its name server is nobody, as a helper's. root may read what was copied in, whoever owns it.
  std::vector<std::string> options = {"--network",       spec.network,
                                      "--dns",           "127.0.0.1",
                                      "--dns-search",    ".",
                                      "--restart",       "no",
                                      "--cap-drop",      "ALL",
                                      "--cap-add",       "DAC_OVERRIDE",
                                      "--security-opt",  "no-new-privileges",
                                      "--log-driver",    "json-file",
                                      "--log-opt",       "max-size=4m",
                                      "--no-healthcheck"};
  if (spec.has_init) options.emplace_back("--init");
  if (spec.is_gentle) options = With(options, {"--cpu-shares", "128", "--blkio-weight", "100"});
  if (spec.is_root) options = With(options, {"--user", "0:0"});
  if (!spec.volume.empty()) options = With(options, {"--volume", spec.volume});
  if (!spec.volumes_from.empty()) options = With(options, {"--volumes-from", spec.volumes_from});
  options = With(options, EnvironmentWords(spec.environment, client.environment));
  std::vector<std::string> words = {spec.image};
  if (!spec.argv.empty()) {
    options = With(options, {"--entrypoint", spec.argv[0]});
    words.insert(words.end(), spec.argv.begin() + 1, spec.argv.end());
  }
  return CreateWith(spec.name, options, spec.labels, words, std::move(client));
}

Result<int> DockerCli::RunJob(const std::string& name,
                              const std::function<void(std::string_view)>& on_line,
                              const std::function<bool()>& wants_kill) {
  std::string words;  // the last ones: of the client, when nothing was started
  int tries = 0;
  Command command;
  command.argv = {"start", "--attach", name};
  command.joins_stderr = true;
  command.on_line = [&](std::string_view line) {
    words.append(line).append("\n");
    if (words.size() > 2 * kKeptWords) words.erase(0, words.size() - kKeptWords);
    on_line(line);
  };
  command.wants_end = [&] {
    if (tries == 0 && !wants_kill()) return false;
    const auto killed = Docker({"kill", name}, kKillTimeout);
    return !killed || killed->exit_code == 0 || ++tries == kKillTries;
  };
  command.timeout = kEndsTimeout;
  const auto result = Docker(std::move(command));
  if (!result && result.error().code != ErrorCode::kCommandTimeout) return Fail(result.error());

  MU_TRY(const auto found, Inspect({name}));
  if (!found[0]) return Fail(VerbError("start", {name}, "No such container: " + name));
  const model::Container& job = *found[0];
  if (!job.HasEverStarted() || !job.error.empty()) {
    return Fail(ErrorCode::kContainerFailed,
                fmt::format("docker start {}: {}", name,
                            DockerWords(job.error.empty() ? words : job.error)));
  }
  if (job.status == "exited" || job.status == "dead") return job.exit_code;
  if (!result) return Fail(result.error());
  return Fail(ErrorCode::kDockerDown,
              fmt::format("the Docker engine stopped telling of {}, which is {}: {}", name,
                          job.status, DockerWords(words)));
}

Status DockerCli::Kill(const std::string& name) {
  MU_TRY(const CommandResult result, Docker({"kill", name}, kKillTimeout));
  if (result.exit_code == 0) return Change({"wait"}, {name}, kEndsTimeout);
  if (Contains(result.err, "is not running")) return {};
  return Fail(VerbError("kill", {name}, result.err));
}

Status DockerCli::CreateNetwork(const std::string& name,
                                const std::map<std::string, std::string>& labels) {
  MU_TRY(const CommandResult result,
         Docker(With(With({"network", "create", "--internal"}, LabelWords(labels)), {"--", name})));
  if (result.exit_code == 0) return {};
  const bool is_taken = Contains(result.err, "already exists");
  return Fail(is_taken ? ErrorCode::kLocked : ErrorCode::kContainerFailed,
              fmt::format("docker network create {}: {}", name, DockerWords(result.err)));
}

Status DockerCli::RemoveNetwork(const std::string& name) {
  MU_TRY(const CommandResult result, Docker({"network", "rm", "--", name}));
  if (result.exit_code == 0) return {};
  const std::string text = ToLower(result.err);
  const bool is_gone = Contains(text, "no such network") || Contains(text, "not found");
  return Fail(is_gone ? ErrorCode::kContainerGone : ErrorCode::kContainerFailed,
              fmt::format("docker network rm {}: {}", name, DockerWords(result.err)));
}

Result<std::vector<std::string>> DockerCli::ListNetworks(const std::vector<std::string>& labels) {
  std::vector<std::string> arguments = {"network", "ls", "--format", "{{.Name}}"};
  for (const std::string& label : labels)
    arguments = With(arguments, {"--filter", "label=" + label});
  MU_TRY(const CommandResult result, Docker(std::move(arguments)));
  if (result.exit_code != 0)
    return Fail(ErrorCode::kCommandFailed, "docker network ls: " + DockerWords(result.err));
  return Lines(result.out);
}

Status DockerCli::CopyFileIn(const std::string& name, const std::string& file,
                             const std::string& path_inside) {
  Command command;
  // A relative name with a colon in it would be one of a container's.
  const std::string from = file.starts_with('/') ? file : "./" + file;
  command.argv = {"cp", "--follow-link", from, name + ":" + path_inside};
  command.timeout = kCopyTimeout;
  MU_TRY(const CommandResult result, Docker(std::move(command)));
  if (result.exit_code == 0) return {};
  if (Contains(result.err, "stat " + from))
    return Fail(ErrorCode::kFileRead, fmt::format("{}: {}", file, DockerWords(result.err)));
  return Fail(VerbError("cp", {name}, result.err));
}

}  // namespace mu::adapters
