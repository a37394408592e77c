// SPDX-License-Identifier: Apache-2.0
#include "adapters/etcdctl_cli.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <utility>

#include "adapters/docker_text.h"
#include "adapters/etcdctl_text.h"
#include "adapters/json_read.h"
#include "milvus_upgrade/base/digest.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

using ports::ExecResult;

constexpr Millis kTimeout{30'000};
constexpr Millis kReadTimeout{120'000};
constexpr Millis kSnapshotTimeout{30 * 60'000};
constexpr std::size_t kHashBytes = 32;
constexpr int kKilled = 137;  // exit code of what goes down with its container
constexpr std::string_view kMark = "@milvus-upgrade-end";

std::string HexOf(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::string ScriptOf(const std::vector<std::vector<std::string>>& commands) {
  std::string script;
  for (const std::vector<std::string>& command : commands) {
    script += fmt::format("etcdctl {}; printf '\\n{} %s\\n' $?; printf '\\n{}\\n' >&2\n",
                          ShellLine(command), kMark, kMark);
  }
  return script;
}

// Cuts off the text before the next mark and returns it; *code is what follows the mark.
std::optional<std::string> TakePart(std::string_view* text, std::string* code) {
  const std::string mark = fmt::format("\n{}", kMark);
  const auto at = text->find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  std::string part(text->substr(0, at));
  text->remove_prefix(at + mark.size());
  const auto end = text->find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  *code = Trim(text->substr(0, end));
  text->remove_prefix(end + 1);
  return part;
}

// Copies the only file of a tar to `file` and checks the SHA-256 that etcdctl appends to a
// snapshot: the last 32 bytes are that of all bytes before.
Result<ports::Etcd::Snapshot> UnpackSnapshot(ports::Files& files, const std::string& tar,
                                             const std::string& file) {
  std::ifstream in(tar, std::ios::binary);
  const auto read = [&](std::size_t most) -> Result<std::string> {
    std::string part(most, '\0');
    in.read(part.data(), static_cast<std::streamsize>(most));
    part.resize(static_cast<std::size_t>(in.gcount()));
    return part;
  };
  MU_TRY(const auto out, files.OpenAppend(file, 0600));
  Sha256Stream whole;
  Sha256Stream content;
  std::string tail;  // up to 32 bytes that may be the hash
  const auto take = [&](std::string_view part) -> Status {
    MU_CHECK(out->Append(part));
    whole.Update(part);
    tail += part;
    if (tail.size() > kHashBytes) {
      content.Update(std::string_view(tail).substr(0, tail.size() - kHashBytes));
      tail.erase(0, tail.size() - kHashBytes);
    }
    return {};
  };
  const auto size = FirstFileOfTar(read, take);
  if (!size) {
    const Error& error = size.error();
    const bool is_tar =
        error.code == ErrorCode::kFileRead || error.code == ErrorCode::kCommandOutput;
    return Fail(is_tar ? ErrorCode::kSnapshotBad : error.code,
                "the snapshot that came out of the container: " + error.message);
  }
  MU_CHECK(out->Sync());
  if (*size <= kHashBytes || HexOf(tail) != content.Finish())
    return Fail(ErrorCode::kSnapshotBad,
                fmt::format("the snapshot ({} bytes) does not end with its own SHA-256", *size));
  ports::Etcd::Snapshot snapshot;
  snapshot.bytes = *size;
  snapshot.sha256 = whole.Finish();
  return snapshot;
}

}  // namespace

std::map<std::string, std::string> EtcdctlCredentials() {
  std::map<std::string, std::string> found;
  for (const char* name : {"ETCDCTL_USER", "ETCDCTL_PASSWORD"}) {
    if (const char* value = std::getenv(name)) found[name] = value;
  }
  return found;
}

EtcdctlCli::EtcdctlCli(ports::Docker& docker, ports::Files& files,
                       std::map<std::string, std::string> environment)
    : docker_(docker), files_(files), environment_(std::move(environment)) {
  environment_["ETCDCTL_API"] = "3";  // etcdctl before 3.4 speaks v2 by default
}

// A stopped container may come back: that is etcd not answering. One that is not there is gone.
Result<ExecResult> EtcdctlCli::Exec(const std::string& container,
                                    const std::vector<std::string>& argv, Millis timeout) {
  auto result = docker_.Exec(container, argv, environment_, timeout);
  if (!result) {
    Error error = std::move(result).error();
    if (error.code == ErrorCode::kContainerGone && !SaysNoSuchContainer(error.message))
      error.code = ErrorCode::kEtcdUnreachable;
    return Fail(std::move(error));
  }
  if (result->exit_code == kKilled)
    return Fail(ErrorCode::kEtcdUnreachable,
                fmt::format("{} went down while etcdctl ran in it", container));
  return result;
}

Result<std::vector<ExecResult>> EtcdctlCli::InOneShell(const std::string& container,
                                                       const Commands& commands, Millis timeout) {
  MU_TRY(const ExecResult result, Exec(container, {"sh", "-c", ScriptOf(commands)}, timeout));
  std::vector<ExecResult> results;
  if (result.exit_code == 126 || result.exit_code == 127) return results;
  std::string_view out = result.out;
  std::string_view err = result.err;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    std::string code;
    std::string ignored;
    auto part = TakePart(&out, &code);
    if (!part)
      return Fail(ErrorCode::kEtcdFailed,
                  fmt::format("the shell in {} ended before etcdctl did (exit {})", container,
                              result.exit_code));
    auto words = TakePart(&err, &ignored);
    results.push_back({std::atoi(code.c_str()), std::move(*part), words ? *words : result.err});
  }
  return results;
}

Result<std::vector<ExecResult>> EtcdctlCli::Etcdctl(const std::string& container,
                                                    const Commands& commands, Millis timeout) {
  if (commands.size() > 1 && !without_shell_.contains(container)) {
    MU_TRY(std::vector<ExecResult> results, InOneShell(container, commands, timeout));
    if (!results.empty()) return results;
    without_shell_.insert(container);
  }
  std::vector<ExecResult> results;
  for (std::vector<std::string> argv : commands) {
    argv.insert(argv.begin(), "etcdctl");
    MU_TRY(ExecResult result, Exec(container, argv, timeout));
    results.push_back(std::move(result));
  }
  return results;
}

Result<model::EtcdStatus> EtcdctlCli::Observe(const std::string& container) {
  MU_TRY(const std::vector<ExecResult> results, Etcdctl(container,
                                                        {{"endpoint", "status", "-w", "json"},
                                                         {"auth", "status", "-w", "json"},
                                                         {"alarm", "list", "-w", "json"},
                                                         {"member", "list", "-w", "json"}},
                                                        kTimeout));
  const ExecResult& status = results[0];
  const ExecResult& auth = results[1];
  const ExecResult& alarm = results[2];
  const ExecResult& member = results[3];
  if (status.exit_code != 0 && !SaysNotAuthorized(status.err))
    return Fail(EtcdctlError(container, status.exit_code, status.err));

  model::EtcdStatus found;
  // `auth status` is not there before 3.5: being refused says the same.
  found.is_auth_enabled =
      SaysNotAuthorized(status.err) || SaysNotAuthorized(auth.err) || SaysNotAuthorized(alarm.err);
  if (auth.exit_code == 0) {
    MU_TRY(const json::value parsed, ParseJson(auth.out, "etcdctl auth status"));
    found.is_auth_enabled = JsonFlag(parsed, {"enabled"});
  }
  if (status.exit_code == 0) {
    MU_TRY(const json::value parsed, ParseJson(status.out, "etcdctl endpoint status"));
    const json::array& endpoints = JsonArray(parsed, {});
    if (endpoints.empty())
      return Fail(ErrorCode::kCommandOutput, "etcdctl endpoint status printed no endpoint");
    found.version = JsonText(endpoints[0], {"Status", "version"});
    found.db_bytes = JsonInteger(endpoints[0], {"Status", "dbSize"});
  }
  if (alarm.exit_code == 0) {
    MU_TRY(const json::value parsed, ParseJson(alarm.out, "etcdctl alarm list"));
    for (const json::value& one : JsonArray(parsed, {"alarms"})) {
      const std::int64_t number = JsonInteger(one, {"alarm"});
      const std::string name = JsonText(one, {"alarm"});
      found.alarms.push_back(!name.empty() ? name
                             : number == 1 ? "NOSPACE"
                             : number == 2 ? "CORRUPT"
                                           : fmt::format("alarm {}", number));
    }
  } else if (!SaysNotAuthorized(alarm.err)) {
    return Fail(EtcdctlError(container, alarm.exit_code, alarm.err));
  }
  if (member.exit_code == 0) {
    MU_TRY(const json::value parsed, ParseJson(member.out, "etcdctl member list"));
    found.members = static_cast<int>(JsonArray(parsed, {"members"}).size());
  }
  found.has_shell = !without_shell_.contains(container);
  return found;
}

Result<model::KeyRange> EtcdctlCli::GetPrefix(const std::string& container,
                                              const std::string& prefix, ports::KeysOnly keys_only,
                                              std::int64_t revision) {
  std::vector<std::string> command = {"get", "--prefix", "-w", "json", "--command-timeout=60s"};
  if (keys_only == ports::KeysOnly::kYes) command.push_back("--keys-only");
  if (revision != 0) command.push_back(fmt::format("--rev={}", revision));
  command.insert(command.end(), {"--", prefix});
  MU_TRY(const std::vector<ExecResult> results, Etcdctl(container, {command}, kReadTimeout));
  if (results[0].exit_code != 0)
    return Fail(EtcdctlError(container, results[0].exit_code, results[0].err));
  MU_TRY(model::KeyRange range, KeyRangeOfJson(results[0].out));
  if (revision != 0) range.revision = revision;
  return range;
}

Result<std::vector<model::Lease>> EtcdctlCli::ReadLeases(const std::string& container,
                                                         const std::vector<std::int64_t>& leases) {
  Commands commands;
  for (const std::int64_t lease : leases)
    commands.push_back({"lease", "timetolive", LeaseArgument(lease), "--keys", "-w", "json"});
  MU_TRY(const std::vector<ExecResult> results, Etcdctl(container, commands, kTimeout));
  std::vector<model::Lease> found;
  for (std::size_t i = 0; i < leases.size(); ++i) {
    model::Lease lease;
    if (results[i].exit_code == 0) {
      MU_TRY(lease, LeaseOfJson(results[i].out));
    } else if (!SaysNoSuchLease(results[i].err)) {
      return Fail(EtcdctlError(container, results[i].exit_code, results[i].err));
    }
    lease.id = leases[i];
    found.push_back(std::move(lease));
  }
  return found;
}

Status EtcdctlCli::RevokeLeases(const std::string& container,
                                const std::vector<std::int64_t>& leases) {
  Commands commands;
  for (const std::int64_t lease : leases)
    commands.push_back({"lease", "revoke", LeaseArgument(lease)});
  MU_TRY(const std::vector<ExecResult> results, Etcdctl(container, commands, kTimeout));
  for (const ExecResult& result : results) {
    if (result.exit_code != 0 && !SaysNoSuchLease(result.err))
      return Fail(EtcdctlError(container, result.exit_code, result.err));
  }
  return {};
}

Result<ports::Etcd::Snapshot> EtcdctlCli::SaveAndCopy(const std::string& container,
                                                      const std::string& inside,
                                                      const std::string& file) {
  MU_TRY(const std::vector<ExecResult> results,
         Etcdctl(container, {{"endpoint", "status", "-w", "json"}, {"snapshot", "save", inside}},
                 kSnapshotTimeout));
  for (const ExecResult& result : results) {
    if (result.exit_code != 0) return Fail(EtcdctlError(container, result.exit_code, result.err));
  }
  MU_TRY(const json::value status, ParseJson(results[0].out, "etcdctl endpoint status"));
  const std::string tar = file + ".tar";
  MU_CHECK(docker_.CopyOut(container, inside, tar));
  MU_CHECK(files_.RemoveTree(file));
  auto snapshot = UnpackSnapshot(files_, tar, file);
  MU_CHECK(files_.RemoveTree(tar));
  if (!snapshot) {
    MU_CHECK(files_.RemoveTree(file));
    return snapshot;
  }
  if (const json::array& endpoints = JsonArray(status, {}); !endpoints.empty())
    snapshot->revision = JsonInteger(endpoints[0], {"Status", "header", "revision"});
  return snapshot;
}

Result<ports::Etcd::Snapshot> EtcdctlCli::SaveSnapshot(const std::string& container,
                                                       const std::string& file) {
  MU_TRY(const auto found, docker_.Inspect({container}));
  if (found.empty() || !found[0])
    return Fail(ErrorCode::kContainerGone, container + " is not there");
  // Beside the data: a minimal image may have no /tmp, and a read-only one nothing else to write.
  std::string inside = DataFolderOf(*found[0]);
  if (!inside.starts_with('/')) inside.insert(0, "/");  // where official images work
  if (!inside.ends_with('/')) inside += '/';
  inside += "milvus-upgrade.snapshot";
  auto snapshot = SaveAndCopy(container, inside, file);
  // Also after a failure: etcdctl leaves its part file.
  const auto removed =
      docker_.Exec(container, {"rm", "-f", inside, inside + ".part"}, {}, kTimeout);
  if (snapshot && !removed) return Fail(removed.error());
  return snapshot;
}

}  // namespace mu::adapters
