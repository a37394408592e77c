// SPDX-License-Identifier: Apache-2.0
// The prober measures the outage from outside while a run works: one thread a probe, asking again
// and again, or listening to one that asks elsewhere, and keeping the windows without a right
// answer. It never influences the run and never writes: the caller journals its windows.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/run/journal.h"

namespace mu::run {

// True for a right answer. Called from the probe's own thread; it must end by itself within a few
// seconds.
using Probe = std::function<bool()>;

// A probe that is asked elsewhere, from its own thread: it gives each answer as it arrives, with
// its time by the source's own clock (any zero, one rate), and returns when `is_over` says true, or
// with the reason why it ended before.
using Answered = std::function<void(bool is_right, Millis at)>;
using Source =
    std::function<Status(const Answered& answered, const std::function<bool()>& is_over)>;

class Prober {
 public:
  Prober();
  ~Prober();  // ends the threads
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // Asks every `interval` (50 ms: ground.md 3) from now on.
  void Start(const std::string& name, Millis interval, Probe probe);
  // The lengths of the windows are the source's own; where they lie on our clock is right to within
  // the shortest time that an answer took to arrive here. `from`: where it asks, for people.
  void Listen(const std::string& name, const std::string& from, Source source);
  // Ends all probes.
  void Stop();
  // Windows since Start and one summary a probe, as journal events ("probe-window",
  // "probe-summary"; "probe-not-measured" for a source that never gave an answer). Times are
  // milliseconds since the prober was made. REQUIRES: stopped.
  std::vector<Record> Events() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mu::run
