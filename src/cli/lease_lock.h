// SPDX-License-Identifier: Apache-2.0
// The lock of a release on Kubernetes: a Lease in its namespace, so that two operators on two
// machines cannot both roll it. Whether a holder elsewhere is dead cannot be known, so the lock is
// never taken over by the clock alone: a person frees it, and only after its holder was not seen to
// renew it for one whole duration of our own clock.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "cli/run_target.h"
#include "milvus_upgrade/ports/clock.h"
#include "milvus_upgrade/ports/kube.h"

namespace mu::cli {

// How an object of the API tells whose it is.
std::map<std::string, std::string> AnnotationsOf(const LockHolder& holder);
LockHolder HolderOf(const model::KubeMeta& meta);

class LeaseLock {
 public:
  static constexpr Millis kDuration{60'000};
  static constexpr Millis kRenewEvery{20'000};

  // `renewing` is asked from a thread of ours: another one than `kube`, whose records are of one
  // thread.
  LeaseLock(ports::Kube& kube, ports::Kube& renewing, ports::Clock& clock,
            const std::string& release)
      : kube_(kube),
        renewing_(renewing),
        clock_(clock),
        release_(release),
        name_("milvus-upgrade-" + release) {}
  ~LeaseLock();  // does not give it back: what is not over stays locked
  LeaseLock(const LeaseLock&) = delete;
  LeaseLock& operator=(const LeaseLock&) = delete;

  // The lock of this very run in this very state folder is taken as held already: the flock there
  // keeps a second process off. Errors: kLocked with holder, host and state folder; the port's.
  Status Take(const LockHolder& holder);
  // Renews it from a thread of its own until it is given back. REQUIRES: it was taken.
  void KeepRenewing();
  // Just before an effect. A renewal is the proof that it is still ours, so that a young one is
  // enough. Errors: kLocked when it was freed or is another's; the port's.
  Status Check();
  Status CheckFree();  // errors: as Take
  Result<std::optional<LockHolder>> Holder();
  // Only the lock of this run is removed.
  Status Release(const std::string& run);
  // `unlock`: watches it for its whole duration and removes it when nobody renewed it. `goes_on` is
  // asked each second, with what is left. Errors: kLocked when it was renewed or is another run's,
  // kInterrupted.
  Status Free(const std::string& run, const std::function<bool(Millis left)>& goes_on);
  const std::string& Name() const { return name_; }

 private:
  Status Renew(ports::Kube& kube);  // REQUIRES: mutex_ is held
  void StopRenewing();
  Error HeldBy(const model::KubeLease& lease) const;

  ports::Kube& kube_;
  ports::Kube& renewing_;
  ports::Clock& clock_;
  const std::string release_;
  const std::string name_;
  std::mutex mutex_;  // of what follows
  std::optional<model::KubeLease> ours_;
  Millis renewed_{0};
  bool is_lost_ = false;
  bool is_stopping_ = false;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace mu::cli
