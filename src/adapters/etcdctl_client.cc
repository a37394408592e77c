// SPDX-License-Identifier: Apache-2.0
#include "adapters/etcdctl_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adapters/etcd_json.h"
#include "adapters/etcdctl_text.h"
#include "milvus_upgrade/base/text.h"

namespace mu::adapters {
namespace {

Result<std::vector<std::string>> GetArguments(const ports::PageQuery& query, bool* drops_first) {
  const std::string everything(1, '\0');
  std::string start = query.start;
  // The next page begins behind the last key: ask from that key and drop it.
  *drops_first = !query.end.empty() && start.size() > 1 && start.back() == '\0';
  if (*drops_first) start.pop_back();
  std::vector<std::string> arguments = {"get", "-w", "json"};
  if (query.keys_only) arguments.emplace_back("--keys-only");
  if (query.revision != 0) arguments.push_back(fmt::format("--rev={}", query.revision));
  if (query.limit != 0)
    arguments.push_back(fmt::format("--limit={}", query.limit + (*drops_first ? 1 : 0)));
  const bool has_no_end = query.end == everything;
  if (has_no_end) arguments.emplace_back("--from-key");
  if (has_no_end && start == everything) start.clear();
  const bool has_zero = start.find('\0') != std::string::npos ||
                        (!has_no_end && query.end.find('\0') != std::string::npos);
  if (has_zero || (start.empty() && !has_no_end))
    return Fail(ErrorCode::kEtcdFailed,
                fmt::format("the range from {} cannot be asked for by etcdctl: its arguments hold "
                            "no zero byte and no empty key",
                            Printable(query.start)),
                "reach etcd by its JSON gateway instead");
  arguments.insert(arguments.end(), {"--", start});
  if (!has_no_end && !query.end.empty()) arguments.push_back(query.end);
  return arguments;
}

Result<std::string> TextOf(const ports::Transaction& transaction) {
  std::string text;
  for (const ports::Compare& compare : transaction.compares) {
    if (!compare.end.empty())
      return Fail(ErrorCode::kEtcdFailed, "etcdctl cannot compare a range of keys",
                  "reach etcd by its JSON gateway instead");
    const char* field = nullptr;
    switch (compare.field) {
      case ports::Compare::Field::kValue:
        field = "val";
        break;
      case ports::Compare::Field::kModRevision:
        field = "mod";
        break;
      case ports::Compare::Field::kCreateRevision:
        field = "create";
        break;
      case ports::Compare::Field::kVersion:
        field = "ver";
        break;
      case ports::Compare::Field::kLease:
        return Fail(ErrorCode::kEtcdFailed, "etcdctl cannot compare leases: it panics",
                    "reach etcd by its JSON gateway instead");
    }
    const bool is_value = compare.field == ports::Compare::Field::kValue;
    text += fmt::format("{}({}) = {}\n", field, GoQuoted(compare.key),
                        GoQuoted(is_value ? compare.value : std::to_string(compare.number)));
  }
  text += '\n';
  for (const ports::Write& write : transaction.writes) {
    if (write.kind == ports::Write::Kind::kDelete) {
      text += fmt::format("del -- {}\n", GoQuoted(write.key));
      continue;
    }
    text += write.lease == 0 ? "put" : "put --lease=" + LeaseArgument(write.lease);
    text += fmt::format(" -- {} {}\n", GoQuoted(write.key), GoQuoted(write.value));
  }
  return text + "\n\n";
}

}  // namespace

EtcdctlClient::EtcdctlClient(ports::Docker& docker, ports::Files& files, std::string container,
                             std::map<std::string, std::string> environment, Millis timeout)
    : docker_(docker),
      container_(std::move(container)),
      environment_(std::move(environment)),
      timeout_(timeout),
      cli_(docker, files, environment_) {
  environment_["ETCDCTL_API"] = "3";
}

std::string EtcdctlClient::Name() const { return "etcdctl in " + container_; }

Error EtcdctlClient::Unreachable(Error error) const {
  if (error.code == ErrorCode::kContainerGone || error.code == ErrorCode::kCommandTimeout)
    error.code = ErrorCode::kEtcdUnreachable;
  return error;
}

Result<json::value> EtcdctlClient::Etcdctl(std::vector<std::string> arguments,
                                           const std::string& input) {
  // It gives up before we do: one that is left behind in the container could still commit.
  arguments.insert(arguments.begin(),
                   {"etcdctl", fmt::format("--command-timeout={}ms", timeout_.count())});
  auto result = docker_.ExecWithInput(container_, arguments, environment_, input, 2 * timeout_);
  if (!result) return Fail(Unreachable(std::move(result).error()));
  if (result->exit_code == 0) return ParseEtcdJson(result->out);
  if (result->exit_code == 126 || result->exit_code == 127)
    return Fail(EtcdctlError(container_, result->exit_code, result->err));
  if (result->exit_code > 128)  // with its container
    return Fail(ErrorCode::kEtcdUnreachable, fmt::format("etcdctl in {} was killed (exit code {})",
                                                         container_, result->exit_code));
  const auto user = environment_.find("ETCDCTL_USER");
  return Fail(EtcdRefusal(container_, user == environment_.end() ? "" : user->second, 0,
                          EtcdctlWords(result->err)));
}

Result<model::EtcdStatus> EtcdctlClient::Observe() {
  auto status = cli_.Observe(container_);
  if (!status) return Fail(Unreachable(std::move(status).error()));
  return status;
}

Result<ports::KeyPage> EtcdctlClient::GetPage(const ports::PageQuery& query) {
  bool drops_first = false;
  MU_TRY(std::vector<std::string> arguments, GetArguments(query, &drops_first));
  MU_TRY(const json::value answer, Etcdctl(std::move(arguments)));
  MU_TRY(ports::KeyPage page, KeyPageOf(answer, query));
  if (!drops_first) return page;
  const std::string_view before(query.start.data(), query.start.size() - 1);
  if (!page.kvs.empty() && page.kvs.front().key == before) {
    page.kvs.erase(page.kvs.begin());
  } else if (query.limit != 0 && page.kvs.size() > static_cast<std::size_t>(query.limit)) {
    page.kvs.pop_back();
    page.has_more = true;
  }
  return page;
}

Result<ports::TransactionResult> EtcdctlClient::Commit(const ports::Transaction& transaction) {
  MU_TRY(const std::string text, TextOf(transaction));
  auto answer = Etcdctl({"txn", "-w", "json"}, text);
  if (!answer) {
    Error error = std::move(answer).error();
    if (error.code == ErrorCode::kEtcdUnreachable)
      error.message += " (what was asked for may have happened)";
    return Fail(std::move(error));
  }
  ports::TransactionResult result;
  result.is_committed = JsonFlag(*answer, {"succeeded"});
  result.revision = JsonInteger(*answer, {"header", "revision"});
  if (result.revision == 0)
    return Fail(ErrorCode::kEtcdUnreachable,
                fmt::format("etcd in {} gave no answer to a transaction (what was asked for may "
                            "have happened)",
                            container_));
  return result;
}

Result<std::int64_t> EtcdctlClient::GrantLease(std::int64_t seconds) {
  MU_TRY(const json::value answer,
         Etcdctl(Split(fmt::format("lease grant -w json {}", seconds), ' ')));
  const std::int64_t lease = JsonInteger(answer, {"ID"});
  if (lease == 0)
    return Fail(ErrorCode::kEtcdFailed, fmt::format("etcd in {} granted no lease", container_));
  return lease;
}

Status EtcdctlClient::KeepAlive(std::int64_t lease) {
  // 3.4 prints no JSON here; the exit code tells.
  const std::vector<std::string> argv = {"etcdctl", "lease", "keep-alive", "--once",
                                         LeaseArgument(lease)};
  auto result = docker_.Exec(container_, argv, environment_, 2 * timeout_);
  if (!result) return Fail(Unreachable(std::move(result).error()));
  if (result->exit_code == 0) return {};
  return Fail(EtcdctlError(container_, result->exit_code, result->err));
}

Result<model::Lease> EtcdctlClient::ReadLease(std::int64_t lease) {
  auto leases = cli_.ReadLeases(container_, {lease});
  if (!leases) return Fail(Unreachable(std::move(leases).error()));
  return std::move(leases->at(0));
}

Status EtcdctlClient::RevokeLease(std::int64_t lease) {
  Status revoked = cli_.RevokeLeases(container_, {lease});
  if (!revoked) return Fail(Unreachable(std::move(revoked).error()));
  return revoked;
}

Result<std::vector<ports::EtcdMember>> EtcdctlClient::HashMembers(std::int64_t revision) {
  MU_TRY(const json::value members, Etcdctl(Split("member list -w json", ' ')));
  MU_TRY(const json::value status, Etcdctl(Split("endpoint status --cluster -w json", ' ')));
  MU_TRY(const json::value hashes,
         Etcdctl(Split(fmt::format("endpoint hashkv --cluster -w json --rev={}", revision), ' ')));
  std::vector<ports::EtcdMember> found;
  for (const json::value& member : JsonArray(members, {"members"})) {
    const std::int64_t id = JsonInteger(member, {"ID"});
    ports::EtcdMember one;
    one.name = JsonText(member, {"name"});
    for (const json::value& answer : JsonArray(status, {})) {
      if (JsonInteger(answer, {"Status", "header", "member_id"}) == id)
        one.version = JsonText(answer, {"Status", "version"});
    }
    for (const json::value& answer : JsonArray(hashes, {})) {
      if (JsonInteger(answer, {"HashKV", "header", "member_id"}) != id) continue;
      one.endpoint = JsonText(answer, {"Endpoint"});
      one.hash = static_cast<std::uint32_t>(JsonInteger(answer, {"HashKV", "hash"}));
      one.compact_revision = JsonInteger(answer, {"HashKV", "compact_revision"});
    }
    if (one.endpoint.empty() || one.version.empty())
      return Fail(ErrorCode::kEtcdUnreachable,
                  fmt::format("the member {} of etcd is not reached from {}", one.name, container_),
                  "start the member");
    found.push_back(std::move(one));
  }
  if (found.empty())
    return Fail(ErrorCode::kEtcdFailed, fmt::format("etcd in {} names no member", container_));
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

}  // namespace mu::adapters
