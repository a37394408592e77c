// SPDX-License-Identifier: Apache-2.0
// ports::EtcdClients: etcd's gateway at an address of its container where that is proven to be this
// very etcd, else `etcdctl` in the container. The engine may be remote, and then that address is
// nobody's or someone else's: so a lease is granted by etcdctl inside, and the gateway believed
// when it knows it. Where etcd has users, and wherever there is a doubt, it is etcdctl.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "milvus_upgrade/ports/docker.h"
#include "milvus_upgrade/ports/etcd_client.h"
#include "milvus_upgrade/ports/files.h"

namespace mu::adapters {

class EtcdWays final : public ports::EtcdClients {
 public:
  // Both outlive it and its clients.
  EtcdWays(ports::Docker& docker, ports::Files& files) : docker_(docker), files_(files) {}
  Result<std::unique_ptr<ports::EtcdClient>> Of(const std::string& container) override;

 private:
  struct Proven {
    std::string id;  // of the container
    std::string started_at;
    std::string address;  // of its gateway; "": by etcdctl
  };
  std::map<std::string, Proven> proven_;
  ports::Docker& docker_;
  ports::Files& files_;
};

}  // namespace mu::adapters
