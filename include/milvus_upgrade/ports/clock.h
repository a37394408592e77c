// SPDX-License-Identifier: Apache-2.0
// Clock and Interrupts: time, waiting and signals, so that tests move time by hand.
#pragma once

#include <chrono>
#include <string>

#include "milvus_upgrade/base/duration.h"

namespace mu::ports {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Millis Monotonic() = 0;      // for durations and timeouts
  virtual std::string WallTime() = 0;  // "2026-11-25T12:00:00.123Z", for people and records only
  virtual void Sleep(
      Millis duration) = 0;  // the only wait of the product; ends early on an interrupt
};

enum class Interrupt { kNone = 0, kFinishStep = 1, kStopNow = 2 };

class Interrupts {
 public:
  virtual ~Interrupts() = default;
  virtual Interrupt Pending() = 0;
  virtual int Signal() = 0;  // the number of the first signal, 0 when none
};

}  // namespace mu::ports
