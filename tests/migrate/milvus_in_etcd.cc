// SPDX-License-Identifier: Apache-2.0
#include "migrate/milvus_in_etcd.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "adapters/etcd_gateway.h"
#include "adapters/http_exchange.h"

namespace mu::migrate {
namespace {

// What a test cannot go on without.
template <class T>
T Need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().Text());
  return *std::move(result);
}

}  // namespace

bool IsLong() { return std::getenv("MU_LONG") != nullptr; }

Connect To(const contract::RealEtcd& etcd) {
  adapters::GatewayOptions options;
  options.endpoints = {etcd.Endpoint()};
  return [options] { return contract::GatewayTo(options); };
}

void Compact(const contract::RealEtcd& etcd, std::int64_t revision) {
  adapters::HttpConnection connection(*adapters::ParseHttpAddress(etcd.Endpoint()), std::nullopt);
  adapters::HttpRequest request;
  request.verb = adapters::HttpVerb::kPost;
  request.path = "/v3/kv/compaction";
  request.body = "{\"revision\":\"" + std::to_string(revision) + "\"}";
  (void)connection.Ask(request, Millis(5'000));
}

Hook AtCommit(int n, std::function<void()> act) {
  auto left = std::make_shared<int>(n);
  return [left, act = std::move(act)](int, std::string_view name) -> Status {
    if (name == "commit" && --*left == 0) act();
    return {};
  };
}

MilvusInEtcd::MilvusInEtcd(Connect connect, const std::string& root, const Keys& metadata)
    : connect_(std::move(connect)), own_(connect_()) {
  options.scope = {root, kScope.meta};
  for (const auto& [key, value] : metadata)
    before[options.scope.Prefix() + key.substr(kScope.Prefix().size())] = value;
  after = before;
  meta::Apply(Need(meta::Convert(meta::Listed(before), options.scope)), &after);
  options.backup_file = folder_.Path() + "/migration.bak";
  options.source = "2.1.0";
  options.target = "2.2.16";
  options.who = "a test";
  ports::Transaction transaction;
  for (const auto& [key, value] : before) {
    transaction.writes.push_back({ports::Write::Kind::kPut, key, value, 0});
    if (transaction.writes.size() < 100 && key != before.rbegin()->first) continue;
    Need(own_->Commit(transaction));
    transaction.writes.clear();
  }
}

std::vector<model::KeyValue> MilvusInEtcd::Read(const std::string& start, const std::string& end) {
  std::vector<model::KeyValue> found;
  ports::PageQuery query{start, end, 0, 2'000, false};
  for (bool has_more = true; has_more;) {
    ports::KeyPage page = Need(own_->GetPage(query));
    query.revision = page.revision;
    has_more = page.has_more;
    std::move(page.kvs.begin(), page.kvs.end(), std::back_inserter(found));
    if (has_more) query.start = found.back().key + '\0';
  }
  return found;
}

Keys MilvusInEtcd::Inside() {
  Keys keys;
  const std::string prefix = options.scope.Prefix();
  for (model::KeyValue& kv : Read(prefix, model::EndOfPrefix(prefix))) {
    if (kv.lease == 0) keys[kv.key] = std::move(kv.value);
  }
  return keys;
}

std::string MilvusInEtcd::Value(const std::string& key) {
  const auto found = Read(key, "");
  return found.empty() ? "(not there)" : found.front().value;
}

void MilvusInEtcd::Put(const std::string& key, const std::string& value) {
  Need(own_->Commit({{}, {{ports::Write::Kind::kPut, key, value, 0}}}));
}

void MilvusInEtcd::Delete(const std::string& key) {
  Need(own_->Commit({{}, {{ports::Write::Kind::kDelete, key, "", 0}}}));
}

bool MilvusInEtcd::HasBackup() const { return std::filesystem::exists(options.backup_file); }

int MilvusInEtcd::Fork(const std::function<int()>& act) {
  const int child = ::fork();
  if (child < 0) throw std::runtime_error("no child");
  if (child > 0) return child;
  int code = kDied + 1;
  try {
    code = act();
  } catch (const std::exception& error) {
    fprintf(stderr, "in the child: %s\n", error.what());
  }
  ::_exit(code);
}

int MilvusInEtcd::ExitOf(int child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void MilvusInEtcd::EndTheLockOfTheDead() {
  for (const model::KeyValue& kv : Read(options.scope.MigrationLock(), "")) {
    const Status revoked = own_->RevokeLease(kv.lease);
    if (!revoked) throw std::runtime_error(revoked.error().Text());
  }
}

}  // namespace mu::migrate
