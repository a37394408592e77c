// SPDX-License-Identifier: Apache-2.0
// ports::Etcd of the outage: straight to etcd's gateway at its container's address where that is
// reachable, else, and for all that is not read or revoked there, by `etcdctl` in the container. A
// docker exec costs about 90 ms (ground.md 6) and a call of the gateway 2 ms, and in the outage
// each is search time. The engine may be remote, and then that address is nobody's or someone
// else's: so the gateway is believed only after it has answered a read with exactly what etcdctl
// read, lease by lease, and only as long as the same member answers. The leases of two etcds never
// agree: they are random numbers of 63 bits.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "milvus_upgrade/ports/docker.h"
#include "milvus_upgrade/ports/etcd.h"
#include "milvus_upgrade/ports/etcd_client.h"

namespace mu::adapters {

class EtcdDirect final : public ports::Etcd {
 public:
  // Both outlive it.
  EtcdDirect(ports::Docker& docker, ports::Etcd& etcdctl);
  Result<model::EtcdStatus> Observe(const std::string& container) override;
  Result<model::KeyRange> GetPrefix(const std::string& container, const std::string& prefix,
                                    ports::KeysOnly keys_only, std::int64_t revision) override;
  Result<std::vector<model::Lease>> ReadLeases(const std::string& container,
                                               const std::vector<std::int64_t>& leases) override;
  Status RevokeLeases(const std::string& container,
                      const std::vector<std::int64_t>& leases) override;
  Result<Snapshot> SaveSnapshot(const std::string& container, const std::string& file) override;

 private:
  struct Known {
    std::unique_ptr<ports::EtcdClient> client;  // null: by etcdctl
    std::string member;
  };
  // The proven gateway of a container, or null.
  ports::EtcdClient* Proven(const std::string& container);
  // Asks each address of the container for what etcdctl has just read.
  void Prove(const std::string& container, const std::string& prefix, const model::KeyRange& range);

  ports::Docker& docker_;
  ports::Etcd& etcdctl_;
  std::map<std::string, Known> known_;
};

}  // namespace mu::adapters
