// SPDX-License-Identifier: Apache-2.0
// The machine's clocks, and the only place of the program that sleeps.
#pragma once

#include <string>

#include "milvus_upgrade/ports/clock.h"

namespace mu::adapters {

class SystemClock final : public ports::Clock {
 public:
  explicit SystemClock(ports::Interrupts* interrupts = nullptr) : interrupts_(interrupts) {}
  Millis Monotonic() override;
  std::string WallTime() override;
  // Ends early when a signal comes during the sleep; one that was already pending does not count,
  // or a loop that finishes its step would spin.
  void Sleep(Millis duration) override;

 private:
  ports::Interrupts* interrupts_;
};

}  // namespace mu::adapters
