// SPDX-License-Identifier: Apache-2.0
// The lock on the engine: a container that is created and never started, with a fixed name for the
// project. It keeps two hosts or two checkouts from upgrading one stack, whose flocks do not see
// each other. It names its run, so that another shell can find it, and is never taken over by the
// clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/run_target.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/ports/docker.h"

namespace mu::cli {

struct HeldLock {
  std::string project;
  LockHolder holder;
};

class EngineLock {
 public:
  EngineLock(ports::Docker& docker, const std::string& project);

  // `image`: any that is on the engine; it is never run. The lock of this very run is taken as held
  // already. Errors: kLocked with holder, host and state folder.
  Status Take(const std::string& image, const LockHolder& holder);
  // Errors: kLocked with holder, host and state folder when any run holds it.
  Status CheckFree();
  // Who holds it, if anyone.
  Result<std::optional<LockHolder>> Holder();
  // Only the lock of this run is removed.
  Status Release(const std::string& run);
  // All locks on the engine: whoever does not know the project finds the run by them.
  static Result<std::vector<HeldLock>> All(ports::Docker& docker);
  const std::string& Name() const { return name_; }

 private:
  Error HeldBy(const model::Container& lock) const;
  ports::Docker& docker_;
  std::string name_;
};

}  // namespace mu::cli
