// SPDX-License-Identifier: Apache-2.0
#include "adapters/docker_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

// How the engine writes "never".
std::string TimeOf(const std::string& time) { return time.starts_with("0001-01-01") ? "" : time; }

std::map<std::string, std::string> EnvironmentOfJson(const json::value& value, JsonPath path) {
  std::map<std::string, std::string> environment;
  for (const std::string& line : JsonTexts(value, path)) {
    const auto equals = line.find('=');
    environment[line.substr(0, equals)] =
        equals == std::string::npos ? "" : line.substr(equals + 1);
  }
  return environment;
}

// A string or a list of strings (both are seen for Cmd and Entrypoint of old images).
std::vector<std::string> CommandOfJson(const json::value& value, JsonPath path) {
  const std::string one = JsonText(value, path);
  return one.empty() ? JsonTexts(value, path) : std::vector<std::string>{one};
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

constexpr std::size_t kBlock = 512;

// Octal, or base 256 for sizes from 8 GiB (GNU).
std::uint64_t TarSize(std::string_view header) {
  const std::string_view field = header.substr(124, 12);
  std::uint64_t size = 0;
  if ((static_cast<unsigned char>(field[0]) & 0x80) != 0) {
    for (const char c : field.substr(4)) size = size << 8 | static_cast<unsigned char>(c);
    return size;
  }
  return std::strtoull(std::string(field).c_str(), nullptr, 8);
}

bool HasTarChecksum(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i)
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
  return sum == std::strtoull(std::string(header.substr(148, 8)).c_str(), nullptr, 8);
}

Status TakeBytes(const ReadBytes& read, std::uint64_t size,
                 const std::function<Status(std::string_view)>& take) {
  while (size > 0) {
    MU_TRY(const std::string part, read(std::min<std::uint64_t>(size, 256 << 10)));
    if (part.empty()) return Fail(ErrorCode::kCommandOutput, "the tar stream is cut");
    MU_CHECK(take(part));
    size -= part.size();
  }
  return {};
}

}  // namespace

model::Container ContainerOfJson(const json::value& inspected) {
  model::Container container;
  container.id = JsonText(inspected, {"Id"});
  container.name = JsonText(inspected, {"Name"});
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  container.image = JsonText(inspected, {"Config", "Image"});
  container.image_id = JsonText(inspected, {"Image"});
  container.status = JsonText(inspected, {"State", "Status"});
  container.exit_code = static_cast<int>(JsonInteger(inspected, {"State", "ExitCode"}));
  container.is_oom_killed = JsonFlag(inspected, {"State", "OOMKilled"});
  container.error = JsonText(inspected, {"State", "Error"});
  container.started_at = TimeOf(JsonText(inspected, {"State", "StartedAt"}));
  container.finished_at = TimeOf(JsonText(inspected, {"State", "FinishedAt"}));
  container.restart_count = static_cast<int>(JsonInteger(inspected, {"RestartCount"}));
  container.restart_policy = JsonText(inspected, {"HostConfig", "RestartPolicy", "Name"});
  if (container.restart_policy.empty()) container.restart_policy = "no";
  container.restart_max_retries = static_cast<int>(
      JsonInteger(inspected, {"HostConfig", "RestartPolicy", "MaximumRetryCount"}));

  container.health.status = JsonText(inspected, {"State", "Health", "Status"});
  container.health.failing_streak =
      static_cast<int>(JsonInteger(inspected, {"State", "Health", "FailingStreak"}));
  if (const json::array& log = JsonArray(inspected, {"State", "Health", "Log"}); !log.empty())
    container.health.last_output = JsonText(log.back(), {"Output"});
  const std::vector<std::string> test = JsonTexts(inspected, {"Config", "Healthcheck", "Test"});
  container.has_healthcheck = !test.empty() && test[0] != "NONE";

  container.command = JsonTexts(inspected, {"Args"});
  if (std::string path = JsonText(inspected, {"Path"}); !path.empty())
    container.command.insert(container.command.begin(), std::move(path));
  container.environment = EnvironmentOfJson(inspected, {"Config", "Env"});
  container.labels = JsonTextMap(inspected, {"Config", "Labels"});
  for (const json::value& mount : JsonArray(inspected, {"Mounts"})) {
    const std::string type = JsonText(mount, {"Type"});
    container.mounts.push_back({type, JsonText(mount, {type == "volume" ? "Name" : "Source"}),
                                JsonText(mount, {"Destination"}), !JsonFlag(mount, {"RW"})});
  }
  std::sort(container.mounts.begin(), container.mounts.end());
  for (const auto& [name, network] : JsonObject(inspected, {"NetworkSettings", "Networks"}))
    container.network_ips[std::string(name)] = JsonText(network, {"IPAddress"});
  for (const auto& [port, bindings] : JsonObject(inspected, {"NetworkSettings", "Ports"})) {
    for (const json::value& binding : JsonArray(bindings, {})) {
      container.ports.push_back({JsonText(binding, {"HostIp"}),
                                 static_cast<int>(JsonInteger(binding, {"HostPort"})),
                                 std::atoi(std::string(port).c_str())});
    }
  }
  if (FindJson(inspected, {"Config", "StopTimeout"}) != nullptr)
    container.stop_timeout_seconds =
        static_cast<int>(JsonInteger(inspected, {"Config", "StopTimeout"}));
  return container;
}

model::Image ImageOfJson(const json::value& inspected) {
  model::Image image;
  image.id = JsonText(inspected, {"Id"});
  image.repo_digests = JsonTexts(inspected, {"RepoDigests"});
  image.architecture = JsonText(inspected, {"Architecture"});
  image.entrypoint = CommandOfJson(inspected, {"Config", "Entrypoint"});
  image.command = CommandOfJson(inspected, {"Config", "Cmd"});
  image.environment = EnvironmentOfJson(inspected, {"Config", "Env"});
  return image;
}

std::optional<Error> EngineError(std::string_view err) {
  const std::string text = ToLower(err);
  // Before "cannot connect": the text of a denied socket holds both.
  if (Contains(text, "permission denied while trying to connect") ||
      (Contains(text, "permission denied") && Contains(text, "docker.sock"))) {
    return Error{ErrorCode::kDockerDenied,
                 "this user may not use the Docker engine: " + DockerWords(err),
                 {},
                 {}};
  }
  constexpr std::string_view kDown[] = {
      "cannot connect to the docker daemon",
      "failed to connect to the docker api",  // clients from 29
      "error during connect",                 // a remote engine, ssh, TLS, or one that went away
      "client sent an http request to an https server",
      "unable to resolve docker endpoint",
      "context not found",
      "no such context",
  };
  for (const std::string_view sign : kDown) {
    if (Contains(text, sign))
      return Error{
          ErrorCode::kDockerDown, "the Docker engine does not answer: " + DockerWords(err), {}, {}};
  }
  return std::nullopt;
}

bool SaysNoSuchContainer(std::string_view err) {
  const std::string text = ToLower(err);
  return Contains(text, "no such container") || Contains(text, "no such object");
}

std::string DockerWords(std::string_view err) {
  constexpr std::string_view kPrefixes[] = {"Error response from daemon: ", "ERROR: ", "Error: "};
  std::vector<std::string> lines;
  for (const std::string& line : Lines(Printable(err))) {
    std::string_view text = Trim(line);
    for (const std::string_view prefix : kPrefixes) {
      if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
    }
    if (text.empty() || text.starts_with("See 'docker") || text.starts_with("Run 'docker") ||
        text.starts_with("failed to start containers"))
      continue;
    lines.emplace_back(text);
  }
  if (lines.size() > 8) lines.erase(lines.begin(), lines.end() - 8);
  return lines.empty() ? "it gave no reason" : Join(lines, "; ");
}

Error VerbError(const std::string& verb, const std::vector<std::string>& names,
                std::string_view err) {
  return Error{SaysNoSuchContainer(err) ? ErrorCode::kContainerGone : ErrorCode::kContainerFailed,
               fmt::format("docker {} {}: {}", verb, Join(names, " "), DockerWords(err)),
               {},
               {}};
}

std::vector<std::string> With(std::vector<std::string> words,
                              const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<std::string> LabelWords(const std::map<std::string, std::string>& labels) {
  std::vector<std::string> words;
  for (const auto& [label, value] : labels) words = With(words, {"--label", label + "=" + value});
  return words;
}

std::vector<std::string> EnvironmentWords(const std::map<std::string, std::string>& environment,
                                          std::map<std::string, std::string>& of_client) {
  std::vector<std::string> words;
  for (const auto& [name, value] : environment) {
    const bool is_obeyed = name == "PATH" || name == "HOME" || name.starts_with("DOCKER_") ||
                           name.starts_with("LD_") || name.starts_with("SSH_");
    words = With(words, {"--env", is_obeyed ? name + "=" + value : name});
    if (!is_obeyed) of_client[name] = value;
  }
  return words;
}

Result<std::string> TarOf(const std::vector<ports::FileInside>& files) {
  std::string tar;
  for (const ports::FileInside& file : files) {
    const std::string name = file.path.substr(file.path.find_first_not_of('/'));
    if (name.size() > 99 || file.bytes.size() >= (std::uint64_t{1} << 33))
      return Fail(ErrorCode::kInternal, "a name or a file that is too long for tar: " + file.path);
    std::string header(kBlock, '\0');
    const auto put = [&](std::size_t at, const std::string& text) {
      header.replace(at, text.size(), text);
    };
    put(0, name);
    put(100, fmt::format("{:07o}", file.mode));
    put(108, "0000000");  // root
    put(116, "0000000");
    put(124, fmt::format("{:011o}", file.bytes.size()));
    put(136, "00000000000");  // 1970: the same files, the same bytes
    put(148, "        ");
    put(156, "0");
    put(257, std::string("ustar\0"
                         "00",
                         8));
    std::uint32_t sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    tar += header + file.bytes;
    tar.append((kBlock - file.bytes.size() % kBlock) % kBlock, '\0');
  }
  return tar.append(2 * kBlock, '\0');
}

Result<std::uint64_t> FirstFileOfTar(const ReadBytes& read,
                                     const std::function<Status(std::string_view)>& take) {
  const auto skip = [](std::string_view) { return Status(); };
  for (;;) {
    std::string header;
    while (header.size() < kBlock) {
      MU_TRY(const std::string part, read(kBlock - header.size()));
      if (part.empty()) break;
      header += part;
    }
    if (header.empty() || header.find_first_not_of('\0') == std::string::npos)
      return Fail(ErrorCode::kFileRead, "it is not a regular file");
    if (header.size() < kBlock || !HasTarChecksum(header))
      return Fail(ErrorCode::kCommandOutput, "the tar stream is cut or is not one");
    const char type = header[156];
    const std::uint64_t size = TarSize(header);
    if (type == '0' || type == '\0') {
      MU_CHECK(TakeBytes(read, size, take));
      return size;
    }
    if (type == '5') return Fail(ErrorCode::kFileRead, "it is a folder");
    // Long names (x, g, L) come before it.
    MU_CHECK(TakeBytes(read, (size + kBlock - 1) / kBlock * kBlock, skip));
  }
}

}  // namespace mu::adapters
