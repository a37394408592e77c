// SPDX-License-Identifier: Apache-2.0
#include "adapters/etcdctl_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/base64.h"
#include "adapters/json_read.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

Result<model::KeyRange> KeyRangeOfJson(std::string_view out) {
  MU_TRY(const json::value parsed, ParseJson(out, "etcdctl get"));
  model::KeyRange range;
  range.revision = JsonInteger(parsed, {"header", "revision"});
  if (range.revision == 0)
    return Fail(ErrorCode::kCommandOutput, "etcdctl get printed no revision");
  for (const json::value& kv : JsonArray(parsed, {"kvs"})) {
    auto key = Base64Decoded(JsonText(kv, {"key"}));
    auto value = Base64Decoded(JsonText(kv, {"value"}));
    if (!key || !value)
      return Fail(ErrorCode::kCommandOutput, "etcdctl get printed a key that is not base64");
    range.kvs.push_back({std::move(*key), std::move(*value), JsonInteger(kv, {"create_revision"}),
                         JsonInteger(kv, {"mod_revision"}), JsonInteger(kv, {"lease"})});
  }
  std::sort(range.kvs.begin(), range.kvs.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  return range;
}

Result<model::Lease> LeaseOfJson(std::string_view out) {
  MU_TRY(const json::value parsed, ParseJson(out, "etcdctl lease timetolive"));
  if (FindJson(parsed, {"ttl"}) == nullptr)
    return Fail(ErrorCode::kCommandOutput, "etcdctl lease timetolive printed no ttl");
  model::Lease lease;
  lease.id = JsonInteger(parsed, {"id"});
  lease.ttl_seconds = JsonInteger(parsed, {"ttl"});
  lease.granted_seconds = JsonInteger(parsed, {"granted-ttl"});
  for (const std::string& text : JsonTexts(parsed, {"keys"})) {
    auto key = Base64Decoded(text);
    if (!key) return Fail(ErrorCode::kCommandOutput, "etcdctl printed a key that is not base64");
    lease.keys.push_back(std::move(*key));
  }
  std::sort(lease.keys.begin(), lease.keys.end());
  return lease;
}

std::string LeaseArgument(std::int64_t lease) {
  return fmt::format("{:x}", static_cast<std::uint64_t>(lease));
}

std::string GoQuoted(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "\"";
  text.reserve(bytes.size() + 2);
  for (const char c : bytes) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c >= ' ' && c <= '~') {
      text += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text += "\\x";
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
  }
  return text + '"';
}

std::string EtcdctlWords(std::string_view err) {
  std::vector<std::string> lines;
  for (const std::string& line : Lines(Printable(err))) {
    std::string_view text = Trim(line);
    if (text.starts_with("Error: ")) text.remove_prefix(7);
    if (!text.empty() && text.front() != '{') lines.emplace_back(text);
  }
  if (lines.size() > 4) lines.erase(lines.begin(), lines.end() - 4);
  return lines.empty() ? "it gave no reason" : Join(lines, "; ");
}

bool SaysNoSuchLease(std::string_view err) { return Contains(err, "requested lease not found"); }

bool SaysNotAuthorized(std::string_view err) {
  return Contains(err, "user name is empty") || Contains(err, "permission denied") ||
         Contains(err, "authentication failed") || Contains(err, "invalid auth token");
}

Error EtcdctlError(const std::string& container, int exit_code, std::string_view err) {
  const auto error = [&](ErrorCode code, std::string message, std::string hint = {}) {
    return Error{code, std::move(message), std::move(hint), {}};
  };
  if (exit_code == 126 || exit_code == 127) {
    if (Contains(err, "not found") || Contains(err, "no such file"))
      return error(ErrorCode::kEtcdUnreachable,
                   fmt::format("{} has no etcdctl: {}", container, Printable(Trim(err))),
                   "use an etcd image that holds etcdctl, as the official ones do");
    // A container that is just ending says so as well, often without a word.
    return error(ErrorCode::kEtcdUnreachable,
                 fmt::format("etcdctl cannot be started in {} (exit code {}){}{}", container,
                             exit_code, Trim(err).empty() ? "" : ": ", Printable(Trim(err))));
  }
  if (Contains(err, "has been compacted"))
    return error(ErrorCode::kEtcdFailed, "compacted: etcd no longer has that revision");
  if (SaysNotAuthorized(err))
    return error(ErrorCode::kEtcdFailed,
                 fmt::format("etcd in {} asks for a user: {}", container, EtcdctlWords(err)),
                 "set ETCDCTL_USER and ETCDCTL_PASSWORD in the environment of this command");
  constexpr std::string_view kUnreachable[] = {
      "deadline exceeded", "connection refused", "no available endpoint",         "no leader",
      "transport:",        "connection reset",   "etcdserver: request timed out",
  };
  for (const std::string_view sign : kUnreachable) {
    if (Contains(err, sign))
      return error(ErrorCode::kEtcdUnreachable,
                   fmt::format("etcd in {} does not answer: {}", container, EtcdctlWords(err)));
  }
  return error(ErrorCode::kEtcdFailed, fmt::format("etcd in {}: {}", container, EtcdctlWords(err)));
}

std::string DataFolderOf(const model::Container& container) {
  // `etcd` takes flags with one dash or two, with = or apart, and any of them from ETCD_*.
  for (std::size_t i = 0; i < container.command.size(); ++i) {
    std::string_view word = container.command[i];
    while (word.starts_with('-')) word.remove_prefix(1);
    if (word.starts_with("data-dir=")) return std::string(word.substr(9));
    if (word == "data-dir" && i + 1 < container.command.size()) return container.command[i + 1];
  }
  if (const auto it = container.environment.find("ETCD_DATA_DIR");
      it != container.environment.end())
    return it->second;
  for (const model::Mount& mount : container.mounts) {
    if (!mount.read_only && mount.type != "tmpfs") return mount.target;
  }
  return "/";
}

}  // namespace mu::adapters
