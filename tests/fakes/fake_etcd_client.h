// SPDX-License-Identifier: Apache-2.0
// FakeEtcdClient: ports::EtcdClient on an EtcdStore, with etcd's limits and refusals. What happens
// between, before and after its calls is the business of KillingEtcdClient around it. That it
// answers as real servers do is held by tests/contract/etcd_client_contract_test.cc.
#pragma once

#include <string>
#include <vector>

#include "fakes/etcd_store.h"
#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/ports/etcd_client.h"

namespace mu::fakes {

class FakeEtcdClient final : public ports::EtcdClient {
 public:
  // Leases run out by `clock`; both outlive it. Several clients may share one store.
  FakeEtcdClient(EtcdStore& store, ports::Clock& clock) : store_(store), clock_(clock) {}

  bool has_no_space = false;    // the NOSPACE alarm: nothing is written, as etcd 3.5 has it
  bool is_corrupt = false;      // the CORRUPT alarm
  bool is_unreachable = false;  // nothing is carried out
  bool compares_ranges = true;  // false: as etcdctl, a Compare with an end is refused
  std::vector<ports::EtcdMember> members = {{"default", "http://127.0.0.1:2379", "3.5.1", 0, 0}};

  std::string Name() const override { return "a fake etcd"; }
  bool ComparesRanges() const override { return compares_ranges; }
  Result<model::EtcdStatus> Observe() override;
  Result<ports::KeyPage> GetPage(const ports::PageQuery& query) override;
  Result<ports::TransactionResult> Commit(const ports::Transaction& transaction) override;
  Result<std::int64_t> GrantLease(std::int64_t seconds) override;
  Status KeepAlive(std::int64_t lease) override;
  Result<model::Lease> ReadLease(std::int64_t lease) override;
  Status RevokeLease(std::int64_t lease) override;
  // `members`, each with the hash of the store's keys added to its own: one of another hash than 0
  // is a member that has lost something. Likewise the revision of the last compaction.
  Result<std::vector<ports::EtcdMember>> HashMembers(std::int64_t revision) override;

 private:
  // Lets time pass; the error when it is unreachable.
  Status Reach();
  Status CheckRequest(const ports::Transaction& transaction) const;
  bool Holds(const ports::Compare& compare) const;

  EtcdStore& store_;
  ports::Clock& clock_;
};

}  // namespace mu::fakes
