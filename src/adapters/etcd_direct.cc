// SPDX-License-Identifier: Apache-2.0
#include "adapters/etcd_direct.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adapters/etcd_gateway.h"
#include "milvus_upgrade/base/log.h"

namespace mu::adapters {
namespace {

// Of each address, once. A bridge of this machine answers within 2 ms.
constexpr Millis kProofTimeout{300};
constexpr Millis kTimeout{5'000};

ports::PageQuery QueryOf(const std::string& prefix, bool keys_only, std::int64_t revision) {
  // An empty prefix is every key, from the first on.
  return {prefix, model::EndOfPrefix(prefix), revision, 0, keys_only};
}

bool HasLease(const model::KeyRange& range) {
  return std::any_of(range.kvs.begin(), range.kvs.end(),
                     [](const model::KeyValue& kv) { return kv.lease != 0; });
}

}  // namespace

EtcdDirect::EtcdDirect(ports::Docker& docker, ports::Etcd& etcdctl)
    : docker_(docker), etcdctl_(etcdctl) {}

ports::EtcdClient* EtcdDirect::Proven(const std::string& container) {
  const auto it = known_.find(container);
  return it == known_.end() ? nullptr : it->second.client.get();
}

void EtcdDirect::Prove(const std::string& container, const std::string& prefix,
                       const model::KeyRange& range) {
  const auto inspected = docker_.Inspect({container});
  if (!inspected || !inspected->front()) return;
  for (const auto& [network, address] : inspected->front()->network_ips) {
    if (address.empty()) continue;
    const auto asked = GatewayAt(address, kProofTimeout);
    if (asked == nullptr) continue;
    const auto page = asked->GetPage(QueryOf(prefix, false, range.revision));
    if (!page || page->member.empty() || page->kvs != range.kvs) continue;
    known_[container] = {GatewayAt(address, kTimeout), page->member};
    LogDebug(fmt::format("etcd in {} is asked directly at {}:{}", container, address, kEtcdPort));
    return;
  }
  known_[container] = {};
}

Result<model::EtcdStatus> EtcdDirect::Observe(const std::string& container) {
  return etcdctl_.Observe(container);
}

Result<model::KeyRange> EtcdDirect::GetPrefix(const std::string& container,
                                              const std::string& prefix, ports::KeysOnly keys_only,
                                              std::int64_t revision) {
  if (ports::EtcdClient* client = Proven(container)) {
    const bool only_keys = keys_only == ports::KeysOnly::kYes;
    auto page = client->GetPage(QueryOf(prefix, only_keys, revision));
    if (page && page->member == known_[container].member && !page->has_more)
      return model::KeyRange{std::move(page->kvs), page->revision};
    known_.erase(container);
  }
  auto range = etcdctl_.GetPrefix(container, prefix, keys_only, revision);
  if (range && keys_only == ports::KeysOnly::kNo && HasLease(*range) && !known_.contains(container))
    Prove(container, prefix, *range);
  return range;
}

Result<std::vector<model::Lease>> EtcdDirect::ReadLeases(const std::string& container,
                                                         const std::vector<std::int64_t>& leases) {
  if (ports::EtcdClient* client = Proven(container)) {
    std::vector<model::Lease> read;
    for (const std::int64_t id : leases) {
      auto lease = client->ReadLease(id);
      if (!lease) break;
      read.push_back(*std::move(lease));
    }
    if (read.size() == leases.size()) return read;
    known_.erase(container);
  }
  return etcdctl_.ReadLeases(container, leases);
}

Status EtcdDirect::RevokeLeases(const std::string& container,
                                const std::vector<std::int64_t>& leases) {
  if (ports::EtcdClient* client = Proven(container)) {
    const bool is_done = std::all_of(leases.begin(), leases.end(), [&](std::int64_t id) {
      return static_cast<bool>(client->RevokeLease(id));
    });
    if (is_done) return {};
    known_.erase(container);
  }
  return etcdctl_.RevokeLeases(container, leases);
}

Result<ports::Etcd::Snapshot> EtcdDirect::SaveSnapshot(const std::string& container,
                                                       const std::string& file) {
  return etcdctl_.SaveSnapshot(container, file);
}

}  // namespace mu::adapters
