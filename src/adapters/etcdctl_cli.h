// SPDX-License-Identifier: Apache-2.0
// Etcd through `etcdctl` inside etcd's own container, so that no port of etcd has to be reachable
// from here. One `docker exec` (about 90 ms, measured) carries all commands of a call where the
// image has a shell. Credentials go by environment, never in argv.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "milvus_upgrade/ports/docker.h"
#include "milvus_upgrade/ports/etcd.h"
#include "milvus_upgrade/ports/files.h"

namespace mu::adapters {

// ETCDCTL_USER and ETCDCTL_PASSWORD of our own environment, where they are set.
std::map<std::string, std::string> EtcdctlCredentials();

class EtcdctlCli final : public ports::Etcd {
 public:
  // `environment` is etcdctl's own: ETCDCTL_USER, ETCDCTL_PASSWORD, ETCDCTL_CACERT, ...
  EtcdctlCli(ports::Docker& docker, ports::Files& files,
             std::map<std::string, std::string> environment = EtcdctlCredentials());
  Result<model::EtcdStatus> Observe(const std::string& container) override;
  Result<model::KeyRange> GetPrefix(const std::string& container, const std::string& prefix,
                                    ports::KeysOnly keys_only, std::int64_t revision) override;
  Result<std::vector<model::Lease>> ReadLeases(const std::string& container,
                                               const std::vector<std::int64_t>& leases) override;
  Status RevokeLeases(const std::string& container,
                      const std::vector<std::int64_t>& leases) override;
  // The revision is the one before the snapshot began; the file holds it or a later one. In an
  // image without `rm` the copy inside stays, under one fixed name that the next one overwrites.
  Result<Snapshot> SaveSnapshot(const std::string& container, const std::string& file) override;

 private:
  using Commands = std::vector<std::vector<std::string>>;
  Result<ports::ExecResult> Exec(const std::string& container, const std::vector<std::string>& argv,
                                 Millis timeout);
  // Runs `etcdctl COMMAND` for each; results in that order, whatever their exit codes.
  Result<std::vector<ports::ExecResult>> Etcdctl(const std::string& container,
                                                 const Commands& commands, Millis timeout);
  Result<std::vector<ports::ExecResult>> InOneShell(const std::string& container,
                                                    const Commands& commands, Millis timeout);
  Result<Snapshot> SaveAndCopy(const std::string& container, const std::string& inside,
                               const std::string& file);

  ports::Docker& docker_;
  ports::Files& files_;
  std::map<std::string, std::string> environment_;
  std::set<std::string> without_shell_;  // containers, as seen
};

}  // namespace mu::adapters
