// SPDX-License-Identifier: Apache-2.0
// HandClock and HandInterrupts: time that moves only when a test or a Sleep moves it, signals that
// a test raises. A Sleep is over at once; worlds that change with time hang on OnAdvance.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "milvus_upgrade/ports/clock.h"

namespace mu::fakes {

class HandClock : public ports::Clock {
 public:
  Millis Monotonic() override { return now_; }

  // Starts at 2026-01-02T00:00:00.000Z; the month is not counted on.
  std::string WallTime() override { return TextOf(now_ + wall_); }
  static std::string TextOf(Millis at) {
    const auto ms = at.count();
    const auto hours = ms / 3'600'000;
    return fmt::format("2026-01-{:02}T{:02}:{:02}:{:02}.{:03}Z", 1 + hours / 24, hours % 24,
                       ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
  }

  // Someone sets the clock of the wall.
  void JumpWall(Millis by) { wall_ += by; }

  void Sleep(Millis duration) override {
    ++sleeps_;
    Advance(duration);
  }

  void Advance(Millis duration) {
    now_ += duration;
    if (now_ > kDeadline) throw std::runtime_error("HandClock: a wait without an end");
    for (const auto& listener : listeners_) listener(now_);
  }

  // Called with the new time whenever time moves.
  void OnAdvance(std::function<void(Millis)> listener) {
    listeners_.push_back(std::move(listener));
  }
  int Sleeps() const { return sleeps_; }

 private:
  static constexpr Millis kDeadline{20LL * 24 * 3'600'000};
  Millis now_{0};
  Millis wall_{24 * 3'600'000};  // a day ahead, so that it can be set back
  int sleeps_ = 0;
  std::vector<std::function<void(Millis)>> listeners_;
};

class HandInterrupts : public ports::Interrupts {
 public:
  ports::Interrupt Pending() override { return pending_; }
  int Signal() override { return signal_; }
  void Raise(ports::Interrupt interrupt, int signal = 2) {
    pending_ = interrupt;
    signal_ = signal;
  }

 private:
  ports::Interrupt pending_ = ports::Interrupt::kNone;
  int signal_ = 0;
};

}  // namespace mu::fakes
