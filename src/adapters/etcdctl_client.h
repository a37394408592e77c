// SPDX-License-Identifier: Apache-2.0
// ports::EtcdClient by `etcdctl` inside etcd's own container: for an etcd with no port published,
// or with its gateway off. A call costs about 90 ms (ground.md 6): ask for large pages. What the
// text of etcdctl cannot carry is refused, never bent: a Compare of a range or of a lease, a zero
// byte in a key of a query (but for the one at its end that asks for the next page). Values are
// carried to the byte, as Go's quoted strings. Sources: etcdctl 3.4.23 and 3.5.1, asked.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "adapters/etcdctl_cli.h"
#include "adapters/json_read.h"
#include "milvus_upgrade/ports/docker.h"
#include "milvus_upgrade/ports/etcd_client.h"

namespace mu::adapters {

class EtcdctlClient final : public ports::EtcdClient {
 public:
  // `environment` is etcdctl's own: ETCDCTL_USER, ETCDCTL_PASSWORD, ETCDCTL_CACERT, ... A call
  // gives up after `timeout`, and is given up after twice that. Docker and files outlive it.
  EtcdctlClient(ports::Docker& docker, ports::Files& files, std::string container,
                std::map<std::string, std::string> environment = EtcdctlCredentials(),
                Millis timeout = Millis(20'000));

  std::string Name() const override;
  bool ComparesRanges() const override { return false; }
  Result<model::EtcdStatus> Observe() override;
  Result<ports::KeyPage> GetPage(const ports::PageQuery& query) override;
  Result<ports::TransactionResult> Commit(const ports::Transaction& transaction) override;
  Result<std::int64_t> GrantLease(std::int64_t seconds) override;
  Status KeepAlive(std::int64_t lease) override;
  Result<model::Lease> ReadLease(std::int64_t lease) override;
  Status RevokeLease(std::int64_t lease) override;
  Result<std::vector<ports::EtcdMember>> HashMembers(std::int64_t revision) override;

 private:
  // The JSON that `etcdctl ARGUMENTS` prints; `input` goes to its stdin.
  Result<json::value> Etcdctl(std::vector<std::string> arguments, const std::string& input = {});
  // A container that is gone is an etcd that does not answer.
  Error Unreachable(Error error) const;

  ports::Docker& docker_;
  std::string container_;
  std::map<std::string, std::string> environment_;
  Millis timeout_;
  EtcdctlCli cli_;
};

}  // namespace mu::adapters
