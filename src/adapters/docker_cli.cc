// SPDX-License-Identifier: Apache-2.0
#include "adapters/docker_cli.h"

#include <fmt/format.h>
#include <stdio.h>

#include <algorithm>
#include <utility>

#include "adapters/docker_text.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

using ports::Command;
using ports::CommandResult;

constexpr Millis kPullTimeout{60 * 60'000};
constexpr Millis kEngineMargin{60'000};  // what a slow engine may take on top of a grace period
constexpr std::size_t kExecOutput = 1u << 30;  // 50,000 keys of Milvus are 18 MB of JSON (measured)
constexpr Millis kCopyTimeout{5 * 60'000};     // our own program, over ssh as well
constexpr Millis kHelperEnds{10'000};
constexpr int kSignalled = 128;  // and the signal's number: an exit code
constexpr std::size_t kSmallFile = 16u << 20;

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Whether it can stand in a request's path as it is.
bool IsPlainPath(std::string_view text) {
  return !text.empty() && text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 ||
                  std::string_view("_.-/:@").find(static_cast<char>(c)) != std::string_view::npos;
         });
}

}  // namespace

Result<CommandResult> DockerCli::Docker(Command command) {
  command.argv.insert(command.argv.begin(), "docker");
  auto result = runner_.Run(command);
  if (!result) {
    Error error = std::move(result).error();
    if (error.code == ErrorCode::kCommandNotFound) error.code = ErrorCode::kDockerMissing;
    return Fail(std::move(error));
  }
  if (result->exit_code != 0) {
    if (auto error = EngineError(result->err)) return Fail(std::move(*error));
  }
  return result;
}

Result<CommandResult> DockerCli::Docker(std::vector<std::string> arguments, Millis timeout) {
  Command command;
  command.argv = std::move(arguments);
  command.timeout = timeout;
  return Docker(std::move(command));
}

Result<model::Engine> DockerCli::Info() {
  MU_TRY(const CommandResult result, Docker({"info", "--format", "{{json .}}"}));
  if (result.exit_code != 0 && Trim(result.out).empty())
    return Fail(ErrorCode::kCommandFailed, "docker info: " + DockerWords(result.err));
  // Clients up to 25 exit with 0 and put the reason into the JSON when the engine is away.
  MU_TRY(const json::value info, ParseJson(result.out, "docker info"));
  model::Engine engine;
  engine.id = JsonText(info, {"ID"});
  engine.version = JsonText(info, {"ServerVersion"});
  engine.root_dir = JsonText(info, {"DockerRootDir"});
  const std::vector<std::string> reasons = JsonTexts(info, {"ServerErrors"});
  if (!reasons.empty() || engine.version.empty()) {
    const std::string words = reasons.empty() ? result.err : Join(reasons, "\n");
    if (auto error = EngineError(words)) return Fail(std::move(*error));
    return Fail(ErrorCode::kDockerDown, "the Docker engine does not answer: " + DockerWords(words));
  }
  // Honours DOCKER_HOST, DOCKER_CONTEXT and the context in use alike.
  MU_TRY(const CommandResult context,
         Docker({"context", "inspect", "--format", "{{.Endpoints.docker.Host}}"}));
  if (context.exit_code == 0) engine.endpoint = Trim(context.out);
  socket_.Adopt(engine);
  return engine;
}

Result<std::vector<std::string>> DockerCli::List(const std::vector<std::string>& labels) {
  std::vector<std::string> arguments = {"ps", "--all", "--quiet", "--no-trunc"};
  for (const std::string& label : labels) {
    arguments.push_back("--filter");
    arguments.push_back("label=" + label);
  }
  MU_TRY(const CommandResult result, Docker(std::move(arguments)));
  if (result.exit_code != 0)
    return Fail(ErrorCode::kCommandFailed, "docker ps: " + DockerWords(result.err));
  std::vector<std::string> ids;
  for (const std::string& line : Lines(result.out)) {
    const std::string_view id = Trim(line);
    if (id.size() != 64 || id.find_first_not_of("0123456789abcdef") != std::string_view::npos)
      return Fail(
          ErrorCode::kCommandOutput,
          "docker ps printed something that is not a container id: " + Printable(id.substr(0, 80)));
    ids.emplace_back(id);
  }
  return ids;
}

Result<std::vector<std::optional<model::Container>>> DockerCli::Inspect(
    const std::vector<std::string>& names) {
  std::vector<std::optional<model::Container>> found(names.size());
  if (names.empty()) return found;
  if (auto by_socket = InspectBySocket(names)) return *std::move(by_socket);
  MU_TRY(const CommandResult result, Docker(With({"inspect", "--type", "container", "--"}, names)));
  if (result.exit_code != 0 && !SaysNoSuchContainer(result.err))
    return Fail(ErrorCode::kCommandFailed, "docker inspect: " + DockerWords(result.err));
  MU_TRY(const json::value inspected, ParseJson(result.out, "docker inspect"));
  if (!inspected.is_array())
    return Fail(ErrorCode::kCommandOutput, "docker inspect printed no list");
  for (const json::value& one : inspected.get_array()) {
    const model::Container container = ContainerOfJson(one);
    if (container.id.empty() || container.status.empty())
      return Fail(ErrorCode::kCommandOutput, "docker inspect printed a container without id");
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == container.name || names[i] == container.id ||
          (names[i].size() >= 12 && container.id.starts_with(names[i])))
        found[i] = container;
    }
  }
  return found;
}

Result<std::optional<model::Image>> DockerCli::InspectImage(const std::string& reference) {
  if (auto by_socket = ImageBySocket(reference)) return *std::move(by_socket);
  MU_TRY(const CommandResult result, Docker({"image", "inspect", "--", reference}));
  if (result.exit_code != 0) {
    if (Contains(ToLower(result.err), "no such image")) return std::nullopt;
    return Fail(ErrorCode::kCommandFailed,
                fmt::format("docker image inspect {}: {}", reference, DockerWords(result.err)));
  }
  MU_TRY(const json::value inspected, ParseJson(result.out, "docker image inspect"));
  if (!inspected.is_array() || inspected.get_array().empty() ||
      JsonText(inspected.get_array()[0], {"Id"}).empty())
    return Fail(ErrorCode::kCommandOutput, "docker image inspect printed no image");
  return ImageOfJson(inspected.get_array()[0]);
}

std::optional<std::vector<std::optional<model::Container>>> DockerCli::InspectBySocket(
    const std::vector<std::string>& names) {
  std::vector<std::optional<model::Container>> found;
  for (const std::string& name : names) {
    if (!IsPlainPath(name)) return std::nullopt;
    const auto value = socket_.Get("/containers/" + name + "/json");
    if (!value) return std::nullopt;
    if (value->is_null()) {
      found.emplace_back();
      continue;
    }
    model::Container container = ContainerOfJson(*value);
    if (container.id.empty() || container.status.empty()) return std::nullopt;
    found.push_back(std::move(container));
  }
  return found;
}

std::optional<std::optional<model::Image>> DockerCli::ImageBySocket(const std::string& reference) {
  if (!IsPlainPath(reference)) return std::nullopt;
  const auto value = socket_.Get("/images/" + reference + "/json");
  if (!value) return std::nullopt;
  if (value->is_null()) return std::optional<model::Image>();
  if (JsonText(*value, {"Id"}).empty()) return std::nullopt;
  return std::optional(ImageOfJson(*value));
}

Status DockerCli::Pull(const std::string& reference) {
  MU_TRY(const CommandResult result, Docker({"pull", "--quiet", "--", reference}, kPullTimeout));
  if (result.exit_code == 0) return {};
  return Fail(ErrorCode::kImageMissing,
              fmt::format("{} cannot be pulled: {}", reference, DockerWords(result.err)));
}

Status DockerCli::FindInRegistry(const std::string& reference) {
  Command command;
  command.environment = {{"DOCKER_CLI_EXPERIMENTAL", "enabled"}};  // clients before 20.10
  command.argv = {"manifest", "inspect", "--", reference};
  MU_TRY(CommandResult result, Docker(command));
  // The engine takes a loopback registry without TLS; the client then says only that there is no
  // such manifest (client 28.2).
  const bool is_loopback = reference.starts_with("127.") || reference.starts_with("localhost");
  if (result.exit_code != 0 &&
      (is_loopback || Contains(result.err, "HTTP response to HTTPS client") ||
       Contains(result.err, "x509:"))) {
    command.argv = {"manifest", "inspect", "--insecure", "--", reference};
    MU_TRY(result, Docker(command));
  }
  if (result.exit_code == 0) return {};
  if (result.exit_code > kSignalled)
    return Fail(ErrorCode::kCommandFailed,
                fmt::format("whether a registry has {} could not be asked: docker manifest inspect "
                            "was ended by signal {}",
                            reference, result.exit_code - kSignalled));
  if (Contains(result.err, "is not a docker command") || Contains(result.err, "experimental"))
    return Fail(ErrorCode::kCommandFailed,
                fmt::format("whether a registry has {} cannot be asked with this docker client: {}",
                            reference, DockerWords(result.err)),
                "pull the image by hand, or use a docker client from 20.10");
  return Fail(ErrorCode::kImageMissing, fmt::format("{} is not found in its registry: {}",
                                                    reference, DockerWords(result.err)));
}

Status DockerCli::Change(std::vector<std::string> verb, const std::vector<std::string>& names,
                         Millis timeout) {
  if (names.empty()) return {};
  const std::string name = verb[0];
  MU_TRY(const CommandResult result, Docker(With(std::move(verb), names), timeout));
  if (result.exit_code != 0) return Fail(VerbError(name, names, result.err));
  return {};
}

Status DockerCli::Stop(const std::vector<std::string>& names, Millis grace) {
  if (grace.count() % 1000 != 0) return SignalThenKill(names, grace);
  // The client stops them side by side, in one process.
  return Change({"stop", "-t", std::to_string(grace.count() / 1000)}, names, grace + kEngineMargin);
}

// `docker stop` takes whole seconds only. `docker wait` returns when all have ended, however they
// did; where the grace ends first, its child is what times out.
Status DockerCli::SignalThenKill(const std::vector<std::string>& names, Millis grace) {
  if (names.empty()) return {};
  const auto kill = [&](const char* signal) -> Status {
    MU_TRY(const CommandResult result, Docker(With({"kill", "--signal", signal}, names)));
    if (result.exit_code == 0) return {};
    for (const std::string& line : Lines(result.err)) {
      // One that has ended by itself meanwhile is what is wanted.
      if (!Trim(line).empty() && !Contains(line, "is not running"))
        return Fail(VerbError("kill", names, line));
    }
    return {};
  };
  MU_CHECK(kill("TERM"));
  const auto waited = Docker(With({"wait"}, names), grace);
  if (waited && waited->exit_code == 0) return {};
  if (waited) return Fail(VerbError("wait", names, waited->err));
  if (waited.error().code != ErrorCode::kCommandTimeout) return Fail(waited.error());
  MU_CHECK(kill("KILL"));
  return Change({"wait"}, names, kEngineMargin);
}

Status DockerCli::Start(const std::vector<std::string>& names) { return Change({"start"}, names); }

Status DockerCli::Remove(const std::string& name, bool is_forced) {
  MU_TRY(const CommandResult result,
         Docker(is_forced ? std::vector<std::string>{"rm", "--force", "--volumes", name}
                          : std::vector<std::string>{"rm", name}));
  // Newer clients end with 0 when a forced one is not there.
  if (result.exit_code != 0 || SaysNoSuchContainer(result.err))
    return Fail(VerbError("rm", {name}, result.err));
  return {};
}

Status DockerCli::SetRestartPolicy(const std::vector<std::string>& names, const std::string& policy,
                                   int max_retries) {
  std::string value = policy.empty() ? "no" : policy;
  if (value == "on-failure" && max_retries > 0) value += fmt::format(":{}", max_retries);
  return Change({"update", "--restart", value}, names);
}

Result<std::string> DockerCli::CreateWith(const std::string& name,
                                          const std::vector<std::string>& options,
                                          const std::map<std::string, std::string>& labels,
                                          const std::vector<std::string>& image_and_words,
                                          Command client) {
  client.argv = With({"create", "--pull", "never", "--name", name}, options);
  client.argv = With(With(std::move(client.argv), LabelWords(labels)), {"--"});
  client.argv = With(std::move(client.argv), image_and_words);
  MU_TRY(const CommandResult result, Docker(std::move(client)));
  if (result.exit_code == 0) return std::string(Trim(result.out));
  if (Contains(result.err, "is already in use by container"))
    return Fail(ErrorCode::kLocked, fmt::format("the container {} is there already: {}", name,
                                                DockerWords(result.err)));
  if (Contains(ToLower(result.err), "no such image") ||
      Contains(result.err, "Unable to find image"))
    return Fail(ErrorCode::kImageMissing,
                fmt::format("docker create {}: {}", name, DockerWords(result.err)));
  return Fail(ErrorCode::kContainerFailed,
              fmt::format("docker create {}: {}", name, DockerWords(result.err)));
}

Result<std::string> DockerCli::Create(const std::string& name, const std::string& image,
                                      const std::map<std::string, std::string>& labels) {
  // A command of its own, since an image without one cannot be created from. It never runs.
  return CreateWith(name, {"--network", "none", "--restart", "no"}, labels,
                    {image, "never-started"});
}

Result<std::string> DockerCli::CreateHelper(const ports::HelperSpec& spec) {
  if (spec.argv.empty()) return Fail(ErrorCode::kInternal, "a helper without a program");
  // A name that the engine does not know (its container is stopped) would be asked of the name
  // servers of the engine's host: 127.0.0.1 is nobody's, inside.
  return CreateWith(spec.name,
                    {"--rm", "--interactive", "--network", spec.network, "--dns", "127.0.0.1",
                     "--dns-search", ".", "--log-driver", "none", "--no-healthcheck", "--cap-drop",
                     "ALL", "--security-opt", "no-new-privileges", "--entrypoint", spec.argv[0]},
                    spec.labels, With({spec.image}, {spec.argv.begin() + 1, spec.argv.end()}));
}

Status DockerCli::CopyIn(const std::string& name, const std::vector<ports::FileInside>& files) {
  Command command;
  command.argv = {"cp", "-", name + ":/"};
  MU_TRY(command.standard_input, TarOf(files));
  command.timeout = kCopyTimeout;
  MU_TRY(const CommandResult result, Docker(std::move(command)));
  if (result.exit_code == 0) return {};
  // What the client says of the root of a container that is not there (28.2).
  if (Contains(result.err, "must be a directory"))
    return Fail(ErrorCode::kContainerGone, "docker cp: No such container: " + name);
  return Fail(VerbError("cp", {name}, result.err));
}

Result<ports::ExecResult> DockerCli::RunHelper(const std::string& name,
                                               const std::function<void(std::string_view)>& on_line,
                                               const std::function<bool()>& wants_end) {
  Command command;
  command.argv = {"start", "--attach", "--interactive", name};
  command.on_line = on_line;
  command.wants_end = wants_end;
  command.timeout = kHelperEnds;
  MU_TRY(CommandResult result, Docker(std::move(command)));
  // The client gives the program's own exit code, except where the engine could not start it.
  if (result.exit_code != 0 &&
      (SaysNoSuchContainer(result.err) || result.err.starts_with("Error response from daemon:"))) {
    return Fail(VerbError("start", {name}, result.err));
  }
  return ports::ExecResult{result.exit_code, {}, std::move(result.err)};
}

Result<ports::ExecResult> DockerCli::Exec(const std::string& name,
                                          const std::vector<std::string>& argv,
                                          const std::map<std::string, std::string>& environment,
                                          Millis timeout) {
  return ExecWithInput(name, argv, environment, "", timeout);
}

Result<ports::ExecResult> DockerCli::ExecWithInput(
    const std::string& name, const std::vector<std::string>& argv,
    const std::map<std::string, std::string>& environment, const std::string& input,
    Millis timeout) {
  Command command;
  command.argv = {"exec"};
  if (!input.empty()) command.argv.emplace_back("--interactive");
  command.standard_input = input;
  command.argv = With(std::move(command.argv), EnvironmentWords(environment, command.environment));
  command.argv.push_back(name);
  command.argv.insert(command.argv.end(), argv.begin(), argv.end());
  command.timeout = timeout;
  command.max_output = kExecOutput;
  MU_TRY(CommandResult result, Docker(std::move(command)));
  if (result.exit_code != 0 && (result.err.starts_with("Error response from daemon:") ||
                                result.err.starts_with("Error: "))) {
    const std::string text = ToLower(result.err);
    if (SaysNoSuchContainer(text) || Contains(text, "is not running") ||
        Contains(text, "is paused") || Contains(text, "is restarting"))
      return Fail(ErrorCode::kContainerGone,
                  fmt::format("{} cannot run a command: {}", name, DockerWords(result.err)));
  }
  // Why a program cannot be started in the container comes on stdout (engine 20.10).
  if ((result.exit_code == 126 || result.exit_code == 127) &&
      result.out.starts_with("OCI runtime exec failed")) {
    result.err.insert(0, std::exchange(result.out, {}));
  }
  return ports::ExecResult{result.exit_code, std::move(result.out), std::move(result.err)};
}

Result<std::string> DockerCli::Logs(const std::string& name, int lines) {
  // The two streams come apart; the engine's time stamps, all of one width, put them together.
  MU_TRY(const CommandResult result,
         Docker({"logs", "--timestamps", "--tail", std::to_string(lines), name}));
  if (result.exit_code != 0) return Fail(VerbError("logs", {name}, result.err));
  std::vector<std::string> all = With(Lines(result.out), Lines(result.err));
  const auto stamp = [](const std::string& line) { return line.substr(0, line.find(' ')); };
  std::stable_sort(all.begin(), all.end(),
                   [&](const std::string& a, const std::string& b) { return stamp(a) < stamp(b); });
  for (std::string& line : all) {
    const auto space = line.find(' ');
    line = space == std::string::npos ? "" : line.substr(space + 1);
  }
  return Printable(Tail(Join(all, "\n"), static_cast<std::size_t>(std::max(lines, 0))));
}

Status DockerCli::CopyOut(const std::string& name, const std::string& path_inside,
                          const std::string& tar_file) {
  Command command;
  command.argv = {"cp", name + ":" + path_inside, "-"};
  command.stdout_file = tar_file;
  command.timeout = kPullTimeout;
  const auto result = Docker(std::move(command));
  if (result && result->exit_code == 0) return {};
  ::remove(tar_file.c_str());
  if (!result) return Fail(result.error());
  if (SaysNoSuchContainer(result->err)) return Fail(VerbError("cp", {name}, result->err));
  if (Contains(result->err, "no space left on device"))
    return Fail(ErrorCode::kDiskFull, fmt::format("{}: {}", tar_file, DockerWords(result->err)));
  return Fail(ErrorCode::kFileRead,
              fmt::format("{} of container {}: {}", path_inside, name, DockerWords(result->err)));
}

Result<std::string> DockerCli::ReadFile(const std::string& name, const std::string& path_inside) {
  Command command;
  command.argv = {"cp", "--follow-link", name + ":" + path_inside, "-"};
  command.max_output = kSmallFile;
  MU_TRY(const CommandResult result, Docker(std::move(command)));
  if (result.exit_code != 0) {
    if (SaysNoSuchContainer(result.err))
      return Fail(ErrorCode::kContainerGone, "docker cp: " + DockerWords(result.err));
    return Fail(ErrorCode::kFileRead,
                fmt::format("{} of container {}: {}", path_inside, name, DockerWords(result.err)));
  }
  std::string bytes;
  std::string_view rest = result.out;
  const auto read = [&](std::size_t most) -> Result<std::string> {
    const std::string part(rest.substr(0, most));
    rest.remove_prefix(part.size());
    return part;
  };
  const auto size = FirstFileOfTar(read, [&](std::string_view part) -> Status {
    bytes += part;
    return {};
  });
  if (!size)
    return Fail(size.error().code,
                fmt::format("{} of container {}: {}", path_inside, name, size.error().message));
  return bytes;
}

}  // namespace mu::adapters
