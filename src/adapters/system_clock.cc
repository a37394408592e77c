// SPDX-License-Identifier: Apache-2.0
#include "adapters/system_clock.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace mu::adapters {
namespace {

constexpr Millis kSlice{25};

}  // namespace

Millis SystemClock::Monotonic() {
  return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch());
}

std::string SystemClock::WallTime() {
  const auto now =
      std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch());
  const std::time_t seconds = static_cast<std::time_t>(now.count() / 1000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), now.count() % 1000);
}

void SystemClock::Sleep(Millis duration) {
  // In slices, since a signal may reach another thread and so not wake this one.
  const auto pending = [&] {
    return interrupts_ == nullptr ? ports::Interrupt::kNone : interrupts_->Pending();
  };
  const ports::Interrupt before = pending();
  const Millis end = Monotonic() + duration;
  for (Millis left = duration; left > Millis(0); left = end - Monotonic()) {
    std::this_thread::sleep_for(std::min(left, kSlice));
    if (pending() != before) return;
  }
}

}  // namespace mu::adapters
