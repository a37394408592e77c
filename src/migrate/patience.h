// SPDX-License-Identifier: Apache-2.0
// Patience: asks again while etcd is away, for a bounded time from its last answer. For calls that
// read, or that may be made twice. Holds no state of etcd.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "milvus_upgrade/base/duration.h"
#include "milvus_upgrade/base/result.h"
#include "milvus_upgrade/ports/clock.h"

namespace mu::migrate {

inline constexpr char kAgain[] =
    "run the same command again: it goes on from there, and a rollback goes back";

class Patience {
 public:
  Patience(ports::Clock& clock, ports::Interrupts& interrupts, Millis limit)
      : clock_(clock), interrupts_(interrupts), limit_(limit) {}

  template <class Call>
  auto Ask(Call call) -> decltype(call()) {
    for (;;) {
      auto answer = call();
      if (answer || answer.error().code != ErrorCode::kEtcdUnreachable) {
        Answered();
        return answer;
      }
      MU_CHECK(WaitAfter(answer.error()));
    }
  }

  // For waits of other reasons. kInterrupted.
  Status Pause(Millis duration) {
    MU_CHECK(CheckInterrupt());
    clock_.Sleep(duration);
    return {};
  }
  Status CheckInterrupt() {
    if (interrupts_.Pending() == ports::Interrupt::kNone) return {};
    return Fail(ErrorCode::kInterrupted, "stopped by a signal", kAgain);
  }
  void Answered() { away_since_ = Millis(-1); }
  // Sleeps a little after `error`; the error itself, with how long etcd has been away, when the
  // time is over.
  Status WaitAfter(const Error& error) {
    const Millis now = clock_.Monotonic();
    if (away_since_.count() < 0) {
      away_since_ = now;
      pause_ = Millis(100);
    }
    if (interrupts_.Pending() != ports::Interrupt::kNone)
      return Fail(ErrorCode::kInterrupted, "stopped by a signal while etcd was away", kAgain);
    if (now - away_since_ >= limit_) {
      Error ended = error;
      ended.message += fmt::format(" (tried for {})", FormatDuration(now - away_since_));
      return Fail(std::move(ended));
    }
    clock_.Sleep(pause_);
    pause_ = std::min(pause_ * 2, Millis(2'000));
    return {};
  }

 private:
  ports::Clock& clock_;
  ports::Interrupts& interrupts_;
  Millis limit_;
  Millis away_since_{-1};
  Millis pause_{100};
};

}  // namespace mu::migrate
