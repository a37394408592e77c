// SPDX-License-Identifier: Apache-2.0
// The metadata of a stopped Milvus 2.1 in a real etcd, under a root of its own so that many share
// one server, and processes of ours that migrate it: here, or in a child that dies at a call as a
// killed one does, with no destructor run and its lock's lease left behind.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/posix_files.h"
#include "adapters/system_clock.h"
#include "contract/real_etcd.h"
#include "fakes/hand_clock.h"
#include "fakes/killing_etcd_client.h"
#include "milvus_upgrade/migrate/migrator.h"
#include "unit/migrate/etcd_of_milvus.h"

namespace mu::migrate {

using Hook = fakes::KillingEtcdClient::Hook;
using Connect = std::function<std::unique_ptr<ports::EtcdClient>()>;

constexpr int kDied = 77;

// More samples, longer waits: ./test --long.
bool IsLong();
inline bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
Connect To(const contract::RealEtcd& etcd);
// What etcdctl cannot do in less time than a migration takes. Errors are ignored.
void Compact(const contract::RealEtcd& etcd, std::int64_t revision);
// Acts before the n-th commit, counted from 1; the first is that of the lock.
Hook AtCommit(int n, std::function<void()> act);

class MilvusInEtcd {
 public:
  // `metadata` as it is under by-dev/meta/; it is put under `root`/meta/.
  MilvusInEtcd(Connect connect, const std::string& root, const Keys& metadata);

  Keys Inside();  // without leased keys
  std::string Value(const std::string& key);
  void Put(const std::string& key, const std::string& value);
  void Delete(const std::string& key);
  bool HasBackup() const;
  std::unique_ptr<ports::EtcdClient> Connected() const { return connect_(); }

  template <class Do>
  auto Process(Do run, Hook before_call = {}, Hook after_call = {}) {
    const auto gateway = connect_();
    fakes::KillingEtcdClient client(*gateway);
    client.before = std::move(before_call);
    client.after = std::move(after_call);
    adapters::PosixFiles files;
    adapters::SystemClock clock;
    fakes::HandInterrupts interrupts;
    Migrator migrator(client, files, clock, interrupts, notes, options);
    auto result = run(migrator);
    calls = client.Names();
    return result;
  }
  Result<RunOutcome> Run(Hook before_call = {}, Hook after_call = {}) {
    return Process([](Migrator& m) { return m.Run(); }, std::move(before_call),
                   std::move(after_call));
  }
  Result<RollbackOutcome> Rollback(Hook before_call = {}, Hook after_call = {}) {
    return Process([](Migrator& m) { return m.Rollback(); }, std::move(before_call),
                   std::move(after_call));
  }
  // Starts a child that does this and exits with what it gives back.
  static int Fork(const std::function<int()>& act);
  static int ExitOf(int child);
  // In a child that is gone just before and just after that call. 0, 1 or kDied.
  template <class Do>
  int Dies(Do run, int before_call, int after_call) {
    const auto die = [](int at) {
      return at == 0 ? Hook{}
                     : fakes::KillingEtcdClient::At(at, []() -> Status { ::_exit(kDied); });
    };
    return ExitOf(Fork([&] { return Process(run, die(before_call), die(after_call)) ? 0 : 1; }));
  }
  // Tests need not wait for a minute: what etcd does when the lease of a dead process has run out
  // is done at once. That it does so is tested once, by waiting (KilledOnEtcd.TheLock...).
  void EndTheLockOfTheDead();

  Keys before;
  Keys after;
  Options options;
  Notes notes;
  std::vector<std::string> calls;  // of the last process in here

 private:
  std::vector<model::KeyValue> Read(const std::string& start, const std::string& end);
  Connect connect_;
  std::unique_ptr<ports::EtcdClient> own_;
  contract::TemporaryFolder folder_;
};

}  // namespace mu::migrate
