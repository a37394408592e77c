// SPDX-License-Identifier: Apache-2.0
// Writes edits of keys in transactions that each compare the lock, that no Milvus has a session,
// and that every key is still as it was read. A transaction without an answer is looked at before
// it is made again, so that each edit happens once, whatever happens to etcd or to us.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "migrate/lock.h"
#include "migrate/patience.h"
#include "milvus_upgrade/meta/scope.h"
#include "milvus_upgrade/migrate/migrator.h"
#include "milvus_upgrade/ports/etcd_client.h"

namespace mu::migrate {

struct Edit {
  std::string key;
  std::optional<std::string> value;  // nullopt: the key is removed
  // The mod revision that the key was read at; 0: it was not there. Nullopt: whatever it is (the
  // marker, which is only ever written under the lock).
  std::optional<std::int64_t> seen;
};

// etcd's defaults are 128 conditions or operations and 1.5 MiB a request; the base64 of the JSON
// gateway is not counted in it.
constexpr std::size_t kMaxEdits = 120;
constexpr std::size_t kMaxBytes = 1'500'000;

class Writer {
 public:
  Writer(ports::EtcdClient& etcd, Lock& lock, Patience& patience, ports::Interrupts& interrupts,
         Listener& listener, const meta::Scope& scope, bool* has_written);

  // In this order, batch after batch. `what` is for people: "adding 2.2 keys". Stops between two
  // batches on an interrupt. Errors: kMigrationLost, kEtcdNoSpace, kInterrupted, ...
  Status Write(std::vector<Edit> edits, const std::string& what);

 private:
  Status WriteBatch(std::vector<Edit> batch);
  ports::Transaction TransactionOf(const std::vector<Edit>& batch) const;
  // What is left to do of a batch that was not committed, or may have been.
  Result<std::vector<Edit>> Left(std::vector<Edit> batch);

  ports::EtcdClient& etcd_;
  Lock& lock_;
  Patience& patience_;
  ports::Interrupts& interrupts_;
  Listener& listener_;
  meta::Scope scope_;
  bool* has_written_;
};

}  // namespace mu::migrate
