// SPDX-License-Identifier: Apache-2.0
// The prober measures the outage from outside while a run works: one thread a probe, asking again
// and again and keeping the windows without a right answer. It never influences the run and never
// writes: the caller journals its windows.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/run/journal.h"

namespace mu::run {

// True for a right answer. Called from the probe's own thread; it must end by itself within a few
// seconds.
using Probe = std::function<bool()>;

class Prober {
 public:
  Prober();
  ~Prober();  // ends the threads
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // Asks every `interval` (50 ms: ground.md 3) from now on.
  void Start(const std::string& name, Millis interval, Probe probe);
  // Ends all probes.
  void Stop();
  // Windows since Start and one summary a probe, as journal events ("probe-window",
  // "probe-summary"). Times are milliseconds since the prober was made. REQUIRES: stopped.
  std::vector<Record> Events() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mu::run
