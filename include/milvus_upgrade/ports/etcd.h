// SPDX-License-Identifier: Apache-2.0
// Etcd: keys, leases, snapshots, status, of one etcd. Reached by `etcdctl` inside its container
// now; the JSON gateway joins it. One contract suite for all and the fake.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/model/etcd.h"

namespace mu::ports {

enum class KeysOnly { kNo, kYes };

// `container` names the etcd container. Errors of all: kEtcdUnreachable, kEtcdFailed,
// kContainerGone; and those named.
class Etcd {
 public:
  virtual ~Etcd() = default;
  virtual Result<model::EtcdStatus> Observe(const std::string& container) = 0;
  // All keys under a prefix at one revision (0: now). kEtcdFailed, message "compacted", when that
  // revision is gone.
  virtual Result<model::KeyRange> GetPrefix(const std::string& container, const std::string& prefix,
                                            KeysOnly keys_only, std::int64_t revision) = 0;
  // Leases in the order asked for, read in as few calls as possible (they are read inside the
  // outage).
  virtual Result<std::vector<model::Lease>> ReadLeases(const std::string& container,
                                                       const std::vector<std::int64_t>& leases) = 0;
  // A lease that is gone already is a success.
  virtual Status RevokeLeases(const std::string& container,
                              const std::vector<std::int64_t>& leases) = 0;
  // Hot snapshot, copied into `file` of ours (0600, synced), its own hash checked and removed from
  // the container. Returns bytes and SHA-256 of the file. Errors: kSnapshotBad, kDiskFull.
  struct Snapshot {
    std::uint64_t bytes = 0;
    std::string sha256;
    std::int64_t revision = 0;
  };
  virtual Result<Snapshot> SaveSnapshot(const std::string& container, const std::string& file) = 0;
};

}  // namespace mu::ports
