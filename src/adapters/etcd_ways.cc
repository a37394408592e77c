// SPDX-License-Identifier: Apache-2.0
#include "adapters/etcd_ways.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "adapters/etcd_gateway.h"
#include "adapters/etcdctl_cli.h"
#include "adapters/etcdctl_client.h"
#include "milvus_upgrade/base/log.h"

namespace mu::adapters {
namespace {

// Of each address, once. A bridge of this machine answers within 2 ms.
constexpr Millis kProofTimeout{500};
constexpr Millis kTimeout{10'000};

// The address of `container` where the etcd of `inside` answers, "" when there is none; nullopt:
// that etcd does not answer itself, now.
std::optional<std::string> ProvenAddress(ports::EtcdClient& inside,
                                         const model::Container& container) {
  // etcd makes up the lease's id of its own, its start and a counter; the time is ours, by chance.
  const std::int64_t seconds = 60 + std::random_device()() % 600;
  const auto lease = inside.GrantLease(seconds);
  if (!lease) return std::nullopt;
  std::string proven;
  for (const auto& [network, address] : container.network_ips) {
    const auto asked = address.empty() ? nullptr : GatewayAt(address, kProofTimeout);
    const auto read = asked == nullptr ? Result<model::Lease>() : asked->ReadLease(*lease);
    if (!read || read->granted_seconds != seconds) continue;
    proven = address;
    if (asked->RevokeLease(*lease)) return proven;
    break;
  }
  (void)inside.RevokeLease(*lease);  // it holds no key and runs out by itself
  return proven;
}

bool HasAddress(const model::Container& container, const std::string& wanted) {
  return std::any_of(container.network_ips.begin(), container.network_ips.end(),
                     [&](const auto& item) { return item.second == wanted; });
}

}  // namespace

Result<std::unique_ptr<ports::EtcdClient>> EtcdWays::Of(const std::string& container) {
  MU_TRY(const auto found, docker_.Inspect({container}));
  if (!found.front())
    return Fail(ErrorCode::kContainerGone,
                fmt::format("the etcd container {} is not there", container));
  const model::Container& facts = *found.front();
  if (!facts.IsRunning())
    return Fail(ErrorCode::kEtcdUnreachable,
                fmt::format("the etcd container {} is {}", container, facts.status));
  auto credentials = EtcdctlCredentials();
  const bool has_user = credentials.contains("ETCDCTL_USER");
  auto inside = std::make_unique<EtcdctlClient>(docker_, files_, container, std::move(credentials));
  // Proven once for as long as this very process of it runs: the proof costs 0.1 s of the outage.
  Proven& proven = proven_[container];
  if (proven.id != facts.id || proven.started_at != facts.started_at ||
      !(proven.address.empty() || HasAddress(facts, proven.address))) {
    const auto address = has_user ? std::optional<std::string>("") : ProvenAddress(*inside, facts);
    proven = address ? Proven{facts.id, facts.started_at, *address} : Proven{};
  }
  const std::string& address = proven.address;
  if (!address.empty()) {
    if (auto gateway = GatewayAt(address, kTimeout)) {
      LogDebug(fmt::format("etcd in {} is asked directly at {}:{}", container, address, kEtcdPort));
      return gateway;
    }
  }
  return inside;
}

}  // namespace mu::adapters
