// SPDX-License-Identifier: Apache-2.0
#include "fakes/fake_etcd_client.h"

#include <set>

namespace mu::fakes {
namespace {

using ports::Compare;
using ports::Write;

constexpr std::size_t kMaxOperations = 128;
constexpr std::size_t kMaxBytes = 3u << 19;  // 1.5 MiB

bool IsIn(const std::string& key, const std::string& start, const std::string& end) {
  if (end.empty()) return key == start;
  return key >= start && (end == std::string(1, '\0') || key < end);
}

}  // namespace

Status FakeEtcdClient::Reach() {
  store_.ExpireAt(clock_.Monotonic());
  if (is_unreachable) return Fail(ErrorCode::kEtcdUnreachable, "etcd does not answer");
  return {};
}

Result<model::EtcdStatus> FakeEtcdClient::Observe() {
  MU_CHECK(Reach());
  model::EtcdStatus status;
  status.version = members.front().version;
  status.db_bytes = 20480;
  status.members = static_cast<int>(members.size());
  if (has_no_space) status.alarms.push_back("NOSPACE");
  if (is_corrupt) status.alarms.push_back("CORRUPT");
  return status;
}

Result<ports::KeyPage> FakeEtcdClient::GetPage(const ports::PageQuery& query) {
  MU_CHECK(Reach());
  if (query.start.empty() && query.end.empty())
    return Fail(ErrorCode::kEtcdFailed, "etcdserver: key is not provided");
  auto keys = store_.KeysAt(query.revision);
  if (!keys) {
    const bool is_compacted = keys.error().message.starts_with("compacted");
    return Fail(is_compacted ? ErrorCode::kEtcdCompacted : ErrorCode::kEtcdFailed,
                keys.error().message);
  }
  ports::KeyPage page;
  page.revision = query.revision == 0 ? store_.Revision() : query.revision;
  for (auto it = keys->lower_bound(query.start); it != keys->end(); ++it) {
    if (!IsIn(it->first, query.start, query.end)) break;
    if (query.limit != 0 && page.kvs.size() == static_cast<std::size_t>(query.limit)) {
      page.has_more = true;
      break;
    }
    page.kvs.push_back(std::move(it->second));
    if (query.keys_only) page.kvs.back().value.clear();
  }
  return page;
}

Status FakeEtcdClient::CheckRequest(const ports::Transaction& transaction) const {
  if (transaction.compares.size() > kMaxOperations || transaction.writes.size() > kMaxOperations)
    return Fail(ErrorCode::kEtcdFailed, "etcdserver: too many operations in txn request");
  std::size_t bytes = 0;
  std::set<std::string> written;
  for (const Compare& compare : transaction.compares) {
    bytes += compare.key.size() + compare.end.size() + compare.value.size();
    if (!compare.end.empty() && !compares_ranges)
      return Fail(ErrorCode::kEtcdFailed, "a range cannot be compared");
  }
  for (const Write& write : transaction.writes) {
    bytes += write.key.size() + write.value.size();
    if (!written.insert(write.key).second)
      return Fail(ErrorCode::kEtcdFailed, "etcdserver: duplicate key given in txn request");
  }
  if (bytes > kMaxBytes) return Fail(ErrorCode::kEtcdFailed, "etcdserver: request is too large");
  if (has_no_space && !transaction.writes.empty())
    return Fail(ErrorCode::kEtcdNoSpace, "etcdserver: mvcc: database space exceeded");
  return {};
}

bool FakeEtcdClient::Holds(const Compare& compare) const {
  const auto numbers_match = [&](const model::KeyValue& kv, std::int64_t version) {
    switch (compare.field) {
      case Compare::Field::kValue:
        return kv.value == compare.value;
      case Compare::Field::kModRevision:
        return kv.mod_revision == compare.number;
      case Compare::Field::kCreateRevision:
        return kv.create_revision == compare.number;
      case Compare::Field::kVersion:
        return version == compare.number;
      case Compare::Field::kLease:
        return kv.lease == compare.number;
    }
    return false;
  };
  bool is_there = false;
  const auto& keys = store_.Keys();
  for (auto it = keys.lower_bound(compare.key); it != keys.end(); ++it) {
    if (!IsIn(it->first, compare.key, compare.end)) break;
    is_there = true;
    if (!numbers_match(it->second, store_.Version(it->first))) return false;
  }
  return is_there || (compare.field != Compare::Field::kValue && compare.number == 0);
}

Result<ports::TransactionResult> FakeEtcdClient::Commit(const ports::Transaction& transaction) {
  MU_CHECK(Reach());
  MU_CHECK(CheckRequest(transaction));
  ports::TransactionResult result;
  result.is_committed = true;
  for (const Compare& compare : transaction.compares)
    result.is_committed = result.is_committed && Holds(compare);
  if (result.is_committed) {
    std::vector<EtcdStore::Change> changes;
    for (const Write& write : transaction.writes) {
      if (write.lease != 0 && !store_.HasLease(write.lease))
        return Fail(ErrorCode::kEtcdFailed, "etcdserver: requested lease not found");
      EtcdStore::Change change{write.key, std::nullopt, write.lease};
      if (write.kind == Write::Kind::kPut) change.value = write.value;
      changes.push_back(std::move(change));
    }
    store_.Apply(changes);
  }
  result.revision = store_.Revision();
  return result;
}

Result<std::int64_t> FakeEtcdClient::GrantLease(std::int64_t seconds) {
  MU_CHECK(Reach());
  if (has_no_space)
    return Fail(ErrorCode::kEtcdNoSpace, "etcdserver: mvcc: database space exceeded");
  const std::int64_t id = store_.Grant(seconds, clock_.Monotonic());
  store_.Abandon(id, clock_.Monotonic());  // only KeepAlive renews it
  return id;
}

Status FakeEtcdClient::KeepAlive(std::int64_t lease) {
  MU_CHECK(Reach());
  if (!store_.HasLease(lease)) return Fail(ErrorCode::kEtcdFailed, "the lease is gone");
  store_.Renew(lease, clock_.Monotonic());
  return {};
}

Result<model::Lease> FakeEtcdClient::ReadLease(std::int64_t lease) {
  MU_CHECK(Reach());
  return store_.Read(lease, clock_.Monotonic());
}

Status FakeEtcdClient::RevokeLease(std::int64_t lease) {
  MU_CHECK(Reach());
  store_.Revoke(lease);
  return {};
}

Result<std::vector<ports::EtcdMember>> FakeEtcdClient::HashMembers(std::int64_t revision) {
  MU_TRY(const ports::KeyPage page, GetPage({"", std::string(1, '\0'), revision, 0, false}));
  std::size_t hash = 0;
  for (const model::KeyValue& kv : page.kvs)
    hash = hash * 31 + std::hash<std::string>()(kv.key + '\0' + kv.value);
  std::vector<ports::EtcdMember> found = members;
  for (ports::EtcdMember& member : found) {
    member.hash += static_cast<std::uint32_t>(hash);
    member.compact_revision += store_.Compacted();
  }
  return found;
}

}  // namespace mu::fakes
