// SPDX-License-Identifier: Apache-2.0
// The migration's lock in etcd: the key that Milvus's own tool also takes, under a lease that is
// kept alive. Every transaction compares it, so that no write of ours can come after its loss.
#pragma once

#include <cstdint>
#include <string>

#include "migrate/patience.h"
#include "milvus_upgrade/meta/scope.h"
#include "milvus_upgrade/migrate/migrator.h"
#include "milvus_upgrade/ports/etcd_client.h"

namespace mu::migrate {

class Lock {
 public:
  Lock(ports::EtcdClient& etcd, ports::Clock& clock, Patience& patience, const meta::Scope& scope,
       std::string who);
  // Gives it back, as well as it can: without an answer its lease ends it.
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // Waits for a lock whose holder does not renew it any more (killed) to end with its lease.
  // kMigrationRunning: its holder lives.
  Status Take(Listener& listener);
  // Renews the lease when a third of it is over. Takes the lock again when the lease has run out
  // and nobody else took it meanwhile. kMigrationLost: someone did.
  Status Keep();
  // After a refused transaction: whether the lock is still ours, at once. Errors as Keep.
  Status Check();
  // Of every transaction of ours.
  ports::Compare Held() const;

 private:
  // False: someone holds it.
  Result<bool> TryTake();
  Status TakeAgain();

  ports::EtcdClient& etcd_;
  ports::Clock& clock_;
  Patience& patience_;
  std::string key_;
  std::string who_;
  std::int64_t lease_ = 0;
  std::int64_t create_revision_ = 0;
  Millis renewed_{0};
};

}  // namespace mu::migrate
