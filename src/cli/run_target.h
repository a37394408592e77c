// SPDX-License-Identifier: Apache-2.0
// What a run works on, as far as its flow must know: how others are kept off it, what measures its
// outage, which way leads back and what can be seen of it now. One implementation a kind of plan.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/wiring.h"
#include "milvus_upgrade/run/course.h"
#include "ui/run_views.h"

namespace mu::cli {

// Who holds a stack or a release: enough for another shell or machine to find the run.
struct LockHolder {
  std::string run;
  std::string host;
  std::string state_dir;
  bool operator==(const LockHolder&) const = default;
};

class RunTarget : public run::WayBack {
 public:
  // The lock that keeps others off, wherever they run. The lock of this very run is taken as held
  // already. Errors: kLocked with holder, host and state folder.
  virtual Status Take(const LockHolder& holder) = 0;
  // Just before each step that changes the world. Errors: kLocked when the lock is ours no more.
  virtual Status BeforeChange(const plan::Step& step) = 0;
  // Of a run that is over, or that has touched nothing: only the lock of this run is given back.
  virtual Status Release(const std::string& run) = 0;
  // Errors: kLocked, as those of Take, when any run holds it.
  virtual Status CheckFree() = 0;
  // Who holds it, if anyone.
  virtual Result<std::optional<LockHolder>> Holder() = 0;
  // For people: "the container milvus-upgrade-lock-milvus".
  virtual std::string LockName() const = 0;

  // Measures the outage while the run works; the windows go into the journal at the end. Errors
  // are the journal's only. `is_down`: an outage of this run is open. REQUIRES: the lock is held.
  virtual Status StartProbes(run::Journal& journal, bool is_down) = 0;
  virtual Status EndProbes(run::Journal& journal) = 0;

  // What runs now, for people; what cannot be seen says why.
  virtual std::vector<ui::ObservedLine> Look() = 0;
};

std::unique_ptr<RunTarget> MakeTarget(Wiring& wiring, const plan::Plan& plan);

}  // namespace mu::cli
