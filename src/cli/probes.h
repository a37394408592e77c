// SPDX-License-Identifier: Apache-2.0
// What measures the outage of a run: /healthz, from here or, where it does not answer to here, from
// a container of ours on the stack's network; and the command of --probe-cmd. Never fails a run:
// what cannot be measured is recorded with its reason. Errors are the journal's only.
#pragma once

#include <memory>

#include "cli/wiring.h"
#include "milvus_upgrade/plan/plan.h"
#include "milvus_upgrade/run/helper_container.h"
#include "milvus_upgrade/run/journal.h"
#include "milvus_upgrade/run/prober.h"

namespace mu::cli {

inline constexpr Millis kProbeInterval{50};
inline constexpr Millis kProbeTimeout{1000};

class Probes {
 public:
  Probes(Wiring& wiring, const plan::Plan& plan) : wiring_(wiring), plan_(plan) {}

  // Removes what an earlier process of the stack's runs has left, and begins. `is_down`: an outage
  // of this run is open, so that no answer says nothing. REQUIRES: the engine's lock is held.
  Status Start(run::Journal& journal, bool is_down);
  // Ends all and writes what they saw.
  Status End(run::Journal& journal);

 private:
  bool AnswersHere() const;
  Result<std::string> StartInside();  // the name of its container
  Status StartHealthz(run::Journal& journal, bool is_down);

  Wiring& wiring_;
  const plan::Plan& plan_;
  std::unique_ptr<run::HelperContainer> helper_;  // outlives the prober's threads
  run::Prober prober_;
};

}  // namespace mu::cli
