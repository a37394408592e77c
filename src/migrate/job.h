// SPDX-License-Identifier: Apache-2.0
// What a run and a rollback work with: the etcd, its lock, and the patience to wait for both.
#pragma once

#include "migrate/lock.h"
#include "migrate/patience.h"
#include "milvus_upgrade/migrate/migrator.h"

namespace mu::migrate {

class Job {
 public:
  Job(ports::EtcdClient& etcd, ports::Files& files, ports::Clock& clock,
      ports::Interrupts& interrupts, Listener& listener, const Options& options, bool* has_written)
      : etcd_(etcd),
        files_(files),
        interrupts_(interrupts),
        listener_(listener),
        options_(options),
        has_written_(has_written),
        patience_(clock, interrupts, options.patience),
        lock_(etcd, clock, patience_, options.scope, options.who) {}

 protected:
  ~Job() = default;

  ports::EtcdClient& etcd_;
  ports::Files& files_;
  ports::Interrupts& interrupts_;
  Listener& listener_;
  const Options& options_;
  bool* has_written_;
  Patience patience_;
  Lock lock_;
};

}  // namespace mu::migrate
