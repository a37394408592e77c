// SPDX-License-Identifier: Apache-2.0
// What a real etcd can be beside plain and alone: with users, with certificates, with members.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "contract/real_etcd.h"

namespace mu::contract {

// A root ("secret"), and a user "milvus" ("word") who may do all below `prefix`.
void TurnAuthOn(const RealEtcd& etcd, const std::string& prefix = "by-dev/");

// An authority, a server's certificate for 127.0.0.1, a client's, and one of another authority.
class Certificates {
 public:
  Certificates();
  std::string File(const std::string& name) const { return folder_.Path() + "/" + name; }
  std::vector<std::string> ServerFlags(const std::string& server) const;
  adapters::HttpTls Client() const;

 private:
  void Make(const std::string& name, const std::string& common_name,
            const std::vector<std::string>& more) const;
  TemporaryFolder folder_;
};

// Three members, answering.
class Cluster {
 public:
  explicit Cluster(EtcdRelease release) : Cluster(release, {}) {}
  // Each member starts from a snapshot (etcdctl snapshot save) of its own: three files.
  Cluster(EtcdRelease release, const std::vector<std::string>& snapshots);
  std::vector<std::unique_ptr<RealEtcd>> etcds;
  adapters::GatewayOptions options;
};

}  // namespace mu::contract
